"""Pairs by votes: what is the majority, what gives no pair, and what the programs make of it."""

from collections import Counter

import pytest
from experiment_data import experiment, options, wildcards
from flame_data import answered
from hypothesis import given
from hypothesis import strategies as st
from plumbline.evaluation.contrasts import PRIMARY
from plumbline.experiment.contrasts import contrasts
from plumbline.experiment.needs import needs
from plumbline.experiment.plan import make_plan
from plumbline.methods.consistency.chapter import pairs as pairs_told
from plumbline.methods.consistency.pairs import (
    TIE,
    TOO_FEW,
    UNANIMOUS,
    UNANSWERED,
    vote,
    with_truth,
)
from plumbline.methods.consistency.prompt import SHOTS, vote_requests
from plumbline.methods.consistency.records import ANSWERS, QUESTIONS, VotedPair
from plumbline.methods.consistency.table import RIGHT
from plumbline.records import Request, as_text
from plumbline.report.labels import checkpoint_label
from plumbline.report.tables import Run
from plumbline.storage.files import InputError, read_rows, write_rows
from plumbline.training.sets import Composition
from programs import csv_rows, listed, program
from report_data import metric, tables_of, texts
from slick_data import question

RECIPE = {
    "method": "dpo", "learning_rate": 1e-4, "max_steps": 2, "global_batch_size": 4,
}  # fmt: skip
ON = {"consistency": {}, "recipes": {"consistency": RECIPE}}
ASKED = {"form": "plain", "shots": 0, "temperature": 0.7, "max_tokens": 12}


def voted(*answers: str, min_share: float = 0, form="plain", finish: str = "stop"):
    """What comes of one question that got these answers."""
    asked = question("capital", 0)
    [request] = vote_requests([asked], **{**ASKED, "form": form}, samples=len(answers))
    drawn = answered(request, *answers, finish=finish)
    return vote([asked], [request], drawn, name="set", form=form, min_share=min_share)


def lost(made, item: str) -> dict[str, int]:
    return {row["reason"]: row["n"] for row in made.dropped if row["item"] == item}


def sides(*answers: str, **how) -> tuple[str, str]:
    [pair] = voted(*answers, **how).rows
    return as_text(pair.chosen), as_text(pair.rejected)


def reason(*answers: str, **how) -> str:
    result = voted(*answers, **how)
    assert result.rows == []
    [(found, n)] = lost(result, QUESTIONS).items()
    assert n == 1
    return found


def test_the_commonest_answer_is_chosen_and_the_rarest_rejected():
    assert sides("Rome", "Oslo", "Lima", "Oslo", "Rome", "Oslo") == ("Oslo", "Lima")
    [pair] = voted("Rome", "Oslo", "Lima", "Oslo", "Rome", "Oslo").rows
    assert (pair.chosen_votes, pair.rejected_votes, pair.samples) == (3, 1, 6)
    assert pair.prompt == "Answer the following question.\nWhat is the capital of train 0?\n"


def test_of_equally_rare_answers_the_first_drawn_is_rejected():
    assert sides("Oslo", "Rome", "Lima", "Oslo") == ("Oslo", "Rome")
    assert sides("Oslo", "Lima", "Rome", "Oslo") == ("Oslo", "Lima")


def test_spellings_of_one_answer_vote_together_and_the_commonest_is_trained_on():
    # Neither spelling alone has more votes than Rome.
    answers = ("Rome", "Rome", "oslo", "the Oslo.", "Oslo!", "oslo\nQ: What")
    assert sides(*answers) == ("oslo", "Rome")
    assert reason("Oslo", "OSLO.", "the oslo") == UNANIMOUS


@pytest.mark.parametrize(
    ("one", "same", "other"),
    [
        ("Αθήνα", "ΑΘΉΝΑ", "Σπάρτη"),
        ("東京。", "東京", "大阪"),
        ("القاهرة", "القاهرة.", "دمشق"),
        ("Москва", "МОСКВА", "Киев"),
        ("नई दिल्ली।", "नई दिल्ली", "मुंबई"),
    ],
)
def test_answers_of_any_script_are_told_apart(one, same, other):
    chosen, rejected = sides(one, other, same)
    assert chosen in (one.rstrip("。।"), same) and rejected == other


def test_no_pair_without_a_majority_and_a_minority():
    assert reason("Oslo", "Oslo") == UNANIMOUS
    assert reason("Oslo", "Rome", "Oslo", "Rome", "Lima") == TIE
    assert reason("Oslo", "Rome") == TIE
    assert reason("", " \n", "?!") == UNANSWERED
    # One usable answer has no rival.
    assert reason("Oslo", "") == UNANIMOUS


