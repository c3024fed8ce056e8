"""Instructions with human responses, and prompts without: from sources, and about entities."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, Field, model_validator

from plumbline.config.instructions import InstructionFormat
from plumbline.data.instruction_rows import InstructionRow
from plumbline.records import NonEmpty, Record, Text
from plumbline.storage.files import InputError
from plumbline.storage.rows import own_rows, read_any_rows
from plumbline.texts.text import unified, visible

SEED = Path(__file__).resolve().parents[2] / "resources" / "instructions" / "seed.jsonl"
LANGUAGE = "en"
# Prompts about entities; [X] is replaced.
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
    """A user's request, with the responses that people wrote to it, if any."""

    id: NonEmpty
    instruction: Text
    responses: list[Text] = Field(
        default_factory=list, description="Human responses, the best one first."
    )
    source: NonEmpty
    fact_based: bool | None = Field(
        None, description="Whether a good answer needs facts about the world; null: not told."
    )
    topic: str | None = Field(None, description="The entity it asks about, where that is known.")


One = TypeVar("One", bound=Instruction)


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
    instruction: Text
    instances: list[SelfInstructCase] = Field(min_length=1)


class MtBenchRow(BaseModel):
    question_id: int | str
    category: str | None = None
    turns: list[Text] = Field(min_length=1)


class LongFactRow(BaseModel):
    prompt: Text


def load_instructions(
    format: InstructionFormat, path: Path | None = None
) -> tuple[list[Instruction], list[dict]]:
    """The instructions of a source, in its order, and what was dropped (item, reason, n).

    embedded: the included seed set, without a path. rows: rows of `instruction_rows`, which may have an
    id, source, fact_based and topic. oasst: OASST1's messages or trees, first turns in English with the
    reply ranked 0. self_instruct: seed_tasks.jsonl and user_oriented_instructions.jsonl; an instance's
    input follows its instruction. mt_bench: the first turn of each question, `category` kept. longfact:
    prompts, all fact-based; a file, or a folder of them whose names become `subset`. Each may also be
    parquet.

    Ids begin with the source's name, unless a row gives its own. Instructions that differ only in
    case and spaces become one, with the responses of both (counted as merged). Raises InputError for
    a file that is not in the format, for an id that two instructions share, and if nothing is left.
    """
    tally: Counter = Counter()
    if format == "embedded":
        path = SEED
    elif path is None:
        raise InputError(f"instructions: format {format} needs a file; none was given.")
    kept: Distinct[Instruction] = Distinct()
    for row in READERS[format](path, tally):
        tally["merged"] += not kept.add(row, where=str(path))
    if not kept.rows:
        lost = ", ".join(f"{n} {reason}" for reason, n in sorted(tally.items())) or "none"
        raise InputError(f"{path}: no instruction is left (dropped: {lost}).")
    dropped = [
        {"item": format, "reason": reason, "n": n} for reason, n in sorted(tally.items()) if n
    ]
    return kept.rows, dropped


class Distinct(Generic[One]):
    """Instructions without repetition: those that differ only in case and spaces are merged."""

    def __init__(self):
        self._first: dict[str, One] = {}
        self._asked: dict[str, str] = {}  # by id

    @property
    def rows(self) -> list[One]:
        """The instructions, in the order in which they were first added."""
        return list(self._first.values())

    def add(self, row: One, where: str) -> bool:
        """Whether it was new. InputError, with `where`, for an id that stands for another
        instruction.
        """
        text = unified(row.instruction)
        if self._asked.setdefault(row.id, text) != text:
            raise InputError(
                f"{where}: {row.id!r} is the id of two instructions; ids must be unique. Rename "
                f"one of them."
            )
        first = self._first.setdefault(text, row)
        if first is not row:
            first.responses += [
                response for response in row.responses if response not in first.responses
            ]
        return first is row


def entity_prompts(
    entities: Iterable[str], templates: Sequence[str], seed: int
) -> list[Instruction]:
    """One fact-based prompt about each entity, without a response.

    Which template an entity gets depends only on its name and the seed. Raises InputError for a
    template without [X].
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
    for row in own_rows(path, InstructionRow):
        tally["later turns"] += row.later_turns
        name = row.id or "rows/" + hashlib.sha256(row.instruction.encode()).hexdigest()[:16]
        yield Instruction(
            **row.model_dump(exclude={"id", "source", "later_turns"}),
            id=name,
            source=row.source or "rows",
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
        below = (reply for reply in replies[name] if reply.role == "assistant" and reply.rank == 0)
        best = next(below, None)
        if prompt.deleted or prompt.review_result is False:
            tally["deleted or rejected"] += 1
        elif prompt.lang != LANGUAGE:
            tally["another language"] += 1
        elif best is None:
            tally["no reply of rank 0"] += 1
        elif best.deleted or best.review_result is False or best.lang != LANGUAGE:
            tally["reply deleted, rejected or in another language"] += 1
        elif not visible(prompt.text) or not visible(best.text):
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
            if visible(case.output):
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
