"""APEFT's pairs: of two statements about one fact, and of two whole responses.

Yuan et al. 2024 keep the facts that a model potentially knows, by sampling its answers, and pair a
right statement with a wrong one that contradicts it. The rule is ours: of S answers to a fact's
question, k are right; 0 < k < S means potentially known, and for two answers to contradict each other,
a verifier must find one refuted, not merely unsupported. Right and wrong refer to the fact that was
asked for (`Claim.asked`).
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from plumbline.claims.records import Verdict
from plumbline.methods.apeft.answers import Answered
from plumbline.methods.apeft.questions import AtomicQuestion
from plumbline.records import Pair
from plumbline.responses.drawn import DrawnResponse
from plumbline.responses.pairs import Pairing, by_instruction
from plumbline.responses.prompting import Form, instruction_prompt, response_side
from plumbline.responses.scores import factuality, scored
from plumbline.storage.files import DifferentRuns
from plumbline.texts.text import segments
from plumbline.training.sets import TrainingSet, dropped_rows

STAGE = "apeft"  # under which drops are counted
UNKNOWN, KNOWN = "unknown: no answer right", "known: every answer right"


def atomic(
    questions: Iterable[AtomicQuestion],
    answered: Iterable[Answered],
    verdicts: Mapping[str, Verdict],
    *,
    samples: int,
    form: Form,
    max_length_gap: int,
) -> TrainingSet[Pair]:
    """One pair for each question whose answer the model potentially knows.

    The questions are counted by their number of `right` answers.

    verdicts: by claim id. samples: S, answers drawn per question. Chosen is the commonest supported
    answer, rejected the commonest refuted one; of equally common ones, the first by text. Pairs
    whose statements differ by more than `max_length_gap` words are dropped, since length would tell
    them apart. Raises InputError for an answer without a verdict.
    """
    by_question: dict[str, list[Answered]] = defaultdict(list)
    for answer in answered:
        if answer.id not in verdicts:
            raise DifferentRuns(
                f"answer {answer.id} has no verdict",
                "Verify again",
            )
        by_question[answer.response].append(answer)
    pairs, dropped, right_answers = [], Counter(), Counter()
    for question in questions:
        groups: dict[str, list[Answered]] = defaultdict(list)
        for answer in by_question[question.id]:
            groups[verdicts[answer.id].verdict].append(answer)
        k = sum(answer.n for answer in groups["supported"])
        right_answers[k] += 1
        reason = None
        if k == 0:
            reason = UNKNOWN
        elif k == samples:
            reason = KNOWN
        elif not groups["refuted"]:
            reason = "no answer contradicts the right one"
        if reason is None:
            right, wrong = (_commonest(groups[name]) for name in ("supported", "refuted"))
            gap = len(segments(right.statement)) - len(segments(wrong.statement))
            if abs(gap) > max_length_gap:
                reason = "lengths differ too much"
        if reason:
            dropped[reason] += 1
            continue
        pairs.append(
            Pair(
                id=f"{question.id}/atomic",
                prompt=instruction_prompt(question.question, form),
                chosen=response_side(right.statement, form),
                rejected=response_side(wrong.statement, form),
                source="atomic",
                topic=question.topic,
                claim=question.claim,
                right=k,
                samples=samples,
            )
        )
    lost = dropped_rows("atomic pairs", dropped, STAGE)
    return TrainingSet("atomic", pairs, lost, {"right": right_answers})


def _commonest(answers: list[Answered]) -> Answered:
    return min(answers, key=lambda answer: (-answer.n, answer.statement))


def general(
    responses: Iterable[DrawnResponse],
    verdicts: Iterable[Verdict],
    *,
    form: Form,
    per_entity: int | None,
    seed: int,
) -> TrainingSet[Pair]:
    """Every two responses whose shares of supported claims differ, as in FactTune.

    Tian et al. 2024; at most `per_entity` pairs per prompt, drawn with the seed. Responses without
    claims have no score. Raises InputError for a verdict on another response.
    """
    responses, verdicts = list(responses), list(verdicts)
    known = {response.id for response in responses}
    for verdict in verdicts:
        if verdict.response not in known:
            raise DifferentRuns(
                f"verdict on claim {verdict.claim}: its response {verdict.response} is not among"
                " the responses",
                "Verify again",
            )
    pairing = Pairing(form)
    rows = scored(responses, factual=factuality(verdicts))
    pairing.every("general", by_instruction(rows), lambda row: row.factual)
    groups: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairing.pairs["general"]:
        groups[pair.instruction].append(pair)
    kept, dropped = [], pairing.dropped
    for name, ranked in groups.items():
        order = list(ranked)
        random.Random(f"{seed}:{name}").shuffle(order)
        drawn = {pair.id for pair in order[:per_entity]}
        kept += [pair for pair in ranked if pair.id in drawn]
        dropped["general pairs"]["over general_per_entity"] += len(ranked) - len(drawn)
    lost = [row for item, reasons in dropped.items() for row in dropped_rows(item, reasons, STAGE)]
    return TrainingSet("general", kept, lost)
