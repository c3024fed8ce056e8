"""The tables of a small planted run against its raw files, computed again in other code."""

import json

import numpy as np
import pytest
from plumbline.report.figures import draw_figures
from plumbline.report.page import write_page
from plumbline.report.tables import Run, read_tables
from programs import program
from recomputation import sentences, table, wrong_contrasts, wrong_gains, wrong_sheets
from report_check import findings, unfounded
from report_data import write_csv

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
ANSWERED = [
    ("closed_book", "closed_book/answers.jsonl", "facts/questions.jsonl"),
    ("choices", "choices/facts.jsonl", "choices/facts.jsonl"),
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
        first = float(sums[0] > sums[1:].max())
        metrics = dict(mc1=first, acc=first, mc2=float(odds[0] / odds.sum()))
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
    questions = [
        dict(id=f"q{n}", relation="r", subject=subject, question=f"{n}?", answers=["a town"],
             split="test", domain="id" if n % 3 else "ood")
        for n, subject in enumerate(subjects)
    ]  # fmt: skip
    for path in ("m/slick/test.jsonl", "facts/questions.jsonl"):
        write_lines(root / path, questions)
    write_lines(root / "choices/facts.jsonl", [
        dict(id=f"c{n}", question="?", choices=["a", "b", "c"], labels=[1, 0, 0], domain="ood")
        for n in range(60)
    ])  # fmt: skip
    rows, answered = [], []
    for name, right in {"base": 0.6, **CHECKPOINTS}.items():
        for seed in [0] if name == "base" else range(1, request.param + 1):
            folder = f"m/{name}-{seed}"
            write_checkpoint(root / folder, right, rng, subjects)
            rows.append(dict(model="m", seed=seed, checkpoint=name, folder=folder,
                             parent="" if name == "base" else "base",
                             scored=["closed_book/answers.jsonl", "choices/facts.jsonl",
                                     "long_form/items.jsonl"]))  # fmt: skip
            about = dict(model="m", checkpoint=name, seed=seed)
            for kind, given, asked in ANSWERED:
                answered.append(about | dict(kind=kind, answers=str(root / folder / given),
                                             questions=str(root / asked)))  # fmt: skip
    stated = [
        dict(method=method, name="asked", first=first, second=second, task=task, domain=domain,
             metric=name, role="secondary" if method == "grath" and domain == "ood" else "primary",
             kind=kind)
        for method, first, second, task, name in STATED
        for domain in ("id", "ood")
        for kind in ("difference", "equivalence")
    ]  # fmt: skip
    (root / "lists").mkdir()
    choices = [dict(name="facts", path=str(root / "choices/facts.jsonl"), letters=False)]
    lists = dict(checkpoints=rows, contrasts=stated, choices=choices, answered=answered)
    for name, content in lists.items():
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
        program(
            patch, "tabulate_metrics", root=root, checkpoints=root / "lists/checkpoints.json",
            choices=root / "lists/choices.json", evaluation=json.dumps({"confidence": 0.95}),
            metrics=root / "tables/metrics.csv",
        )  # fmt: skip
        program(patch, "tabulate_answers", rows=root / "lists/answered.json",
                answers=root / "tables/answers.json")  # fmt: skip
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


def test_every_answer_that_can_be_looked_through_is_counted_in_the_tables(root):
    sheets = json.loads((root / "tables/answers.json").read_text())["sheets"]
    assert [(sheet["task"], len(sheet["questions"])) for sheet in sheets] == [
        ("closed_book", 60), ("facts", 60),
    ]  # fmt: skip
    assert wrong_sheets(root) == []


def test_an_answer_that_is_called_right_though_it_is_wrong_is_found(root):
    path = root / "tables/answers.json"
    whole = path.read_text()
    sheets = json.loads(whole)
    column = sheets["sheets"][1]["columns"][-1]
    column["right"] = column["right"].replace("0", "1", 1)
    path.write_text(json.dumps(sheets))
    [complaint] = wrong_sheets(root)
    path.write_text(whole)
    assert complaint.startswith("facts, grath.r1")


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
