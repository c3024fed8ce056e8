"""A local model as the judge: is " True" or " False" the likelier next word?

As in FActScore with a local model (Min et al. 2023), passages come in reversed order, the best one
last, and a claim is supported when True has the larger logit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from plumbline.config.engines import Scoring
from plumbline.records import ChoiceQuestion
from plumbline.scoring.likelihood import TokenizedItem, score
from plumbline.scoring.prompts import context_length, encode
from plumbline.verification.judging import Case, Judgement

PASSAGE = "Title: {title}\n{text}\n\n"
QUESTION = (
    "Going by the texts above about {topic}, is the following statement true or false?\n"
    "Statement: {claim}\n"
    "True or False? Answer:"
)
_AT_ONCE = 16  # cases judged before results are saved


class LogitJudge:
    """score = log p(" True") - log p(" False") in nats; above 0 is supported, otherwise refuted."""

    def __init__(self, model, tokenizer, batch_tokens: int, digest: str, dtype: str):
        """digest: the checkpoint's (`answers_digest`); with dtype and prompt it identifies
        judgements.
        """
        self._model, self._tokenizer, self._batch_tokens = model, tokenizer, batch_tokens
        self._longest = context_length(model)
        self.identity = {"checkpoint": digest, "dtype": dtype, "prompt": PASSAGE + QUESTION}

    def judge(self, cases: list[Case]) -> Iterator[tuple[int, Judgement]]:
        """Judgements in order; state "too long" if the claim and one passage do not fit."""
        for at in range(0, len(cases), _AT_ONCE):
            some = [self._encode(case) for case in cases[at : at + _AT_ONCE]]
            items = [item for item, _ in some if item]
            scores = iter(score(self._model, items, self._batch_tokens))
            for place, (item, shown) in enumerate(some, start=at):
                if item is None:
                    yield place, Judgement(verdict="unverifiable", state="too long", shown=0)
                    continue
                true, false = next(scores)
                yield (
                    place,
                    Judgement(
                        verdict="supported" if true > false else "refuted",
                        score=round(true - false, 6),
                        shown=shown,
                    ),
                )

    def _encode(self, case: Case) -> tuple[TokenizedItem | None, int]:
        """Token ids, and how many passages fit: the worst are left out first."""
        for shown in range(len(case.evidence), 0, -1):
            question = ChoiceQuestion(
                id=case.claim.id,
                question=prompt(case.claim.topic, case.claim.text, case.evidence[:shown]),
                choices=["True", "False"],
                labels=[1, 0],
            )
            item = encode(self._tokenizer, question, "continuation")
            longest = len(item.prompt) + max(map(len, item.continuations)) - 1
            if self._longest is None or longest <= self._longest:
                return item, shown
        return None, 0


def prompt(topic: str, claim: str, passages: Sequence[dict]) -> str:
    """The judge's prompt; passages are given best first and shown best last."""
    texts = (PASSAGE.format(**passage) for passage in reversed(passages))
    return "".join(texts) + QUESTION.format(topic=topic, claim=claim)


def load(folder: Path, scoring: Scoring, device: str) -> LogitJudge:
    """The judge of a checkpoint folder; scoring: the configuration's section.

    InputError when the folder is not a complete checkpoint.
    """
    from plumbline.models import checkpoints

    model = checkpoints.load_model(folder, scoring.dtype).to(device).eval()
    tokenizer = checkpoints.load_tokenizer(folder)
    digest = checkpoints.answers_digest(folder)
    return LogitJudge(model, tokenizer, scoring.batch_tokens, digest, scoring.dtype)
