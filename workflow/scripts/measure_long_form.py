"""Measure how factual a checkpoint's long answers are."""

from pathlib import Path
from typing import Annotated

from plumbline.claims.records import Claim, Splitting, Verdict
from plumbline.data.instruction_sets import read_instructions
from plumbline.evaluation.long_form import long_form_items
from plumbline.jobs import program
from plumbline.responses.drawn import DrawnResponse
from plumbline.responses.reading import one_each
from plumbline.storage.files import read_rows, write_rows


def main(
    *,
    instructions_paths: list[Path],
    responses_path: Path,
    splittings_path: Path,
    claims_path: Path,
    verdicts_path: Path,
    gamma: Annotated[float, "of the length penalty; 0: off"],
    k: Annotated[list[int], "of F1@K"],
    items_path: Path,
) -> None:
    prompts = read_instructions(instructions_paths)
    items = long_form_items(
        prompts,
        one_each(prompts, read_rows(responses_path, DrawnResponse)),
        list(read_rows(splittings_path, Splitting)),
        read_rows(claims_path, Claim),
        read_rows(verdicts_path, Verdict),
        gamma=gamma,
        ks=k,
    )
    write_rows(items_path, items)
    claims, decided, supported = (
        int(sum(item.metrics.get(name, 0) for item in items))
        for name in ("claims", "decided", "supported")
    )
    program.log.info(
        f"{len(items):,} prompts, {claims:,} claims, {decided:,} decided, {supported:,} supported"
    )


if __name__ == "__main__":
    program.cli(main)
