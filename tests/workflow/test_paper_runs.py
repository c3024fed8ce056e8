"""The papers' runs, on a node of eight cards and on one card: their jobs."""

import pytest
from graph import Planned
from project import ROOT

pytestmark = pytest.mark.workflow
ONE_CARD = ROOT / "config/paper/hardware/one-card.yaml"
# Trainings: 5 of X, 3 of D_Known, 3 single categories, natural and IDK; two rounds and a placebo; 3
# and 5 stages and a placebo; five shares under six losses, and a placebo under each.
TRAININGS = {"gekhman": 13, "grath": 2 + 1, "flame": 3 + 5 + 1, "apeft": 5 * 6 + 6}
# Of a paper's jobs on the node, those that hold all eight cards.
SHARED = {"gekhman", "flame"}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return Planned(tmp_path_factory.mktemp("project"))


@pytest.mark.parametrize("cards", [8, 1])
@pytest.mark.parametrize("paper", TRAININGS)
def test_a_papers_run_is_planned_for_a_node_and_for_one_card(project, paper, cards):
    over = [] if cards == 8 else ["--configfile", str(ONE_CARD)]
    jobs = project.jobs("--configfile", str(ROOT / f"config/paper/{paper}.yaml"), *over)
    assert jobs["train"] == TRAININGS[paper] and jobs["report"] == jobs["import_model"] == 1
    # Requests are shared out over the cards where there are enough of them for it.
    shards = 8 if cards == 8 and paper in SHARED else 0
    assert jobs.get("generate_shard", 0) == shards * jobs["generate"]
