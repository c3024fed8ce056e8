"""What the study keeps of a run is enough for the run's own figures: of the small run, as one piece."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from plumbline.records import KNOWN, Category
from plumbline.storage.files import read_json
from plumbline.study import collecting
from plumbline.study.contrasts import FIT, LAST, SECONDARY, SHIFT, SHIFTED, Side, StudyContrast
from plumbline.study.decisions import contrast_row
from plumbline.study.pieces import Piece, read_pieces, write_piece
from plumbline.study.records import PieceManifest
from programs import csv_rows

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(4200)]


def stated(root: Path) -> list[StudyContrast]:
    """The contrasts of the run's methods as the study's, and groups of items of one checkpoint."""
    listed = json.loads((root / "lists/contrasts.json").read_text())
    same = [
        StudyContrast(
            row["method"], SECONDARY, row["name"],
            *(Side(row[side], row["domain"]) for side in ("first", "second")),
            row["task"], row["metric"],
        )
        for row in listed
    ]  # fmt: skip
    atomic = "apeft.atomic-50.sigmoid"
    outside, inside = Side(atomic, "ood"), Side(atomic, "id")
    unknown = Side("mix.unknown-100", "id", (Category.UNKNOWN,))
    return [
        *same,
        StudyContrast("apeft", SECONDARY, "shift", outside, inside, SHIFT, SHIFTED),
        StudyContrast("gekhman", SECONDARY, "fitted", unknown, None, FIT, LAST),
    ]


def kept(root: Path, data: Path) -> Piece:
    """The run as a piece that was written and read again."""
    checkpoints = json.loads((root / "lists/checkpoints.json").read_text())
    fits, mixes = collecting.mixes(root, checkpoints)
    about = PieceManifest(
        claim="gekhman", seed=1, model="smollm2-135m", commit="", configuration="",
        labels=collecting.labels_digest(root / "smollm2-135m/slick/annotations.jsonl"),
        versions=read_json(root / "manifest.json")["versions"], device="cpu", processor="", cores=2,
        stages=collecting.stage_times(root / "benchmarks", 1), mixes=mixes,
    )  # fmt: skip
    items = collecting.measured_rows(root, checkpoints, stated(root))
    write_piece(data, Piece(about, items, fits))
    [piece] = read_pieces(data, "gekhman")
    return piece


def check(root: Path, data: Path) -> None:
    """From the piece alone come the same figures as from the run."""
    piece = kept(root, data)
    *same, shift, fitted = (contrast_row(one, [piece]) for one in stated(root))
    own = csv_rows(root / "tables/contrasts.csv")
    assert len(same) == len(own) and any(row["n"] != "0" for row in own)
    for row, of_run in zip(same, own, strict=True):
        found = {"difference": row.estimate, "low": row.low, "high": row.high}
        expected = {key: float(of_run[key]) if of_run[key] else None for key in found}
        assert found == pytest.approx(expected, abs=1e-9), (row.contrast, of_run)
        assert row.n == int(of_run["n"])
    assert shift.n and -1 <= shift.estimate <= 1
    parts = piece.about.mixes["mix.unknown-100"].composition.parts
    assert fitted.n == parts["Unknown"] and not parts.keys() & set(KNOWN)
    assert {stage.stage for stage in piece.about.stages} >= {"generate", "train", "score"}


def test_a_piece_has_all_that_the_runs_own_contrasts_need(run, tmp_path):
    check(run.root, tmp_path)
