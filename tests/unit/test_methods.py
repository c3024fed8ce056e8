"""A method is one folder and its lines in the registry; all else loops over the faces."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from plumbline.jobs.digest import Library
from plumbline.methods.method import Method
from plumbline.methods.registry import METHODS

ROOT = Path(__file__).resolve().parents[2]
# Programs that ask every method, so that they run again when one shows another face.
ASKING = {
    *("make_plan", "draw_figures", "write_report", "print_headline"),
    *("write_schema", "write_tables_page", "write_configuration_page", "new_configuration"),
    *("write_cards", "collect_piece", "tabulate_study"),
}

FACE = '''
from collections.abc import Iterator

from pydantic import Field

from plumbline.config.base import Section
from plumbline.evaluation.contrasts import Contrast
from plumbline.experiment.part import Part, Work
from plumbline.methods.estimates import Stage
from plumbline.methods.method import Method, Use
from plumbline.methods.tuning import Tuning
from plumbline.report.parts import Figure, Report
from plumbline.tables import ModelName, TableRow


class Fifth(Section):
    """A method of this test."""

    recipe: str = Field("grath", description="Which of recipes.")


def check(config):
    if config.fifth:
        config.check_recipe("fifth.recipe", config.fifth.recipe, "dpo")


def tunings(config):
    if config.fifth:
        yield Tuning("fifth.r1", "base", config.recipes[config.fifth.recipe])


def contrasts(config, lineage):
    if config.fifth:
        yield Contrast("fifth", "all of it", "fifth.r1", "base", "closed_book", "id", "em")


def use(config):
    return Use(max_tokens={"fifth.max_tokens": 77}, form="plain") if config.fifth else Use()


def cost(planner):
    if planner.config.fifth:
        yield Stage("fifth", 3, tokens=50)


class Files(Part):
    def works(self):
        return [Work("fifth/answers", "base", "fifth/requests.jsonl")] if self.config.fifth else []


class FifthRow(TableRow):
    """Rows of the fifth."""

    model: ModelName
    n: int = Field(description="How many.")

    @classmethod
    def made(cls, config):
        return config.fifth


FIFTH = Method(
    name="fifth",
    label="The Fifth",
    sections={"fifth": (Fifth | None, Field(None, description="A fifth method; null: none."))},
    tunings=tunings,
    check=check,
    contrasts=contrasts,
    use=use,
    cost=cost,
    words=lambda variant, rest: f"{variant} in {rest}",
    files=Files,
    report=Report(
        tables={"fifth_rows": FifthRow},
        figures={"fifth_figure": Figure("Rows of the fifth", "fifth_rows", "The Fifth")},
        chapter="plumbline.methods.fifth.chapter",
    ),
)


def bare_tunings(config):
    return [Tuning("bare.r1", "base", config.recipes["grath"])] if config.bare else []


# Says only what it must.
BARE = Method("bare", "Bare", {"bare": (bool, False)}, bare_tunings)
'''
CHAPTER = """
from plumbline.report.blocks import Prose
from plumbline.report.parts import Chapter, Page


def told(run):
    rows = run.tables.fifth_rows
    return [Prose([f"There are {rows.n.sum():.0f} of the fifth."])] if len(rows) else []


CHAPTER = Chapter(
    pages=[Page("fifth", "The fifth, told", told, "fifth_rows.csv", exploratory=True)],
    drawings={"fifth_figure": lambda tables: None},
    terms={"Fifth term": "What the fifth means."},
    lines=lambda tables: ["The fifth for a terminal."],
)
"""
ASKED = """
import copy, json, sys
from pathlib import Path

import report_data
import yaml
from plumbline.experiment import config, lineage, plan
from plumbline.experiment.closed_book import forms_of
from plumbline.experiment.contrasts import contrasts
from plumbline.experiment.experiment import Experiment
from plumbline.experiment.needs import needs
from plumbline.experiment.schema import schema
from plumbline.storage.files import InputError
from plumbline.methods.registry import METHODS
from plumbline.records import Question
from plumbline.report.figures import draw_figures
from plumbline.report.headline import as_text
from plumbline.report.labels import checkpoint_label, checkpoint_order
from plumbline.report.names import FIGURES, TABLES
from plumbline.report.page import write_page
from plumbline.report.tables import Run, read_tables

folder = Path(sys.argv[1])
raw = yaml.safe_load(Path(sys.argv[2]).read_text()) | {"flame": None, "apeft": None}
raw["evaluation"] |= {"token_shift": None, "long_form": None}


def load(**changes):
    return config.load(copy.deepcopy(raw) | changes)


with_it, without = load(fifth={}, bare=True), load()
made = lineage.build(with_it)
questions = [Question(id=f"{split}{n}", relation="r", subject=f"s{n}", question="q", answers=["a"],
                      split=split, domain="id") for split in ("train", "dev") for n in range(8)]
planned = plan.make_plan(with_it, made, questions, [], {}, {}, {"m": 1e8}, 2)
try:
    mistake = load(fifth={"recipe": "sft"})
except InputError as error:
    mistake = str(error).splitlines()[-1]
