"""plumbline within another workflow, and from where Snakemake's catalog looks for it."""

import pytest
import yaml
from project import ROOT, Project

pytestmark = pytest.mark.workflow
OUTER = """
configfile: "plumbline/config/config.yaml"
configfile: "mine.yaml"

module plumbline:
    snakefile: "plumbline/workflow/Snakefile"
    config: config
{more}
use rule * from plumbline as pl_*

rule before:
    output: "before.txt"
    priority: 1
    shell: "touch {{output}}"

rule all:
    default_target: True
    input: "before.txt", rules.pl_report.output

onstart:
    plumbline.onstart()
"""
MINE = "run: outer\nfacts: {relations: {id: [country_capital], ood: [airport_city]}}\n"


@pytest.fixture
def outer(tmp_path):
    """A folder that holds a clone of plumbline and a workflow of its own."""
    (tmp_path / "plumbline").mkdir()
    Project(tmp_path / "plumbline")
    project = Project.__new__(Project)
    project.folder = tmp_path
    (tmp_path / "mine.yaml").write_text(MINE)
    return project


def snakefile(project, more=""):
    (project.folder / "Snakefile").write_text(OUTER.format(more=more))


def test_another_workflow_has_it_as_a_module(outer):
    snakefile(outer)
    jobs = outer.jobs()
    assert jobs["before"] == jobs["pl_report"] == jobs["pl_import_model"] == 1
    assert {rule for rule in jobs if not rule.startswith("pl_")} == {"before"}
    assert jobs["pl_train"] > 5


def test_what_it_makes_lies_in_the_other_workflows_folder(outer):
    snakefile(outer)
    outer.snakemake("before.txt", "results/outer/facts/questions.jsonl")
    made = outer.folder / "results/outer"
    assert (made / "facts/questions.jsonl").stat().st_size
    # What jobs read is written by the module's handler, for its own jobs alone.
    assert (made / "lists/checkpoints.json").is_file() and (made / "lists/works.json").is_file()
    assert not (outer.folder / "plumbline/results").exists()


def test_a_prefix_is_refused_in_a_line(outer):
    snakefile(outer, more='    prefix: "below"\n')
    output = outer.snakemake("-n", check=False)
    assert "name the run in its config instead" in output and "Traceback" not in output


def test_two_of_it_are_refused_in_a_line(outer):
    snakefile(outer)
    with (outer.folder / "Snakefile").open("a") as stream:
        stream.write(
            'module again:\n    snakefile: "plumbline/workflow/Snakefile"\n'
            '    config: config | {"run": "inner"}\n\nuse rule * from again as two_*\n'
        )
    output = outer.snakemake("-n", check=False)
    assert "plumbline is included twice, for the runs outer and inner" in output
    assert "Traceback" not in output


def test_the_catalogs_file_names_what_is_there():
    catalog = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())
    usage = catalog["usage"]
    assert usage.keys() == {"mandatory-flags", "software-stack-deployment", "report"}
    assert usage["software-stack-deployment"]["conda"] is True and (ROOT / "envs").is_dir()
    assert (ROOT / "config/README.md").is_file()


def test_the_catalogs_place_makes_what_the_root_does(tmp_path):
    project = Project(tmp_path)
    there = project.jobs("--snakefile", "workflow/Snakefile")
    assert there.pop("main") == 1 and there == project.jobs()
    assert "Congratulations" in project.snakemake("--lint", "--snakefile", "workflow/Snakefile")
