"""The small run of the real model, all four methods, through sbatch: 20 minutes."""

from collections import Counter

import pytest
from cluster_run import GPU_RULES, Run, left_to_do, use_partitions
from project import ROOT, Project

pytestmark = [pytest.mark.slurm, pytest.mark.e2e, pytest.mark.whole, pytest.mark.timeout(3600)]
SETTINGS = ["--configfile", str(ROOT / "tests/e2e/small.yaml")]
# What of GPU work a default run has besides the tiny one's.
ALL_GPU_RULES = (*GPU_RULES, "calibrate_judge", "judge_comparisons", "measure_token_shift")


def test_the_small_run_through_sbatch(cluster, tmp_path, tell):
    if cluster and not cluster.accounting:
        pytest.skip("a third of an hour, and was shown with accounting")
    project = Project(tmp_path)
    use_partitions(project)
    # As on a cluster whose nodes have no network: what is fetched is fetched before.
    project.snakemake("fetch", *SETTINGS, timeout=900)
    gpus = [f"{rule}:gpu=1" for rule in ALL_GPU_RULES]
    run = Run(project, "--jobs", "2", resources=gpus, settings=SETTINGS)
    code, said = run.wait(3500)
    assert code == 0, said[-4000:]
    jobs = run.jobs()
    assert len(jobs) == said.count("has been submitted with SLURM jobid"), "the cluster forgot some"
    tell(f"{len(jobs)} jobs through sbatch: {dict(Counter(job.rule for job in jobs))}")
    assert {job.state for job in jobs} == {"COMPLETED"}
    for job in jobs:
        on_gpu = any(rule in job.rule for rule in ALL_GPU_RULES)
        assert job.partition == ("gpu" if on_gpu else "cpu"), job
    assert 20 <= len(jobs) < 80  # tens, not thousands
    assert (project.folder / "results/small/report/index.html").stat().st_size > 100_000
    assert left_to_do(project, settings=SETTINGS) == {}
