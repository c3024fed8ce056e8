"""Build the training pairs of FLAME's second stage from scored responses."""

from pathlib import Path
from typing import Annotated

from plumbline.claims.records import Splitting, Verdict
from plumbline.jobs import program
from plumbline.judging.records import Calibration
from plumbline.methods.flame.composition import check_same_run, of_pairs
from plumbline.methods.flame.pairs import build_pairs, check_sources, training_order
from plumbline.methods.flame.sets import PairSet
from plumbline.responses import scores
from plumbline.responses.decisions import FactBased, fact_based_ids
from plumbline.responses.drawn import DrawnResponse
from plumbline.responses.prompting import Form
from plumbline.storage.files import InputError, read_json, read_rows, read_unique_rows, write_rows
from plumbline.training import knowledge
from plumbline.training.sets import TrainingSet


def factual_scores(
    pair_set: PairSet, verdicts_path: Path | None, confidence_path: Path | None
) -> list[scores.Factuality]:
    """The scores from the file that the set needs; InputError if another one, or none, was given."""
    by_confidence = pair_set == "facttune-mc"
    if (verdicts_path is None, confidence_path is None) != (by_confidence, not by_confidence):
        name = "--confidence" if by_confidence else "--verdicts"
        raise InputError(f"set {pair_set}: its factual scores are those of {name}; give that file.")
    if by_confidence:
        return read_unique_rows(confidence_path, scores.Factuality, empty=True)
    return scores.factuality(read_rows(verdicts_path, Verdict))


def main(
    *,
    name: Annotated[str, "the tuning, <variant>.<parent>.<set>"],
    set: PairSet,
    responses_path: Path,
    helpful_path: Annotated[Path, "ratings of the responses"],
    calibration_path: Annotated[Path, "of the judge who rated them"],
    splittings_path: Path,
    verdicts_path: Annotated[Path | None, "of the claims; not for facttune-mc"] = None,
    confidence_path: Annotated[Path | None, "of the responses; for facttune-mc"] = None,
    decisions_path: Path,
    batch: Annotated[int, "pairs per step"],
    steps: int,
    min_pairs: Annotated[int, "different ones of a source"],
    max_repeats: Annotated[int, "of a pair"],
    seed: int,
    form: Form,
    filtering: knowledge.FilterOptions,
    pairs_path: Path,
    composition_path: Path,
) -> None:
    responses = read_unique_rows(responses_path, DrawnResponse)
    decisions = read_unique_rows(decisions_path, FactBased)
    fact_based = fact_based_ids(decisions, {response.instruction for response in responses})
    calibration = Calibration.model_validate(read_json(calibration_path))
    helpful = read_unique_rows(helpful_path, scores.Helpfulness)
    factual = factual_scores(set, verdicts_path, confidence_path)
    splittings = read_rows(splittings_path, Splitting)
    check_same_run(
        responses, helpful, splittings, factual, fact_based, every=confidence_path is None
    )

    scored = scores.scored(responses, helpful, factual)
    pairs, dropped = build_pairs(set, scored, fact_based, form=form, judged=calibration.usable)
    left, known = knowledge.kept(
        [pair for of_source in pairs.values() for pair in of_source], filtering, seed
    )
    pairs = {source: [pair for pair in left if pair.source == source] for source in pairs}
    dropped += knowledge.dropped_row("flame", f"{set}: pairs", known)
    rows = batch * steps
    check_sources(
        name, pairs, dropped,
        rows=rows, min_pairs=min_pairs, max_repeats=max_repeats,
    )  # fmt: skip
    order = training_order(pairs, batch=batch, steps=steps, seed=seed)
    built = TrainingSet(name, order, dropped, knowledge.counted(known))
    composition = of_pairs(built, scored, helpful, pairs)
    write_rows(pairs_path, order)
    composition.write(composition_path)
    counts = ", ".join(f"{n:,} {source}" for source, n in composition.parts.items())
    program.log.info(f"{name}: {counts} pairs for {composition.rows:,} rows")


if __name__ == "__main__":
    program.cli(main)
