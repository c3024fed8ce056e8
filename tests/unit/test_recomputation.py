"""The tables of a small planted run against its raw files, computed again in other code."""

import json

import numpy as np
import pytest
from plumbline.report.figures import draw_figures
from plumbline.report.page import write_page
from plumbline.report.tables import Run, read_tables
from programs import program
from recomputation import sentences, table, wrong_contrasts, wrong_gains
from report_check import findings, unfounded
from report_data import metric, write_csv

MARGIN = 0.1
CHECKPOINTS = {
    "mix.unknown-0.convergence": 0.8,
    "mix.unknown-100.convergence": 0.35,
    "grath.r1": 0.7,
}
STATED = [
    ("mix", "mix.unknown-100.convergence", "mix.unknown-0.convergence", "closed_book", "em"),
    ("grath", "grath.r1", "base", "facts", "mc2"),
    ("grath", "grath.r1", "base", "long_form", "f1"),
]


def write_lines(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def write_checkpoint(folder, right, rng, subjects):
    """Raw files of one checkpoint: answers, log-probabilities, items of long answers."""
    known = rng.random(len(subjects)) < right
    write_lines(folder / "closed_book/answers.jsonl", [
        dict(id=f"q{n}/closed_book", task="closed_book", question=f"q{n}", relation="r",
             cluster=subject, domain="id" if n % 3 else "ood", category="Unknown",
             output=" The Town. " if yes else " Village", abstained=False,
             metrics={"em": float(yes)})
        for n, (subject, yes) in enumerate(zip(subjects, known, strict=True))
    ])  # fmt: skip
    scores = []
    for n, subject in enumerate(subjects):
        sums = rng.normal([right, 0, 0], 1)
        odds = np.exp(sums)
        metrics = dict(mc1=float(sums[0] > sums[1:].max()), mc2=float(odds[0] / odds.sum()))
        scores.append(dict(id=f"facts/c{n}", task="facts", domain="ood", category="All",
                           cluster=subject, metrics=metrics, logprobs=sums.tolist()))  # fmt: skip
    write_lines(folder / "choices/facts.jsonl", scores)
    write_lines(folder / "long_form/items.jsonl", [
        dict(id=f"long/{n}", task="long_form", domain="id", category="All", cluster=f"long/{n}",
             metrics={"words": 9.0} | ({"f1": float(rng.integers(6)) / 5} if n % 7 else {}))
        for n in range(20)
    ])  # fmt: skip


@pytest.fixture(scope="module", params=[1, 2, 3])
def root(request, tmp_path_factory):
    """A run on disk with so many seeds, its tables made by the programs and its page."""
    root, rng = tmp_path_factory.mktemp("run"), np.random.default_rng(request.param)
    subjects = [f"s{n // 2}" for n in range(60)]
    write_lines(root / "m/slick/test.jsonl",
                [dict(id=f"q{n}", answers=["a town"]) for n in range(60)])  # fmt: skip
    write_lines(root / "choices/facts.jsonl",
                [dict(id=f"c{n}", labels=[1, 0, 0]) for n in range(60)])  # fmt: skip
    rows = []
    for name, right in {"base": 0.6, **CHECKPOINTS}.items():
        for seed in [0] if name == "base" else range(1, request.param + 1):
            folder = f"m/{name}-{seed}"
            write_checkpoint(root / folder, right, rng, subjects)
            rows.append(dict(model="m", seed=seed, checkpoint=name, folder=folder,
                             parent="" if name == "base" else "base",
                             scored=["closed_book/answers.jsonl", "choices/facts.jsonl",
                                     "long_form/items.jsonl"]))  # fmt: skip
    stated = [
        dict(method=method, name="asked", first=first, second=second, task=task, domain=domain,
             metric=name, role="secondary" if method == "grath" and domain == "ood" else "primary",
             kind=kind)
        for method, first, second, task, name in STATED
        for domain in ("id", "ood")
        for kind in ("difference", "equivalence")
    ]  # fmt: skip
    (root / "lists").mkdir()
    for name, content in (("checkpoints", rows), ("contrasts", stated)):
        (root / f"lists/{name}.json").write_text(json.dumps(content), encoding="utf-8")
    (root / "tables").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        program(
            patch, "tabulate_comparisons", root=root, checkpoints=root / "lists/checkpoints.json",
            stated=root / "lists/contrasts.json",
            evaluation=json.dumps({"confidence": 0.95, "margin": MARGIN}),
            **{name: root / f"tables/{name}.csv"
               for name in ("contrasts", "comparisons", "gains")},
        )  # fmt: skip
    metrics = [metric(name, seed=seed) for name in CHECKPOINTS for seed in range(request.param)]
    metrics.append(metric(metric="mc2"))
    metrics.append(metric(metric="f1"))
    write_csv(root / "tables/metrics.csv", metrics)
    tables = read_tables(root / "tables")
    draw_figures(tables, root / "figures")
    write_page(Run(tables, {}, {}), root / "figures", "t", root / "index.html")
    return root


def test_contrasts_follow_from_the_raw_files(root):
    rows = table(root, "contrasts")
    assert len(rows) == 12 and sum(bool(row["low"]) for row in rows) == 8
    found = {row["verdict"] for row in rows}
    assert "undecided" in found
    # Two seeds say too little of how much trainings differ.
    assert ("lower" in found) == (rows[0]["seeds"] != "2")
    assert wrong_contrasts(root, MARGIN) == []


def test_gains_follow_from_the_raw_files(root):
    rows = table(root, "gains")
    assert {row["domain"] for row in rows} == {"id", "ood", "both"} and len(rows) == 9
    assert wrong_gains(root) == []


def test_the_page_tells_what_follows_from_the_raw_files(root):
    page = (root / "index.html").read_text()
    told, again = findings(page), sentences(root, MARGIN)
    assert len(again) == 6
    for said in again:
        assert any(all(part in text for part in said) for text in told), said
    assert unfounded(page, root / "tables") == []


def test_a_wrong_figure_in_a_table_is_found(root):
    path = root / "tables/contrasts.csv"
    whole = path.read_text()
    for key in ("difference", "high", "p", "p_corrected", "detectable", "verdict"):
        rows = table(root, "contrasts")
        row = next(row for row in rows if row["low"] and row["role"] == "primary")
        row[key] = "held" if key == "verdict" else str(float(row[key]) + 0.01)
        write_csv(path, rows)
        [complaint] = wrong_contrasts(root, MARGIN)
        path.write_text(whole)
        assert complaint.startswith(f"{key} ")
