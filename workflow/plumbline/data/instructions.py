"""Instructions with human responses, and prompts without: sources, and prompts over entities."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, model_validator

from plumbline.config.instructions import InstructionFormat
from plumbline.files import InputError
from plumbline.records import NonEmpty, Record
from plumbline.rows import read_any_rows

SEED = Path(__file__).resolve().parents[2] / "resources" / "instructions" / "seed.jsonl"
LANGUAGE = "en"
# Prompts over entities; [X] is replaced.
PERSON_TEMPLATES = (
    "Tell me about [X].",
    "Write a short biography of [X].",
    "What is [X] known for?",
    "Who was [X]?",
)
PLACE_TEMPLATES = (
    "Tell me about [X].",
    "Where is [X], and what is it known for?",
    "Give a short description of [X].",
)
THING_TEMPLATES = (
    "Tell me about [X].",
    "What is [X]?",
    "Give a short description of [X].",
)


class Instruction(Record):
    """Something a user asks for, with the responses that people wrote to it, if any."""

    id: NonEmpty
    instruction: NonEmpty
    responses: list[NonEmpty] = Field(
        default_factory=list, description="Human responses, the best one first."
    )
    source: NonEmpty
    fact_based: bool | None = Field(
        None, description="Whether a good answer needs facts about the world; null: not told."
    )
    topic: str | None = Field(None, description="The entity it asks about, where that is known.")


class Row(Record):
    """An instruction of the user's own."""

    id: NonEmpty | None = None
    instruction: NonEmpty
    responses: list[NonEmpty] = Field(default_factory=list)
    response: str | None = Field(None, description="A single one, instead of responses.")
    source: NonEmpty | None = None
    fact_based: bool | None = None
    topic: str | None = None


class OasstMessage(BaseModel):
    text: str
    role: Literal["prompter", "assistant"]
    lang: str | None = None
    rank: int | None = None
    deleted: bool | None = None
    review_result: bool | None = None
    replies: list[OasstMessage] = Field(default_factory=list)


class OasstRow(BaseModel):
    """Either a tree (message_tree_id, prompt) or one message of a flat file."""

    message_tree_id: NonEmpty | None = None
    prompt: OasstMessage | None = None
    message_id: NonEmpty | None = None
    parent_id: str | None = None
    text: str | None = None
    role: Literal["prompter", "assistant"] | None = None
    lang: str | None = None
    rank: int | None = None
    deleted: bool | None = None
    review_result: bool | None = None

    @model_validator(mode="after")
    def _tree_or_message(self):
        tree = None not in (self.message_tree_id, self.prompt)
        message = None not in (self.message_id, self.text, self.role)
        if not (tree or message):
            raise ValueError(
                "is neither a tree (message_tree_id, prompt) nor a message (message_id, text, role)"
            )
        return self


class SelfInstructCase(BaseModel):
    input: str = ""
    output: str


class SelfInstructRow(BaseModel):
    id: NonEmpty
    instruction: NonEmpty
    instances: list[SelfInstructCase] = Field(min_length=1)


class MtBenchRow(BaseModel):
    question_id: int | str
    category: str | None = None
    turns: list[NonEmpty] = Field(min_length=1)


class LongFactRow(BaseModel):
    prompt: NonEmpty


def load_instructions(
    format: InstructionFormat, path: Path | None = None
) -> tuple[list[Instruction], list[dict]]:
    """The instructions of a source, in its order, and what was dropped (item, reason, n).

    embedded: the seed set that comes along, no path. rows: JSON Lines with instruction and, if
    you like, id, responses (or response), source, fact_based, topic. oasst: OASST1's messages or
    trees, first turns in English with the reply ranked 0. self_instruct: seed_tasks.jsonl and
    user_oriented_instructions.jsonl; an instance's input follows its instruction. mt_bench: the
    first turn of each question, `category` kept. longfact: prompts, all fact-based; a file, or a
    folder of them whose names become `subset`. Each may also be parquet.

    Ids begin with the source's name. Instructions that are equal but for case and spaces become
    one, with the responses of both (counted as merged). Raises InputError for a file that is not
    of the format, for an id that occurs twice, and if nothing is left.
    """
    tally: Counter = Counter()
    if format == "embedded":
        path = SEED
    elif path is None:
        raise InputError(f"instructions: format {format} needs a file; none was given.")
    rows = list(READERS[format](path, tally))
    seen = Counter(row.id for row in rows)
    twice = [name for name, n in seen.items() if n > 1]
    if twice:
        raise InputError(f"{path}: the id {twice[0]!r} occurs twice; ids must be unique.")
    kept: dict[str, Instruction] = {}
    for row in rows:
        first = kept.setdefault(" ".join(row.instruction.casefold().split()), row)
        if first is not row:
            tally["merged"] += 1
            first.responses += [text for text in row.responses if text not in first.responses]
    if not kept:
        lost = ", ".join(f"{n} {reason}" for reason, n in sorted(tally.items())) or "none"
        raise InputError(f"{path}: no instruction is left (dropped: {lost}).")
    dropped = [{"item": format, "reason": reason, "n": n} for reason, n in sorted(tally.items())]
    return list(kept.values()), dropped


