"""Decide which instructions need facts, by a model's probabilities of Yes and No."""

from collections import Counter
from pathlib import Path
from typing import Annotated

from plumbline.data.instruction_sets import read_instructions
from plumbline.jobs import program
from plumbline.judging import judges
from plumbline.methods.flame.fact_based import classify
from plumbline.models import scoring_jobs
from plumbline.responses.decisions import labelled
from plumbline.storage.files import write_rows


def main(
    *,
    instructions_paths: list[Path],
    judging: judges.JudgeOptions,
    trust_labels: Annotated[bool, "use a source's own marks where it has them"] = False,
    decisions_path: Path,
) -> None:
    instructions = read_instructions(instructions_paths)
    decisions = classify(instructions, judges.asking(judging), judging.form)
    decisions = labelled(decisions, instructions, trust_labels)
    write_rows(decisions_path, decisions)
    for fact_based, n in sorted(Counter(decision.fact_based for decision in decisions).items()):
        program.log.info(f"{n:,} {'' if fact_based else 'not '}fact-based")
    agree = [
        decision.fact_based == decision.label
        for decision in decisions
        if decision.label is not None
    ]
    if agree:
        program.log.info(f"{sum(agree):,} of {len(agree):,} labelled ones decided as labelled")


if __name__ == "__main__":
    program.cli(main, scoring_jobs.call)
