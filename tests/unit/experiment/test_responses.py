"""Responses, their claims, who verifies and who judges them, and how tokens shift."""

import json

import pytest
from experiment_data import TWO_MODELS, experiment, options, wildcards
from plumbline.storage.files import InputError

ROOT = "results/demo/smollm2-135m"
PLACE = "seed-1/flame.sft/final/flame/responses"
PASSAGES = {"format": "rows", "source": "file:pages.jsonl"}


@pytest.fixture(scope="module")
def made():
    return experiment()


def test_a_place_is_told_by_the_end_of_its_path(made):
    assert made.responses.place(PLACE).set == "prompts"
    assert made.responses.place("base/win_rate/own").set == "win_rate"
    assert made.responses.place("base/closed_book") is None
    assert made.responses.asked(wildcards(place=PLACE)) == "results/demo/instructions/prompts.jsonl"
    assert made.responses.requests(wildcards(place="base/long_form")) == (
        f"{ROOT}/long_form/requests.jsonl"
    )
    assert made.responses.stage(wildcards(place="base/apeft/responses")) == "apeft"
    assert made.responses.unfinished(wildcards(place=PLACE)) == ""


def test_a_set_of_instructions_waits_for_its_sources():
    prompts = [{"format": "rows", "source": "file:asked.jsonl"}, {"format": "entities", "limit": 4}]
    made = experiment(apeft={"prompts": prompts})
    [marker] = made.responses.instruction_markers(wildcards(set="apeft"))
    assert marker.startswith("results/sources/asked.jsonl-")
    words = options(made.responses.instruction_options(wildcards(set="apeft")))
    assert [source["format"] for source in json.loads(words["--sources"][0])] == [
        "rows",
        "entities",
    ]
    assert words["--tuned"] == ["{}"]
    evaluated = options(made.responses.instruction_options(wildcards(set="long_form")))
    assert "flame.prompts" in evaluated["--tuned"][0]  # what evaluation must know of


def test_claims_are_split_by_rule_or_by_a_model(made):
    job = wildcards(place=PLACE)
    assert made.responses.claim_works(PLACE) == [] and made.responses.split_by_model(job) == []
    by_model = experiment(claims={"splitter": "model"})
    assert f"{PLACE}/claims" in by_model.works and "base/long_form/claims" in by_model.works
    generations = f"{ROOT}/{PLACE}/claims/generations.jsonl"
    assert by_model.responses.split_inputs(job)["generations"] == generations
    assert by_model.responses.split_by_model(job) == ["--generations", generations]


def test_decisions_are_read_where_claims_are_of_facts_only(made):
    decisions = f"{ROOT}/base/flame/decisions.jsonl"
    assert made.responses.decided(wildcards(place=PLACE)) == ["--decisions", decisions]
    assert made.responses.decided(wildcards(place="base/long_form")) == []
    tuned = experiment(flame={"fact_based": "sft"}, seeds=[1, 2])
    place = PLACE.replace("seed-1", "seed-2")
    assert tuned.responses.claim_inputs(wildcards(place=place))["decisions"] == (
        f"{ROOT}/seed-2/flame.sft/final/flame/decisions.jsonl"
    )


@pytest.mark.parametrize(
    ("verification", "reads", "light"),
    [
        ({"kind": "table"}, {"facts"}, True),
        ({"kind": "retrieval", "passages": PASSAGES}, {"facts", "passages", "judge"}, False),
        (
            {"kind": "endpoint", "url": "http://127.0.0.1:9/v1", "model": "m",
             "passages": {"format": "facts"}},
            {"facts"},
            False,
        ),
    ],
    ids=["table", "retrieval", "endpoint"],
)  # fmt: skip
def test_each_verifier_reads_its_own(verification, reads, light):
    raw = {"verification": None, "apeft": None} if verification["kind"] != "table" else {}
    made = experiment(**{**raw, "verification": verification})
    files = made.verifier.inputs(wildcards())
    assert set(files) == reads and made.verifier.is_light == light
    words = options(made.verifier.options(wildcards()))
    assert set(words) == {f"--{name}" for name in reads - {"facts"}}
    if "judge" in reads:
        assert files["judge"] == f"{ROOT}/base/checkpoint.json"
        assert words["--judge"] == [f"{ROOT}/base"] and made.verifier.on_device
        assert any(slug.startswith("pages.jsonl-") for slug in made.fetched.by_slug)


def test_only_what_is_evaluated_is_verified_by_the_tests_facts(made):
    assert made.verifier.training_option(wildcards(place="base/long_form")) == ""
    assert made.verifier.training_option(wildcards(place=PLACE)) == "--training"


def test_the_baseline_is_compared_with_all_but_itself(made):
    assert "base" in made.long_form.folders and "base" not in made.long_form.compared
    job = wildcards(folder="seed-1/flame.sft/final")
    assert made.long_form.baseline_responses(job) == f"{ROOT}/base/win_rate/own/responses.jsonl"
    assert "base/win_rate/own" in made.works


def test_without_long_answers_nothing_is_compared():
    made = experiment(evaluation={"long_form": None, "token_shift": None})
    assert made.long_form.folders == made.long_form.compared == []
    assert set(made.instructions) == {"flame", "prompts", "apeft"}


