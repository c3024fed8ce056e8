"""Count APEFT's facts, answers and pairs in one table over all training files."""

from collections.abc import Iterator
from pathlib import Path

from plumbline.jobs import program
from plumbline.methods.apeft.composition import asked_states, states
from plumbline.methods.apeft.tables import PairState
from plumbline.storage.files import read_json
from plumbline.tables import write_table
from plumbline.training.sets import Composition
from pydantic import BaseModel


class SetFiles(BaseModel):
    """The files about one training file."""

    model: str
    seed: int
    set: str
    composition: Path
    questions: Path

    def states(self) -> Iterator[tuple[str, str, int]]:
        yield from asked_states(read_json(self.questions))
        yield from states(Composition.read(self.composition))


def main(
    *,
    rows: list[SetFiles],
    table_path: Path,
) -> None:
    counted = [
        {**file.model_dump(include={"model", "seed", "set"}), "item": item, "state": state, "n": n}
        for file in rows
        for item, state, n in file.states()
    ]
    write_table(table_path, PairState, counted)
    program.log.info(f"{len(counted):,} states")


if __name__ == "__main__":
    program.cli(main)
