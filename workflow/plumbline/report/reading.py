"""The page's last section: what its terms and figures mean."""

from __future__ import annotations

from plumbline.report.blocks import Terms
from plumbline.report.chapters import chapters

TERMS = {
    "EM (exact match)": """
        The share of questions whose greedy answer equals an accepted one once case, punctuation
        and articles are set aside. Facts the base does not know stay in the test set.""",
    "ID and OOD": """
        In domain: other facts of the relations that are tuned on. Out of domain: relations never
        tuned on. Sets of choice questions made of facts go by the relation, all others by the
        configuration. Long answers go by the relation that their subject was taken from: where a
        method is tuned to write about the subjects of certain relations, only these are in domain.
        What is trained on is verified by the facts of the train split alone.""",
    "Primary and secondary contrasts": """
        Each method names the comparisons that its paper is about, and one measure for them, before
        the run. The primary ones are corrected for their number by Holm's method (1979): if none of
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
        A response is taken apart into single claims, and each is verified. Coverage: the share of
        claims that the verifier decides; one that knows a table of facts leaves most open, which
        is no sign that they are false. Precision: supported claims of the decided ones, where
        there are any. F1@K (Wei et al. 2024, “Long-form factuality in large language models”):
        harmonic mean of precision and recall, which is supported claims out of the K that a reader
        wants, at most 1; 0 where nothing is supported. A response that stops early supports less,
        so that F1, the measure of the task, does not reward it. The last sentence of a response
        that the token limit cut off is left out and counted (cut_off).""",
    "FActScore": """
        Min et al. 2023: the share of supported claims among all, averaged over the responses that
        have any. Open claims count like refuted ones, so that it fits verifiers that decide every
        claim. Without the length penalty, as in Lin et al. 2024 (FLAME), unless it says
        otherwise.""",
    "Supported, refuted, unverifiable": """
        What the verifier finds for a claim: facts or passages that say so, that say otherwise, or
        neither. A claim that says more than the facts do is unverifiable, however much of it is
        right.""",
    "Respond ratio": """
        The share of responses that make any claim. An empty response, a refusal, one without a
        claim and one whose only sentence is cut off make none.""",
    "Win rate": """
        A judge sees each response beside that of the checkpoint compared with, in both orders. What
        counts is the probability that it gives its verdict, the mean of both orders, so that no
        verdict is unreadable and a preference for a place cancels out; equal texts count one half.
        Before, the judge is put to the test on pairs of known quality: a person's answer against an
        answer to another question, its own first third, and its own words in another order. One
        that is right about less than 75 % of them is not used, and there is no win rate.""",
    "Loss, margin, preferred": """
        Of preference training, on the pairs of each step. The reward of an answer is β times its
        log-likelihood to the model less that to its reference; margin: the chosen answer's reward
        less the rejected one's; preferred: the share of pairs with a positive margin. They say
        that training works, not that answers get truer.""",
    "Token distribution shift": """
        Lin et al. 2023, “The Unlocking Spell on Base LLMs”. How often the model before tuning
        would have chosen other tokens than the tuned one, given the same prompt and the same
        tokens so far. Yuan et al. 2024 (“Beyond Under-Alignment”, APEFT) compare prompts in and
        out of the tuning domain: under-aligned is a model that behaves outside almost as before,
        over-aligned one that changes there in the wrong way. The rule that tells them apart here
        is ours.""",
    "95 % interval": """
        It covers the luck of which questions were asked and, from two seeds on, the spread between
        trainings. With one seed that spread is in no interval: another training could come out
        elsewhere. Wilson's for the right and wrong answers of one training, where several answers on
        one subject count as many as they are worth; else of the t distribution with
        Satterthwaite's degrees of freedom, seeds and groups of questions on one subject being
        crossed random samples, and a few made-up questions where values repeat (Agresti and Min
        2005), so that equal answers leave room for a difference. Of fewer than six groups there is
        none.""",
    "What a seed draws anew": """
        The questions and pairs that a training takes from what there is to choose from, their
        order, the weights of its adapters and its dropout; where a later stage starts from a tuned
        checkpoint, also what that checkpoint writes for it. All seeds share what the base wrote or
        answered: its labels of what is known (one probing, the costliest part, says what the base
        knows, not what tuning does), and the answers, responses and pairs of it that methods train
        on. They share the sets and exemplars of evaluation as well. What another draw of these
        would change is in no interval.""",
    "Gain": """
        The mean, over the tasks of a domain, of the difference in points between two checkpoints:
        each task counts alike. Only tasks measured by what is true (EM, MC1, accuracy, F1 of
        claims) that all checkpoints shown together have; the win rate, which asks what a judge
        prefers, is left out. Its interval holds the spread of the questions within each
        task and that of the seeds over all tasks.""",
}


def how_to_read() -> Terms:
    terms = dict(TERMS)
    for chapter in chapters():
        terms |= chapter.terms
    return Terms([(term, " ".join(text.split())) for term, text in terms.items()])
