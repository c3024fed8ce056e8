"""Every shipped configuration makes a whole plan of jobs, and mistakes are told before any runs."""

import json
import re

import pytest
from graph import Graphs, Planned, processes
from plumbline.data.entityquestions import TEMPLATES
from programs import csv_rows
from project import ROOT, rules

pytestmark = pytest.mark.workflow
STUDY = sorted((ROOT / "config/study").glob("*.yaml"))


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return Planned(tmp_path_factory.mktemp("project"))


def test_the_default_is_one_run_of_everything(project):
    jobs = project.jobs()
    assert jobs["train"] == 1 + 3 + 3 + 4 + 2 and jobs["report"] == 1
    # Far from the thousands that a cluster would choke on.
    assert sum(jobs.values()) < 300


def test_what_lies_ready_comes_in_an_order_that_needs_four_engine_starts(tmp_path):
    """The base's answers, its own to instructions, what trainings lead on to, what those do."""
    answered = [n for rule, n in processes(Graphs(tmp_path).jobs({})) if rule == "generate"]
    assert len(answered) == 4 and sum(answered) == 39


def test_the_demo_is_the_part_of_it_that_so_small_a_model_can_show(project):
    jobs = project.jobs("--configfile", "config/demo.yaml")
    # Three mixes of the base, with two stops each, and two rounds.
    assert jobs["train"] == 3 + 2 and jobs["judge_closed_book"] == 1 + 3 * 2 + 2
    assert jobs["report"] == 1 and sum(jobs.values()) < 100
    absent = {"verify_claims", "measure_p_true", "swap_pairs", "measure_token_shift"}
    assert not absent & jobs.keys()


def test_every_checkpoint_is_asked_alike_in_the_forms_of_its_line(project):
    output = project.snakemake("--dry-run", "--printshellcmds", "evaluate")
    [written] = rules(output, "write_closed_book")
    assert "--forms few_shot few_shot+chat few_shot+plain few_shot+plain+chat" in written
    asked = [job for job in rules(output, "generate") if "/closed_book/generations.jsonl" in job]
    assert len(asked) == len(rules(output, "judge_closed_book")) == 1 + 1 + 3 * 2 + 3 + 4 + 2
    assert any("demo/smollm2-135m/base/closed_book/" in job for job in asked)
    forms = {"mix": "few_shot+plain", "grath": "few_shot", "flame": "few_shot",
             "apeft": "few_shot+chat", "base": "few_shot+plain+chat"}  # fmt: skip
    for job in asked:
        method = re.search(r"/(mix|grath|flame|apeft|base)\b[^ ]*/closed_book/", job)[1]
        assert f"smollm2-135m/closed_book/{forms[method]}.jsonl" in job
    # What is evaluated is verified by all facts, what is trained on by train facts alone.
    for job in rules(output, "verify_claims"):
        assert ("--training" in job) != ("/long_form/claims.jsonl" in job)


@pytest.mark.parametrize("path", STUDY, ids=lambda path: path.stem)
def test_a_piece_of_the_study_makes_a_plan(project, path, monkeypatch):
    """One seed of a claim: the trainings that docs/study/plan.md counts, once each."""
    monkeypatch.setenv("PLUMBLINE_DATA", str(project.folder / "data"))
    trainings = {"apeft": 3, "flame": 5, "gekhman": 5, "grath": 3, "unknown": 2}[path.stem]
    (project.folder / "one.yaml").write_text("seeds: [1]\n")
    jobs = project.jobs("--configfile", str(path), "--configfile", "one.yaml")
    assert jobs["train"] == trainings and jobs["report"] == jobs["write_manifest"] == 1
    assert jobs["annotate"] == 1


@pytest.mark.parametrize(
    "target", ["facts", "slick", "mixes", "grath", "flame", "apeft", "evaluate", "report", "plan"]
)
def test_named_targets(project, target):
    assert project.jobs(target)


