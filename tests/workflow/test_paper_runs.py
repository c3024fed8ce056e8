"""The papers' runs, on a node of eight cards and on one card: their jobs, and what they are to cost.

EntityQuestions is made up, as many rows as the paper has; the hub is a cache folder that holds the
pinned commits. The plans of the others are in tests/unit/test_paper_plans.py.
"""

import json
import re

import pytest
from graph import Planned
from plumbline.data.entityquestions import DEFAULT_DOMAINS, PAPER_COUNTS, TEMPLATES
from project import ROOT, Project

pytestmark = pytest.mark.workflow
ONE_CARD = "config/paper/hardware/one-card.yaml"
# Trainings: 5 of X, 3 of D_Known, 3 single categories, natural and IDK; two rounds and a placebo; 3
# and 5 stages and a placebo; five shares under six losses, and a placebo under each.
TRAININGS = {"gekhman": 13, "grath": 2 + 1, "flame": 3 + 5 + 1, "apeft": 5 * 6 + 6}
SHARDED = {"gekhman", "flame"}
# Dev questions of the relations that are only evaluated.
OOD_DEV = 5808


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    return Planned(tmp_path_factory.mktemp("planned"))


@pytest.mark.parametrize("cards", [8, 1])
@pytest.mark.parametrize("paper", TRAININGS)
def test_a_papers_run_is_planned_for_a_node_and_for_one_card(planned, paper, cards):
    over = [] if cards == 8 else ["--configfile", str(ROOT / ONE_CARD)]
    jobs = planned.jobs("--configfile", str(ROOT / f"config/paper/{paper}.yaml"), *over)
    assert jobs["train"] == TRAININGS[paper] and jobs["report"] == jobs["import_model"] == 1
    # Requests are shared out over the cards where there are enough of them for it.
    shards = 8 if cards == 8 and paper in SHARDED else 0
    assert jobs.get("generate_shard", 0) == shards * jobs["generate"]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    made = Project(tmp_path_factory.mktemp("project"))
    for path in sorted((made.folder / "config/paper").glob("*.yaml")):
        for name, commit in re.findall(r"hub:([\w/-]+[\w.-]+)@(\w+)", path.read_text()):
            repository = f"models--{name.replace('/', '--')}"
            snapshot = made.folder / "hub/hub" / repository / "snapshots" / commit
            snapshot.mkdir(parents=True, exist_ok=True)
            (snapshot / "config.json").write_text("{}")
    return made


def plan_of(project, paper, *over):
    """The stages of the plan that `snakemake fetch plan` makes, by name, and what it prints."""
    files = [f"config/paper/{paper}.yaml", *over]
    text = project.snakemake("fetch", "plan", "--configfile", *files, timeout=600)
    plan = json.loads((project.folder / f"results/{paper}/plan.json").read_text())
    return {stage["stage"]: stage for stage in plan["stages"]}, text


@pytest.fixture(autouse=True)
def _hub(project, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(project.folder / "hub"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def write_entityquestions(folder):
    ood = [relation for relation, domain in DEFAULT_DOMAINS.items() if domain == "ood"]
    dev = {name: OOD_DEV // 7 + (n < OOD_DEV % 7) for n, name in enumerate(ood)}
    for split in ("train", "dev", "test"):
        (folder / split).mkdir(parents=True)
        for relation, template in TEMPLATES.items():
            counts = {"dev": dev.get(relation, 1)} | PAPER_COUNTS.get(relation, {})
            rows = [
                {
                    "question": template.replace("[X]", f"Thing {split} {relation} {n}"),
                    "answers": ["An answer"],
                }
                for n in range(counts.get(split, 1))
            ]
            (folder / split / f"{relation}.{split}.json").write_text(json.dumps(rows))


def test_gekhmans_plan_has_the_papers_counts(project):
    write_entityquestions(project.folder / "entityquestions")
    node, text = plan_of(project, "gekhman")
    card, _ = plan_of(project, "gekhman", ONE_CARD)
    asked = 81_700 + 10_461 + 10_481 + 5_848 + OOD_DEV
    assert asked == 114_298
    # Few-shot and in the form of the mixes.
    closed_book = (1 + 13 * 2) * 2 * (10_481 + 5_848)
    for stages in (node, card):
        assert stages["generate"]["sequences"] == asked * 170 + closed_book
        assert stages["generate"]["prompts"] == asked * 10 + closed_book
        # |D| of 6,142 in batches of 128, 50 times; D_Known has 75, 50 and 25 % of it.
        assert stages["train"]["steps"] == 50 * (10 * 48 + 36 + 24 + 12)
        assert stages["score"]["prompts"] == asked  # P(True)
    assert "device-hours" in text and "cost" not in text
    # Two stops of each mix: all of 8 billion weights in four bytes, or an adapter.
    assert node["train"]["disk_mib"] == pytest.approx(26 * 8e9 * 4 / 2**20)
    assert card["train"]["disk_mib"] < node["train"]["disk_mib"] / 20
    # Four cards share out the steps, and not the questions between them.
    assert node["train"]["device_seconds"] == 4 * node["train"]["seconds"]
    assert node["train"]["seconds"] < card["train"]["seconds"] < node["train"]["device_seconds"]