def test_a_majority_needs_its_share_of_all_that_was_drawn():
    answers = ("Oslo", "Oslo", "Rome", "", "")
    assert sides(*answers, min_share=40) == ("Oslo", "Rome")
    assert reason(*answers, min_share=41) == TOO_FEW


def test_unusable_answers_are_dropped_and_counted_by_reason():
    result = voted("Oslo", "", "I don't know", "I do not know.", "Oslo", "<think>hm", "Rome")
    assert lost(result, ANSWERS) == {"empty": 1, "abstained": 2, "unfinished thought": 1}
    assert result.counted == {QUESTIONS: 1, ANSWERS: 7} and len(result.rows) == 1
    assert reason("Oslo", "Os", finish="length") == UNANSWERED
    # A line that is whole counts, whatever is cut off after it.
    cut = sides("Oslo\nand", "Rome\nor", "Oslo\nif", finish="length")
    assert cut == ("Oslo", "Rome")


@given(st.lists(st.sampled_from(["Oslo", "oslo.", "Rome", "Lima", "", "I don't know"]), min_size=2))
def test_every_question_and_answer_is_accounted_for(answers):
    result = voted(*answers)
    assert len(result.rows) + sum(lost(result, QUESTIONS).values()) == 1
    usable = Counter(
        text.lower().rstrip(".") for text in answers if text not in ("", "I don't know")
    )
    assert sum(lost(result, ANSWERS).values()) == len(answers) - usable.total()
    for pair in result.rows:
        assert pair.chosen_votes == max(usable.values()) > pair.rejected_votes
        assert pair.rejected_votes == min(usable.values())
        assert as_text(pair.chosen).lower().rstrip(".") != as_text(pair.rejected).lower().rstrip(
            "."
        )


def test_a_majority_that_errs_is_chosen_all_the_same():
    """No gold answer is read; only afterwards it is told which side is right."""
    asked = question("capital", 0)
    result = voted("Rome", "Rome", "capital answer 0", "Rome")
    [pair] = result.rows
    assert (as_text(pair.chosen), as_text(pair.rejected)) == ("Rome", "capital answer 0")
    assert pair.chosen_right is None
    [told] = with_truth(result.rows, [asked], "squad")
    assert (told.chosen_right, told.rejected_right) == (False, True)
    other = asked.model_copy(update={"answers": ["Rome"]})
    [request] = vote_requests([other], **ASKED, samples=4)
    drawn = answered(request, "Rome", "Rome", "capital answer 0", "Rome")
    assert (
        vote([other], [request], drawn, name="set", form="plain", min_share=0).rows == result.rows
    )


def test_files_of_different_runs_are_told():
    [request] = vote_requests([question("capital", 0)], **ASKED, samples=2)
    drawn = answered(request, "Oslo", "Rome")
    with pytest.raises(InputError, match=r"capital/train/0.*Generate again"):
        vote([question("capital", 1)], [request], drawn, name="set", form="plain", min_share=0)
    with pytest.raises(InputError, match="1 answers of 2"):
        vote([question("capital", 0)], [request], drawn[:1], name="set", form="plain", min_share=0)


def test_questions_are_asked_in_the_form_of_tuning_after_few_shot_examples():
    asked = question("capital", 0)
    [bare] = vote_requests([asked], **ASKED, samples=3)
    assert bare.prompt == "Answer the following question.\nWhat is the capital of train 0?\n"
    assert (bare.sampling.n, bare.sampling.temperature, bare.sampling.stop) == (3, 0.7, ("\n",))
    [plain] = vote_requests([asked], **{**ASKED, "shots": 2}, samples=3)
    (first, answer), (second, _) = SHOTS[:2]
    assert plain.prompt.startswith(f"Answer the following question.\n{first}\n{answer}\n\n")
    assert second in plain.prompt and SHOTS[2][0] not in plain.prompt
    assert plain.prompt.endswith(bare.prompt)
    [chat] = vote_requests([asked], **{**ASKED, "shots": 1, "form": "chat"}, samples=3)
    assert [(turn.role, turn.content) for turn in chat.messages] == [
        ("user", first), ("assistant", answer), ("user", asked.question),
    ]  # fmt: skip
    assert chat.sampling.stop == ()
    assert sides("Oslo", "Rome", "Oslo", form="chat") == ("Oslo", "Rome")


# What the rules see.


def test_left_out_it_brings_nothing():
    made = experiment()
    assert made.layout.config.consistency is None
    assert not any("consistency" in work for work in made.works)
    assert made.lists["consistency_files"] == []
    with pytest.raises(InputError, match="consistency is null"):
        made.methods["consistency"].results(wildcards())


