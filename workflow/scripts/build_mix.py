"""Build one fine-tuning set and the questions its model is asked after every epoch."""

from pathlib import Path
from typing import Annotated

from plumbline.jobs import program
from plumbline.methods.slick.config import Demands, Mixes
from plumbline.methods.slick.mixes import build_mix
from plumbline.methods.slick.probes import build_probes
from plumbline.records import Annotation, Question
from plumbline.storage.files import read_unique_rows, write_rows


def main(
    *,
    name: Annotated[str, "e.g. unknown-50"],
    seed: int,
    mixes: Mixes,
    demands: Annotated[Demands, "what all sets take"],
    questions_path: Path,
    annotations_path: Path,
    examples_path: Path,
    probes_path: Path,
    composition_path: Path,
) -> None:
    questions = read_unique_rows(questions_path, Question)
    annotations = read_unique_rows(annotations_path, Annotation)
    mix = build_mix(
        name,
        questions,
        annotations,
        demands,
        seed=seed,
        form=mixes.prompt,
        on_empty=mixes.on_empty,
    )
    probes = build_probes(
        mix.rows,
        questions,
        annotations,
        mixes.monitor,
        form=mixes.prompt,
        seed=seed,
    )
    write_rows(examples_path, mix.rows)
    write_rows(probes_path, probes)
    composition = mix.composition(mix.parts("category"))
    composition.write(composition_path)
    program.log.info(f"{name}: {composition.rows} examples, {composition.parts}")


if __name__ == "__main__":
    program.cli(main)
