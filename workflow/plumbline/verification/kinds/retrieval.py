"""`retrieval`: a checkpoint of the run judges claims with passages."""

from __future__ import annotations

from collections.abc import Sequence

from plumbline.config.verification import Retrieval
from plumbline.jobs import devices
from plumbline.records import Question
from plumbline.verification.kinds.evidence import passage_store
from plumbline.verification.kinds.means import Means


def build(settings: Retrieval, facts: Sequence[Question], means: Means):
    passages = passage_store(settings, facts, means)
    folder = means.path("judge", "the folder of the checkpoint that judges")
    devices.take(means.device)
    import torch

    from plumbline.verification import logits
    from plumbline.verification.judging import JudgingVerifier

    if means.device == "cpu":
        torch.set_num_threads(means.threads)
    judge = logits.load(folder, means.scoring, means.device)
    return JudgingVerifier(settings.kind, passages, settings.k, judge, means.store)
