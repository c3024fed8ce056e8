"""Count APEFT's facts, answers and pairs: one table over all training files."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from plumbline import lists, program
from plumbline.files import read_json
from plumbline.methods.apeft.composition import asked_states, states
from plumbline.methods.apeft.tables import PairState
from plumbline.tables import write_table
from plumbline.training.sets import Composition
from pydantic import BaseModel


class Files(BaseModel):
    """What is known of one training file."""

    model: str
    seed: int
    set: str
    composition: Path
    questions: Path

    def states(self) -> Iterator[tuple[str, str, int]]:
        yield from asked_states(read_json(self.questions))
        yield from states(Composition.read(self.composition))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--rows",
        type=Path,
        required=True,
        help="list of rows model, seed, set, composition, questions",
    )
    parser.add_argument("--table", type=Path, required=True)
    args = parser.parse_args()
    rows = [
        {**one.model_dump(include={"model", "seed", "set"}), "item": item, "state": state, "n": n}
        for one in lists.read(args.rows, list[Files])
        for item, state, n in one.states()
    ]
    write_table(args.table, PairState, rows)
    program.log.info(f"{len(rows):,} states")


if __name__ == "__main__":
    program.run(main, "tabulate_apeft")
