"""GRATH's programs, from questions to pairs and to the table of its rounds."""

import json

import pytest
from grath_data import FIRST, FOUR, SECOND, build, choice, generation, said
from plumbline.methods.grath.prompt import pair_requests
from plumbline.methods.grath.rounds import GrathPair, composition
from plumbline.methods.grath.table import as_text, pair_rows
from plumbline.methods.grath.truth import is_negated
from plumbline.records import ChoiceQuestion, Request
from plumbline.storage.files import InputError, read_json, read_rows, read_unique_rows, write_rows
from plumbline.training.sets import Composition
from programs import csv_rows, listed, program

# Table


@pytest.mark.parametrize(
    ("answer", "negated"),
    [
        ("It is not a plant.", True), ("NO.", True), ("They can't fly", True), ("It isn’t", True),
        ("Nothing happens", True), ("Notes on knots", False), ("Paris, Ontario", False),
        ("The nose", False), ("", False),
    ],
)  # fmt: skip
def test_a_negation_is_a_word_of_its_own(answer, negated):
    assert is_negated(answer) is negated


def test_what_the_table_says_about_pairs():
    built = build(FIRST, SECOND)
    found = {
        row["metric"]: row for row in pair_rows(built.rows, composition(built), confidence=0.95)
    }
    counts = {"asked": 4, "parsed": 3, "unparsed": 1, "identical": 0, "empty": 0,
              "kept_first": 1, "changed": 2, "pairs": 3}  # fmt: skip
    assert {key: found[key]["value"] for key in counts} == counts
    assert all(found[key]["n"] == 4 and "low" not in found[key] for key in counts)
    means = {"similarity": 1 / 3, "chosen_words": 2, "rejected_words": 2}
    assert {key: found[key]["value"] for key in means} == pytest.approx(means)
    assert {row["task"] for row in found.values()} == {"pairs"}
    # Their answers name no option.
    assert [found[f"{side}_right"]["value"] for side in ("chosen", "rejected")] == [0, 0]
    similar = found["similarity"]
    assert (similar["low"], similar["high"], similar["n"]) == (None, None, 3)  # too few pairs


def test_the_table_tells_whether_chosen_answers_are_truer_than_rejected_ones():
    first = {
        "a": said("Yes, it is", "maybe"),  # right against wrong
        "b": said("I say no", "yes!"),  # the other way round
        "c": said("yes", "yes, indeed"),  # both
        "d": said("who knows", "nobody"),  # neither
    }
    more = {f"{name}{n}": text for n in range(3) for name, text in first.items() if name != "b"}
    questions = [choice(name) for name in more] + [choice("b")]
    texts = more | {"b": first["b"]}
    built = build(texts, texts, number=1, questions=questions)
    assert {pair.id[0]: (pair.chosen_right, pair.rejected_right) for pair in built.rows} == {
        "a": (True, False), "b": (False, True), "c": (True, True), "d": (False, False)
    }  # fmt: skip
    found = {
        row["metric"]: row for row in pair_rows(built.rows, composition(built), confidence=0.95)
    }
    right, wrong, apart = (
        found[name] for name in ("chosen_right", "rejected_right", "right_difference")
    )
    assert (right["value"], wrong["value"], apart["value"]) == (0.6, 0.4, pytest.approx(0.2))
    assert {row["n"] for row in (right, wrong, apart)} == {10}
    assert 0 < right["low"] < 0.6 < right["high"] < 1 and apart["low"] < 0.2 < apart["high"]
    # "I say no" is among the chosen, no rejected answer is a denial but "nobody", three times.
    assert (found["chosen_negated"]["value"], found["rejected_negated"]["value"]) == (0.1, 0.3)


def test_the_table_tells_empty_from_identical():
    now = {"a": said("", "x"), "b": said("b WRONG", "x"), "c": "", "d": said("", "x")}
    first = {**FIRST, "c": said("c right", "c wrong")}
    built = build(first, now)
    lost = pair_rows(built.rows, composition(built), confidence=0.95)
    values = {row["metric"]: row["value"] for row in lost}
    assert (values["empty"], values["identical"], values["kept_first"]) == (2, 1, 1)


def test_scores_as_text_are_aligned_and_in_order():
    def row(number, metric, value):
        return {
            "model": "m", "variant": "grath", "task": "tqa", "domain": "ood", "seed": 1,
            "round": number, "n": 817, "metric": metric, "value": value, "low": value - 0.02,
            "high": value + 0.02,
        }  # fmt: skip

    given_ = [row(10, "mc1", 0.5), row(2, "mc2", 0.4), row(2, "mc1", 0.25), row(2, "mc3", 0.9)]
    assert as_text(given_) == (
        "model  variant  task  domain  seed  round  n    MC1 %             MC2 %\n"
        "m      grath    tqa   ood     1     2      817  25.0 (23.0–27.0)  40.0 (38.0–42.0)\n"
        "m      grath    tqa   ood     1     10     817  50.0 (48.0–52.0)  –"
    )
    assert as_text([row(0, "acc", 0.1)]) == ""


# Programs


