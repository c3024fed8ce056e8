"""The page's last section: what its terms and figures mean."""

from __future__ import annotations

from plumbline.report.blocks import Terms
from plumbline.report.chapters import chapters

TERMS = {
    "EM (exact match)": """
        The share of questions whose greedy answer equals an accepted one, ignoring case, punctuation
        and articles. Facts that the base does not know stay in the test set.""",
    "ID and OOD": """
        In domain: other facts of the relations that are tuned on. Out of domain: relations never
        tuned on. Sets of choice questions made from facts are assigned by relation, all others by
        the configuration. Long answers are assigned by the relation that their subject was taken
        from: if a method is tuned to write about the subjects of certain relations, only these are
        in domain. Claims of training texts are verified only by the facts of the train split.""",
    "Primary and secondary contrasts": """
        Each method names, before the run, the comparisons that its paper is about and one measure
        for them. The primary ones are corrected for their number by Holm's method (1979): if none of
        a model's primary contrasts had an effect, at most one run in twenty would call any of them
        higher or lower, as far as the assumptions of the p values hold. The secondary ones, and
        every other difference on this page, are exploratory: no difference is claimed.""",
    "Held": """
        An equivalence test with a margin set in the configuration: the difference is shown to be
        smaller than the margin. A difference that was merely not seen is never called held.""",
    "Detectable": """
        The smallest true difference that 80 of 100 runs like this one would have found, given the
        spread in this run. Where no difference was found, smaller ones remain possible.""",
    "Difference to the base": """
        Both checkpoints answer the same questions, so the difference is taken question by
        question, and its interval is narrower than the two accuracies' own intervals suggest. Both
        are asked in the same form, so the difference is not one of form. If only one of them was
        tuned in that form, however, the form is part of what tuning taught.""",
    "closed_book, closed_book_plain, closed_book_chat": """
        The same closed-book questions in three forms: with few-shot examples (other ones than in
        probing), as an instruction and the question in plain text, and as a user's turn in the
        model's chat template. Every checkpoint is asked in the first form; checkpoints tuned in
        one of the others, and those they are tuned from, are asked in that form too. A model that
        does not know a form answers in sentences, which EM counts as wrong: its low EM there says
        nothing about what it knows. Further sets of closed-book questions are asked in the same
        forms, with few-shot examples of their own; their tasks have the set's name with the same
        endings.""",
    "MC1, MC2, MC3": """
        Choice questions are not answered but scored: by the log-likelihood of each choice after
        the question, summed over its tokens (Lin et al. 2022, “TruthfulQA”). MC1: the share of
        questions whose best true choice is likelier than every false one. MC2: the probability of
        all true choices out of that of all choices. MC3: the share of true choices likelier than
        every false one. All three depend on how many choices a task has: compare within a task.""",
    "Accuracy, acc_norm": """
        The share of questions whose likeliest choice is true. acc_norm: likeliest per character,
        so that short choices have no advantage.""",
    "By chance, without reading the question": """
        What a choice task gives away. By chance: a choice drawn at random. Without reading the
        question: the best of these rules: always the longest choice, always the shortest, always
        the answer that most facts of the relation have and, where choices are listed with letters,
        always the same letter. A score no higher than these shows no knowledge.""",
    "Precision, coverage, F1 of claims": """
        A response is split into single claims, and each is verified. Coverage: the share of claims
        that the verifier decides; one that only knows a table of facts leaves most undecided, which
        does not mean that they are false. Precision: the supported share of the decided claims, if
        there are any. F1@K (Wei et al. 2024, “Long-form factuality in large language models”): the
        harmonic mean of precision and recall, where recall is the number of supported claims divided
        by the K that a reader wants, at most 1; 0 if nothing is supported. A response that stops
        early supports less, so F1, the main measure of the task, does not reward stopping. If the
        token limit cut a response off, its last sentence is left out and counted (cut_off).""",
    "FActScore": """
        Min et al. 2023: the share of supported claims among all, averaged over the responses that
        have any. Undecided claims count like refuted ones, so this suits verifiers that decide every
        claim. Without the length penalty, as in Lin et al. 2024 (FLAME), unless it says
        otherwise.""",
    "Supported, refuted, unverifiable": """
        The verifier's result for a claim: facts or passages that confirm it, that contradict it, or
        neither. A claim that says more than the facts do is unverifiable, even if part of it is
        right.""",
    "Respond ratio": """
        The share of responses that make any claim. Empty responses, refusals, and responses whose
        only sentence is cut off make none.""",
    "Win rate": """
        A judge sees each response beside that of the checkpoint compared with, in both orders. What
        counts is the probability it gives to its verdict, averaged over both orders: no verdict is
        unreadable, and a preference for a position cancels out; equal texts count one half. Before,
        the judge is tested on pairs of known quality: a person's answer against an answer to another
        question, against its own first third, and against its own words in another order. A judge
        that is right about less than 75 % of them is not used, and there is no win rate.""",
    "Loss, margin, preferred": """
        About preference training, on the pairs of each step. The reward of an answer is β times its
        log-likelihood under the model minus that under the reference; margin: the chosen answer's
        reward minus the rejected one's; preferred: the share of pairs with a positive margin. They
        show that training works, not that answers become truer.""",
    "Token distribution shift": """
        Lin et al. 2023, “The Unlocking Spell on Base LLMs”: how often the model before tuning would
        have chosen other tokens than the tuned one, given the same prompt and the same tokens so
        far. Yuan et al. 2024 (“Beyond Under-Alignment”, APEFT) compare prompts in and out of the
        tuning domain: a model is under-aligned if it behaves almost as before outside the domain,
        and over-aligned if it changes there in the wrong way. The rule for telling them apart here
        is ours.""",
    "95 % interval": """
        It covers chance in which questions were asked and, from two seeds on, the spread between
        trainings. With one seed, no interval includes that spread: another training could give other
        results. For right and wrong answers of one training, it is Wilson's interval, with the number
        of answers reduced if several are about one subject. Otherwise it is from the t distribution
        with Satterthwaite's degrees of freedom, taking seeds and groups of questions about one
        subject as crossed random samples, and adding a few made-up questions where values repeat
        (Agresti and Min 2005), so that equal answers still leave room for a difference. With fewer
        than six groups there is no interval.""",
    "What a seed draws anew": """
        The questions and pairs that a training takes from those available, their order, the initial
        weights of its adapters, and its dropout; if a later stage starts from a tuned checkpoint,
        also what that checkpoint writes for it. All seeds share what the base wrote or answered: the
        labels of what it knows (from one probing, the most expensive part, which measures the base and
        not the tuning), and its answers, responses and pairs that methods train on. They also share
        the sets and few-shot examples of the evaluation. No interval covers how much another draw of
        these would change.""",
    "Gain": """
        The mean, over the tasks of a domain, of the difference in points between two checkpoints,
        with equal weights. Only tasks that all checkpoints shown together have, with measures of
        truth (EM, MC1, accuracy, F1 of claims); the win rate, which is about what a judge prefers, is
        left out. Its interval includes the spread of the questions within each task and that of the
        seeds over all tasks.""",
}


def how_to_read() -> Terms:
    terms = dict(TERMS)
    for chapter in chapters():
        terms |= chapter.terms
    return Terms([(term, " ".join(text.split())) for term, text in terms.items()])