def entity_prompts(
    entities: Iterable[str], templates: Sequence[str], seed: int
) -> list[Instruction]:
    """One fact-based prompt about each entity, without a response.

    Which template an entity gets depends on its name and the seed alone. Raises InputError for
    a template without [X].
    """
    for template in templates:
        if "[X]" not in template:
            raise InputError(f"template {template!r}: has no [X], where the entity goes.")
    return [
        Instruction(
            id=f"entity/{entity}",
            instruction=templates[_number(seed, entity) % len(templates)].replace("[X]", entity),
            source="entity",
            fact_based=True,
            topic=entity,
        )
        for entity in dict.fromkeys(entities)
    ]


def _number(seed: int, text: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}:{text}".encode()).digest()[:8])


def _own(path: Path, tally: Counter) -> Iterator[Instruction]:
    for row in read_any_rows(path, Row):
        extra = row.model_extra or {}
        responses = [*row.responses, *([row.response] if row.response else [])]
        name = row.id or "rows/" + hashlib.sha256(row.instruction.encode()).hexdigest()[:16]
        yield Instruction(
            id=name,
            instruction=row.instruction,
            responses=responses,
            source=row.source or "rows",
            fact_based=row.fact_based,
            topic=row.topic,
            **extra,
        )


def _oasst(path: Path, tally: Counter) -> Iterator[Instruction]:
    replies: dict[str, list[OasstMessage | OasstRow]] = defaultdict(list)
    prompts: list[tuple[str, OasstMessage | OasstRow]] = []
    for row in read_any_rows(path, OasstRow):
        if row.prompt is not None:
            prompts.append((row.message_tree_id, row.prompt))
            replies[row.message_tree_id] += row.prompt.replies
        elif row.parent_id is not None:
            replies[row.parent_id].append(row)
        elif row.role == "prompter":
            prompts.append((row.message_id, row))
    for name, prompt in prompts:
        below = (one for one in replies[name] if one.role == "assistant" and one.rank == 0)
        best = next(below, None)
        if prompt.deleted or prompt.review_result is False:
            tally["deleted or rejected"] += 1
        elif prompt.lang != LANGUAGE:
            tally["another language"] += 1
        elif best is None:
            tally["no reply of rank 0"] += 1
        elif best.deleted or best.review_result is False or best.lang != LANGUAGE:
            tally["reply deleted, rejected or in another language"] += 1
        elif not prompt.text.strip() or not best.text.strip():
            tally["empty"] += 1
        else:
            yield Instruction(
                id=f"oasst/{name}",
                instruction=prompt.text.strip(),
                responses=[best.text.strip()],
                source="oasst",
            )


def _self_instruct(path: Path, tally: Counter) -> Iterator[Instruction]:
    for row in read_any_rows(path, SelfInstructRow):
        by_input: dict[str, list[str]] = defaultdict(list)
        for case in row.instances:
            if case.output.strip():
                by_input[case.input.strip()].append(case.output.strip())
            else:
                tally["no response"] += 1
        for number, (given, outputs) in enumerate(by_input.items()):
            text = row.instruction.strip()
            yield Instruction(
                id=f"self_instruct/{row.id}" + (f"#{number}" if number else ""),
                instruction=f"{text}\n\n{given}" if given else text,
                responses=outputs,
                source="self_instruct",
            )


def _mt_bench(path: Path, tally: Counter) -> Iterator[Instruction]:
    for row in read_any_rows(path, MtBenchRow):
        yield Instruction(
            id=f"mt_bench/{row.question_id}",
            instruction=row.turns[0],
            source="mt_bench",
            category=row.category,
        )


def _longfact(path: Path, tally: Counter) -> Iterator[Instruction]:
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    for file in files:
        for number, row in enumerate(read_any_rows(file, LongFactRow)):
            yield Instruction(
                id=f"{file.stem}/{number}",
                instruction=row.prompt,
                source="longfact",
                fact_based=True,
                subset=file.stem,
            )


READERS: dict[str, Callable[[Path, Counter], Iterator[Instruction]]] = {
    "embedded": _own,
    "rows": _own,
    "oasst": _oasst,
    "self_instruct": _self_instruct,
    "mt_bench": _mt_bench,
    "longfact": _longfact,
}
