"""What goes wrong on clusters: each fault is told with its log, and a rerun does what is missing.

9 minutes.
"""

import re
import signal

import pytest
from cluster_run import (
    GENERATIONS,
    GPUS,
    PROFILE,
    RESULTS,
    SCORES,
    SETTINGS,
    Job,
    Run,
    held,
    left_to_do,
)
from lab.cluster import ask, until
from project import Project

pytestmark = [pytest.mark.slurm, pytest.mark.whole, pytest.mark.timeout(900)]
ONCE = ("--retries", "0")


def assert_told(said: str, job: str, why: str) -> None:
    """The message names the job, what SLURM says of it, and SLURM's log."""
    _, failed, told = said.partition(f"SLURM-job '{job}' failed")
    assert failed and why in told.splitlines()[0], said[-4000:]
    (logs, *_) = re.findall("^  log:   (.*)$", told, flags=re.MULTILINE)
    assert f"/{job}.log" in logs, logs


def assert_rerun_completes(project: Project) -> None:
    """One job is missing; after a rerun none is."""
    assert left_to_do(project, GENERATIONS, SCORES) == {"generate": 1}
    rerun = Run(project, GENERATIONS, SCORES)
    code, said = rerun.wait()
    assert code == 0, said[-4000:]
    assert [job.rule for job in rerun.jobs()] == ["generate"]
    assert left_to_do(project, GENERATIONS, SCORES) == {}


def test_a_cancelled_job_is_told_and_the_other_branch_goes_on(project):
    with held(project):
        run = Run(project, GENERATIONS, SCORES, *ONCE)
        job = run.running("generate")
        ask("scancel", job.number)
        code, said = run.wait()
    assert code == 1
    assert_told(said, job.number, "CANCELLED")
    assert (project.folder / SCORES).exists()
    assert_rerun_completes(project)


def test_a_job_over_its_time_is_told(project, own_cluster):
    if not own_cluster.accounting:
        pytest.skip("takes over a minute, and was shown with accounting")
    with held(project):
        run = Run(
            project, GENERATIONS, SCORES, *ONCE, resources=[*GPUS, "generate_first:runtime=1"]
        )
        job = run.running("generate")
        code, said = run.wait()
    assert code == 1
    assert_told(said, job.number, "TIMEOUT")
    assert_rerun_completes(project)


def assert_slurm_started_it_again(first: Job) -> None:
    """The one job of a run is running once more, under its number.

    Asked of squeue: this SLURM's scontrol may die of showing a job on its way back into the queue.
    """
    shown = "squeue", "--noheader", "--Format", "JobID:20,State:20,RestartCnt:20"
    until(
        "the job runs again", 240,
        lambda: ask(*shown).split() == [first.number, "RUNNING", "1"],
    )  # fmt: skip


def test_a_preempted_job_is_started_again_and_goes_on(project):
    with held(project):
        run = Run(project, GENERATIONS, *ONCE)
        first = run.running("generate")
        ask("scontrol", "requeue", first.number)  # what pre-emption does to a job
        assert_slurm_started_it_again(first)
    code, said = run.wait()
    assert code == 0, said[-4000:]
    assert [job.state for job in run.jobs()] == ["COMPLETED"]
    assert left_to_do(project, GENERATIONS) == {}


def test_scores_that_are_submitted_as_one_are_started_again(project):
    """Two sets of choice questions for what one training left: one job of SLURM, with one GPU."""
    training = f"{RESULTS}/seed-1/flame.sft"
    project.snakemake(f"{training}/training.json", *SETTINGS)
    targets = [f"{training}/final/choices/{name}.jsonl" for name in ("facts", "more")]
    run = Run(project, *targets, *ONCE)
    job = run.running("score_choices")
    logs = (project.folder / targets[0]).parent
    until("one of them is at work", 300, lambda: list(logs.glob("*.log")))
    ask("scontrol", "requeue", job.number)
    assert_slurm_started_it_again(job)
    code, said = run.wait()
    assert code == 0, said[-4000:]
    [again] = run.jobs()
    assert again.state == "COMPLETED" and again.fields["TresPerJob"] == "gres:gpu:1"
    assert again.fields["MinMemoryNode"] in ("16G", "16000M")
    assert left_to_do(project, *targets) == {}


def test_a_job_whose_node_died_is_started_again_on_another(project, own_cluster):
    with held(project):
        run = Run(project, GENERATIONS, *ONCE)
        first = run.running("generate")
        own_cluster.kill_node(first.node)
        try:
            assert_slurm_started_it_again(first)
        finally:
            own_cluster.start_node(first.node)
    code, said = run.wait()
    assert code == 0, said[-4000:]
    [again] = run.jobs()
    assert again.node != first.node
    assert left_to_do(project, GENERATIONS) == {}
    until("the node is back", 60, lambda: own_cluster.nodes()[first.node] == "idle")


def test_jobs_outlive_a_killed_snakemake_and_what_they_made_is_taken(project):
    with held(project):
        run = Run(project, GENERATIONS, SCORES)
        job = run.running("generate")
        until("the scores", 300, (project.folder / SCORES).exists)
        run.process.send_signal(signal.SIGKILL)
        run.process.wait()
        locked = Run(project, GENERATIONS, SCORES)
        code, said = locked.wait()
        assert code == 1 and "--unlock" in said and locked.jobs() == []
    until(
        "the job has ended", 300,
        lambda: [one.state for one in run.jobs() if one.number == job.number] == ["COMPLETED"],
    )  # fmt: skip
    project.snakemake("--unlock", "--workflow-profile", PROFILE, *SETTINGS)
    rerun = Run(project, GENERATIONS, SCORES)
    code, said = rerun.wait()
    assert code == 0, said[-4000:]
    assert rerun.jobs() == []
    assert left_to_do(project, GENERATIONS, SCORES) == {}


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("generate_first:gpu=3", "--gpus=3"),  # a node has two
        ("generate_first:mem_mb=70000", "--mem 70000"),  # and 64,000 MB
    ],
)
def test_what_no_node_has_is_refused_at_once(project, own_cluster, asked, words):
    run = Run(project, GENERATIONS, *ONCE, resources=[*GPUS, asked])
    code, said = run.wait(120)
    assert code == 1 and not any(job.node for job in run.jobs())
    assert "cause: SLURM sbatch failed" in said, said[-4000:]
    assert "node configuration is not available" in said, said[-4000:]
    log = max((project.folder / ".snakemake/log").glob("*.log"))  # named by their times
    assert words in log.read_text()


def test_a_partition_that_is_not_there_is_named(project):
    file = project.folder / PROFILE / "partitions.yaml"
    file.write_text("partitions: {nowhere: {max_gpu: 8}}\n")
    run = Run(project, GENERATIONS, *ONCE)
    code, said = run.wait(120)
    assert code == 1 and not any(job.node for job in run.jobs())
    assert "invalid partition specified: nowhere" in said, said[-4000:]


def test_a_failing_program_is_told_with_its_last_words(project, own_cluster):
    """The rules' own needs, without the tests' help: the pretend GPU is no GPU to torch."""
    run = Run(project, GENERATIONS, *ONCE, resources=["train:gpu=1"], config="device=cuda")
    code, said = run.wait()
    (job,) = run.jobs()
    assert job.partition == "gpu" and own_cluster.devices(job.number) == {(job.node, "0")}
    assert code == 1
    assert_told(said, job.number, "FAILED")
    own_words = (project.folder / "results/cluster/tiny/slick/generate.log").read_text()
    assert own_words.strip().splitlines()[-1] in said
