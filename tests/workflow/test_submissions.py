"""What the profile for SLURM submits: hundreds of jobs where a run has thousands."""

import re
from collections import Counter

import pytest
import yaml
from graph import Graphs
from method_overlays import with_all
from project import ROOT

pytestmark = pytest.mark.workflow
PARTITIONS = ROOT / "workflow/profiles/slurm/partitions.yaml"


@pytest.fixture(scope="module")
def graphs(tmp_path_factory):
    pytest.importorskip("snakemake_executor_plugin_slurm")
    return Graphs(tmp_path_factory.mktemp("graphs"))


def several(models: int, seeds: int) -> dict:
    """The default configuration for so many models and seeds, on GPUs."""
    named = [{"name": f"m{n}", "source": f"file:models/m{n}"} for n in range(models)]
    return {"device": "cuda", "models": named, "seeds": list(range(1, seeds + 1))}


def stated(sentence: str) -> list[int]:
    """The numbers in a sentence of docs/slurm.md, which is a pattern with a group for each."""
    page = " ".join((ROOT / "docs/slurm.md").read_text(encoding="utf-8").split())
    return [int(number.replace(",", "")) for number in re.search(sentence, page).groups()]


def kinds(submission) -> set[tuple[str, ...]]:
    """Of each of its jobs: answers or scores, model, seed and training."""
    found = set()
    for output in submission.jobs:
        _, _, model, *folder = output.split("/")
        kind = "answers" if output.endswith("/generations.jsonl") else "scores"
        found.add((kind, model, *folder[: 2 if folder[0].startswith("seed-") else 1]))
    return found


def test_five_models_with_three_seeds_are_submitted_by_hundreds(graphs):
    submissions = graphs.submissions(several(5, 3))
    jobs = sum(len(one.jobs) for one in submissions)
    assert jobs > 1300 and len(submissions) < 800
    sentence = r"five models and three seeds .* ([\d,]+) jobs, .* ([\d,]+) go .* in ([\d,]+) sub"
    assert stated(sentence) == [len(graphs.jobs(several(5, 3))), jobs, len(submissions)]
    limit = yaml.safe_load(PARTITIONS.read_text())["partitions"]["gpu"]["max_runtime"]
    for one in submissions:
        assert one.resources["runtime"] <= limit, one
        if len(one.jobs) > 1:
            # One card, and of it and of its memory as much as one job needs.
            assert len(kinds(one)) == 1, one
            asked = {name: one.resources[name] for name in ("gpu", "nodes", "cpus_per_gpu")}
            assert asked == {"gpu": 1, "nodes": 1, "cpus_per_gpu": 6}
            assert one.resources["mem_mb"] == 16000


def test_a_model_is_loaded_once_for_a_trainings_answers_and_once_for_its_scores(graphs):
    """Once a checkpoint, that is: its jobs follow one another in one submission."""
    submissions = graphs.submissions(several(1, 1))
    jobs = sum(len(one.jobs) for one in submissions)
    sentence = r"default experiment, (\d+) jobs of (\d+) go .* in (\d+) submissions; the"
    assert stated(sentence) == [jobs, len(graphs.jobs(several(1, 1))), len(submissions)]
    of_training = Counter(
        kind
        for one in submissions
        # What evaluates a trained checkpoint.
        if re.search(
            r"/seed-1/.*/(closed_book|long_form|win_rate|choices|token_shift)/", one.jobs[0]
        )
        for kind in kinds(one)
    )
    assert len(of_training) == 2 * 13 and set(of_training.values()) == {1}


def test_every_part_of_a_run_can_be_submitted_so(graphs, tmp_path):
    """No submission waits for itself: Snakemake would refuse. What takes seconds is not submitted."""
    everything = yaml.safe_load((ROOT / "tests/everything.yaml").read_text())
    (tmp_path / "arc.yaml").write_text("task: arc\n")
    everything["evaluation"]["harness"] = [{"task": "arc", "folder": f"file:{tmp_path}"}]
    # A tuned checkpoint that claims are split by, and that is asked in stages.
    everything["claims"]["model"] = "flame-unknown-50.sft-star"
    everything["apeft"]["parent"] = "flame-unknown-50.sft-star"
    submissions = graphs.submissions(with_all(everything | {"device": "cuda"}))
    assert len(submissions) > 100
    assert [one.jobs for one in submissions if "runtime" not in one.resources] == []
