"""What token distribution shift adds to a plan of jobs: its own, and long answers of both sides."""

import pytest
from graph import Planned
from project import overlaid

pytestmark = pytest.mark.workflow

NONE = "evaluation: {token_shift: null}\n"
PAIR = "evaluation: {token_shift: {pairs: [{tuned: grath.r2}]}}\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return Planned(tmp_path_factory.mktemp("project"))


def test_a_pair_adds_long_answers_of_both_sides_and_one_measurement(project):
    without = project.jobs(*overlaid(project, NONE))
    jobs = project.jobs(*overlaid(project, f"seeds: [1, 2]\n{PAIR}"))
    once = project.jobs(*overlaid(project, f"seeds: [1, 2]\n{NONE}"))
    assert "measure_token_shift" not in without and "tabulate_token_shift" not in without
    assert jobs["measure_token_shift"] == 2 and jobs["tabulate_token_shift"] == 1
    # Two rounds of two seeds: answers, those to be compared, and comparisons.
    assert jobs["generate"] - once["generate"] == 2 * 2 * 2
    assert jobs["judge_comparisons"] - once["judge_comparisons"] == 2 * 2
    assert jobs["measure_long_form"] - once["measure_long_form"] == 2 * 2


def test_the_target_makes_the_tables_from_the_right_checkpoints(project):
    output = project.snakemake("-n", *overlaid(project, f"seeds: [1, 2]\n{PAIR}"), "token_shift")
    jobs = [part.split("\n[")[0] for part in output.split("rule measure_token_shift:")[1:]]
    assert len(jobs) == 2
    for job in jobs:
        (seed,) = (
            n for n in (1, 2) if f"seed-{n}/grath.r2/final/token_shift/grath.r1.jsonl" in job
        )
        inputs = job.split("output:")[0]
        assert f"seed-{seed}/grath.r1/training.json" in inputs
        assert f"seed-{seed}/grath.r2/final/long_form/generations.jsonl" in inputs
        assert f"seed-{3 - seed}/" not in inputs
    assert "judge_closed_book" not in output and "judge_comparisons" not in output


def test_without_a_pair_the_target_says_so(project):
    output = project.snakemake("-n", *overlaid(project, NONE), "token_shift", check=False)
    assert "names no checkpoint of this run; name a pair" in output


def test_methods_that_are_left_out_take_their_pairs_along(project):
    off = "grath: null\nflame: null\napeft: null\n"
    assert "measure_token_shift" not in project.jobs(*overlaid(project, off))


def test_a_checkpoint_that_does_not_exist_is_told(project):
    wrong = "evaluation: {token_shift: {pairs: [{tuned: grath.r3}]}}\n"
    output = project.snakemake("-n", *overlaid(project, wrong), check=False)
    assert "evaluation.token_shift.pairs[0].tuned: grath.r3 does not exist. Did you mean" in output
    assert "Traceback" not in output
