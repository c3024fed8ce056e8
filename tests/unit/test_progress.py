"""How far a run is and how long it still takes: counts, the plan, and what corrects it."""

import os

import pytest
from plumbline.jobs.progress import SHORT, START, TELLING, TRUSTED, Job, RunProgress, about

PLAN = {
    "stages": [
        {"stage": "train", "jobs": 4, "seconds": 400.0},
        {"stage": "generate", "jobs": 3, "seconds": 300.0},
    ]
}


def progress(**stages: int) -> RunProgress:
    """So many jobs of each stage, numbered on, begun at 0; `light` have none."""
    names = [name for name, count in stages.items() for _ in range(count)]
    jobs = {number: Job(None if name == "light" else name) for number, name in enumerate(names)}
    return RunProgress(jobs, begun=0.0)


def run(progress: RunProgress, job: int, begun: float, ended: float) -> None:
    progress.start(job, begun)
    progress.finish(job, ended)


def test_a_line_counts_all_jobs_and_those_of_the_stages_at_work():
    run_so_far = progress(light=2, train=4, generate=3)
    run(run_so_far, 0, 0, 1)
    run(run_so_far, 2, 1, 90)
    assert run_so_far.line(90, None) == "2/9 jobs"
    run_so_far.start(3, 90)
    run_so_far.start(6, 90)
    assert run_so_far.line(95, None) == "2/9 jobs · train 1/4 · generate 0/3"
    assert run_so_far.line(95, PLAN).endswith(" left")


def test_stages_at_work_say_how_far_their_jobs_are(tmp_path):
    run_so_far = progress(train=3, generate=1)
    for job, share in ((0, 8), (1, 60)):
        log = tmp_path / f"{job}.log"
        log.write_text(f"12:00:00 train: 8/100 steps ({share}%), 0.2/s, 1:30 left\n")
        run_so_far.jobs[job].logs = [log]
        run_so_far.start(job, 0)
    run_so_far.start(3, 0)  # has no log yet
    assert run_so_far.line(5, None) == "0/4 jobs · train 0/3 (8 %, 60 %) · generate 0/1"


def test_before_anything_has_happened_the_plan_is_told():
    assert progress(train=4, generate=3).left(0, PLAN) == 700
    # Half of the trainings were done in an earlier run; jobs that no plan counts take seconds.
    assert progress(light=10, train=2).left(0, PLAN) == 200 + 10 * SHORT


def test_trainings_that_take_twice_as_long_make_the_rest_take_longer():
    run_so_far = progress(train=4, generate=3)
    run(run_so_far, 0, 0, 200)
    run(run_so_far, 1, 200, 400)
    pace = (TRUSTED + 400) / (TRUSTED + 200)
    trainings = 2 * (100 * pace + 400) / 3
    assert run_so_far.left(400, PLAN) == pytest.approx(trainings + 300 * pace)


def test_jobs_side_by_side_take_less_time_together():
    run_so_far = progress(train=4)
    for job in (0, 1):
        run(run_so_far, job, 0, 100)
    assert run_so_far.left(100, PLAN) == pytest.approx(200 * (TRUSTED + 100) / (TRUSTED + 200))


def test_one_job_that_does_the_work_of_others_leaves_less_of_the_stage():
    run_so_far = progress(generate=3)
    run(run_so_far, 0, 0, 250)
    assert run_so_far.left(250, PLAN) == 50
    run_so_far.start(1, 250)
    assert run_so_far.left(299, PLAN) == START  # one waits, and the plan has 1 s left
    run(run_so_far, 1, 250, 302)
    run(run_so_far, 2, 302, 307)
    assert run_so_far.left(307, PLAN) == 0


def test_a_programs_own_estimate_goes_before_the_plans(tmp_path):
    log = tmp_path / "train.log"
    log.write_text(
        "12:00:00 train: 1/8 steps (12%), 0.2/s, 9:59 left\n"
        "12:00:05 train: 2/8 steps (25%), 0.2/s, 1:30 left\n12:00:06 train: and another line\n"
    )
    os.utime(log, (50, 50))
    told = RunProgress({0: Job("train", [tmp_path / "none.log", log])}, begun=0.0)
    told.start(0, 10)
    assert told.jobs[0].told_left() == 90
    assert told.left(50, PLAN) == pytest.approx(90 * (TRUSTED + 50) / (TRUSTED + 40))
    told.start(0, 60)  # what an earlier attempt said is no estimate of this one
    assert told.jobs[0].told_left() is None


def test_the_first_answer_of_many_tells_no_time(tmp_path):
    log = tmp_path / "generate.log"
    line = "12:00:00 generate: {}/488 prompts, wave 1 of 4 ({}%), 0.0/s, 800:30 left\n"
    told = RunProgress({0: Job("generate", [log])}, begun=0.0)
    told.start(0, 0)
    log.write_text(line.format(1, 0))
    assert told.jobs[0].told_left() is None
    log.write_text(line.format(1, 0) + line.format(49, TELLING))
    assert told.jobs[0].told_left() == 48_030


def test_what_waits_for_a_failed_job_takes_no_time_any_more():
    jobs = {
        0: Job("train", awaited_by=[1]),
        1: Job("generate", awaited_by=[2]),
        2: Job("generate"),
        3: Job("generate"),
    }
    run_so_far = RunProgress(jobs, begun=0.0)
    run_so_far.start(0, 0)
    run_so_far.fail(0)
    assert run_so_far.lost() == {0, 1, 2}
    assert run_so_far.line(0, PLAN) == "0/4 jobs · 1 failed · about 2 min left"
    run_so_far.start(0, 1)  # once more
    assert run_so_far.lost() == set() and "failed" not in run_so_far.line(1, PLAN)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "a minute"),
        (61, "2 min"),
        (59.5 * 60, "1 h"),
        (99 * 60, "1 h 40 min"),
        (9.99 * 3600, "10 h"),
        (30.2 * 3600, "30 h"),
        (71 * 3600, "3 days"),
    ],
)
def test_times_are_as_exact_as_they_are_known(seconds, said):
    assert about(seconds) == f"about {said}"
