"""What APEFT's settings add to a plan of jobs."""

import pytest
from graph import Planned
from project import Project, overlaid, rules

pytestmark = pytest.mark.workflow


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return Planned(tmp_path_factory.mktemp("project"))


def test_the_target_is_everything_up_to_the_trainings(project):
    jobs = project.jobs("apeft")
    assert jobs["build_apeft_pairs"] == jobs["train"] == 2
    # Responses, and answers to single questions, both verified.
    assert jobs["generate"] == jobs["verify_claims"] == 2
    once = ("write_apeft_responses", "collect_responses", "split_claims", "write_apeft_answers",
            "collect_apeft_answers", "tabulate_apeft")  # fmt: skip
    assert {name: jobs[name] for name in once} == dict.fromkeys(once, 1)
    assert not set(jobs) & {"write_apeft_questions", "annotate", "build_mix"}


def test_cut_off_responses_are_used_up_to_their_last_sentence(project):
    output = project.snakemake("-n", "-p", "apeft")
    (job,) = rules(output, "collect_responses")
    assert "--whole-sentences" in job and "--stage apeft" in job
    # What is trained on is verified by train facts alone.
    assert all("--training" in job for job in rules(output, "verify_claims"))


def test_losses_share_the_training_files_of_the_shares(project):
    text = "seeds: [1, 2]\napeft: {atomic_percent: [0, 25, 50, 75, 100], losses: [ipo, kto]}\n"
    jobs = project.jobs(*overlaid(project, text), "apeft")
    assert jobs["build_apeft_pairs"] == 2 * 5 and jobs["train"] == 2 * 5 * 2
    assert jobs["generate"] == 2  # the base's, for all seeds


def test_a_fixed_reference_is_scored_once_for_all_losses(project):
    text = "apeft: {losses: [ipo, sigmoid]}\nrecipes: {apeft: {reference: {fixed: base}}}\n"
    jobs = project.jobs(*overlaid(project, text), "apeft")
    assert jobs["score_reference"] == 2 and jobs["train"] == 4


def test_a_tuned_parent_writes_for_each_seed(project):
    text = "seeds: [1, 2]\napeft: {parent: flame.sft}\n"
    output = project.snakemake("-n", *overlaid(project, text), "apeft")
    built = rules(output, "build_apeft_pairs")
    assert len(built) == 4
    for job in built:
        seed = "1" if "seed=1" in job else "2"
        assert f"seed-{seed}/flame.sft/final/apeft/atomic/verdicts.jsonl" in job


def test_a_model_can_write_the_questions(project):
    passages = "{kind: retrieval, passages: {format: facts}}"
    text = f"verification: {passages}\n"
    jobs = project.jobs(*overlaid(project, text), "apeft")
    assert jobs["write_apeft_questions"] == 1 and jobs["generate"] == 3
    output = project.snakemake("-n", *overlaid(project, text), "apeft")
    (job,) = rules(output, "write_apeft_answers")
    assert "apeft/questions/generations.jsonl" in job and "--facts" not in job


def test_without_unknown_is_a_line_and_needs_the_probing(project):
    output = project.snakemake(
        "-n", *overlaid(project, "apeft: {keep_unknown: [100, 0]}\n"), "apeft"
    )
    jobs = rules(output, "build_apeft_pairs")
    filtered = [job for job in jobs if "apeft-unknown-0/atomic-" in job]
    assert len(jobs) == 4 and len(filtered) == 2
    for job in jobs:
        assert ("slick/annotations.jsonl" in job) == (job in filtered)


def test_what_was_dropped_is_counted(project):
    output = project.snakemake("-n", "results/demo/tables/dropped.csv")
    (job,) = rules(output, "count_dropped")
    for name in ("responses/dropped.json", "dropped.json", "atomic/dropped.json"):
        assert f"base/apeft/{name}" in job


def test_a_share_or_a_loss_more_builds_and_trains_no_more_than_that(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("finished"))
    arguments = overlaid(project, "apeft: {pairs: 10}\n")
    project.finish(*arguments, "apeft")
    assert project.jobs(*arguments, "apeft") == {}
    loss = overlaid(project, "apeft: {pairs: 10, losses: [sigmoid, ipo]}\n", "loss.yaml")
    jobs = project.jobs(*loss, "apeft")
    assert jobs["train"] == 2 and not set(jobs) & {"build_apeft_pairs", "generate"}
    share = overlaid(project, "apeft: {pairs: 10, atomic_percent: [0, 25, 50]}\n", "share.yaml")
    jobs = project.jobs(*share, "apeft")
    assert jobs["build_apeft_pairs"] == jobs["train"] == 1 and "generate" not in jobs


def test_no_apeft_is_no_job(project):
    arguments = overlaid(project, "apeft: null\n")
    assert not [name for name in project.jobs(*arguments) if "apeft" in name]
    output = project.snakemake("-n", *arguments, "apeft", check=False)
    assert "apeft is null in the configuration" in output
