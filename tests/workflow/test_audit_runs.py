"""The jobs of an audit: everything is evaluated and nothing trained."""

import pytest
from graph import Planned
from project import rules

pytestmark = pytest.mark.workflow
AUDIT = "config/audit.yaml"
FILES = ("--configfile", AUDIT, "--configfile", "mine.yaml")
MINE = """
models: [{name: mine, source: "file:base"}]
audit:
  checkpoints:
    - {name: whole, source: "file:whole"}
    - {name: adapter, source: "hub:me/lora@main"}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    made = Planned(tmp_path_factory.mktemp("project"))
    (made.folder / "mine.yaml").write_text(MINE)
    return made


def test_each_model_is_probed_and_evaluated_and_nothing_is_trained(project):
    jobs = project.jobs(*FILES)
    assert not {"train", "build_mix", "measure_contamination", "swap_pairs"} & jobs.keys()
    assert jobs["import_model"] == 1 and jobs["import_tuned"] == 2
    # The base's second probing beside those of the two.
    assert jobs["annotate"] == 1 and jobs["annotate_audited"] == 3
    # Four probings; closed-book questions and long answers of three checkpoints.
    assert jobs["generate"] == 4 + 3 + 3
    assert jobs["score_choices"] == jobs["measure_long_form"] == 3
    assert jobs["measure_token_shift"] == 2 and jobs["tabulate_audit"] == jobs["report"] == 1


def test_all_are_asked_what_the_base_was_asked(project):
    options = ("--dry-run", "--printshellcmds", "--configfile", AUDIT, "mine.yaml")
    output = project.snakemake("audit", *options)
    jobs = rules(output, "annotate_audited")
    asked = {job.split("--requests ")[1].split()[0] for job in jobs}
    root = "results/audit/mine/slick"
    assert asked == {f"{root}/requests.jsonl", f"{root}/again/requests.jsonl"}
    assert sum(f"{root}/requests.jsonl" in job for job in jobs) == 2


def test_its_target_evaluates_nothing(project):
    jobs = project.jobs("audit", *FILES)
    assert jobs["generate"] == 4 and not {"judge_closed_book", "score_choices"} & jobs.keys()


def test_another_model_beside_repeats_nothing_of_the_others(project):
    """What was probed stands; only the table is over all."""
    more = MINE + '    - {name: third, source: "file:third"}\n'
    (project.folder / "more.yaml").write_text(more)
    before = project.jobs("audit", *FILES)
    after = project.jobs("audit", "--configfile", AUDIT, "--configfile", "more.yaml")
    assert after["generate"] == before["generate"] + 1
    assert after["import_tuned"] == before["import_tuned"] + 1
    assert after["write_second_probe"] == before["write_second_probe"] == 1


def test_the_shipped_demo_looks_at_two_checkpoints_of_the_demo(project):
    jobs = project.jobs("--configfile", AUDIT, "--configfile", "config/audit-demo.yaml")
    assert jobs["import_tuned"] == 2 and "measure_token_shift" not in jobs
    assert jobs["generate"] == 4 + 3 and sum(jobs.values()) < 50


def test_left_out_its_target_says_so(project):
    output = project.snakemake("-n", "audit", check=False)
    assert "audit is null in the configuration" in output


def test_of_two_bases_it_is_not_clear_which_is_meant(project):
    (project.folder / "two.yaml").write_text(
        "models: [{name: one, source: 'file:a'}, {name: two, source: 'file:b'}]\n"
    )
    files = (AUDIT, "mine.yaml", "two.yaml")
    output = project.snakemake("-n", "--configfile", *files, check=False)
    assert "models names 2; keep that one" in output
