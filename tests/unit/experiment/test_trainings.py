"""What a training reads, and where it lies."""

import json

import pytest
from experiment_data import experiment, options, wildcards
from plumbline.experiment.layout import alternatives, given, seed_of

ROOT = "results/demo/smollm2-135m"


@pytest.fixture(scope="module")
def made():
    return experiment(seeds=[5, 6])


def test_a_checkpoint_is_of_the_seed_of_what_is_near(made):
    assert made.layout.folder("flame.sft", "seed-6/flame.sft/final") == "seed-6/flame.sft/final"
    assert made.layout.folder("flame.sft", "base/long_form") == "seed-5/flame.sft/final"
    assert made.layout.folder("base", "seed-6/flame.sft/final") == "base"
    assert made.layout.marker_at(wildcards(folder="seed-6/mix.form/final")) == (
        f"{ROOT}/seed-6/mix.form/training.json"
    )


def test_small_words_of_commands():
    assert seed_of("seed-12/grath.r1") == "12" and seed_of("grath/r1") == ""
    assert alternatives(["a.b", "c"]) == r"a\.b|c" and alternatives([]) == "none"
    assert given("--size", 4) == ["--size", "4"] and given("--size", None) == []


def test_a_mix_is_trained_from_its_parent_with_probes(made):
    job = wildcards(tuning="mix.unknown-50", seed="6")
    folder = f"{ROOT}/seed-6/mix.unknown-50"
    assert made.trainings.examples(job) == f"{folder}/examples.jsonl"
    assert made.trainings.parent(job) == "seed-6/mix.form/final"
    assert made.trainings.parent_marker(job) == f"{ROOT}/seed-6/mix.form/training.json"
    assert made.trainings.contamination(job) == f"{folder}/contamination.json"
    assert made.trainings.stops(job) == ("early_stop", "convergence")
    assert options(made.trainings.probe_options(job))["--probes"] == [f"{folder}/probes.jsonl"]
    assert made.trainings.reference(job) == made.trainings.reference_options(job) == []


def test_the_first_round_shares_its_pairs_among_seeds(made):
    job = wildcards(tuning="grath.r1", seed="6")
    assert made.trainings.examples(job) == f"{ROOT}/grath/r1/pairs.jsonl"
    assert made.trainings.probes(job) == made.trainings.probe_options(job) == []
    assert made.trainings.files["grath/r1"] == "pairs.jsonl"
    beside = made.trainings.beside("composition.json")
    assert beside.count(f"{ROOT}/grath/r1/composition.json") == 1
    assert len(beside) == len(set(beside))


def test_saving_more_often_is_no_other_recipe(made):
    job = wildcards(tuning="grath.r1", seed="5")
    assert "save_steps" not in json.loads(made.trainings.recipe(job))


def test_a_fixed_reference_is_scored_beside_the_pairs():
    recipes = experiment().layout.config.model_dump(mode="json")["recipes"]
    recipes["grath"]["reference"] = {"fixed": "base"}
    made = experiment(recipes=recipes, seeds=[5, 6])
    job = wildcards(tuning="grath.r2", seed="6")
    path = made.trainings.reference(job)
    assert path.startswith(f"{ROOT}/seed-6/grath.r2/reference/base-")
    words = made.trainings.reference_options(job)
    assert words == ["--reference", path.removeprefix(f"{ROOT}/"), "base"]
    scored = wildcards(checkpoint="flame.sft", data="seed-6/flame.sft.dpo")
    assert made.trainings.fixed_reference(scored) == "seed-6/flame.sft/final"
    assert made.trainings.fixed_reference_marker(scored) == f"{ROOT}/seed-6/flame.sft/training.json"


def test_facts_come_along_or_are_fetched(tmp_path):
    made = experiment()
    assert made.facts.inputs == []  # of a folder without tables
    assert options(made.facts.options)["--source"] == ["embedded"]
    own = {"source": "rows", "path": "file:mine.jsonl", "merge_duplicates": True}
    made = experiment(facts=own)
    assert made.facts.inputs.startswith("results/sources/mine.jsonl-")
    assert options(made.facts.options)["--path"] == [made.facts.inputs]
    assert "--merge-duplicates" in made.facts.options
    made = experiment(facts={"relations": {"id": ["a"], "ood": ["b", "c"]}})
    assert "--ood-relations=b,c" in made.facts.options


def test_a_local_source_is_an_input_and_a_fetched_one_none(tmp_path):
    (tmp_path / "base").mkdir()
    (tmp_path / "base/config.json").write_text("{}")
    models = [{"name": "mine", "source": f"file:{tmp_path}/base"}]
    models.append({"name": "hers", "source": "hub:someone/model@abc", "sha256": None})
    made = experiment(models=models)
    by_text = {source.text: slug for slug, source in made.fetched.by_slug.items()}
    local = wildcards(source=by_text[f"file:{tmp_path}/base"])
    assert made.fetched.local_files(local) == [f"{tmp_path}/base/config.json"]
    assert made.fetched.options(local) == ["--source", f"file:{tmp_path}/base"]
    assert made.fetched.local_files(wildcards(source=by_text["hub:someone/model@abc"])) == []
