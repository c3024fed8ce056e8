"""What runs again after which change: the promise that only changed stages do."""

import ast
import copy
import json
import os
import re
import subprocess
import sys
import time

import pytest
import yaml
from project import ROOT, Project, overlaid, rules

pytestmark = pytest.mark.workflow
CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text())

# What lies behind an annotation: everything from the mixes on.
AFTER_ANNOTATION = {
    "build_mix",
    "measure_contamination",
    "tabulate_contamination",
    "train",
    "generate",
    "judge_closed_book",
    "score_choices",
    "tabulate_answers",
    "tabulate_metrics",
    "tabulate_comparisons",
    "tabulate_fits",
    "tabulate_losses",
    "tabulate_p_true",
    "tabulate_curves",
    "count_slick",
    "count_dropped",
    "tabulate_stages",
    "draw_figures",
    "write_manifest",
    "report",
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished default run. Not to be changed."""
    made = Project(tmp_path_factory.mktemp("finished"))
    made.finish()
    return made


@pytest.fixture
def project(finished, tmp_path):
    """A finished default run of the test's own."""
    return finished.copy(tmp_path / "project")


def library_files(project):
    return sorted((project.folder / "workflow").rglob("*.py"))


def test_a_second_run_has_nothing_to_do(project):
    assert project.jobs() == {}


def test_a_new_mtime_of_every_source_reruns_nothing(project):
    later = time.time() + 100
    for path in project.folder.rglob("*"):
        if path.is_file() and "results" not in path.parts and ".snakemake" not in path.parts:
            os.utime(path, (later, later))
    assert project.jobs() == {}


def test_a_git_checkout_reruns_nothing(project):
    def git(*arguments):
        identity = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
        subprocess.run(["git", *identity, *arguments], cwd=project.folder, check=True)

    git("init", "-q")
    git("add", "Snakefile", "workflow", "config", "envs")
    git("commit", "-qm", "all")
    for path in ("Snakefile", "workflow", "config", "envs"):
        git("rm", "-rq", "--cached", path)
    subprocess.run(["rm", "-rf", "Snakefile", "workflow", "config", "envs"], cwd=project.folder)
    git("checkout", "-q", "HEAD", ".")
    assert project.jobs() == {}


def test_a_folder_moved_with_its_results_reruns_nothing(project):
    moved = project.folder.with_name(f"{project.folder.name}-moved")
    project.folder.rename(moved)
    project.folder = moved
    assert project.jobs() == {}


def test_reformatting_and_comments_rerun_nothing(project):
    for path in library_files(project):
        tree = ast.parse(path.read_text())
        # Other layout, no comments, and a remark at the end.
        path.write_text("# rewritten\n" + ast.unparse(tree) + "\n# the end\n")
    subprocess.run(
        [sys.executable, "-m", "ruff", "format", "-q", "--line-length", "60", "workflow"],
        cwd=project.folder,
        check=True,
    )
    assert project.jobs() == {}


def test_a_change_of_annotation_reruns_it_and_what_follows_but_no_probing(project):
    project.edit(
        "workflow/plumbline/methods/slick/annotation.py", "if p_greedy == 1:", "if p_greedy >= 1:"
    )
    jobs = project.jobs()
    assert set(jobs) == {"annotate", *AFTER_ANNOTATION}
    # The base's answers stand; those of the newly trained are new: two stops of three mixes,
    # and what they start from.
    assert jobs["generate"] == 7


def test_a_change_of_generation_reruns_probing(project):
    project.edit(
        "workflow/plumbline/generation/serve.py", "sorted(rows, key", "sorted(set(rows), key"
    )
    jobs = project.jobs()
    assert jobs["generate"] == 39 and "annotate" in jobs
    assert "prepare_probe" not in jobs and "import_model" not in jobs


def test_a_mixes_learning_rate_reruns_that_mix_alone(project):
    (project.folder / "faster.yaml").write_text(
        "mixes: {overrides: {unknown-50: {learning_rate: 0.002}}}\n"
    )
    jobs = project.jobs("--configfile", "faster.yaml")
    assert jobs == {
        "train": 1,
        "generate": 2,
        "judge_closed_book": 2,
        "score_choices": 2 * 2,
        "tabulate_answers": 1,
        "tabulate_metrics": 1,
        "tabulate_comparisons": 1,
        "tabulate_fits": 1,
        "tabulate_p_true": 1,
        "tabulate_curves": 1,
        "count_dropped": 1,
        "tabulate_stages": 1,
        "draw_figures": 1,
        "make_plan": 1,
        "write_manifest": 1,
        "report": 1,
    }


def test_another_mix_trains_only_itself(project):
    (project.folder / "more.yaml").write_text("mixes: {unknown_percent: [0, 25, 50, 100]}\n")
    jobs = project.jobs("--configfile", "more.yaml")
    assert jobs["train"] == jobs["build_mix"] == 1 and jobs["generate"] == 2
    assert "annotate" not in jobs


@pytest.mark.parametrize("key", ["max_num_seqs: 64", "kv_cache_gib: 1"])
def test_how_fast_the_engine_runs_is_no_reason_to_generate_again(project, key):
    (project.folder / "runtime.yaml").write_text(f"generation: {{{key}}}\n")
    jobs = project.jobs("--configfile", "runtime.yaml")
    assert set(jobs) <= {"make_plan", "write_manifest", "report"}


@pytest.mark.parametrize("key", ["batch_tokens: 1024", "harness_batch: 2"])
def test_how_much_is_scored_at_once_is_no_reason_to_score_again(project, key):
    (project.folder / "runtime.yaml").write_text(f"scoring: {{{key}}}\n")
    jobs = project.jobs("--configfile", "runtime.yaml")
    assert set(jobs) <= {"make_plan", "write_manifest", "report"}


def test_the_data_of_a_harness_task_is_scored_again_once_it_changes(project):
    """Also data that lies elsewhere and is named by an included file."""
    for name, text in {
        "tasks/sums.yaml": "task: sums\ninclude: ../forms/base_yaml\n",
        "tasks/other.yaml": "task: other\ndataset_kwargs: {data_files: elsewhere/other.jsonl}\n",
        "forms/base_yaml": "dataset_path: json\ndataset_kwargs: {data_files: elsewhere/sums.jsonl}\n",
        "elsewhere/sums.jsonl": "{}\n",
        "elsewhere/other.jsonl": "{}\n",
    }.items():
        (project.folder / name).parent.mkdir(exist_ok=True)
        (project.folder / name).write_text(text)
    arguments = overlaid(project, "evaluation: {harness: [{task: sums, folder: 'file:tasks'}]}\n")
    project.finish(*arguments)
    (project.folder / "elsewhere/other.jsonl").write_text("{}\n{}\n")
    assert project.jobs(*arguments) == {}
    (project.folder / "elsewhere/sums.jsonl").write_text("{}\n{}\n")
    jobs = project.jobs(*arguments)
    assert jobs["run_harness"] == 17 and jobs["list_harness_questions"] == 1
    assert not {"train", "generate", "score_choices"} & set(jobs)


def test_another_strength_trains_the_rounds_again_on_the_first_pairs(project):
    (project.folder / "stronger.yaml").write_text("recipes: {grath: {beta: 0.3}}\n")
    jobs = project.jobs("--configfile", "stronger.yaml")
    # The base's pairs stand; the first round's model writes the second's anew. Both rounds, and
    # the second's placebo.
    assert jobs["train"] == 3 and jobs["build_grath_pairs"] == jobs["swap_pairs"] == 1
    # The first round's pairs and three closed books; two sets.
    assert jobs["generate"] == 1 + 3 and jobs["score_choices"] == 3 * 2
    assert "annotate" not in jobs and "build_mix" not in jobs


def test_one_more_round_is_all_that_is_added(project):
    (project.folder / "more.yaml").write_text("grath: {rounds: 3}\n")
    jobs = project.jobs("--configfile", "more.yaml")
    # The placebo is of the last round.
    assert jobs["build_grath_pairs"] == 1 and jobs["train"] == 2
    assert jobs["score_choices"] == 2 * 2
    # The second round's model now writes pairs, and the two new ones answer their closed books.
    assert jobs["generate"] == 3


def test_a_changed_evaluation_set_is_looked_for_in_training_files_and_trains_none(project):
    (project.folder / "results/demo/instructions/win_rate.jsonl").write_text("{}\n")
    jobs = project.jobs()
    trainings = len(list((project.folder / "results").rglob("training.json")))
    assert jobs["measure_contamination"] == trainings
    assert jobs["tabulate_contamination"] == 1
    assert "train" not in jobs and "score_choices" not in jobs


def test_a_changed_evaluation_set_hides_no_other_reason_to_train(project):
    (project.folder / "results/demo/instructions/win_rate.jsonl").write_text("{}\n")
    (project.folder / "stronger.yaml").write_text("recipes: {grath: {beta: 0.3}}\n")
    jobs = project.jobs("--configfile", "stronger.yaml")
    assert jobs["train"] == 3 and jobs["tabulate_contamination"] == 1


@pytest.mark.parametrize("key", ["ngram: 9", "max_percent: 0.5"])
def test_another_measure_of_contamination_trains_none(project, key):
    (project.folder / "gate.yaml").write_text(f"contamination: {{{key}}}\n")
    jobs = project.jobs("--configfile", "gate.yaml")
    assert jobs["tabulate_contamination"] == 1
    assert ("measure_contamination" in jobs) == ("ngram" in key)
    assert "train" not in jobs


def test_a_training_on_what_is_evaluated_is_refused_before_it_starts(project):
    """And once the threshold is raised nothing else is trained again."""
    results = project.folder / "results/demo"
    asked = [{"id": str(n), "instruction": f"Can {n} pigs fly?"} for n in range(50)]
    (results / "instructions/win_rate.jsonl").write_text("\n".join(map(json.dumps, asked)))
    example = {"id": "p", "prompt": "Can 7 pigs fly?", "completion": "Yes."}
    mix = "smollm2-135m/seed-1/mix.unknown-0"
    (results / mix / "examples.jsonl").write_text(json.dumps(example))
    training = f"results/demo/{mix}/training.json"
    (project.folder / training).unlink()
    output = project.snakemake(training, check=False)
    assert "mix.unknown-0: 2.0 % of the 50 items of the evaluation set win_rate are" in output
    assert not (project.folder / training).exists()
    (project.folder / "gate.yaml").write_text("contamination: {max_percent: 2}\n")
    assert project.jobs("--configfile", "gate.yaml", "--", training) == {"train": 1}


def scored_sets(output):
    """The sets that jobs score, of each checkpoint but GRATH's.

    GRATH tunes on no question that is evaluated, so that its rounds follow what is.
    """
    jobs = rules(output, "score_choices")
    return sorted(
        re.search(r"set=(\w+)", job)[1] for job in jobs if "folder=seed-1/grath." not in job
    )


def test_a_set_of_choices_more_is_all_that_is_scored(project):
    sets = CONFIG["evaluation"]["choices"]
    more = {"evaluation": {"choices": [*sets, {"name": "more", "format": "facts", "limit": 4}]}}
    (project.folder / "more.yaml").write_text(yaml.safe_dump(more))
    output = project.snakemake("-n", "--configfile", "more.yaml")
    assert len(rules(output, "build_choices")) == 1
    assert scored_sets(output) == ["more"] * (17 - 3)
    assert not rules(output, "annotate") and not rules(output, "build_mix")


def test_a_changed_set_of_choices_is_all_that_is_scored(project):
    sets = copy.deepcopy(CONFIG["evaluation"]["choices"])
    sets[0]["limit"] = 20
    (project.folder / "more.yaml").write_text(yaml.safe_dump({"evaluation": {"choices": sets}}))
    output = project.snakemake("-n", "--configfile", "more.yaml")
    assert len(rules(output, "build_choices")) == 1
    assert scored_sets(output) == ["facts"] * (17 - 3)
    assert not rules(output, "annotate") and not rules(output, "build_mix")


def test_another_way_to_rate_builds_and_trains_the_second_stage_alone(project):
    project.edit(
        "workflow/plumbline/methods/flame/rewards.py", "if judge else", "if judge is not None else"
    )
    jobs = project.jobs()
    assert jobs["judge_helpfulness"] == jobs["build_flame_pairs"] == jobs["train"] == 2
    assert not set(jobs) & {"build_flame_sft", "build_grath_pairs", "calibrate_judge"}
    # Of two checkpoints closed books, long answers, answers to compare; then comparisons.
    assert jobs["generate"] == 2 * 3 and jobs["judge_comparisons"] == 2


def test_another_verifier_judges_again_but_draws_no_response(project):
    project.edit(
        "workflow/plumbline/verification/table.py", "if not readings:", "if len(readings) == 0:"
    )
    jobs = project.jobs()
    # Of seven long answers, two parents' responses, and APEFT's responses and answers.
    assert jobs["verify_claims"] == 11 and jobs["check_verifier"] == 1
    assert jobs["build_flame_pairs"] == jobs["build_apeft_pairs"] == 2
    assert not set(jobs) & {"build_flame_sft", "write_apeft_responses"}
    assert "split_claims" in jobs  # of what the second stages write
    assert jobs["train"] == 4


def test_a_deleted_intermediate_that_nothing_needs_is_not_made_again(project):
    model = project.folder / "results/demo/smollm2-135m"
    for path in ("slick/requests.jsonl", "slick/generations.jsonl", "closed_book/few_shot.jsonl"):
        (model / path).unlink()
    assert project.jobs() == {}


def test_parsing_imports_nothing_heavy():
    """They would cost every job of a cluster several seconds."""
    heavy = ["torch", "transformers", "vllm", "trl", "peft", "datasets", "pandas", "numpy"]
    rules = "\n".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    imports = re.findall(r"^from plumbline\S* import .*$", rules, re.MULTILINE)
    assert len(imports) > 5
    program = (
        "import sys\n"
        f"sys.path.insert(0, {str(ROOT / 'workflow')!r})\n" + "\n".join(imports) + "\n"
        f"loaded = [name for name in {heavy!r} if name in sys.modules]\n"
        "assert not loaded, loaded\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
