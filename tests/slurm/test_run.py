"""A whole run through sbatch: where its jobs land, what they are given, and that it is whole."""

from datetime import datetime
from itertools import combinations

import pytest
from cluster_run import GPU_RULES, RESULTS, Run, left_to_do, use_partitions
from project import Project

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def run(cluster, tiny_source, tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("run"))
    use_partitions(project)
    # Without accounting the profile's squeue is all there is; with it, both ways have to do.
    ask_sacct = ["--slurm-status-command", "sacct"] if cluster and cluster.accounting else []
    started = Run(project, *ask_sacct)
    code, said = started.wait(900)
    assert code == 0, said[-4000:]
    started.made = started.jobs()  # as long as the cluster remembers
    return started


def test_the_run_is_whole_and_a_second_has_nothing_to_do(run):
    folder = run.project.folder / "results/cluster"
    assert (folder / "report/index.html").stat().st_size > 10_000
    assert (folder / "tables/metrics.csv").stat().st_size > 100
    assert left_to_do(run.project) == {}


def test_only_what_computes_is_a_job(run):
    """Both sets of choice questions are one job for what was trained, and two for the base."""
    rules = [job.rule for job in run.made]
    assert sorted(rules) == sorted(
        ["import_model"] + 3 * ["generate"] + 3 * ["score_choices"] + ["train", "decide_fact_based"]
    )
    assert {job.state for job in run.made} == {"COMPLETED"}


def test_each_job_asks_for_what_its_rule_says(run):
    for job in run.made:
        asked = dict(part.split("=") for part in job.fields["TRES"].split(","))
        if job.rule in GPU_RULES:
            assert asked["cpu"] == "6"  # cpus_per_gpu of the profile
            assert job.fields["NumNodes"] == "1"
        memory = "16G" if job.rule in ("generate", "train", "score_choices") else "8G"
        assert job.fields["MinMemoryNode"] in (memory, f"{int(memory[:-1]) * 1000}M"), job.fields


def test_gpu_jobs_have_devices_of_their_own_and_others_none(run, own_cluster):
    given = {}
    for job in run.made:
        steps = own_cluster.devices(job.number)
        assert {node for node, _ in steps} == {job.node}
        (given[job.number],) = {devices for _, devices in steps}
        on_gpu = job.rule in GPU_RULES
        assert job.partition == ("gpu" if on_gpu else "cpu")
        assert given[job.number] in (("0", "1") if on_gpu else ("",)), job

    def time(job, name):
        return datetime.fromisoformat(job.fields[name])

    together = [
        (one, other) for one, other in combinations(run.made, 2)
        if one.node == other.node and one.partition == "gpu"
        and time(one, "StartTime") < time(other, "EndTime")
        and time(other, "StartTime") < time(one, "EndTime")
    ]  # fmt: skip
    assert together, "no two jobs ran on one node at a time: nothing was shown"
    for one, other in together:
        assert given[one.number] != given[other.number], (one, other)


def test_every_job_left_its_two_logs(run):
    logs = list((run.project.folder / ".snakemake/slurm_logs").rglob("*.log"))
    assert {path.stem for path in logs} == {job.number for job in run.made}
    assert (run.project.folder / RESULTS / "seed-1/flame.sft/train.log").stat().st_size > 0
