"""The runner of benchmarks, on benchmarks made for it; what they find is no test's business."""

import json
import os
import subprocess
import sys
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path

import made_up_engine
import pytest
from measuring import COLUMNS, Cost, Different, check, cost_of, cost_rows, in_turn
from plumbline.jobs import command_line
from plumbline.records import Category
from programs import csv_rows

ROOT = Path(__file__).parents[2]
RUN = ROOT / "tests/benchmarks/run.py"
SOUND = """
from measuring import cost_of, cost_rows, check, in_turn

def measure(folder):
    (folder / "mark").write_text("here")
    variants = {name: lambda: cost_of(lambda: sum(range(10**5))) for name in ("ours", "theirs")}
    costs = in_turn(variants, lambda found: check(found["ours"] == found["theirs"], "sums differ"))
    return cost_rows("adding", costs, ours="ours")
"""
DIFFERENT = """
from measuring import check

def measure(folder):
    check(False, "ours says 1 and theirs 2")
"""
OTHER_COLUMNS = "def measure(folder): return [{'benchmark': 'a', 'seconds': 1}]"


def run(*words):
    paths = os.pathsep.join(map(str, (ROOT / "workflow", ROOT / "tests")))
    return subprocess.run(
        [sys.executable, str(RUN), *map(str, words)],
        env={**os.environ, "PYTHONPATH": paths}, text=True, capture_output=True, check=False,
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "toys"
    made.mkdir()
    (made / "b_different.py").write_text(DIFFERENT)
    (made / "a_columns.py").write_text(OTHER_COLUMNS)
    (made / "c_sound.py").write_text(SOUND)
    return made


def test_a_failing_benchmark_is_reported_and_the_others_run(folder, tmp_path):
    out = tmp_path / "out"
    done = run("--folder", folder, "--out", out)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "failed: a_columns, b_different"
    assert "Different: ours says 1 and theirs 2" in done.stderr
    assert sorted(path.name for path in out.glob("*.csv")) == ["c_sound.csv"]
    rows = csv_rows(out / "c_sound.csv")
    assert [*rows[0]] == list(COLUMNS)
    assert [(row["variant"], row["unit"]) for row in rows] == [
        ("ours", "processor s"),
        ("ours", "wall s"),
        ("theirs", "processor s"),
        ("theirs", "wall s"),
        ("theirs / ours", "processor ratio"),
        ("theirs / ours", "wall ratio"),
    ]
    assert "theirs / ours" in done.stdout and (out / "work/c_sound/mark").exists()


def test_some_are_run_by_name_and_a_wrong_name_is_told(folder, tmp_path):
    done = run("--folder", folder, "--out", tmp_path / "out", "--only", "c_sound")
    assert done.returncode == 0, done.stderr
    assert "b_different" not in done.stdout
    done = run("--folder", folder, "--only", "c_sound,d")
    assert done.returncode == 1
    assert done.stderr == (
        "no such benchmark: d. There are: a_columns, b_different, c_sound.\n"
    )  # fmt: skip


def test_every_module_beside_the_runner_is_found_and_measures(monkeypatch):
    monkeypatch.syspath_prepend(str(RUN.parent))
    names = import_module("run").benchmarks()
    assert set(names) == {path.stem for path in RUN.parent.glob("*.py")} - {"run"}
    assert {"token_shift_cost"} <= set(names)
    for name in names:
        assert callable(import_module(name).measure), name


def test_variants_take_turns_and_a_ratio_is_of_one_turn():
    order = []

    def variant(name, seconds):
        def work():
            order.append(name)
            return Cost(seconds.pop(0), 1.0), len(order)

        return work

    variants = {"ours": variant("ours", [1, 2, 10]), "theirs": variant("theirs", [3, 4, 50])}
    turns = []
    costs = in_turn(variants, turns.append)
    assert order == ["ours", "theirs"] * 3
    assert turns == [{"ours": n, "theirs": n + 1} for n in (1, 3, 5)]
    values = {(row["variant"], row["unit"]): row["value"] for row in cost_rows("x", costs, "ours")}
    assert values["ours", "processor s"] == 2
    assert values["theirs / ours", "processor ratio"] == 3  # of 3, 2 and 5
    assert values["theirs / ours", "wall ratio"] == 1


def test_what_differs_ends_a_benchmark():
    def agree(found):
        check(len(set(found.values())) == 1, "not the same")

    with pytest.raises(Different, match="not the same"):
        in_turn({"a": lambda: cost_of(lambda: 1), "b": lambda: cost_of(lambda: 2)}, agree)


def test_evidence_is_looked_for_and_its_cost_written(monkeypatch, tmp_path):
    """The quickest of the real ones."""
    monkeypatch.syspath_prepend(str(RUN.parent))
    import_module("verification").index(200, tmp_path / "found.json")
    found = json.loads((tmp_path / "found.json").read_text())
    assert list(found) == ["indexing", "a search", "with the pages themselves", "the pages alone"]
    assert all(value > 0 for value, _ in found.values())


@pytest.fixture
def in_this_process(monkeypatch):
    """Stages run here: a program that takes other options now is seen."""
    monkeypatch.syspath_prepend(str(RUN.parent))

    def run_program(words, log, **environment):
        _, _, module, *options = map(str, words)
        within = nullcontext()
        if module == "made_up_engine":
            module, within = "scripts.generate", made_up_engine.answering(Path(options.pop(0)))
        monkeypatch.setattr(sys, "argv", [module, *options])
        with within:
            command_line.call(import_module(module).main, options)
        return Cost(1.0, 1.0), 1.0

    monkeypatch.setattr(import_module("growth"), "run_program", run_program)


@pytest.mark.usefixtures("in_this_process")
def test_growth_calls_programs_as_they_are(tmp_path, tiny_base):
    growth = import_module("growth")
    rows = growth.measure(tmp_path, sizes=(240, 300, 360), checkpoint=tiny_base)
    stages = {row["variant"].split(",")[0] for row in rows}
    assert {"build_questions", "annotate", "build_mix", "verify_claims"} <= stages
    verdicts = (tmp_path / "360/m/long/verdicts.jsonl").read_text()
    assert '"supported"' in verdicts and '"refuted"' in verdicts


@pytest.mark.usefixtures("in_this_process")
def test_the_papers_run_is_drawn_on_from_parts_of_it(monkeypatch, tmp_path, tiny_base):
    paper = import_module("paper_slick")
    monkeypatch.setattr(made_up_engine, "ENDING", 96)  # its tokens are bytes
    monkeypatch.setattr(paper, "SLICK", paper.SLICK | {"exemplar_sets": 4})
    assert sum(n for *_, n in paper.sizes(1)) == pytest.approx(paper.QUESTIONS, rel=0.001)
    rows = paper.measure(tmp_path, shares=(0.0005, 0.001), checkpoint=tiny_base)
    found = {(row["variant"], row["unit"]): row["value"] for row in rows}
    assert found["annotate, all of it", "MiB at most, drawn on"] == 1
    assert found["judge_closed_book, all of it, 27 times", "processor s, drawn on"] == 27
    assert found["all stages", "processor s, drawn on"] == 10 + 2 * 13 + 2 * 27
    annotations = (tmp_path / "0.001/m/slick/annotations.jsonl").read_text()
    assert all(f'"{category}"' in annotations for category in Category)