def test_several_models_and_seeds_are_branches(project):
    (project.folder / "two.yaml").write_text(
        "seeds: [1, 2]\nmodels: [{name: one, source: 'file:a'}, {name: two, source: 'file:b'}]\n"
    )
    jobs = project.jobs("--configfile", "two.yaml")
    assert jobs["import_model"] == jobs["annotate"] == 2
    assert jobs["train"] == 2 * 2 * (1 + 3 + 3 + 4 + 2)
    # For all seeds: the base's probing, closed book, GRATH's pairs, FLAME's own answers,
    # long answers and those compared with, APEFT's responses and answers.
    of_base = 8
    # Of each seed: what knows the form, and three mixes' two stops; two rounds, of which one writes
    # pairs, and a placebo; FLAME's four checkpoints with closed book, long answers and answers to
    # compare, two of them with responses; APEFT's two checkpoints likewise.
    of_seed = 1 + 3 * 2 + 2 + 1 + 1 + 4 * 3 + 2 + 2 * 3
    assert jobs["generate"] == 2 * (of_base + 2 * of_seed)
    # Comparisons of six checkpoints with the base, and judgements of two parents' responses.
    assert jobs["judge_comparisons"] == 2 * 2 * 6 and jobs["judge_helpfulness"] == 2 * 2 * 2
    # The base is put to the test for the first; the second have a measure.
    assert jobs["calibrate_judge"] == 2 * 2
    assert jobs["build_grath_pairs"] == 2 * (1 + 2)


def test_shards_are_jobs_of_their_own(project):
    (project.folder / "shards.yaml").write_text("generation: {shards: 4}\n")
    jobs = project.jobs("--configfile", "shards.yaml")
    assert jobs["generate_shard"] == 4 * jobs["generate"]


def test_a_fixed_reference_is_scored_once_for_all_seeds(project):
    (project.folder / "fixed.yaml").write_text(
        "seeds: [1, 2, 3]\nrecipes: {grath: {reference: {fixed: base}}}\n"
    )
    jobs = project.jobs("--configfile", "fixed.yaml")
    # The first round's pairs are the base's, the same for all; the second's and the placebo's are
    # each seed's own.
    assert jobs["score_reference"] == 1 + 3 + 3 and jobs["train"] == 3 * 13


def test_truthfulqa_reads_the_folder_the_user_names(project, monkeypatch):
    arguments = ("grath", "--configfile", "config/truthfulqa.yaml")
    monkeypatch.setenv("PLUMBLINE_DATA", str(project.folder / "data"))
    jobs = project.jobs(*arguments)
    assert jobs["build_grath_pairs"] == 2 and jobs["swap_pairs"] == 1
    assert jobs["train"] == 3 and jobs["score_choices"] == 4 * 2
    assert "annotate" not in jobs
    monkeypatch.delenv("PLUMBLINE_DATA")
    output = project.snakemake("-n", *arguments, check=False)
    assert "$PLUMBLINE_DATA is not set" in output and "Traceback" not in output


def test_further_closed_book_sets_are_asked_of_every_checkpoint(project):
    (project.folder / "set.yaml").write_text(
        "evaluation: {closed_book: [{name: nq, format: nq_open, source: 'file:nq.jsonl'}]}\n"
    )
    jobs, before = project.jobs("--configfile", "set.yaml"), project.jobs()
    assert jobs["judge_closed_book_set"] == jobs["judge_closed_book"] == 17
    assert jobs["generate"] == before["generate"] + 17
    assert jobs["build_closed_book"] == jobs["write_closed_book_set"] == 1


def test_tasks_of_the_harness_are_run_on_every_checkpoint(project):
    (project.folder / "tasks").mkdir()
    (project.folder / "tasks/arc.yaml").write_text("task: arc\n")
    (project.folder / "harness.yaml").write_text(
        "evaluation: {harness: [{task: arc, folder: 'file:tasks', shots: 5}]}\n"
    )
    jobs = project.jobs("--configfile", "harness.yaml")
    assert jobs["run_harness"] == 17 and jobs["score_choices"] == 17 * 2
    assert jobs["list_harness_questions"] == 1  # for the gate before training
    # What GRATH should hold is a part of its target: of the base, two rounds and the placebo.
    jobs = project.jobs("grath", "--configfile", "harness.yaml")
    assert jobs["run_harness"] == 4 and jobs["score_choices"] == 4 * 2


