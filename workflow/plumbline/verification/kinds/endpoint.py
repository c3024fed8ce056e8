"""`endpoint`: a model behind a server judges claims with passages."""

from __future__ import annotations

import os
from collections.abc import Sequence

from plumbline.config.verification import Endpoint
from plumbline.records import Question
from plumbline.verification.kinds.evidence import passage_store
from plumbline.verification.kinds.means import Means


def build(settings: Endpoint, facts: Sequence[Question], means: Means):
    from plumbline.verification.endpoint import EndpointJudge, key_from
    from plumbline.verification.judging import JudgingVerifier

    passages = passage_store(settings, facts, means)
    judge = EndpointJudge(settings, key_from(os.environ, settings.key_env))
    return JudgingVerifier(settings.kind, passages, settings.k, judge, means.store)
