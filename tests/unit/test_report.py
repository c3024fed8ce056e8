import base64
import dataclasses
import gzip
import html
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from method_overlays import sections_with, with_all
from plumbline import names
from plumbline.experiment import config as experiment
from plumbline.experiment import lineage
from plumbline.methods.registry import METHODS
from plumbline.methods.slick.chapter import base_knowledge
from plumbline.report import task_sections
from plumbline.report.answers import packed, read_answers
from plumbline.report.figures import DRAW, draw_figures
from plumbline.report.labels import checkpoint_label, checkpoint_order
from plumbline.report.names import FIGURES, TABLES
from plumbline.report.page import write_page
from plumbline.report.responses import read_responses
from plumbline.report.tables import (
    CATEGORIES,
    Run,
    Tables,
    main_metrics,
    over_seeds,
    read_files,
    read_tables,
)
from plumbline.storage.files import InputError, read_json
from report_answer_data import HOSTILE
from report_data import metric, tables_of, texts, write_results

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "workflow" / "scripts"
SVG = "{http://www.w3.org/2000/svg}"


def page_of(tables, folder: Path, plan=None, manifest=None, responses=(), **more) -> str:
    draw_figures(tables, folder / "figures")
    run = Run(tables, plan or {}, manifest or {}, responses, **more)
    write_page(run, folder / "figures", "test", folder / "i.html")
    return (folder / "i.html").read_text()


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return write_results(tmp_path_factory.mktemp("run") / "results")


def test_empty_metrics_are_an_error(tmp_path):
    with pytest.raises(InputError, match=r"metrics\.csv: no rows"):
        read_tables(tmp_path)


def test_bad_tables_name_line_and_column(tmp_path):
    with pytest.raises(InputError, match=r"metrics\.csv, line 3: column value.*'high'"):
        tables_of(tmp_path, [metric(), metric(value="high")])
    (tmp_path / "metrics.csv").write_text("model,seed\nm,1\n")
    with pytest.raises(InputError, match="no column checkpoint, parent"):
        read_tables(tmp_path)


def test_what_is_shown_of_several_seeds_holds_their_spread(tmp_path):
    rows = [
        metric(seed=1, value=0.2, low=0.1, high=0.3),
        metric(seed=2, value=0.4, low=0.3, high=0.5),
        metric(checkpoint="other", seed=1, value=0.2, low=0.1, high=0.3),
    ]
    found = over_seeds(tables_of(tmp_path, rows).metrics, ["checkpoint"]).set_index("checkpoint")
    row, alone = found.loc[rows[0]["checkpoint"]], found.loc["other"]
    assert (row.value, row.least, row.most, row.seeds, row.n) == (
        pytest.approx(0.3), 0.2, 0.4, 2, 100,
    )  # fmt: skip
    # Items: 0.1 to either side. Seeds: t(0.975, 1) × 0.1414 / √2.
    half = (0.1**2 + (12.7062 * 0.1) ** 2) ** 0.5
    assert (row.low, row.high) == pytest.approx((0.3 - half, 0.3 + half), abs=1e-4)
    assert (alone.low, alone.high) == pytest.approx((0.1, 0.3))
    # A row that was computed over all seeds is what is shown.
    rows.append(metric(seed="", value=0.31, low=0.15, high=0.45, n=98))
    found = over_seeds(tables_of(tmp_path, rows).metrics, ["checkpoint"]).set_index("checkpoint")
    row = found.loc[rows[0]["checkpoint"]]
    assert (row.value, row.low, row.high, row.n, row.seeds) == (0.31, 0.15, 0.45, 98, 2)
    assert found.loc["other"].low == pytest.approx(0.1)


