"""The jobs of self-consistency preferences, and that a change of theirs repeats nothing else."""

import pytest
from graph import Planned

pytestmark = pytest.mark.workflow
FILE = "config/consistency.yaml"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return Planned(tmp_path_factory.mktemp("project"))


def test_its_shipped_run_trains_it_and_its_placebo_and_reports_both(project):
    jobs = project.jobs("--configfile", FILE)
    assert jobs["train"] == 2 and jobs["build_consistency_pairs"] == jobs["swap_pairs"] == 1
    # The base's probing, its answers to be voted on, and three checkpoints' closed-book answers.
    assert jobs["generate"] == 1 + 1 + 3
    assert jobs["tabulate_consistency"] == jobs["report"] == 1
    assert jobs["measure_contamination"] == 2


def test_its_target_evaluates_nothing(project):
    jobs = project.jobs("consistency", "--configfile", FILE)
    assert jobs["train"] == 2 and jobs["generate"] == 1
    assert not {"judge_closed_book", "score_choices", "annotate"} & set(jobs)


def test_all_seeds_train_on_the_bases_pairs(project):
    (project.folder / "seeds.yaml").write_text("seeds: [1, 2, 3]\n")
    jobs = project.jobs("consistency", "--configfile", FILE, "--configfile", "seeds.yaml")
    assert jobs["build_consistency_pairs"] == 1 and jobs["train"] == 3 * 2


def test_of_a_tuned_parent_each_seed_has_its_own_and_the_filter_asks_for_annotations(project):
    (project.folder / "tuned.yaml").write_text(
        "seeds: [1, 2]\nmixes: {unknown_percent: [0]}\n"
        "consistency: {parent: mix.form, keep_unknown: [0]}\n"
    )
    jobs = project.jobs("consistency", "--configfile", FILE, "--configfile", "tuned.yaml")
    assert jobs["build_consistency_pairs"] == 2 and jobs["annotate"] == 1


def test_left_out_its_target_says_so(project):
    output = project.snakemake("-n", "consistency", check=False)
    assert "consistency is null in the configuration" in output
