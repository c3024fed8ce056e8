"""What a run will cost, estimated from the configuration and the questions before anything runs.

Counts are exact where the configuration determines them and otherwise rest on stated assumptions:
SliCK categories as in the paper (Gekhman et al. 2024, sec. 3), and four characters per token. The
report compares the estimate with what the run took.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from types import MappingProxyType

from plumbline.config.verification import REFERENCE
from plumbline.evaluation.overlaps import EvaluatedText
from plumbline.experiment.closed_book import forms_of
from plumbline.experiment.config import Config
from plumbline.experiment.lineage import Lineage
from plumbline.experiment.shift_pairs import long_form_checkpoints, shift_pairs
from plumbline.judging.prompts import SIDES
from plumbline.methods.estimates import (
    ANSWER_TOKENS,
    CHARACTERS_A_TOKEN,
    JUDGE_TOKENS,
    RESPONSE_TOKENS,
    SMALLEST_CATEGORY,
    SPEED,
    UNKNOWN,
    WEAKLY_KNOWN,
    Planner,
    Stage,
    tokens_of,
)
from plumbline.methods.registry import METHODS
from plumbline.records import ChoiceQuestion, Question


def parameters_of(text: str) -> float | None:
    """The size in a model's name, such as 135M or 8b; None if it has none."""
    match = re.search(r"(?<![A-Za-z0-9.])(\d+(?:\.\d+)?)([MmBb])(?![A-Za-z0-9])", text)
    if not match:
        return None
    return float(match[1]) * {"m": 1e6, "b": 1e9}[match[2].lower()]


def make_plan(
    config: Config,
    lineage: Lineage,
    questions: list[Question],
    choices: list[ChoiceQuestion],
    asked: Mapping[str, list[ChoiceQuestion]],
    instructions: Mapping[str, int],
    parameters: dict[str, float],
    cores: int,
    closed_book: Sequence[Question] = (),
    harness: Mapping[str, Sequence[EvaluatedText]] = MappingProxyType({}),
) -> dict:
    """The plan as plan.json has it: device, assumptions, and a row for each stage.

    choices: what every checkpoint is scored on; asked: by folder, choice questions that a method asks,
    such as GRATH's; instructions: how many each set has; parameters: number of each model's weights, by
    model name; closed_book: questions beside those about the facts; harness: the questions of its
    tasks, by task.
    """
    speed = SPEED[config.device] * (cores if config.device == "cpu" else 1)
    device = f"one {config.device} device"
    if config.device == "cpu":
        device = f"{cores} CPU core" + "s" * (cores != 1)
    stages: list[Stage] = []
    for size in parameters.values():
        planner = Planner(config, lineage, questions, asked, instructions, size, speed)
        stages.append(planner.importing(1, planner.parameters * 2 / 2**20))
        for method in METHODS:
            stages += method.cost(planner)
        stages += [_closed_book(planner, closed_book), *_scoring(planner, choices)]
        stages += _harness(planner, harness)
        stages += [*_long_form(planner), *_token_shift(planner)]
    return {
        "device": device,
        "price_per_device_hour": config.price_per_device_hour,
        "assumptions": {
            "characters_a_token": CHARACTERS_A_TOKEN,
            "weakly_known_share": WEAKLY_KNOWN,
            "unknown_share": UNKNOWN,
            "smallest_category_share": SMALLEST_CATEGORY,
            "answer_tokens": ANSWER_TOKENS,
            "response_tokens": RESPONSE_TOKENS,
            "operations_a_second": speed,
            "parameters": parameters,
        },
        "stages": [asdict(stage) for stage in _merged(stages)],
    }


def _merged(stages: Iterable[Stage]) -> Iterator[Stage]:
    """One stage for each name, in the order in which the names first occur."""
    by_name: dict[str, list[Stage]] = {}
    for stage in stages:
        by_name.setdefault(stage.stage, []).append(stage)
    counts = [field.name for field in fields(Stage) if field.name != "stage"]
    for name, parts in by_name.items():
        totals = {key: [getattr(part, key) for part in parts] for key in counts}
        # `_total` sums exactly, so the order does not matter.
        yield Stage(name, **{key: _total(values) for key, values in totals.items()})


def _total(values: list[float]) -> float:
    return sum(values) if all(isinstance(value, int) for value in values) else math.fsum(values)


def _closed_book(planner: Planner, sets: Sequence[Question]) -> Stage:
    """The test questions, and those of further sets, in all forms in which checkpoints are asked."""
    limit = planner.config.evaluation.questions
    test = sum(
        min(count, limit or count)
        for (_, _, split), count in planner.counts.items()
        if split == "test"
    )
    jobs = planner.checkpoints()
    asked = forms_of(planner.config, planner.lineage).items()
    forms = sum(len(own) * planner.times(checkpoint) for checkpoint, own in asked)
    prompts = forms * (test + len(sets))
    tokens = prompts * (planner.question_tokens + planner.answer_tokens)
    starts = jobs * (1 + len(planner.config.evaluation.closed_book))
    return planner.generation(starts, prompts, prompts, tokens, 0)


def _scoring(planner: Planner, questions: list[ChoiceQuestion]) -> Iterator[Stage]:
    """Log-likelihoods of every choice under every checkpoint."""
    if not questions:
        return
    tokens = tokens_of(
        text for question in questions for text in (question.question, *question.choices)
    )
    sequences = sum(len(question.choices) for question in questions) / len(questions)
    yield planner.scoring("score", planner.checkpoints(), len(questions), sequences, tokens)


def _harness(planner: Planner, tasks: Mapping[str, Sequence[EvaluatedText]]) -> Iterator[Stage]:
    """Its tasks on every checkpoint. It reads the few-shot examples again for each choice."""
    for task in planner.config.evaluation.harness:
        asked = tasks[task.task]
        each = [max(1, len(item.choices)) for item in asked]
        text = tokens_of(item.question for item in asked)
        choices = tokens_of(choice for item in asked for choice in item.choices)
        sequences = sum(each) / len(asked)
        tokens = (task.shots + 1) * text * sequences + (task.shots + 1) * choices
        yield planner.scoring("score", planner.checkpoints(), len(asked), sequences, tokens)


def _long_form(planner: Planner) -> Iterator[Stage]:
    """Long answers, and comparisons of some of them."""
    settings = planner.config.evaluation.long_form
    if settings is None:
        return
    sizes = planner.instructions
    jobs = len(planner.config.seeds) * len(long_form_checkpoints(planner.config, planner.lineage))
    length = min(RESPONSE_TOKENS, settings.max_tokens)
    written, compared = sizes["long_form"], sizes.get("win_rate", 0)
    yield planner.writing(jobs, written + compared, 1, ANSWER_TOKENS, length)
    yield from planner.verifying(jobs, written, length)
    if compared and settings.judge != REFERENCE:
        yield planner.reading(jobs, 2 * compared, len(SIDES), JUDGE_TOKENS + 2 * length)


def _token_shift(planner: Planner) -> Iterator[Stage]:
    """Long answers under the model that wrote them and under another one."""
    if planner.config.evaluation.token_shift is None:
        return
    jobs = len(planner.config.seeds) * len(shift_pairs(planner.config, planner.lineage))
    length = min(RESPONSE_TOKENS, planner.config.evaluation.long_form.max_tokens)
    yield planner.reading(jobs, planner.instructions["long_form"], 2, 2 * (ANSWER_TOKENS + length))
