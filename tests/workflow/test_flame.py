"""What each of FLAME's parts adds to a plan of jobs, and that none adds anything unasked."""

import re

import pytest
from graph import Planned
from project import overlaid, rules

pytestmark = pytest.mark.workflow

CONFIDENCE = {"write_facttune_questions", "write_facttune_answers", "measure_confidence"}
AUGMENTATION = {"write_augmentation", "collect_augmented"}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return Planned(tmp_path_factory.mktemp("project"))


def test_the_default_has_no_part_that_it_does_not_name(project):
    found = set(project.jobs())
    assert not found & (CONFIDENCE | AUGMENTATION | {"write_rag_answers"})


def test_confidence_is_measured_for_the_parents_that_need_it(project):
    before = project.jobs("flame")
    text = "seeds: [1, 2]\nflame: {dpo: [sft.dpo, sft-star.facttune-mc]}\n"
    jobs = project.jobs(*overlaid(project, text), "flame")
    # Of SFT★'s responses, for each seed: questions and answers, both by the base.
    assert {name: jobs[name] for name in CONFIDENCE} == dict.fromkeys(CONFIDENCE, 2)
    # Own answers, long answers, answers to compare with; the same for all seeds.
    of_base = 3
    assert jobs["generate"] == of_base + 2 * (before["generate"] - of_base + 2)
    output = project.snakemake("-n", *overlaid(project, text), "flame")
    pairs = rules(output, "build_flame_pairs")
    assert len(pairs) == 4
    for job in pairs:
        by_confidence = "facttune-mc" in job
        assert ("flame/mc/confidence.jsonl" in job) == by_confidence
        assert ("verdicts.jsonl" in job) != by_confidence
    for job in rules(output, "generate"):
        if "/flame/mc/" in job.split("output:")[1]:
            assert "smollm2-135m/base/checkpoint.json" in job


def test_claims_without_a_question_are_counted(project):
    overlay = overlaid(project, "flame: {dpo: [sft.facttune-mc]}\n")
    output = project.snakemake("-n", *overlay, "results/demo/tables/dropped.csv")
    (job,) = rules(output, "count_dropped")
    assert "flame.sft/final/flame/mc/dropped.json" in job


def test_retrieved_teachers_are_trained_and_evaluated_beside_own_ones(project):
    pilot = ("--configfile", "config/pilot.yaml", "--")
    jobs = project.jobs(*pilot, "flame")
    assert jobs["train"] == jobs["build_flame_sft"] == 2
    assert jobs["write_rag_answers"] == jobs["write_own_answers"] == 1
    # Both kinds of answers, and long answers of three checkpoints.
    assert jobs["generate"] == 2 + 3 and jobs["measure_long_form"] == 3
    assert not set(jobs) & {"write_flame_responses", "judge_helpfulness", "build_flame_pairs"}
    output = project.snakemake("-n", *pilot, "flame")
    of = {"rag": "sft-rag", "own": "sft-star"}
    for job in rules(output, "build_flame_sft"):
        (answers,) = (name for name in of if f"/base/flame/{name}/generations.jsonl" in job)
        assert f"set={of[answers]}" in job


def test_without_a_second_stage_prompts_are_not_read(project):
    text = "flame: {sft: [sft], dpo: [], prompts: [{format: rows, source: 'file:none.jsonl'}]}\n"
    output = project.snakemake("-n", *overlaid(project, text), "flame")
    assert "instructions/prompts.jsonl" not in output
    # Nor does training on human responses alone need any answer of the base's.
    assert "/flame/own/" not in output and "/flame/rag/" not in output


def test_passages_of_a_file_are_fetched(project):
    (project.folder / "pages.jsonl").write_text('{"id": "a", "title": "b", "text": "c"}\n')
    text = (
        "flame: {sft: [sft-rag], dpo: [], passages: {format: rows, source: 'file:pages.jsonl'}}\n"
    )
    output = project.snakemake("-n", *overlaid(project, text), "flame")
    (job,) = rules(output, "write_rag_answers")
    assert "results/sources/pages.jsonl-" in job
    fetched = rules(output, "fetch_source")
    assert any("results/sources/pages.jsonl-" in job for job in fetched)


def test_the_first_checkpoint_can_decide_what_asks_for_facts(project):
    text = "seeds: [1, 2]\nflame: {fact_based: sft}\n"
    jobs = project.jobs(*overlaid(project, text), "flame")
    assert jobs["decide_fact_based"] == 2
    output = project.snakemake("-n", *overlaid(project, text), "flame")
    for job in rules(output, "decide_fact_based"):
        assert "flame.sft/training.json" in job.split("output:")[0]
    for rule in ("build_flame_sft", "build_flame_pairs", "split_claims"):
        for job in rules(output, rule):
            seed = re.search(r"seed-(\d)", job)
            needs = f"seed-{seed[1]}/flame.sft/final/flame/decisions.jsonl" if seed else "none"
            own = rule == "build_flame_sft" and "seed-" in job and "/flame.sft/examples" in job
            if not own and ("/flame/responses" in job or rule != "split_claims"):
                assert needs in job.split("output:")[0], job
    # All instructions have own answers, since what needs them is known later.
    (job,) = rules(output, "write_own_answers")
    assert "decisions.jsonl" not in job


def test_new_instructions_are_written_when_they_are_asked_for(project):
    jobs = project.jobs(*overlaid(project, "flame: {augment: 20}\n"), "augment")
    assert {name: jobs[name] for name in AUGMENTATION} == dict.fromkeys(AUGMENTATION, 1)
    assert jobs["generate"] == 1 and "train" not in jobs
    assert not set(project.jobs(*overlaid(project, "flame: {augment: 20}\n"))) & AUGMENTATION
    output = project.snakemake("-n", "augment", check=False)
    assert "flame.augment is null, so no new instructions are wanted; set how many." in output


def test_new_instructions_can_become_prompts(project):
    augmented = project.folder / "results/demo/smollm2-135m/flame/augmented.jsonl"
    augmented.parent.mkdir(parents=True)
    augmented.write_text('{"id": "x", "instruction": "Name a river.", "source": "augmented"}\n')
    text = (
        "run: second\nflame: {prompts: [{format: rows, "
        "source: 'file:results/demo/smollm2-135m/flame/augmented.jsonl'}]}\n"
    )
    jobs = project.jobs(*overlaid(project, text), "flame")
    assert jobs["train"] == 4 and "collect_augmented" not in jobs