def test_checkpoints_stand_in_reading_order():
    names = ["grath.r10", "grath.r2", "grath.r1", "mix.natural.early_stop"]
    names += ["mix.unknown-100.early_stop", "mix.unknown-25.convergence"]
    names += ["mix.unknown-25.early_stop", "base"]
    assert sorted(names, key=checkpoint_order) == names[::-1]
    assert checkpoint_label("grath.r10") == "GRATH, round 10"
    assert checkpoint_label("mix.natural.early_stop") == "natural, early stop"


def test_variants_stand_behind_what_they_are_variants_of():
    names = ["grath.r1", "grath.r2", "grath-unknown-50.r1", "grath-unknown-0.r1", "flame.sft"]
    names += ["flame.sft.dpo", "flame-unknown-12.5.sft", "flame-unknown-12.5.sft.dpo"]
    assert sorted(sorted(names), key=checkpoint_order) == names
    assert checkpoint_label("grath-unknown-0.r2") == "GRATH without Unknown, round 2"
    label = "FLAME with 12.5 % of Unknown: SFT★, DPO★"
    assert checkpoint_label("flame-unknown-12.5.sft-star.dpo-star") == label


def test_every_method_has_a_name_and_a_place():
    """Those of the shipped configurations, with filtered variants."""
    raw = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    kept = sections_with("keep_unknown", raw)
    raw = with_all(raw)
    for section in kept:
        raw[section]["keep_unknown"] = [100, 0]
    config = experiment.load(raw)
    checkpoints = lineage.build(config).checkpoints
    assert [one for one in checkpoints[1:] if checkpoint_label(one) == one] == []
    assert sorted(checkpoints, key=checkpoint_order)[0] == "base"
    kinds = [names.parts(one)[0] for one in sorted(checkpoints, key=checkpoint_order)[1:]]
    there = [method.name for method in METHODS if list(method.tunings(config))]
    assert list(dict.fromkeys(kinds)) == there


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (dict(answered=0.9, em=0.5, em_vs_base=0.1), ["em"]),
        (dict(acc=0.5, acc_norm=0.6, mc1=0.5, mc2=0.4, mc3=0.5), ["mc1", "mc2", "acc_norm"]),
        (dict(acc=0.7, acc_norm=0.6, mc1=0.5, mc2=0.4, mc3=0.45), ["mc1", "mc2"]),
        (dict(acc=0.7, acc_norm=0.6, mc2=0.4, mc3=0.45), ["acc", "mc2", "acc_norm"]),
        (dict(brier=0.2, hits=0.3, hits_vs_base=0.1), ["brier"]),
    ],
)
def test_main_metrics_of_a_task(tmp_path, values, expected):
    """MC1 and MC3 are the same only where every question has one true choice."""
    rows = [metric(metric=name, value=value) for name, value in values.items()]
    assert main_metrics(tables_of(tmp_path, rows).metrics) == expected


def test_many_tasks_do_not_flood_the_page(tmp_path):
    rows = [metric()]
    for place in range(6):
        for name in ("acc", "acc_norm", "mc1", "mc2", "mc3"):
            rows.append(metric(task=f"set{place}", metric=name, value=0.3, domain="ood"))
    picture, *shown = task_sections.id_ood(Run(tables_of(tmp_path, rows), {}, {}))
    assert picture.name == "id_ood"
    assert [t.caption.split(",")[1].strip() for t in shown if not t.folded] == [
        "closed_book",
        "set0",
        "set1",
        "set2",
    ]
    assert len(shown) == 1 + 2 * 6  # each set: main metrics, further metrics
    heads = [cell.text for cell in shown[1].columns[1:]]
    assert heads == ["MC1 %", "to base", "MC2 %", "to base", "acc_norm %", "to base"]
    heads = [cell.text for cell in shown[2].columns[1:]]
    assert heads == ["accuracy %", "to base", "MC3 %", "to base"]


