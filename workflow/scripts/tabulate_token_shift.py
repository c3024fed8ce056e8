"""Tabulate token distribution shift: shares, verdicts, and the most shifted tokens."""

from pathlib import Path
from typing import Annotated

from plumbline.config.engines import Evaluation
from plumbline.evaluation import alignment
from plumbline.evaluation import rank_shift as shift
from plumbline.evaluation.tables import ShiftShare, ShiftToken, ShiftVerdict
from plumbline.jobs import program
from plumbline.records import Item
from plumbline.storage.files import DifferentRuns, read_unique_rows
from plumbline.tables import write_table
from pydantic import BaseModel


class PairFiles(BaseModel):
    """A pair of checkpoints: the ranks, and the measured long answers of both."""

    model: str
    seed: int
    tuned: str
    reference: str
    shift: Path
    items: Path
    reference_items: Path


def tables_of(
    files: PairFiles, margin: float, confidence: float
) -> tuple[list[dict], dict, list[dict]]:
    """A pair's rows in the three tables. margin: a fraction, as in the table."""
    whose = files.model_dump(include={"model", "seed", "tuned", "reference"})
    ranked = read_unique_rows(files.shift, shift.TokenShift)
    items, before = (read_unique_rows(p, Item) for p in (files.items, files.reference_items))
    for path, evaluated in ((files.items, items), (files.reference_items, before)):
        if {row.id for row in ranked} != {item.id for item in evaluated}:
            raise DifferentRuns(
                f"{path}: not the same prompts as in {files.shift}",
                "Run the stages that make them again",
            )
    measured = shift.shift_measures(ranked, confidence)
    measured += shift.change_measures(items, before, confidence)
    of = {
        (measure.domain, measure.position, measure.metric): measure.estimate for measure in measured
    }
    inside, outside = (of.get((domain, shift.ALL, shift.SHIFTED)) for domain in ("id", "ood"))
    change = of.get(("ood", shift.ALL, shift.CHANGE))
    verdict = alignment.verdict_row(inside, outside, change, margin)
    return (
        [whose | measure.row() for measure in measured],
        whose | verdict,
        [whose | row for row in shift.top_tokens(ranked)],
    )


def main(
    *,
    pairs: list[PairFiles],
    evaluation: Evaluation,
    margin: Annotated[float, "of a small change, in points"],
    shares_path: Path,
    verdicts_path: Path,
    tokens_path: Path,
) -> None:
    shares, verdicts, tokens = [], [], []
    for files in pairs:
        measured, verdict, listed = tables_of(files, margin / 100, evaluation.confidence)
        shares += measured
        verdicts.append(verdict)
        tokens += listed
        program.log.info(
            f"{files.model}, seed {files.seed}, {files.tuned} against {files.reference}: "
            f"{verdict['verdict']}; {verdict['reason']}"
        )
    write_table(shares_path, ShiftShare, shares)
    write_table(verdicts_path, ShiftVerdict, verdicts)
    write_table(tokens_path, ShiftToken, tokens)


if __name__ == "__main__":
    program.cli(main)
