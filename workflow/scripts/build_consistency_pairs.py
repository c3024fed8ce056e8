"""Build a training file of majority answers preferred to minority answers."""

from pathlib import Path
from typing import Annotated

from plumbline.jobs import program
from plumbline.methods.consistency.pairs import vote, with_truth
from plumbline.methods.consistency.records import PAIRS, QUESTIONS, STAGE
from plumbline.records import Generation, Question, Request
from plumbline.responses.prompting import Form
from plumbline.storage.files import InputError, read_rows, read_unique_rows, write_rows
from plumbline.texts.matching import Mode
from plumbline.training import knowledge


def main(
    *,
    name: Annotated[str, "of the training file"],
    questions_path: Path,
    requests_path: Path,
    generations_path: Path,
    form: Form,
    min_share: Annotated[float, "per cent of the answers"],
    match: Annotated[Mode, "when a side is right, for tables"],
    filtering: knowledge.FilterOptions,
    seed: Annotated[int, "of what the filter keeps"] = 0,
    pairs_path: Path,
    composition_path: Path,
) -> None:
    questions = read_unique_rows(questions_path, Question)
    voted = vote(
        questions,
        read_unique_rows(requests_path, Request),
        read_rows(generations_path, Generation),
        name=name,
        form=form,
        min_share=min_share,
    )
    asked = voted.counted[QUESTIONS]
    if not voted.rows:
        reasons = ", ".join(f"{row['reason']}: {row['n']}" for row in voted.dropped)
        raise InputError(
            f"{name}: none of {asked:,} questions gives a pair ({reasons}). Draw more answers "
            f"(consistency.samples), lower consistency.min_share, or take another parent."
        )
    kept, known = knowledge.kept(voted.rows, filtering, seed)
    lost = knowledge.dropped_row(STAGE, PAIRS, known)
    voted = voted.only(with_truth(kept, questions, match), lost, **knowledge.counted(known))
    write_rows(pairs_path, voted.rows)
    voted.composition({}).write(composition_path)
    program.log.info(f"{name}: {len(kept):,} pairs of {asked:,} questions")


if __name__ == "__main__":
    program.cli(main)