def test_differences_to_the_base_stand_beside_their_metric(tmp_path):
    about = dict(task="trivia", domain="ood", checkpoint="grath.r1")
    rows = [
        metric(task="trivia", domain="ood", metric="mc1", value=0.25, low=0.2, high=0.3),
        metric(**about, metric="mc1", value=0.35, low=0.3, high=0.4),
        metric(**about, metric="mc1_vs_base", value=0.1, low=0.04, high=0.16),
    ]
    _, table = task_sections.id_ood(Run(tables_of(tmp_path, rows), {}, {}))
    assert texts(table) == [["base", "25.0", "–"], ["GRATH", "35.0", "+10.0"]]
    assert [cell.sub for cell in table.rows[1]] == ["round 1", "30.0–40.0", "+4.0 to +16.0"]
    assert table.rows[1][2].tone == "" and table.groups == [("", 1), ("out of domain (OOD)", 2)]


def test_later_tasks_and_checkpoints_appear_unasked(tmp_path):
    later = dict(checkpoint="grath.r1", task="truthfulqa", metric="mc1", domain="ood")
    longer = later | dict(metric="words", value=31.5, low=29.0, high=34.0)
    page = page_of(tables_of(tmp_path, [metric(), metric(**later), metric(**longer)]), tmp_path)
    figure = (tmp_path / "figures" / "id_ood.svg").read_text()
    assert "truthfulqa, MC1" in figure and "GRATH, round 1" in figure
    assert "truthfulqa, test, further metrics (words: in the metric&#39;s own unit)" in page
    assert ">31.5<" in page and ">50.0<" in page


def test_missing_tables_leave_a_line_and_every_figure_is_written(tmp_path):
    page = page_of(tables_of(tmp_path, [metric(task="truthfulqa")]), tmp_path)
    missing = "slick_counts fit_curves linear_model grath_rounds preference_curves dropped"
    for table in (f"{name}.csv" for name in missing.split()):
        assert f"Left out: {table} has no rows for it." in page
    assert sorted(p.stem for p in (tmp_path / "figures").iterdir()) == sorted(FIGURES)
    assert (
        "tables/slick_counts.csv has no such rows"
        in (tmp_path / "figures" / "slick_categories.svg").read_text()
    )


def test_names_of_tables_and_figures_are_in_step():
    assert list(DRAW) == list(FIGURES)
    assert {figure.table for figure in FIGURES.values()} <= set(TABLES)
    assert {field.name for field in dataclasses.fields(Tables)} == set(TABLES)


def test_names_from_data_cannot_become_markup(tmp_path):
    evil = '<script>alert("x")</script>'
    tables = tables_of(tmp_path, [metric(model=evil), metric(model="m2", checkpoint=evil)])
    page = page_of(tables, tmp_path, {"device": evil}, {"config": {evil: [evil]}})
    assert "<script>alert" not in page
    assert html.escape(evil, quote=False) in (tmp_path / "figures" / "id_ood.svg").read_text()


