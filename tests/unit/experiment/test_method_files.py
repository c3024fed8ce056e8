"""What each method's programs read, for every variant, seed and model."""

import pytest
from experiment_data import experiment, options, wildcards
from plumbline.methods.flame.options import FlameOptions
from plumbline.storage.files import InputError

ROOT = "results/demo/smollm2-135m"
FILTERED = ["--test-facts", "--annotated-questions", "--annotations", "--keep-unknown"]


@pytest.fixture(scope="module")
def filtering():
    """Every method with all that is Unknown to the base, and with a quarter of it."""
    kept = {method: {"keep_unknown": [100, 25]} for method in ("grath", "flame", "apeft")}
    return experiment(**kept, seeds=[1, 2])


def test_a_variant_is_told_by_its_name(filtering):
    variants = filtering.methods["grath"].variants
    assert variants.percents == {"grath": 100, "grath-unknown-25": 25}
    assert variants.pattern == r"grath|grath\-unknown\-25"
    assert variants.own("grath-unknown-25.r2") and not variants.own("flame.sft")
    assert experiment(grath=None).methods["grath"].variants.pattern == "none"


def test_annotations_are_read_where_unknown_facts_are_dropped(filtering):
    variants = filtering.methods["flame"].variants
    whole, part = wildcards(variant="flame"), wildcards(variant="flame-unknown-25")
    assert variants.filter_options(whole) == ["--test-facts", "results/demo/facts/questions.jsonl"]
    words = options(variants.filter_options(part))
    assert [*words] == FILTERED and words["--keep-unknown"] == ["25.0"]
    assert words["--annotations"] == [variants.filter_inputs(part)["annotations"]]


def test_grath_pairs_are_made_of_what_the_rounds_parent_wrote(filtering):
    grath = filtering.methods["grath"]
    first = wildcards(data="", variant="grath", end="/", round="1")
    files = grath.pair_inputs(first)
    assert files["first"] == files["now"] == f"{ROOT}/base/grath/generations.jsonl"
    assert options(grath.pair_options(first))["--seed"] == ["0"]
    second = wildcards(data="seed-2/", variant="grath-unknown-25", end=".", round="2")
    files = grath.pair_inputs(second)
    assert files["first"] == f"{ROOT}/base/grath/generations.jsonl"
    assert files["now"] == f"{ROOT}/seed-2/grath-unknown-25.r1/final/grath/generations.jsonl"
    words = options(grath.pair_options(second))
    assert words["--seed"] == ["2"] and words["--keep-unknown"] == ["25.0"]


def test_grath_asks_in_the_prompt_that_it_trains_on():
    plain = experiment().methods["grath"]
    job = wildcards(data="seed-1/", variant="grath", end=".", round="1")
    assert "--legacy-prompt" not in plain.request_options(job) + plain.pair_options(job)
    legacy = experiment(grath={"legacy_prompt": "llama2", "use_ground_truth": True}).methods[
        "grath"
    ]
    words = legacy.request_options(job)
    assert options(words)["--legacy-prompt"] == ["llama2"] and "--use-ground-truth" in words
    assert options(legacy.pair_options(job))["--legacy-prompt"] == ["llama2"]


def test_grath_rounds_are_followed_from_their_parent(filtering):
    rows = filtering.lists["grath_rounds"]
    assert [(row["variant"], row["seed"], row["round"]) for row in rows] == [
        (variant, seed, number)
        for variant in ("grath", "grath-unknown-25")
        for seed in (1, 2)
        for number in (0, 1, 2)
    ]
    assert rows[0]["checkpoint"] == "base" and "pairs" not in rows[0]
    assert rows[1]["pairs"] == f"{ROOT}/grath/r1/pairs.jsonl"
    assert rows[2]["pairs"] == f"{ROOT}/seed-1/grath.r2/pairs.jsonl"
    assert rows[2]["composition"] in filtering.methods["grath"].row_files()


def test_grath_is_compared_with_the_base_where_it_starts_elsewhere():
    rows = experiment(grath={"parent": "mix.form"}).lists["grath_rounds"]
    assert [(row["checkpoint"], row["round"]) for row in rows] == [
        ("base", None), ("mix.form", 0), ("grath.r1", 1), ("grath.r2", 2),
    ]  # fmt: skip


def test_grath_is_scored_on_questions_only(filtering):
    scores = filtering.methods["grath"].scores()
    assert f"{ROOT}/base/choices/facts.jsonl" in scores
    assert f"{ROOT}/seed-2/grath.r2.placebo/final/choices/openbookqa.jsonl" in scores
    assert not any("flame" in path or "long_form" in path for path in scores)


def test_flame_examples_are_made_of_the_bases_answers():
    sets = ["sft", "sft-fact", "sft-rag"]
    made = experiment(flame={"sft": sets, "dpo": [], "passages": {"format": "facts"}})
    flame = made.methods["flame"]
    human = flame.answers(wildcards(variant="flame", set="sft", seed="1"))
    assert set(human) == {"instructions", "decisions", "test_facts"}
    retrieved = flame.answers(wildcards(variant="flame", set="sft-rag", seed="1"))
    assert retrieved["generations"] == f"{ROOT}/base/flame/rag/generations.jsonl"
    words = options(
        FlameOptions(flame).examples(wildcards(variant="flame", set="sft-fact", seed="1"))
    )
    assert words["--own-requests"] == [f"{ROOT}/flame/own/requests.jsonl"]
    assert {"base/flame/own", "base/flame/rag"} <= set(made.works)
    assert "prompts" not in made.instructions and "helpfulness" not in made.judges.by_purpose


