"""Build a training file of atomic and general pairs in one ratio (APEFT)."""

from pathlib import Path
from typing import Annotated

from plumbline.claims.records import Verdict
from plumbline.jobs import program
from plumbline.methods.apeft.answers import Answered
from plumbline.methods.apeft.composition import of_mix
from plumbline.methods.apeft.mix import common_size, mixed
from plumbline.methods.apeft.pairs import STAGE, atomic, general
from plumbline.methods.apeft.questions import AtomicQuestion
from plumbline.responses.drawn import DrawnResponse
from plumbline.responses.prompting import Form
from plumbline.storage.files import InputError, read_rows, read_unique_rows, write_rows
from plumbline.training import knowledge


def main(
    *,
    name: Annotated[str, "of the training file"],
    responses_path: Path,
    verdicts_path: Annotated[Path, "on the responses' claims"],
    questions_path: Path,
    answers_path: Annotated[Path, "statements of the answers"],
    answer_verdicts_path: Annotated[Path, "on the statements"],
    samples: Annotated[int, "answers drawn per question"],
    form: Form,
    general_per_entity: Annotated[int | None, "not given: all"] = None,
    max_length_gap: Annotated[int, "in words"],
    percent: Annotated[float, "atomic pairs"],
    size: Annotated[int | None, "pairs of the file"] = None,
    percents: Annotated[list[float] | None, "of all files; as many pairs as all can have"] = None,
    seed: int,
    filtering: knowledge.FilterOptions,
    pairs_path: Path,
    composition_path: Path,
) -> None:
    if (size is None) == (percents is None):
        raise InputError("give either --size or --percents, not both.")
    built = {
        "atomic": atomic(
            read_unique_rows(questions_path, AtomicQuestion, empty=True),
            read_unique_rows(answers_path, Answered, empty=True),
            {verdict.claim: verdict for verdict in read_rows(answer_verdicts_path, Verdict)},
            samples=samples,
            form=form,
            max_length_gap=max_length_gap,
        ),
        "general": general(
            read_unique_rows(responses_path, DrawnResponse),
            read_rows(verdicts_path, Verdict),
            form=form,
            per_entity=general_per_entity,
            seed=seed,
        ),
    }
    # Filtered before the mix is drawn, so that its ratio stays exact.
    kept = {kind: knowledge.kept(pairs.rows, filtering, seed) for kind, pairs in built.items()}
    left = {kind: rows for kind, (rows, _) in kept.items()}
    filtered = [
        row
        for kind, (_, counts) in kept.items()
        for row in knowledge.dropped_row(STAGE, f"{kind} pairs", counts)
    ]
    lost = [*(row for pairs in built.values() for row in pairs.dropped), *filtered]
    reasons = {f"{row['item']}: {row['reason']}": row["n"] for row in lost}
    pairs = mixed(
        left["atomic"],
        left["general"],
        percent=percent,
        size=size or common_size(*map(len, left.values()), percents),
        seed=seed,
        reasons=reasons,
    )
    composition = of_mix(
        name,
        pairs,
        percent=percent,
        samples=samples,
        built=built,
        left=left,
        knowledge={kind: counts for kind, (_, counts) in kept.items()},
        filtered=filtered,
    )
    write_rows(pairs_path, pairs)
    composition.write(composition_path)
    used = " and ".join(f"{n:,} {kind}" for kind, n in composition.parts.items())
    program.log.info(f"{name}: {used} pairs")


if __name__ == "__main__":
    program.cli(main)