def test_marks_are_the_data_and_drawing_is_deterministic(results, tmp_path):
    tables = read_tables(results / "tables")
    for folder in ("one", "two"):
        draw_figures(tables, tmp_path / folder)
    counts = tables.slick_counts.groupby(["model", "relation", "category"]).n.sum()
    mixes = tables.metrics[tables.metrics.checkpoint.str.startswith("mix.")]
    rounds = tables.grath_rounds
    scored = rounds[rounds.metric.isin(["mc1", "mc2"])]
    expected = {
        "slick_categories": (counts > 0).sum(),
        "fit_curves": len(tables.fit_curves.groupby(["model", "tuning", "part", "category"])),
        "accuracy_by_unknown": len(mixes.groupby(["model", "checkpoint", "domain"])),
        "linear_model": 2 * (tables.linear_model.term != "intercept").sum(),  # and the paper's
        "grath_rounds": len(scored.groupby(["model", "task", "domain", "round", "metric"])),
        "grath_similarity": len(rounds.query("metric == 'similarity'").groupby(["model", "round"])),
        "factuality": len(
            tables.metrics.query("metric == 'f1'").groupby(["model", "checkpoint", "domain"])
        ),
        "token_shift": len(
            tables.token_shift.query(
                "position == 'All' and metric in ('unshifted', 'marginal', 'shifted')"
            ).groupby(["model", "tuned", "domain", "metric"])
        ),
        "token_shift_positions": len(
            tables.token_shift.query("position != 'All' and metric == 'shifted'").groupby(
                ["model", "tuned", "domain", "position"]
            )
        ),
        "preference_curves": 3 * len(tables.preference_curves.groupby(["model", "tuning"])),
        "gains": len(tables.gains.query("against == 'base' and domain == 'both'")),
        "id_ood": len(tables.metrics.groupby(["model", "task", "checkpoint", "domain"])),
    }
    for name in FIGURES:
        one, two = ((tmp_path / f / f"{name}.svg").read_bytes() for f in ("one", "two"))
        assert one == two
        root = ET.fromstring(one)
        assert root.get("role") == "img" and root.get("aria-label")
        marks = [g for g in root.iter(f"{SVG}g") if g.get("class") == "mark"]
        assert len(marks) == expected[name], name
        assert all(mark.findtext(f"{SVG}title") for mark in marks)


def test_page_is_self_contained_and_ids_are_unique(results, tmp_path):
    tables = read_tables(results / "tables")
    plan, manifest = read_json(results / "plan.json"), read_json(results / "manifest.json")
    responses = read_responses(results / "tables" / "responses.json")
    answers = read_answers(results / "tables" / "answers.json")
    files = read_files(results / "tables")
    page = page_of(tables, tmp_path, plan, manifest, responses, answers=answers, files=files)
    addresses = re.findall(r"""(?:src|href)=["']([^"']*)|url\(([^)]*)\)|@import""", page)
    assert all((a or b).startswith(("#", "data:,")) for a, b in addresses)
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    # Only what the made-up run has no table of, as of methods that it does not have.
    left_out = re.findall(r"Left out: (?:(\w+)\.csv has no rows)?", page)
    assert not {name for name in left_out if (results / f"tables/{name}.csv").is_file()}
    assert "" not in left_out


def test_what_is_packed_is_what_was_given_and_no_markup(results, tmp_path):
    answers, files = (
        read_answers(results / "tables/answers.json"), read_files(results / "tables")
    )  # fmt: skip
    tables = read_tables(results / "tables")
    page = page_of(tables, tmp_path, answers=answers, files=files)
    assert page == page_of(tables, tmp_path, answers=answers, files=files)
    assert "land 1" not in page and "onerror" not in page
    found = dict(re.findall(r'<script type="text/plain" id="packed-(.+?)">(.*?)</script>', page))
    unpacked = {key: gzip.decompress(base64.b64decode(v)).decode() for key, v in found.items()}
    shown = json.loads(unpacked.pop("answers"))
    assert shown["texts"] == answers.texts and HOSTILE in shown["sheets"][0]["questions"][0]
    assert shown["sheets"][0]["checkpoints"] == [
        "base", "GRATH, round 1, seed 1", "GRATH, round 1, seed 2", "FLAME: SFT, seed 1",
    ]  # fmt: skip
    assert unpacked == {
        f"table-{path.stem}": path.read_text() for path in (results / "tables").glob("*.csv")
    }
    figures = re.findall(r'data-source="packed-(table-\w+)"', page)
    assert set(figures) <= set(unpacked)


def test_the_browser_opens_with_the_last_checkpoint_that_is_no_placebo(results):
    answers = read_answers(results / "tables/answers.json")
    sheet = answers.sheets[0]
    assert packed(answers)["sheets"][0]["after"] == len(sheet.columns) - 1
    sheet.columns[-1].checkpoint = "flame.sft.placebo"
    assert packed(answers)["sheets"][0]["after"] == len(sheet.columns) - 2