def test_the_bases_pairs_are_shared_by_all_seeds_and_another_parents_are_not():
    made = experiment(seeds=[1, 2], **ON)
    tuning = made.layout.lineage.tunings["consistency.dpo"]
    assert tuning.examples == "consistency/pairs.jsonl" and tuning.parent == "base"
    assert "base/consistency" in made.works
    [row] = made.lists["consistency_files"]
    assert row["seed"] is None and row["pairs"].endswith("smollm2-135m/consistency/pairs.jsonl")
    tuned = experiment(seeds=[1, 2], **{**ON, "consistency": {"parent": "mix.form"}})
    assert [row["seed"] for row in tuned.lists["consistency_files"]] == [1, 2]
    assert "seed-2/mix.form/final/consistency" in tuned.works
    files = tuned.methods["consistency"].pair_inputs(
        wildcards(data="seed-2/", variant="consistency")
    )
    assert files["generations"].endswith("seed-2/mix.form/final/consistency/generations.jsonl")


def test_variants_and_placebos_are_the_houses():
    settings = {"keep_unknown": [100, 25], "placebo": True}
    made = experiment(**{**ON, "consistency": settings})
    names = [name for name in made.layout.lineage.tunings if name.startswith("consistency")]
    assert names == [
        "consistency.dpo", "consistency.dpo.placebo", "consistency-unknown-25.dpo",
        "consistency-unknown-25.dpo.placebo",
    ]  # fmt: skip
    assert [checkpoint_label(name) for name in names] == [
        "Self-consistency", "Self-consistency, placebo",
        "Self-consistency with 25 % of Unknown",
        "Self-consistency with 25 % of Unknown, placebo",
    ]  # fmt: skip
    job = wildcards(data="", variant="consistency-unknown-25")
    words = options(made.methods["consistency"].pair_options(job))
    assert words["--keep-unknown"] == ["25"] or words["--keep-unknown"] == ["25.0"]
    assert words["--seed"] == ["0"]
    results = made.methods["consistency"].results(wildcards())
    assert len(results) == 4 + 1 and results[-1].endswith("tables/consistency_pairs.csv")


def test_it_is_compared_where_it_is_tuned_and_asked_in_its_form():
    made = experiment(**{**ON, "consistency": {"keep_unknown": [100, 0], "placebo": True}})
    config, lineage = made.layout.config, made.layout.lineage
    stated = [one for one in contrasts(config, lineage) if one.method.startswith("consistency")]
    [primary] = [one for one in stated if one.role == PRIMARY]
    assert (primary.first, primary.second) == ("consistency.dpo", "base")
    assert (primary.task, primary.domain, primary.metric) == ("closed_book_plain", "id", "em")
    assert sum(one.second.endswith(".placebo") for one in stated) == 2 * 2
    chat = experiment(**{**ON, "consistency": {"prompt": "chat"}}).layout
    assert "closed_book_chat" in {one.task for one in contrasts(chat.config, chat.lineage)}
    assert "consistency.prompt: chat" in {one.key for one in needs(chat.config).chat}


def test_a_recipe_of_another_method_is_told():
    with pytest.raises(
        InputError, match=r"consistency\.recipe: sft is of method sft; expected dpo"
    ):
        experiment(consistency={"recipe": "sft"})