def test_a_judge_is_a_measure_or_a_checkpoint():
    flame = {"judge": "flame.sft"}
    made = experiment(flame=flame, models=TWO_MODELS, seeds=[1, 2])
    assert made.judges.needs_gpu("helpfulness") and not made.judges.needs_gpu("no such purpose")
    place = "seed-2/flame.sft/final/judge"
    assert made.judges.place("helpfulness", "seed-2/flame.sft-star/final") == place
    calibrated = wildcards(model="two", place=place, purpose="helpfulness")
    assert made.judges.checkpoint(calibrated) == {
        "judge": "results/demo/two/seed-2/flame.sft/training.json"
    }
    asked = options(made.judges.options(calibrated))
    assert asked["--judge"] == ["flame.sft"]
    assert asked["--checkpoint"] == ["results/demo/two/seed-2/flame.sft/final"]
    judged = wildcards(model="two", folder="seed-2/flame.sft-star/final")
    assert made.judges.options_for("helpfulness")(judged) == made.judges.options(calibrated)
    assert made.judges.inputs("helpfulness")(judged) == {
        "calibration": f"results/demo/two/{place}/helpfulness.json",
        "judge": "results/demo/two/seed-2/flame.sft/training.json",
    }
    rows = [row for row in made.lists["judges"] if row["path"].endswith("helpfulness.json")]
    assert [(row["model"], row["seed"]) for row in rows] == [
        ("one", 1), ("two", 1), ("one", 2), ("two", 2),
    ]  # fmt: skip


def test_a_measure_has_no_checkpoint(made):
    calibrated = wildcards(place="judge", purpose="helpfulness")
    assert made.judges.checkpoint(calibrated) == {}
    assert "--checkpoint" not in made.judges.options(calibrated)
    assert not made.judges.needs_gpu("helpfulness")
    [row] = [row for row in made.lists["judges"] if row["path"].endswith("helpfulness.json")]
    assert row == {"model": "smollm2-135m", "seed": 0, "path": f"{ROOT}/judge/helpfulness.json"}


def test_a_judge_that_does_not_exist_is_told():
    with pytest.raises(
        InputError, match=r"^flame\.judge: flame\.sf does not exist\. Name reference"
    ):
        experiment(flame={"judge": "flame.sf"})


def test_states_are_counted_of_evaluated_and_trained_on(made):
    states = made.lists["states"]
    [base] = [row for row in states if row["checkpoint"] == "base" and "responses" in row]
    assert base["claims"] == f"{ROOT}/base/long_form/claims.jsonl" and base["seed"] == "0"
    rows = {row["checkpoint"]: row for row in states}
    assert rows["flame.sft, for training"]["verdicts"] == f"{ROOT}/{PLACE}/verdicts.jsonl"
    assert rows["base, answers for APEFT"]["verdicts"] == f"{ROOT}/base/apeft/atomic/verdicts.jsonl"
    files = made.responses.state_inputs()
    assert files == sorted(set(files)) and f"{ROOT}/{PLACE}/splittings.jsonl" in files


def test_tokens_shift_between_pairs_of_one_seed():
    pairs = [{"tuned": "flame.sft.dpo"}, {"tuned": "flame.sft", "reference": "base"}]
    made = experiment(evaluation={"token_shift": {"pairs": pairs}}, seeds=[1, 2])
    rows = made.lists["token_shifts"]
    assert [(row["tuned"], row["reference"], row["seed"]) for row in rows] == [
        ("flame.sft.dpo", "flame.sft", 1), ("flame.sft.dpo", "flame.sft", 2),
        ("flame.sft", "base", 1), ("flame.sft", "base", 2),
    ]  # fmt: skip
    assert rows[1]["reference_items"] == f"{ROOT}/seed-2/flame.sft/final/long_form/items.jsonl"
    assert rows[1]["shift"] in made.token_shifts.files()
    job = wildcards(reference="flame.sft", folder="seed-2/flame.sft.dpo/final")
    assert made.token_shifts.reference(job) == "seed-2/flame.sft/final"
    assert made.token_shifts.reference_marker(job) == f"{ROOT}/seed-2/flame.sft/training.json"
    assert made.token_shifts.requests(job) == f"{ROOT}/long_form/requests.jsonl"
    assert len(made.token_shifts.tables(job)) == 3


def test_without_a_pair_there_is_no_table_to_make():
    made = experiment(evaluation={"token_shift": None})
    with pytest.raises(InputError, match="names no checkpoint of this run; name a pair"):
        made.token_shifts.tables(wildcards())


def test_a_training_is_compared_with_all_that_is_evaluated(made):
    job = wildcards(data="grath/r1")
    assert made.contamination.training(job) == f"{ROOT}/grath/r1/pairs.jsonl"
    named = made.contamination.evaluated_by_name(job)
    assert f"closed_book={ROOT}/slick/test.jsonl" in named
    assert {name.split("=")[0] for name in named} == {
        "closed_book", "facts", "openbookqa", "long_form", "win_rate",
    }  # fmt: skip
    assert made.contamination.evaluated(job) == [name.partition("=")[2] for name in named]
    assert f"{ROOT}/grath/r1/contamination.json" in made.lists["contamination"]
