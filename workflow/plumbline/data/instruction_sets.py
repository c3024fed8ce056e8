"""Sets of instructions as a run uses them: combined from sources, and read again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from pydantic import Field

from plumbline.config.instructions import InstructionSource
from plumbline.data.entities import subject_prompts
from plumbline.data.instructions import Distinct, Instruction, load_instructions
from plumbline.data.select import order
from plumbline.records import Domain, Question, Split
from plumbline.storage.files import DifferentRuns, InputError, read_unique_rows


class Prompt(Instruction):
    """An instruction of a set."""

    domain: Domain = Field("ood", description="id: it asks about a subject of a tuned relation.")
    relation: str | None = Field(None, description="The relation its subject was taken from.")


def gather(
    sources: Sequence[InstructionSource],
    paths: Sequence[Path],
    questions: Sequence[Question],
    *,
    split: Split,
    domains: Collection[Domain],
    key: str = "instructions",
) -> tuple[list[Prompt], list[dict]]:
    """The instructions of all sources, in their order, and rows of what was dropped.

    paths: the files of those sources that have one, in order. questions, split, domains: the facts
    about whose subjects `entities` asks; key: in the configuration, for messages. Limits are applied
    after `part`, by ids and seed, and for `entities` in each domain. Instructions that differ only
    in case and spaces become one, with the responses of both; what is not a prompt about a fact's
    subject is out of domain. Raises InputError for an id that two instructions share, and for too
    few or too many paths.
    """
    needed = sum(source.source is not None for source in sources)
    if needed != len(paths):
        raise InputError(f"{needed} of the sources have a file, but {len(paths)} were given.")
    files = iter(paths)
    tally: Counter = Counter()
    kept: Distinct[Prompt] = Distinct()
    for source in sources:
        if source.format == "entities":
            prompts, left_out = subject_prompts(
                questions,
                split=split,
                domains=domains,
                limit=source.limit,
                seed=source.seed,
                relations=source.relations,
                key=key,
            )
            rows = [Prompt(**prompt.model_dump()) for prompt in prompts]
            for (domain, reason), n in left_out.items():
                tally[f"entities {domain}", reason] += n
        else:
            rows = _loaded(source, next(files) if source.source else None, tally)
        for row in rows:
            new = kept.add(row, where=f"instructions, the source of format {source.format}")
            tally[source.format, "merged"] += not new
    dropped = [
        {"stage": "instructions", "item": item, "reason": reason, "n": n}
        for (item, reason), n in sorted(tally.items())
        if n
    ]
    return kept.rows, dropped


def check_tuned(prompts: Iterable[Prompt], tuned: Mapping[str, Collection[str]], key: str) -> None:
    """InputError if a prompt counts as in-domain although some method is not tuned for it.

    tuned: by the key of a method's prompts, the relations that they are about. key: that of `prompts`.
    """
    asked = sorted(
        {prompt.relation for prompt in prompts if prompt.domain == "id" and prompt.relation}
    )
    for user, relations in tuned.items():
        if missing := [name for name in asked if name not in relations]:
            raise InputError(
                f"{key}.relations: {', '.join(missing)} would be called in-domain, but {user} asks "
                f"about {', '.join(relations)} alone. Name the same in-domain relations in both."
            )


def _loaded(source: InstructionSource, path: Path | None, tally: Counter) -> list[Prompt]:
    rows, dropped = load_instructions(source.format, path)
    for row in dropped:
        tally[row["item"], row["reason"]] += row["n"]
    part = [row for row in rows if source.part in ("all", part_of(row.id))]
    tally[source.format, "other_part"] += len(rows) - len(part)
    drawn = sorted(part, key=lambda row: order(row.id, source.seed))[: source.limit]
    tally[source.format, "over_limit"] += len(part) - len(drawn)
    chosen = {row.id for row in drawn}
    # A row's own "domain" may be anything, such as a field of knowledge.
    return [
        Prompt(**row.model_dump(exclude={"domain", "relation"})) for row in rows if row.id in chosen
    ]


def part_of(name: str) -> str:
    """Test for a fifth of all ids, train for the others, independent of source and seed."""
    return "test" if order(name, 0)[0] % 5 == 0 else "train"


def read_instructions(paths: Iterable[Path]) -> list[Prompt]:
    """The instructions of several sets, without repetition, in order of first appearance.

    Raises InputError if one id stands for different instructions.
    """
    by_id: dict[str, Prompt] = {}
    for path in paths:
        for row in read_unique_rows(path, Prompt):
            if by_id.setdefault(row.id, row).instruction != row.instruction:
                raise DifferentRuns(
                    f"{path}: {row.id!r} is another instruction than in the files before it",
                    "Build them again",
                )
    return list(by_id.values())
