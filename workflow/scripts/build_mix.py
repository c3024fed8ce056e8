"""Build one fine-tuning set and the questions its model is asked after every epoch."""

import argparse
from pathlib import Path

from plumbline import program
from plumbline.files import read_unique_rows, write_rows
from plumbline.methods.slick.config import Demands, Mixes
from plumbline.methods.slick.mixes import build_mix
from plumbline.methods.slick.probes import build_probes
from plumbline.records import Annotation, Question


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="e.g. unknown-50")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--mixes", required=True, help="JSON of the mixes section")
    parser.add_argument("--demands", required=True, help="JSON of what all sets take")
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--annotations", type=Path, required=True)
    parser.add_argument("--examples", type=Path, required=True)
    parser.add_argument("--probes", type=Path, required=True)
    parser.add_argument("--composition", type=Path, required=True)
    args = parser.parse_args()
    settings = Mixes.model_validate_json(args.mixes)

    questions = read_unique_rows(args.questions, Question)
    annotations = read_unique_rows(args.annotations, Annotation)
    mix = build_mix(
        args.name,
        questions,
        annotations,
        Demands.model_validate_json(args.demands),
        seed=args.seed,
        form=settings.prompt,
        on_empty=settings.on_empty,
    )
    probes = build_probes(
        mix.rows,
        questions,
        annotations,
        settings.monitor,
        form=settings.prompt,
        seed=args.seed,
    )
    write_rows(args.examples, mix.rows)
    write_rows(args.probes, probes)
    composition = mix.composition(mix.parts("category"))
    composition.write(args.composition)
    program.log.info(f"{args.name}: {composition.rows} examples, {composition.parts}")


if __name__ == "__main__":
    program.run(main, "build_mix")