def test_answers_that_are_none_are_an_error(tmp_path):
    path = tmp_path / "answers.json"
    with pytest.raises(InputError, match=r"answers\.json: cannot be read.*tabulate_answers"):
        read_answers(path)
    path.write_text('{"texts": [], "sheets": [{"model": "m"}]}')
    with pytest.raises(InputError, match=r"answers\.json: sheets\.0\.task: Field required"):
        read_answers(path)


def test_programs_run_and_end_well(results, tmp_path):
    def program(name, *arguments):
        return subprocess.run(
            [sys.executable, SCRIPTS / f"{name}.py", *map(str, arguments)],
            capture_output=True,
            text=True,
            env={"PYTHONPATH": str(SCRIPTS.parent)},
        )

    tables, figures, out = results / "tables", tmp_path / "figures", tmp_path / "index.html"
    inputs = ["--plan", results / "plan.json", "--manifest", results / "manifest.json"]
    inputs += ["--answers", tables / "answers.json"]
    page = ["--tables", tables, "--figures", figures, *inputs, "--run", "demo", "--out", out]
    early = program("write_report", *page)
    assert early.returncode == 1 and "Draw the figures first" in early.stderr and not out.exists()
    assert program("draw_figures", "--tables", tables, "--out", figures).returncode == 0
    assert program("write_report", *page).returncode == 0
    assert "Ostrava lies by the sea." in out.read_text()
    printed = program("print_headline", "--tables", tables, "--report", out).stdout
    assert printed.endswith(f"Tables: {tables}\nReport: {out}\n")
    assert max(map(len, printed.splitlines()[:-2])) <= 80


def test_facts_that_were_not_asked_since_no_answer_can_match_are_told(tmp_path):
    counted = {"model": "m", "relation": "r", "domain": "id", "split": "test"}
    slick_counts = [{**counted, "category": name, "n": 3} for name in CATEGORIES]
    lost = {"stage": "slick", "model": "m", "seed": "", "item": "r test"}
    dropped = [
        {**lost, "reason": "answer_longer_than_max_tokens", "n": 2},
        {**lost, "reason": "answer_of_several_lines", "n": 1},
        {**lost, "reason": "not_in_probed_part", "n": 7},
    ]
    tables = tables_of(tmp_path, [metric()], slick_counts=slick_counts, dropped=dropped)
    prose, *_ = base_knowledge(Run(tables, {}, {}))
    assert prose.lines[-1].startswith("3 further facts were not asked of m: no answer to them")
    tables = tables_of(tmp_path, [metric()], slick_counts=slick_counts, dropped=dropped[2:])
    prose, *_ = base_knowledge(Run(tables, {}, {}))
    assert len(prose.lines) == 1


def test_light_points_are_single_seeds_alone(tmp_path):
    """A row over all seeds is no seed."""
    tuned = [metric("mix.unknown-0.early_stop", seed=seed, value=seed / 10) for seed in (1, 2)]
    tuned += [row | dict(task="closed_book_plain") for row in tuned]
    rounds = [
        dict(model="m", seed=seed, variant="grath", checkpoint="grath.r1", task="t", domain="id",
             metric="mc1", round=1, value=seed / 10, low=0.1, high=0.2, n=9)
        for seed in (1, 2)
    ]  # fmt: skip
    drawn = []
    for folder, more in (("seeds", []), ("all", [{"seed": "", "value": 0.15}])):
        rows = [*tuned, *[row | one for one in more for row in tuned[1::2]]]
        over = [*rounds, *[rounds[0] | one for one in more]]
        tables = tables_of(tmp_path / folder, rows, grath_rounds=over)
        draw_figures(tables, tmp_path / folder)
        figures = [f"{name}.svg" for name in ("id_ood", "accuracy_by_unknown", "grath_rounds")]
        drawn.append([(tmp_path / folder / name).read_text().count("<use") for name in figures])
    assert drawn[0] == drawn[1]
