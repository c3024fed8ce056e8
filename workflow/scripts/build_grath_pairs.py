"""Build the training pairs of one round from the outputs of round 0 and of the round's parent."""

from pathlib import Path
from typing import Annotated

from plumbline.jobs import program
from plumbline.methods.grath.prompt import Legacy
from plumbline.methods.grath.rounds import ITEM, STAGE, build_round, composition, outputs
from plumbline.records import ChoiceQuestion, Generation
from plumbline.storage.files import read_rows, read_unique_rows, write_rows
from plumbline.training import knowledge


def main(
    *,
    name: Annotated[str, "the tuning, <variant>.r<round>"],
    round: Annotated[int, "counted from 1"],
    questions_path: Path,
    first_path: Annotated[Path, "generations of round 0"],
    now_path: Annotated[Path, "generations of the parent; in round 1 the same"],
    legacy_prompt: Annotated[Legacy | None, "default: chat messages"] = None,
    max_unparsed: Annotated[float, "per cent"],
    filtering: knowledge.FilterOptions,
    seed: Annotated[int, "of what the filter keeps"] = 0,
    pairs_path: Path,
    composition_path: Path,
) -> None:
    questions = read_unique_rows(questions_path, ChoiceQuestion)
    built = build_round(
        questions,
        outputs(questions, read_rows(first_path, Generation)),
        outputs(questions, read_rows(now_path, Generation)),
        name=name,
        number=round,
        max_unparsed=max_unparsed,
        legacy_prompt=legacy_prompt,
    )
    pairs, known = knowledge.kept(built.rows, filtering, seed)
    lost = knowledge.dropped_row(STAGE, ITEM, known)
    built = built.only(pairs, lost, **knowledge.counted(known))
    made = composition(built)
    write_rows(pairs_path, built.rows)
    made.write(composition_path)
    counted = made.counted
    program.log.info(
        f"{name}: {counted['parsed']:,} of {counted['asked']:,} outputs parsed, "
        f"{made.rows:,} pairs, {counted['changed']:,} with a changed correct answer, "
        f"similarity {counted['similarity']:.2f}"
    )


if __name__ == "__main__":
    program.cli(main)