results = report_data.write_results(folder / "results")
(results / "tables/fifth_rows.csv").write_text("model,n\\nm,12\\n")
tables = read_tables(results / "tables")
draw_figures(tables, folder / "figures")
write_page(Run(tables, {}, {}), folder / "figures", "test", folder / "index.html")
experiment = Experiment(with_it, made, METHODS, "results/demo", folder)
print(json.dumps({
    "checkpoints": made.checkpoints,
    "left_out": lineage.build(without).checkpoints,
    "contrasts": [one.row() for one in contrasts(with_it, made) if one.method == "fifth"],
    "lengths": {length.key: length.tokens for length in needs(with_it).lengths},
    "forms": forms_of(with_it, made)["fifth.r1"],
    "keys": list(schema()["properties"]),
    "mistake": mistake,
    "stages": {stage["stage"]: stage for stage in planned["stages"]},
    "label": [checkpoint_label(name) for name in ("fifth.r1", "fifth-unknown-0.r1", "bare.r1")],
    "order": sorted(["bare.r1", "other", "fifth.r1", "apeft.atomic-0.ipo", "base"],
                    key=checkpoint_order),
    "made": [TABLES["fifth_rows"].made(one) is not None for one in (with_it, without)],
    "figure": FIGURES["fifth_figure"].title,
    "headline": as_text(tables),
    "works": [work for work in experiment.works if "fifth" in work],
    "parts": list(experiment.methods),
}))
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Path:
    """A copy of the library with two further methods."""
    folder = tmp_path_factory.mktemp("library")
    shutil.copytree(ROOT / "workflow/plumbline", folder / "plumbline")
    own = folder / "plumbline/methods/fifth"
    own.mkdir()
    (own / "__init__.py").write_text("")
    (own / "face.py").write_text(FACE)
    (own / "chapter.py").write_text(CHAPTER)
    registry = folder / "plumbline/methods/registry.py"
    text = registry.read_text()
    head, line, last = text.partition("\nMETHODS")
    assert line and last.count(")\n") == 1
    imported = "\nfrom plumbline.methods.fifth.face import BARE, FIFTH\n"
    registry.write_text(head + imported + line + last.replace(")\n", ", FIFTH, BARE)\n"))
    return folder


@pytest.fixture(scope="module")
def answers(library) -> dict:
    """What the rest of that library says about them."""
    paths = os.pathsep.join(map(str, (library, ROOT / "tests")))
    ran = subprocess.run(
        [sys.executable, "-c", ASKED, str(library), str(ROOT / "config/config.yaml")],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_its_section_is_a_key_of_the_configuration(answers):
    assert [key for key in answers["keys"] if key in ("apeft", "fifth", "bare")] == [
        "apeft", "fifth", "bare",
    ]  # fmt: skip
    assert answers["mistake"].endswith("fifth.recipe: sft is of method sft; expected dpo.")


def test_its_trainings_are_in_the_lineage(answers):
    assert answers["checkpoints"][-2:] == ["fifth.r1", "bare.r1"]
    assert not {"fifth.r1", "bare.r1"} & set(answers["left_out"])


def test_it_is_compared_planned_and_held_against_the_model(answers):
    (contrast,) = answers["contrasts"]
    assert (contrast["first"], contrast["second"]) == ("fifth.r1", "base")
    assert answers["stages"]["fifth"]["tokens"] == 50
    assert answers["lengths"]["fifth.max_tokens"] == 77
    assert "plain" in answers["forms"]
    assert "fifth/answers" in answers["works"] and answers["parts"][-2:] == ["fifth", "bare"]


def test_the_report_tells_it(answers, library):
    assert answers["label"] == [
        "The Fifth in r1", "The Fifth without Unknown in r1", "Bare: r1",
    ]  # fmt: skip
    assert answers["order"] == ["base", "apeft.atomic-0.ipo", "fifth.r1", "bare.r1", "other"]
    assert answers["made"] == [True, False] and answers["figure"] == "Rows of the fifth"
    assert "The fifth for a terminal." in answers["headline"]
    page = (library / "index.html").read_text()
    for text in ("The fifth, told", "There are 12 of the fifth.", "What the fifth means."):
        assert text in page
    assert (
        "tables/fifth_rows.csv has no such rows"
        in (library / "figures/fifth_figure.svg").read_text()
    )


def test_only_programs_that_ask_all_methods_run_again_for_a_face(library):
    def digests() -> dict[str, str]:
        programs = sorted((ROOT / "workflow/scripts").glob("*.py"))
        now = Library(library / "plumbline")
        return {path.stem: now.digest(path) for path in programs}

    before = digests()
    face = library / "plumbline/methods/fifth/face.py"
    face.write_text(face.read_text().replace("tokens=50", "tokens=51"))
    after = digests()
    assert {name for name in before if before[name] != after[name]} == ASKING


def test_a_face_has_at_most_a_dozen_fields_and_each_is_explained():
    names = [field.name for field in fields(Method)]
    assert len(names) <= 12
    assert [name for name in names if f"\n    {name}: " not in Method.__doc__] == []


def test_names_of_methods_are_of_one_each():
    assert len({method.name for method in METHODS}) == len(METHODS)
    tables = [name for method in METHODS for name in method.report.tables]
    figures = [name for method in METHODS for name in method.report.figures]
    assert len(set(tables)) == len(tables) and len(set(figures)) == len(figures)