@pytest.mark.parametrize(
    ("verification", "inputs"),
    [
        ("{kind: retrieval, passages: {format: facts}}", ["base/checkpoint.json"]),
        (
            "{kind: endpoint, url: 'http://127.0.0.1:9/v1', model: m, passages: {format: rows, "
            "source: 'file:pages.jsonl'}}",
            ["results/sources/pages.jsonl-"],
        ),
    ],
)
def test_another_verifier_is_a_matter_of_configuration(project, verification, inputs):
    (project.folder / "pages.jsonl").write_text('{"id": "a", "title": "b", "text": "c"}\n')
    (project.folder / "verifier.yaml").write_text(f"verification: {verification}\n")
    output = project.snakemake("flame", "-n", "--configfile", "verifier.yaml")
    rule = output.split("rule verify_claims:")[1].split("\n\n")[0]
    assert all(name in rule for name in inputs), rule


def test_claims_split_by_a_model_are_generated(project):
    (project.folder / "split.yaml").write_text("claims: {splitter: model}\n")
    before, jobs = project.jobs(), project.jobs("--configfile", "split.yaml")
    # Of seven checkpoints' long answers, of two parents' responses and of APEFT's.
    assert jobs["write_claim_requests"] == 10
    assert jobs["generate"] == before["generate"] + 10


def test_a_mistake_is_told_in_a_line_before_anything_runs(project):
    (project.folder / "wrong.yaml").write_text("slick: {exemplar_set: 4}\n")
    output = project.snakemake("-n", "--configfile", "wrong.yaml", check=False)
    assert "slick.exemplar_set: unknown key. Did you mean exemplar_sets?" in output
    assert "Traceback" not in output


def test_a_parent_that_does_not_exist_is_told(project):
    (project.folder / "wrong.yaml").write_text("mixes: {parent: bas}\n")
    output = project.snakemake("-n", "--configfile", "wrong.yaml", check=False)
    assert "bas does not exist. Did you mean base?" in output


def test_the_plan_is_printed_every_time(project):
    for _ in range(2):
        output = project.snakemake("plan")
        assert "\ngenerate " in output and "Estimated on" in output


# Seconds of the demo's stages by the clock, seen on two cores of an AMD EPYC with nothing beside it.
SEEN = {"import": 19.4, "generate": 513.4, "train": 406.8, "score": 133.0}


def test_the_demos_plan_is_within_a_factor_of_two_of_what_was_seen(project):
    project.snakemake("plan", "--configfile", "config/demo.yaml")
    plan = json.loads((project.folder / "results/demo/plan.json").read_text())
    planned = {stage["stage"]: stage["seconds"] for stage in plan["stages"]}
    assert planned.keys() == SEEN.keys()
    assert all(0.5 < planned[stage] / SEEN[stage] < 2 for stage in SEEN), planned


def test_another_folder_can_hold_the_results(project, tmp_path):
    snakefile = str(project.folder / "Snakefile")
    output = project.snakemake("-n", "--snakefile", snakefile, "--directory", str(tmp_path))
    assert "import_model" in output


def test_entityquestions_take_the_place_of_the_embedded_facts(project):
    """By configuration alone: `facts: {source, path}`."""
    for split in ("train", "dev", "test"):
        (project.folder / "eq" / split).mkdir(parents=True)
        for relation, template in TEMPLATES.items():
            rows = [
                {"question": template.replace("[X]", f"Thing {split} {n}"), "answers": [f"A {n}"]}
                for n in range(5)
            ]
            path = project.folder / "eq" / split / f"{relation}.{split}.json"
            path.write_text(json.dumps(rows))
    (project.folder / "eq.yaml").write_text(
        "run: eq\nfacts: {source: entityquestions, path: 'file:eq'}\n"
    )
    project.snakemake("facts", "--configfile", "eq.yaml")
    counts = csv_rows(project.folder / "results/eq/tables/fact_counts.csv")
    kept = {(row["relation"], row["split"]): row["kept"] for row in counts}
    assert kept["P17", "train"] == kept["P50", "test"] == "5"
    assert len({relation for relation, _ in kept}) == 19
