"""What runs again after a change of each key of the configuration is what docs/reruns.md says."""

import json
import re

import pytest
from changes import TOGETHER, changes, keys
from graph import Graphs, Job, rerun
from plumbline.experiment import config as experiment
from plumbline.methods.registry import METHODS
from project import ROOT, Project

pytestmark = [pytest.mark.workflow, pytest.mark.timeout(1800)]
# They hold the whole configuration, and are made again for every key.
ALWAYS = {"make_plan", "write_manifest"}
NOTHING = "–"
RECIPE = "the recipe's"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The files that configurations name."""
    folder = tmp_path_factory.mktemp("files")
    for name in ("harness", "other"):
        (folder / name).mkdir()
        (folder / name / "t.yaml").write_text("task: t\n")
    return folder


@pytest.fixture(scope="module")
def graphs(tmp_path_factory):
    return Graphs(tmp_path_factory.mktemp("graphs"))


def table() -> dict[str, tuple[str, str]]:
    """By key: where a run starts again, and which methods are trained again."""
    text = (ROOT / "docs/reruns.md").read_text(encoding="utf-8")
    found = {}
    for line in re.findall(r"(?m)^\| `.*$", text):
        names, first, trained = (cell.strip() for cell in line.strip("| ").split(" | "))
        for name in re.findall(r"`([^`]+)`", names):
            assert name not in found, f"{name} stands there twice"
            found[name] = first.replace("`", ""), trained
    return found


def kind(job: Job) -> str:
    """What of its rule a job is of, where that is worth telling apart."""
    if job.rule == "train":
        return re.split(r"[.-]", job.wildcards["tuning"])[0]
    if job.rule == "generate":
        parts = job.wildcards["work"].split("/")
        return parts[-2] if parts[-1] == "own" and parts[-2] == "win_rate" else parts[-1]
    return ""


def described(after: dict[str, Job], running: set[str], first: set[str]) -> tuple[str, str]:
    """The same as the table has it."""
    starts: dict[str, set[str]] = {}
    for job in (after[name] for name in first):
        if job.rule not in ALWAYS:
            starts.setdefault(job.rule, set()).add(kind(job))
    told = []
    for rule, kinds in sorted(starts.items()):
        every = {kind(job) for job in after.values() if job.rule == rule}
        told.append(rule if kinds == every else f"{rule} ({', '.join(sorted(kinds))})")
    trained = {kind(after[name]) for name in running if after[name].rule == "train"}
    methods = [method.name for method in METHODS if method.name in trained]
    return ", ".join(told) or NOTHING, ", ".join(methods) or NOTHING


def of_recipe(change) -> str:
    """The methods that use the recipe in which the two differ, as the table would list them."""
    before, after = change.before, change.after
    [name] = [n for n, recipe in before["recipes"].items() if after["recipes"][n] != recipe]
    config = experiment.load(before)
    return ", ".join(method.name for method in METHODS if name in method.use(config).recipes)


def seen(graphs, files) -> dict[str, tuple[str, str]]:
    """What a change of each key runs again; of several changes, of the first that runs anything."""
    found, bases = {}, {}
    for change in changes(files):
        if found.get(change.key, (NOTHING, NOTHING)) != (NOTHING, NOTHING):
            continue
        base = json.dumps(change.before, sort_keys=True)
        if base not in bases:
            bases[base] = graphs.jobs(change.before)
        after = graphs.jobs(change.after)
        first, trained = described(after, *rerun(bases[base], after))
        if change.key.startswith("recipes.") and trained == of_recipe(change):
            first, trained = re.sub(r"train \(.*?\)", "train", first), RECIPE
        found[change.key] = first, trained
    return found


def test_every_key_stands_in_the_table():
    assert table().keys() | TOGETHER.keys() == set(keys())
    assert not table().keys() & TOGETHER.keys()


def test_what_runs_again_is_what_the_page_says(graphs, files):
    found, told = seen(graphs, files), table()
    assert found.keys() == told.keys()
    wrong = [
        f"| `{key}` | {first} | {trained} |, not {' | '.join(told[key])}"
        for key, (first, trained) in found.items()
        if told[key] != (first, trained)
    ]
    assert not wrong, "docs/reruns.md should say:\n" + "\n".join(wrong)


@pytest.mark.parametrize(
    "overlay",
    [
        {"slick": {"match": "raw"}},
        {"apeft": {"max_length_gap": 9}},
        {"recipes": {"grath": {"save_steps": 3}}},
        {"evaluation": {"long_form": {"gamma": 3}}},
    ],
    ids=json.dumps,
)
def test_snakemake_decides_the_same(graphs, tmp_path, overlay):
    """Of a finished run, on a few keys."""
    project = Project(tmp_path)
    project.finish()
    (tmp_path / "changed.yaml").write_text(json.dumps(overlay))
    after = graphs.jobs(overlay)
    running, _ = rerun(graphs.jobs({}), after)
    counted: dict[str, int] = {}
    for name in running - {"all"}:
        counted[after[name].rule] = counted.get(after[name].rule, 0) + 1
    assert project.jobs("--configfile", "changed.yaml") == counted
