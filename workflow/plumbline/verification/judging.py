"""Judging claims with evidence, as done by all verifiers that retrieve passages."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import Field

from plumbline.claims.records import Claim, Decision, Verdict
from plumbline.jobs.program import Progress
from plumbline.records import NonEmpty, Record
from plumbline.storage.append_only import AppendOnly
from plumbline.storage.files import sha256_json
from plumbline.verification.search import PassageStore

log = logging.getLogger("plumbline")


@dataclass(frozen=True)
class Case:
    """A claim and the passages found for it, best first."""

    claim: Claim
    evidence: list[dict]


class Judgement(Record):
    """A judge's decision about a case."""

    verdict: Decision
    state: NonEmpty = "ok"
    score: float | None = None
    shown: int = Field(ge=0, description="Passages that the judge saw, the best ones.")
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class CaseJudge(Protocol):
    """Judges cases in any order and yields each with its index as soon as it is done.

    `identity` is what a judgement depends on besides the case, such as model and prompt.
    """

    identity: dict

    def judge(self, cases: list[Case]) -> Iterator[tuple[int, Judgement]]: ...


class JudgingVerifier:
    """Retrieves passages for each claim and lets a judge decide; finished judgements are kept."""

    def __init__(self, name: str, passages: PassageStore, k: int, judge: CaseJudge, kept: Path):
        """name: the verifier's name in verdicts. kept: the folder of finished judgements."""
        self._name, self._passages, self._k = name, passages, k
        self._judge, self._kept = judge, Kept(kept)

    def verify(self, claims: Iterable[Claim]) -> list[Verdict]:
        """A verdict for each claim, in order; a claim without any passage has the state "no page".

        Equal claims with equal evidence are judged once, and not again when the run is repeated.
        """
        cases = [
            Case(claim, self._passages.search(claim.text, claim.topic, self._k)) for claim in claims
        ]
        if self._passages.cut:
            log.warning(
                f"{len(self._passages.cut):,} passages were longer than the embedding model reads and "
                f"were compared by their beginning, e.g. {self._passages.cut[0]}"
            )
        keys = [self._key(case) if case.evidence else "" for case in cases]
        done = self._kept.load(set(keys))
        places: dict[str, list[int]] = defaultdict(list)
        for place, key in enumerate(keys):
            if key and key not in done:
                places[key].append(place)
        todo = [cases[where[0]] for where in places.values()]
        log.info(
            f"{len(cases):,} claims: {len(todo):,} to judge, {keys.count(''):,} without a page, "
            f"the others are done"
        )
        progress, order = Progress(len(todo), "claims"), list(places)
        for place, judgement in self._judge.judge(todo) if todo else ():
            done[order[place]] = judgement
            if judgement.state != "judge refused":  # this may have been the server's mistake
                self._kept.append([(order[place], judgement)])
            progress.advance(1)
        return [
            self._verdict(case, done[key] if key else None)
            for case, key in zip(cases, keys, strict=True)
        ]

    def _key(self, case: Case) -> str:
        evidence = [(passage["title"], passage["text"]) for passage in case.evidence]
        claim = case.claim
        return sha256_json([claim.text, claim.topic, evidence, self._judge.identity])[:32]

    def _verdict(self, case: Case, judgement: Judgement | None) -> Verdict:
        whose = {"claim": case.claim.id, "response": case.claim.response, "verifier": self._name}
        if judgement is None:
            return Verdict(**whose, verdict="unverifiable", state="no page")
        fields = judgement.model_dump(exclude={"shown"}, exclude_none=True)
        return Verdict(**whose, **fields, evidence=case.evidence[: judgement.shown])


class Kept(AppendOnly[Judgement]):
    """Finished judgements by key."""

    FIELD, MADE = "judgement", "judged"

    def _value(self, held: object) -> Judgement:
        return Judgement(**held)

    def _json(self, value: Judgement) -> object:
        return value.model_dump(exclude_none=True)
