"""The page's last section: what its terms and figures mean."""

from __future__ import annotations

from plumbline.report.blocks import Terms

TERMS = {
    "EM (exact match)": """
        The share of questions whose greedy answer equals an accepted one once case, punctuation
        and articles are set aside. Facts the base does not know stay in the test set.""",
    "SliCK": """
        Four categories of how well the base knows a fact (Gekhman et al. 2024, “Does Fine-Tuning
        LLMs on New Knowledge Encourage Hallucinations?”). The base is asked with several sets of
        worked examples. HighlyKnown: every greedy answer is right. MaybeKnown: some are.
        WeaklyKnown: none is, but a sampled answer is. Unknown: nothing is right. Known means any
        of the first three. The base's own EM by category follows from this (all of HighlyKnown,
        none of WeaklyKnown and Unknown) and is no finding.""",
    "ID and OOD": """
        In domain: other facts of the relations that were tuned on. Out of domain: relations never
        tuned on.""",
    "Mix": """
        A tuning set. unknown-50 holds 50 % Unknown and 50 % Known facts, alike in every relation;
        all unknown-… mixes of a run have the same size.""",
    "Early stop, convergence": """
        Two checkpoints of one tuning run: the epoch with the best dev accuracy, and the last.""",
    "Difference to the base": """
        Both checkpoints answer the same questions, so it is taken question by question, and its
        interval is narrower than the two accuracies' own intervals suggest. The base is asked with
        worked examples before the question, since without them it would not answer in a word or
        two; tuned checkpoints are asked in the form they were tuned in. The difference is that of
        the two together.""",
    "Abstaining": """
        A mix such as idk-… is trained to say that it does not know. EM counts that as wrong;
        em_answered is EM over the questions it did answer, to be read beside answered, their
        share.""",
    "95 % interval": """
        Accuracies: Wilson's; differences: bootstrap over the questions. It covers the luck of
        which questions were asked, not that of the training seed: with several seeds the bounds
        are averaged and the seeds shown apart. An interval that holds zero is called no clear
        difference, which is no proof that there is none. Of twenty true zeros, about one looks
        clear by chance.""",
    "Linear model": """
        Accuracy regressed on the shares of the tuning set that are fitted and Known, and fitted
        and Unknown, over all mixes and epochs. The epochs of one run are not independent: its
        intervals are narrower than they should be.""",
}


def how_to_read() -> Terms:
    return Terms([(term, " ".join(text.split())) for term, text in TERMS.items()])
