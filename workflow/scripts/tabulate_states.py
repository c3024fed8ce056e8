"""Count every state of instructions, responses, claims and pairs; draw responses to display."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from plumbline.claims.records import Claim, Splitting, Verdict
from plumbline.evaluation.tables import ClaimState
from plumbline.jobs import program
from plumbline.responses import states
from plumbline.responses.decisions import FactBased
from plumbline.responses.drawn import DrawnResponse
from plumbline.storage.files import read_rows, write_json
from plumbline.tables import write_table
from plumbline.training.sets import Composition
from pydantic import BaseModel


class CheckpointFiles(BaseModel):
    """A checkpoint's files; those with responses, splittings, claims and verdicts are shown."""

    model: str
    seed: int
    checkpoint: str
    composition: Path | None = None
    decisions: Path | None = None
    responses: Path | None = None
    splittings: Path | None = None
    claims: Path | None = None
    verdicts: Path | None = None

    @property
    def about(self) -> dict:
        return self.model_dump(include={"model", "seed", "checkpoint"})

    @property
    def can_be_shown(self) -> bool:
        return None not in (self.responses, self.splittings, self.claims, self.verdicts)


def states_of(files: CheckpointFiles) -> Iterator[states.State]:
    if files.decisions:
        yield from states.of_decisions(read_rows(files.decisions, FactBased))
    if files.splittings:
        yield from states.of_splittings(read_rows(files.splittings, Splitting))
    if files.verdicts:
        yield from states.of_verdicts(read_rows(files.verdicts, Verdict))
    if files.composition:
        yield from states.of_composition(Composition.read(files.composition))


def to_show(rows: list[CheckpointFiles], number: int) -> Iterator[dict]:
    answered = [list(read_rows(files.responses, DrawnResponse)) for files in rows]
    names = states.shown_instructions(answered, number)
    for files, responses in zip(rows, answered, strict=True):
        splittings = read_rows(files.splittings, Splitting)
        drawn = states.sample(
            names,
            responses,
            read_rows(files.claims, Claim),
            read_rows(files.verdicts, Verdict),
            {splitting.response: splitting.state.value for splitting in splittings},
        )
        yield from ({**files.about, **response} for response in drawn)


def main(
    *,
    rows: list[CheckpointFiles],
    table_path: Path,
    sample_path: Path,
    shown: Annotated[int, "responses of each checkpoint"] = 12,
) -> None:
    counted = [
        {**files.about, "item": item, "state": state, "n": n}
        for files in rows
        for item, state, n in states_of(files)
    ]
    drawn = list(to_show([files for files in rows if files.can_be_shown], shown))
    write_table(table_path, ClaimState, counted)
    write_json(sample_path, {"responses": drawn})
    program.log.info(f"{len(counted):,} states, {len(drawn):,} responses to look at")


if __name__ == "__main__":
    program.cli(main)
