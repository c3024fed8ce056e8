"""What is said while a run goes on, how it ended, and what a failure tells."""

import json
import logging
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest
from plumbline.jobs import console
from plumbline.jobs.console import Console, cause, command, failure


class Screen(logging.Handler):
    """Stands in for the handler that Snakemake writes to the terminal with."""

    def __init__(self):
        super().__init__()
        self.name = "DefaultStreamHandler"
        self.lines: list[str] = []

    def emit(self, record):
        self.lines += str(record.msg).splitlines()


@dataclass(eq=False)
class TrainingJob:
    """A job as Snakemake's graph holds it."""

    jobid: int
    benchmark: str
    log: list[str] = field(default_factory=list)


@pytest.fixture
def screen(monkeypatch):
    made = Screen()
    monkeypatch.setattr(console.SNAKEMAKE, "handlers", [made])
    monkeypatch.setattr(console.SNAKEMAKE, "level", logging.INFO)
    monkeypatch.setattr(console.SNAKEMAKE, "disabled", False)
    monkeypatch.setattr(console.SNAKEMAKE, "propagate", False)
    return made


@pytest.fixture
def following(screen, tmp_path):
    """A run of two trainings, the second on what the first makes, whose time the test sets."""
    plan = {"stages": [{"stage": "train", "jobs": 2, "seconds": 600.0}]}
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    first, second = (TrainingJob(n, f"{tmp_path}/benchmarks/train/m/{n}.tsv") for n in (1, 2))
    dag = SimpleNamespace(
        needrun_jobs=lambda: iter([first, second]), depending={first: {second: set()}, second: {}}
    )
    time = [0.0]
    made = Console(tmp_path, clock=lambda: time[0])
    made.begin(dag)
    yield made, time
    made.end()


def event(name: str, **fields) -> None:
    """As Snakemake tells of its jobs."""
    console.SNAKEMAKE.info("Snakemake's own words", extra={"event": name, **fields})


def failed(**fields) -> dict:
    told = {"rule_name": "train", "jobid": 1, "log": [], "output": ["m/training.json", "m/fit"]}
    return told | {"shellcmd": "python -m scripts.train --name m", "rule_msg": None} | fields


def test_a_run_is_told_in_one_line_at_a_time(following, screen):
    made, time = following
    assert [line.split(" ", 1)[1] for line in screen.lines] == ["0/2 jobs · about 10 min left"]
    console.SNAKEMAKE.info("Select jobs to execute...")
    event("job_started", jobs=[1])
    event("job_info", jobid=1)
    time[0] = 300.0
    event("job_finished", job_id=1)
    event("progress")
    event("job_started", jobs=[2])
    made._tell()
    made._tell()  # once more: a run that says nothing looks as if it hung
    console.SNAKEMAKE.warning("A warning is still shown.")
    assert len(screen.lines) == 4
    assert screen.lines[1].endswith(" 1/2 jobs · train 1/2 · about 5 min left")
    assert screen.lines[2] == screen.lines[1]
    assert screen.lines[3] == "A warning is still shown."


def test_the_end_tells_how_much_was_done_and_where_it_is(following, screen, tmp_path):
    made, time = following
    for job in (1, 2):
        event("job_started", jobs=[job])
        event("job_finished", job_id=job)
    time[0] = 900.0
    made.end()
    assert screen.lines[-1] == f"2 of 2 jobs done in 15 min. Results are in {tmp_path}."


def test_an_interrupted_run_accounts_for_every_job(following, screen):
    made, time = following
    event("job_started", jobs=[1])
    time[0] = 42.0
    made.end()
    assert screen.lines[-3].startswith("0 of 2 jobs done in 42 s.")
    assert screen.lines[-2] == "The others: 2 not finished or not begun."


def test_a_run_that_is_stopped_tells_that_it_waits_for_its_running_jobs(following, screen):
    made, _ = following
    event("job_started", jobs=[1])
    console.SNAKEMAKE.info("Terminating processes on user request, this might take some time.")
    made._tell()
    assert screen.lines[-1].endswith(
        " 0/2 jobs · train 0/2 · stopping, waits for running jobs to end"
    )
    console.SNAKEMAKE.error("WorkflowError:\nAt least one job did not complete successfully.")
    assert "WorkflowError" not in screen.lines[-1]  # the lines of the end tell more


def test_a_failure_is_told_when_it_happens_and_what_to_do_at_the_end(
    following, screen, monkeypatch, tmp_path
):
    made, _ = following
    event("job_started", jobs=[1])
    console.SNAKEMAKE.error("Error in rule train", extra={"event": "job_error", **failed()})
    assert screen.lines[-3:] == [
        "train failed: m/training.json",
        "  cause: no message was written",
        "  log:   none",
    ]
    monkeypatch.setattr("sys.argv", ["snakemake", "--config", "seeds=[1, 2]"])
    made.end()
    assert screen.lines[-3:] == [
        f"0 of 2 jobs done in 0 s. Results are in {tmp_path}.",
        "The others: 1 failed; 1 not run, since it needed that.",
        "Finished work is kept. To go on: snakemake --config 'seeds=[1, 2]'",
    ]


KILLED = "It was killed, most often because memory ran out. "
ENDED = "It was ended from outside or crashed ({}). ".format