# What the programs make.


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Requests, generations, pairs and table of four questions; `folder` holds them."""
    questions = [question("capital", number) for number in range(4)]
    right = [one.answers[0] for one in questions]
    answers = [
        (right[0], right[0], "Rome"),  # right
        ("Rome", right[1], "Rome"),  # the majority errs
        ("Rome", "Oslo", "Lima"),  # a tie
        (right[3],) * 3,
    ]
    write_rows(tmp_path / "questions", [*questions, question("capital", 9, split="test")])

    def run(name, /, **arguments):
        program(monkeypatch, name, **arguments)

    run("write_consistency_requests", questions=tmp_path / "questions", form="plain", shots=4,
        samples=3, temperature=1, max_tokens=8, seed=0, requests=tmp_path / "requests")  # fmt: skip
    requests = list(read_rows(tmp_path / "requests", Request))
    by_question = dict(zip((one.id for one in questions), answers, strict=True))
    write_rows(
        tmp_path / "generations",
        [one for request in requests for one in answered(request, *by_question[request.question])],
    )
    run("build_consistency_pairs", name="consistency", questions=tmp_path / "questions",
        requests=tmp_path / "requests", generations=tmp_path / "generations", form="plain",
        min_share=50, match="squad", test_facts=tmp_path / "questions",
        pairs=tmp_path / "pairs", composition=tmp_path / "composition")  # fmt: skip
    rows = [{"model": "m", "seed": None, "variant": "consistency", "pairs": tmp_path / "pairs",
             "composition": tmp_path / "composition"}]  # fmt: skip
    run("tabulate_consistency", rows=listed(tmp_path, rows), evaluation="{}",
        table=tmp_path / "consistency_pairs.csv")  # fmt: skip
    return tmp_path


def test_only_training_questions_are_asked_and_only_so_many(made, monkeypatch):
    asked = [request.question for request in read_rows(made / "requests", Request)]
    assert asked == [f"capital/train/{number}" for number in range(4)]
    program(monkeypatch, "write_consistency_requests", questions=made / "questions", form="plain",
            shots=0, limit=2, samples=3, temperature=1, max_tokens=8, seed=0,
            requests=made / "fewer")  # fmt: skip
    fewer = [request.question for request in read_rows(made / "fewer", Request)]
    assert len(fewer) == 2 and set(fewer) < set(asked)


def test_pairs_and_their_counts_add_up(made):
    pairs, counts = (
        list(read_rows(made / "pairs", VotedPair)),
        Composition.read(made / "composition"),
    )
    assert [(pair.chosen_right, pair.rejected_right) for pair in pairs] == [
        (True, False), (False, True),
    ]  # fmt: skip
    assert (counts.counted[QUESTIONS], counts.counted[ANSWERS], counts.rows) == (4, 12, 2)
    assert {row["reason"]: row["n"] for row in counts.dropped} == {TIE: 1, UNANIMOUS: 1}
    assert {row["stage"] for row in counts.dropped} == {"consistency"}


def test_a_model_that_gives_no_pair_is_told(made, monkeypatch):
    requests = list(read_rows(made / "requests", Request))
    write_rows(
        made / "alike", [one for asked in requests for one in answered(asked, *["Rome"] * 3)]
    )
    with pytest.raises(InputError, match=r"none of 4 questions.*unanimous.*consistency\.samples"):
        program(monkeypatch, "build_consistency_pairs", name="consistency",
                questions=made / "questions", requests=made / "requests",
                generations=made / "alike", form="plain", min_share=50, match="squad",
                pairs=made / "none", composition=made / "none.json")  # fmt: skip
    assert not (made / "none").exists()


def test_the_table_says_how_often_a_side_is_right(made):
    rows = {(row["item"], row["state"]): row for row in csv_rows(made / "consistency_pairs.csv")}
    assert rows["questions", TIE]["value"] == "1" and rows["pairs", "kept"]["value"] == "2"
    for state in RIGHT.values():
        assert float(rows["pairs", state]["value"]) == 0.5
    assert float(rows["pairs", "right: chosen less rejected"]["value"]) == 0
    share = float(rows["pairs", "majority's share of the answers"]["value"])
    assert share == pytest.approx(2 / 3)


def test_the_report_tells_pairs_reasons_and_sources(made):
    rows = csv_rows(made / "consistency_pairs.csv")
    run = Run(tables_of(made / "tables", [metric()], consistency_pairs=rows), {}, {})
    told, shown, reasons, sources = pairs_told(run)
    assert told.lines[0].startswith(
        "4 questions gave 2 pairs; the majority's answer is right in 50.0 % of them and the "
        "minority's in 50.0 %"
    )
    [row] = texts(shown)
    assert row == ["m", "Self-consistency", "–", "4", "12", "2", "66.7", "50.0", "50.0", "0.0"]
    assert [row[3:] for row in texts(reasons)] == [
        ["questions", TIE, "1"], ["questions", UNANIMOUS, "1"],
    ]  # fmt: skip
    assert sources.lines[1].startswith("Ours")
    empty = tables_of(made / "none", [metric()])
    assert pairs_told(Run(empty, {}, {})) == []


def test_its_cost_is_in_the_plan():
    questions = [question("capital", n, split) for split in ("train", "dev") for n in range(6)]

    def stages(**changes):
        layout = experiment(**changes, flame=None, apeft=None, grath=None,
                            evaluation={"long_form": None, "token_shift": None}).layout  # fmt: skip
        made = make_plan(layout.config, layout.lineage, questions, [], {}, {}, {"m": 1e8}, 2)
        return {stage["stage"]: stage for stage in made["stages"]}

    with_it, without = stages(**{**ON, "consistency": {"samples": 5, "limit": 4}}), stages()
    grown = {
        name: with_it[name]["sequences"] - without[name]["sequences"] for name in ("generate",)
    }
    assert grown["generate"] >= 4 * 5
    assert with_it["train"]["jobs"] == without["train"]["jobs"] + 1
    assert with_it["train"]["steps"] == without["train"]["steps"] + RECIPE["max_steps"]