def test_flame_answers_all_or_what_is_decided_beforehand():
    passages = {"format": "facts"}
    star = experiment(flame={"sft": ["sft", "sft-star"]}).methods["flame"]
    decisions = f"{ROOT}/base/flame/decisions.jsonl"
    assert FlameOptions(star).own_asked(wildcards()) == ["--decisions", decisions]
    fact = experiment(flame={"sft": ["sft", "sft-fact"], "dpo": [], "passages": passages})
    asked = FlameOptions(fact.methods["flame"])
    assert asked.own_asked(wildcards()) == [] and asked.decisions_for_own(wildcards()) == []
    assert asked.rag_asked(wildcards()) == ["--decisions", decisions]
    later = {"fact_based": "sft", "judge": "flame.sft", "passages": passages}
    tuned = experiment(flame=later).methods["flame"]
    assert FlameOptions(tuned).rag_asked(wildcards()) == []
    # The one that decides is not trained on what it decides.
    assert "decisions" not in tuned.answers(wildcards(variant="flame", set="sft", seed="1"))
    assert "decisions" in tuned.answers(wildcards(variant="flame", set="sft-star", seed="1"))


def test_flame_pairs_are_rated_by_verdicts_or_by_confidence():
    made = experiment(flame={"dpo": ["sft.dpo", "sft.facttune-mc"]})
    flame, folder = made.methods["flame"], "seed-1/flame.sft/final/flame"
    job = {"variant": "flame", "set": "sft", "seed": "1"}
    by_verdict = flame.pairs(wildcards(**job, pairs="dpo"))
    assert by_verdict["verdicts"] == f"{ROOT}/{folder}/responses/verdicts.jsonl"
    assert by_verdict["calibration"] == f"{ROOT}/judge/helpfulness.json"
    by_confidence = wildcards(**job, pairs="facttune-mc")
    words = options(FlameOptions(flame).pairs(by_confidence))
    assert words["--confidence"] == [f"{ROOT}/{folder}/mc/confidence.jsonl"]
    assert "--verdicts" not in words
    assert {f"{folder}/mc/questions", f"{folder}/mc/answers"} <= set(made.works)
    assert f"{ROOT}/{folder}/mc/dropped.json" in made.lists["dropped"]["questions"]
    assert flame.parents("facttune-mc") == ["seed-1/flame.sft/final"]
    assert experiment().methods["flame"].parents("facttune-mc") == []


def test_new_instructions_are_made_where_they_are_wanted():
    flame = experiment(flame={"augment": 8}).methods["flame"]
    assert flame.augmented(wildcards()) == [f"{ROOT}/flame/augmented.jsonl"]
    assert FlameOptions(flame).wanted(wildcards()) == 8
    # Prompts may be made of them.
    assert not any("prompts" in path for path in flame.not_new()) and len(flame.not_new()) == 4
    for unwanted in ({"augment": None}, None):
        with pytest.raises(InputError, match=r"flame\.augment is null.*set how many"):
            experiment(flame=unwanted).methods["flame"].augmented(wildcards())


def test_flame_results_are_trainings_and_long_answers():
    results = experiment().methods["flame"].results()
    assert f"{ROOT}/seed-1/flame.sft.dpo/training.json" in results
    assert f"{ROOT}/base/long_form/items.jsonl" in results
    assert not any("apeft" in path or "/choices/" in path for path in results)


@pytest.mark.parametrize("kind", ["table", "model"])
def test_apeft_questions_are_made_by_rule_or_by_a_model(kind):
    made = experiment(apeft={"questions": kind})
    apeft, job = made.methods["apeft"], wildcards(folder="base")
    read = {"table": {"facts"}, "model": {"requests", "generations"}}[kind]
    assert set(apeft.question_inputs(job)) == {"claims", "verdicts"} | read
    words = options(apeft.question_options(job))
    assert ("--facts" in words) == (kind == "table")
    assert ("--question-generations" in words) == (kind == "model")
    assert ("base/apeft/questions" in made.works) == (kind == "model")


def test_apeft_files_depend_on_each_other_only_without_a_size():
    job = wildcards(variant="apeft", seed="1", percent="50")
    drawn = experiment(apeft={"atomic_percent": [0, 50], "pairs": None}).methods["apeft"]
    assert options(drawn.pair_options(job))["--percents"] == ["0", "50"]
    sized = experiment(apeft={"pairs": 16}).methods["apeft"]
    words = options(sized.pair_options(job))
    assert words["--size"] == ["16"] and "--percents" not in words


def test_apeft_pairs_are_made_of_what_the_parent_of_the_seed_wrote(filtering):
    made = experiment(apeft={"parent": "flame.sft"}, seeds=[1, 2])
    job = wildcards(variant="apeft", seed="2", percent="0")
    files = made.methods["apeft"].pair_inputs(job)
    place = f"{ROOT}/seed-2/flame.sft/final/apeft"
    assert files["answer_verdicts"] == f"{place}/atomic/verdicts.jsonl"
    rows = filtering.lists["apeft_files"]
    assert {row["set"] for row in rows} == {
        f"{variant}.atomic-{percent}"
        for variant in ("apeft", "apeft-unknown-25")
        for percent in (0, 50)
    }
    assert rows[0]["composition"] in filtering.methods["apeft"].row_files()


def test_apeft_results_are_there_if_apeft_is():
    results = experiment().methods["apeft"].results(wildcards())
    assert results[-1] == "results/demo/tables/apeft_pairs.csv" and len(results) == 3
    with pytest.raises(InputError, match="apeft is null in the configuration"):
        experiment(apeft=None).methods["apeft"].results(wildcards())