def test_the_programs_from_questions_to_pairs(tmp_path, monkeypatch):
    questions = [*FOUR, choice("e", "In the exam?")]
    write_rows(tmp_path / "choices.jsonl", questions)
    exam = [
        {"id": 1, "question": "What about b?", "split": "train"},
        {"id": 2, "question": "in the EXAM", "split": "test"},
    ]
    (tmp_path / "facts.jsonl").write_text("\n".join(map(json.dumps, exam)))
    write_rows(tmp_path / "set.jsonl", [choice("z", "Something else?")])
    kept = tmp_path / "questions.jsonl"
    program(
        monkeypatch, "choose_grath_questions", "--questions", tmp_path / "choices.jsonl",
        "--evaluation", tmp_path / "set.jsonl", tmp_path / "facts.jsonl", "--kept", kept,
        "--dropped", tmp_path / "dropped.json",
    )  # fmt: skip
    assert list(read_rows(kept, ChoiceQuestion)) == FOUR
    assert read_json(tmp_path / "dropped.json") == {
        "name": "grath",
        "kept": 4,
        "dropped": [
            {"stage": "grath", "item": "questions", "reason": "also_in_an_evaluation_set", "n": 1}
        ],
    }
    program(
        monkeypatch, "write_grath_requests", "--questions", kept, "--max-tokens", 77,
        "--legacy-prompt", "zephyr", "--use-ground-truth", "--requests", tmp_path / "req.jsonl",
    )  # fmt: skip
    requests = read_unique_rows(tmp_path / "req.jsonl", Request)
    assert requests == list(
        pair_requests(FOUR, max_tokens=77, legacy_prompt="zephyr", use_ground_truth=True)
    )
    for name, texts in (("first", FIRST), ("now", SECOND)):
        write_rows(tmp_path / f"{name}.jsonl", [generation(*item) for item in texts.items()])
    program(
        monkeypatch, "build_grath_pairs", "--name", "grath.r2", "--round", 2, "--questions", kept,
        "--first", tmp_path / "first.jsonl", "--now", tmp_path / "now.jsonl", "--max-unparsed", 50,
        "--pairs", tmp_path / "pairs.jsonl", "--composition", tmp_path / "composition.json",
    )  # fmt: skip
    built = build(FIRST, SECOND)
    assert read_unique_rows(tmp_path / "pairs.jsonl", GrathPair) == built.rows
    assert Composition.read(tmp_path / "composition.json") == composition(built)


def score(number, mc1, mc2):
    return {
        "id": f"tqa/{number}", "task": "tqa", "domain": "ood", "category": "All",
        "cluster": str(number), "metrics": {"mc1": mc1, "mc2": mc2}, "logprobs": [-1.0],
    }  # fmt: skip


def tabulate(tmp_path, monkeypatch, rounds):
    program(
        monkeypatch, "tabulate_grath", "--rounds", listed(tmp_path, rounds),
        "--evaluation", "{}", "--table", tmp_path / "table.csv",
    )  # fmt: skip
    rows = csv_rows(tmp_path / "table.csv")
    return {(row["round"], row["task"], row["metric"]): row for row in rows}


def test_the_table_of_a_run(tmp_path, monkeypatch):
    built = build(FIRST, FIRST, 1)
    write_rows(tmp_path / "pairs.jsonl", built.rows)
    (tmp_path / "composition.json").write_text(composition(built).model_dump_json())
    scores = {
        "base": [score(n, n < 1, 0.25) for n in range(4)],
        "r1": [score(n, n < 3, 0.5) for n in range(4)],
    }
    for name, lines in scores.items():
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, lines)))
    base = {"model": "m", "seed": 0, "round": 0, "checkpoint": "base", "parent": "",
            "scores": [str(tmp_path / "base.jsonl")], "pairs": None, "composition": None}  # fmt: skip
    first = {"model": "m", "seed": 1, "round": 1, "checkpoint": "grath.r1", "parent": "base",
             "scores": [str(tmp_path / "r1.jsonl")], "pairs": str(tmp_path / "pairs.jsonl"),
             "composition": str(tmp_path / "composition.json")}  # fmt: skip
    found = tabulate(tmp_path, monkeypatch, [base, first])
    values = {key: float(row["value"]) for key, row in found.items() if key[1] == "tqa"}
    assert values == {
        ("0", "tqa", "mc1"): 0.25,
        ("0", "tqa", "mc2"): 0.25,
        ("1", "tqa", "mc1"): 0.75,
        ("1", "tqa", "mc2"): 0.5,
        ("1", "tqa", "mc1_vs_base"): 0.5,
        ("1", "tqa", "mc2_vs_base"): 0.25,
    }
    row = found["1", "tqa", "mc2_vs_base"]
    assert (row["model"], row["seed"], row["checkpoint"], row["domain"], row["n"]) == (
        "m", "1", "grath.r1", "ood", "4",
    )  # fmt: skip
    assert (row["low"], row["high"]) == ("", "")  # too few questions
    pairs = found["1", "pairs", "pairs"]
    assert (pairs["value"], pairs["low"], pairs["n"], pairs["domain"]) == ("2", "", "4", "")
    assert len(found) == 6 + 16

    # Another parent: the base is there to compare with and is itself no round.
    parent = {**first, "round": 0, "checkpoint": "mix.x", "pairs": None, "composition": None}
    found = tabulate(tmp_path, monkeypatch, [{**base, "round": None}, parent])
    assert {key[0] for key in found} == {"0"}
    assert float(found["0", "tqa", "mc1_vs_base"]["value"]) == 0.5
    with pytest.raises(InputError, match="m has no row of its base"):
        tabulate(tmp_path, monkeypatch, [parent])


def test_pairs_are_what_the_trainer_reads(tmp_path):
    from plumbline.training.data import load_pairs
    from tiny import tiny_tokenizer

    built = build(FIRST, FIRST, 1)
    write_rows(tmp_path / "pairs.jsonl", built.rows)
    loaded, dropped = load_pairs(tmp_path / "pairs.jsonl", tiny_tokenizer(), 200)
    assert [pair.id for pair in loaded] == ["a", "b"]
    assert not any(dropped.values())
