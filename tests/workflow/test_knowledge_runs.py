"""What the knowledge filter's variants add to a plan of jobs, and that none is added unasked."""

import pytest
from graph import Planned
from project import overlaid, rules

pytestmark = pytest.mark.workflow

BUILDERS = ("build_grath_pairs", "build_flame_sft", "build_flame_pairs")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return Planned(tmp_path_factory.mktemp("project"))


def added(project, text, *targets):
    """How many jobs of each rule an overlay adds."""
    before, after = project.jobs(*targets), project.jobs(*overlaid(project, text), *targets)
    assert not before.keys() - after.keys()
    found = {rule: n - before.get(rule, 0) for rule, n in after.items()}
    return {rule: n for rule, n in found.items() if n}


def test_the_default_reads_no_annotation_where_nothing_is_filtered(project):
    output = project.snakemake("-n", "grath", "flame")
    for name in BUILDERS:
        jobs = rules(output, name)
        assert len(jobs) == 2
        assert not any("slick/" in job or "unknown" in job for job in jobs)
    assert "annotate" not in project.jobs("grath")


def test_a_variant_of_grath_adds_its_rounds_alone(project):
    assert added(project, "grath: {keep_unknown: [100, 0]}\n", "grath") == {
        # What the base knows, which the filter needs.
        "annotate": 1,
        # Probing, and the second round's pairs as the variant's first round writes them.
        "generate": 2,
        "build_grath_pairs": 2,
        # Two rounds, and the first one's placebo.
        "swap_pairs": 1,
        "measure_contamination": 3,
        "train": 3,
        "score_choices": 3 * 2,
    }
    output = project.snakemake("-n", *overlaid(project, "grath: {keep_unknown: [100, 0]}"), "grath")
    for job in rules(output, "build_grath_pairs"):
        assert ("grath-unknown-0" in job) == ("slick/annotations.jsonl" in job)
        if "grath-unknown-0.r2/pairs.jsonl" in job:
            assert "smollm2-135m/base/grath/generations.jsonl" in job
            assert "seed-1/grath-unknown-0.r1/final/grath/generations.jsonl" in job


def test_a_variant_of_flame_has_responses_and_judgements_of_its_own(project):
    more = added(project, "flame: {keep_unknown: [100, 12.5]}\n", "flame")
    stages = {"build_flame_sft": 2, "build_flame_pairs": 2, "judge_helpfulness": 2, "train": 4}
    assert {name: more[name] for name in stages} == stages
    # Long answers and answers to compare of four checkpoints; responses of two parents; probing.
    assert more["generate"] == 4 * 2 + 2 + 1 and more["judge_comparisons"] == 4
    assert more["measure_contamination"] == 4
    output = project.snakemake(
        "-n", *overlaid(project, "flame: {keep_unknown: [0, 12.5]}"), "flame"
    )
    for job in rules(output, "build_flame_pairs"):
        name = "flame-unknown-0." if "flame-unknown-0." in job else "flame-unknown-12.5."
        assert f"{name}sft" in job.split("output:")[0] and "slick/annotations.jsonl" in job
    # Without 100 there is nothing unfiltered.
    assert "flame.sft" not in output


def test_variants_of_all_seeds_share_what_the_base_writes(project):
    text = "seeds: [1, 2]\ngrath: {keep_unknown: [50]}\n"
    jobs = project.jobs(*overlaid(project, text), "grath")
    # The first round's pairs are the same for both seeds.
    assert jobs["build_grath_pairs"] == 1 + 2 and jobs["train"] == 2 * (2 + 1)