@pytest.mark.parametrize(
    ("ended", "told"),
    [
        ("returned non-zero exit status 137", KILLED),
        ("died with <Signals.SIGKILL: 9>", KILLED),
        ("returned non-zero exit status 143", ENDED("SIGTERM")),
        ("died with <Signals.SIGSEGV: 11>", ENDED("SIGSEGV")),
        ("returned non-zero exit status 1", ""),
    ],
)
def test_a_signal_that_ended_a_program_is_told(following, screen, tmp_path, ended, told):
    log = tmp_path / "train.log"
    log.write_text("12:00:00 train: 3 steps\n")
    before = len(screen.lines)
    event("job_started", jobs=[1])
    words = f"RuleException:\nCalledProcessError in file \"a.smk\":\nCommand 'set\n-e' {ended}."
    console.SNAKEMAKE.error(words, extra={"event": "error"})
    console.SNAKEMAKE.error("Error", extra={"event": "job_error", **failed(log=[str(log)])})
    assert screen.lines[before:][1] == (
        f"  cause: {told}It ended without an error message; last line: 12:00:00 train: 3 steps"
    )


def test_another_mistake_of_snakemakes_is_still_shown(following, screen):
    console.SNAKEMAKE.error("MissingOutputException: m/fit", extra={"event": "error"})
    assert screen.lines[-1] == "MissingOutputException: m/fit"


def test_what_goes_wrong_in_telling_stops_no_run(following, capsys):
    event("job_finished", job_id=99)
    assert "KeyError: 99" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (
            "12:00:00 train: 3 steps\ntrain: m/pairs.jsonl, line 3: no prompt. Expected one.\n",
            "train: m/pairs.jsonl, line 3: no prompt. Expected one.",
        ),
        (
            'Traceback (most recent call last):\n  File "x.py"\nValueError: mixed\n\nThe above\n'
            "torch.cuda.OutOfMemoryError: CUDA out of memory.\n[rank0]: exiting now\n",
            "torch.cuda.OutOfMemoryError: CUDA out of memory.",
        ),
        ("[rank1]: ValueError: mixed\nW0 exiting\n", "[rank1]: ValueError: mixed"),
        (
            "12:00:00 train: 3 steps\n",
            "It ended without an error message; last line: 12:00:00 train: 3 steps",
        ),
        ("", None),
    ],
)
def test_the_cause_is_the_line_of_a_log_that_tells_it(tmp_path, said, why):
    log = tmp_path / "train.log"
    log.write_text(said)
    assert cause(log, "train") == why


def test_what_slurm_says_comes_before_the_programs_words(tmp_path):
    log, slurm = tmp_path / "train.log", tmp_path / "12.log"
    log.write_text("train: no such file.\n")
    slurm.write_text("")
    told = "SLURM-job '12' failed, SLURM status is: 'FAILED'. \n    sbatch call:\n  sbatch …"
    paths = [str(log), str(slurm), str(tmp_path / "missing.log")]
    record = SimpleNamespace(**failed(rule_msg=told, log=paths))
    assert failure(record).splitlines() == [
        "train failed: m/training.json",
        "  cause: SLURM-job '12' failed, SLURM status is: 'FAILED'. train: no such file.",
        f"  log:   {log}, {slurm}",
    ]


def test_jobs_that_are_submitted_as_one_begin_and_fail_together(following, screen, tmp_path):
    made, time = following
    event("job_started", jobs=["0b5c-of-a-group"])
    event("group_info", jobs=[TrainingJob(1, ""), TrainingJob(2, "")], group_id="scores-m")
    time[0] = 300.0
    event("job_finished", job_id=1)
    made._tell()
    assert " 1/2 jobs · train 1/2 · " in screen.lines[-1]
    assert made._progress.jobs[1].seconds == 150.0
    logs = [tmp_path / name for name in ("one.log", "two.log", "12.log")]
    logs[0].write_text("12:00:00 train: 3 steps\n")
    logs[1].write_text("train: m/pairs.jsonl, line 3: no prompt.\n")
    logs[2].write_text("slurmstepd: error: *** JOB 12 ON gpu1 CANCELLED DUE TO TIME LIMIT ***\n")
    jobs = [failed(jobid=n + 1, log=[str(logs[n])], indent=True) for n in range(2)]
    event("group_error", groupid="scores-m", aux_logs=[str(logs[2])], job_error_info=jobs)
    for job in jobs:
        console.SNAKEMAKE.error("Error in rule train", extra={"event": "job_error", **job})
    assert screen.lines[-3:] == [
        "scores-m failed: 2 jobs submitted as one",
        "  cause: train: m/pairs.jsonl, line 3: no prompt. *** JOB 12 ON gpu1 CANCELLED DUE TO TIME "
        "LIMIT ***",
        f"  log:   {logs[0]}, {logs[1]}, {logs[2]}",
    ]
    assert made._progress.failed == {1, 2}


def test_the_command_to_go_on_with_can_be_typed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    here = str(Path.cwd() / ".venv/bin/snakemake")
    assert command([here, "--cores", "all"]) == ".venv/bin/snakemake --cores all"
    assert command(["/opt/bin/snakemake", "a b"]) == "/opt/bin/snakemake 'a b'"
    module = "/x/site-packages/snakemake/__main__.py"
    assert command([module, "plan"]) == "python -m snakemake plan"


def test_a_damaged_plan_is_no_reason_not_to_run(screen, tmp_path):
    (tmp_path / "plan.json").write_text("")
    job = TrainingJob(1, f"{tmp_path}/benchmarks/train/m/1.tsv")
    made = Console(tmp_path, clock=lambda: 0.0)
    made.begin(SimpleNamespace(needrun_jobs=lambda: iter([job]), depending={job: {}}))
    made.end()
    assert screen.lines[-3].startswith("0 of 1 jobs done")
