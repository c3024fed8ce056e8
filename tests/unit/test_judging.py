"""Judges: what they are asked, how sure they are, and whether they can be trusted."""

import json

import numpy as np
import pytest
from flame_data import instruction, response
from plumbline.data.instructions import load_instructions
from plumbline.judging.calibration import (
    USABLE,
    Calibration,
    calibrate,
    known_pairs,
)
from plumbline.judging.judges import Duel, PromptedJudge, ReferenceJudge, Single
from plumbline.judging.prompts import comparison, rating
from plumbline.judging.wins import preferences
from plumbline.methods.flame.rewards import helpfulness
from plumbline.records import Item
from plumbline.storage.files import InputError, read_json, read_unique_rows
from programs import csv_rows, listed, program

PAIRS = known_pairs(load_instructions("embedded")[0])
WORSE = {pair.worse for pair in PAIRS}
BETTER = {pair.better for pair in PAIRS}


class Planted:
    """Is right with a given probability, whatever the order and the kind of pair."""

    def __init__(self, right, seed):
        self.right, self.draw = right, np.random.default_rng(seed)

    def prefer(self, duels):
        won = self.draw.random(len(duels)) < self.right
        return [(0.6, 0.55) if one else (0.45, 0.4) for one in won]

    def rate(self, responses):
        """Better ones have 3; a worse one less where the judge is right."""
        draw = self.draw.random(len(responses)) < self.right
        return [
            3.0 if one.text in BETTER and n < len(PAIRS) // 3 else 2.0 if right else 4.0
            for n, (one, right) in enumerate(zip(responses, draw, strict=True))
        ]


@pytest.mark.parametrize("use", ["win_rate", "helpfulness"])
def test_a_judge_at_chance_and_one_that_is_mostly_right_are_told_apart(use):
    accepted = {
        right: [calibrate(Planted(right, seed), "j", use, PAIRS).usable for seed in range(200)]
        for right in (0.5, 0.9)
    }
    assert np.mean(accepted[0.5]) <= 0.05 and np.mean(accepted[0.9]) >= 0.95


def test_a_calibration_says_how_often_by_kind():
    class Longest:
        def prefer(self, duels):
            return [
                (0.5, 0.5) if len(one.first.split()) == len(one.second.split())
                else (0.9, 0.7) if len(one.first.split()) > len(one.second.split()) else (0.1, 0.3)
                for one in duels
            ]  # fmt: skip

    found = calibrate(Longest(), "longest", "win_rate", PAIRS)
    by_kind = {one.kind: one for one in found.kinds}
    assert (by_kind["truncated"].right, by_kind["words shuffled"].right) == (1, 0.5)
    assert by_kind["All"].n == 60 and not found.usable
    total = sum(one.right * one.n for kind, one in by_kind.items() if kind != "All")
    assert by_kind["All"].right == pytest.approx(total / 60) and by_kind["All"].right < USABLE
    assert by_kind["All"].low < by_kind["All"].right < by_kind["All"].high
    assert "longest is right about" in found.told and "75 % are needed" in found.told


def test_known_pairs_are_built_as_told():
    answered = {one.instruction: one.responses[0] for one in load_instructions("embedded")[0]}
    assert len(PAIRS) == 60 and known_pairs(load_instructions("embedded")[0]) == PAIRS
    for pair in PAIRS:
        assert pair.better == answered[pair.instruction] != pair.worse
        words, worse = pair.better.split(), pair.worse.split()
        match pair.kind:
            case "answer to another question":
                assert pair.worse in answered.values()
            case "truncated":
                assert worse == words[: len(worse)] and 3 * len(worse) >= len(words)
                assert len(worse) <= len(words) / 3 + 1
            case "words shuffled":
                assert sorted(worse) == sorted(words)
    with pytest.raises(InputError, match="fewer than two"):
        known_pairs([instruction("a", "", "one answer"), instruction("b")])


@pytest.mark.parametrize("form", ["plain", "chat"])
def test_the_orders_are_swapped_and_nothing_else(form):
    asked = []

    def ask(questions):
        asked.extend(questions)
        return [[0.8, 0.2], [0.3, 0.7]] * (len(questions) // 2)

    duel = Duel("d", "Say {a}.", "the first {0}", "the second")
    (forth,) = PromptedJudge(ask, form).prefer([duel])
    (back,) = PromptedJudge(ask, form).prefer([Duel("d", "Say {a}.", duel.second, duel.first)])
    assert forth == (0.8, 0.7)
    texts = [one.prompt or one.messages[-1].content for one in asked]
    assert texts[:2] == texts[3:1:-1]  # whoever is called first, the same two are asked
    one, other = texts[:2]
    assert one.replace("the first {0}", "X").replace("the second", "the first {0}").replace(
        "X", "the second"
    ) == other  # fmt: skip
    assert {question.options for question in asked} == {("A", "B")}
    # Answers that depend on the texts alone, swapped: the preference is the other one's.
    by_text = PromptedJudge(
        lambda qs: [
            [0.9, 0.1] if str(q).index("the first") < str(q).index("the second") else [0.2, 0.8]
            for q in qs
        ],
        form,
    )
    (forth,) = by_text.prefer([duel])
    (back,) = by_text.prefer([Duel("d", "Say {a}.", duel.second, duel.first)])
    assert sum(forth) + sum(back) == pytest.approx(2) and sum(forth) > 1


def test_points_are_expected_ones():
    judge = PromptedJudge(lambda questions: [[0.1, 0.2, 0.3, 0.4, 0]] * len(questions), "plain")
    assert judge.rate([Single("a", "Sing.", "La.")]) == [pytest.approx(3.0)]


def test_nearness_to_a_persons_response():
    duels = [
        Duel("a", "q", "The cat sat on the mat.", "Dogs bark.", "A cat sat on a mat."),
        Duel("b", "q", "Dogs bark.", "The cat sat on the mat.", "A cat sat on a mat."),
        Duel("c", "q", "Same.", "Same.", "Other."),
        Duel("d", "q", "One.", "Two."),
    ]
    assert ReferenceJudge().prefer(duels) == [(1, 1), (0, 0), (0.5, 0.5), None]
    equal, far, none = ReferenceJudge().rate(
        [Single("a", "q", "A cat.", "A cat."), Single("b", "q", "zzz", "A cat."),
         Single("c", "q", "A cat.")]
    )  # fmt: skip
    assert (equal, far, none) == (5, 0, None)


@pytest.fixture(scope="module")
def asked_model(tmp_path_factory):
    """A tiny random model that can read long prompts."""
    from plumbline.models.importing import import_model
    from tiny import tiny_model

    folder = tmp_path_factory.mktemp("asked")
    words = [" A", " B", " Yes", " No", "Yes", "No", *(f" {n}" for n in range(1, 6))]
    original = tiny_model(folder / "original", words, context=4096)
    import_model(original, folder / "base", "base", dtype="float32", source="file:tiny")
    return folder / "base"


@pytest.mark.parametrize("form", ["plain", "chat"])
def test_probabilities_are_those_of_plain_transformers(asked_model, form):
    import torch
    from plumbline.models import checkpoints
    from plumbline.scoring.closed import option_probabilities
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = checkpoints.load_model(asked_model, "float32").eval()
    tokenizer = checkpoints.load_tokenizer(asked_model)
    questions = [
        comparison("a", "Name a fruit.", "A lemon.", "No.", form),
        comparison("b", "Name a fruit, please.", "No.", "A lemon is one.", form),
        rating("c", "Name a fruit.", "A lemon.", form),
    ]
    found = option_probabilities(model, tokenizer, questions, 4096)
    tokenizer = AutoTokenizer.from_pretrained(asked_model)
    model = AutoModelForCausalLM.from_pretrained(asked_model, dtype=torch.float32)
    for question, shares in zip(questions, found, strict=True):
        if form == "plain":
            ids, space = tokenizer(question.prompt)["input_ids"], " "
        else:
            turns = [message.model_dump() for message in question.messages]
            text = tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
            ids, space = tokenizer(text, add_special_tokens=False)["input_ids"], ""
        weights = []
        for option in question.options:
            tokens = tokenizer(space + option, add_special_tokens=False)["input_ids"]
            with torch.no_grad():
                logp = model(torch.tensor([ids + tokens])).logits[0].log_softmax(-1)
            weights.append(
                sum(float(logp[len(ids) - 1 + n, token]) for n, token in enumerate(tokens))
            )
        weights = np.exp(weights)
        assert shares == pytest.approx(weights / weights.sum(), rel=1e-4)


def test_what_does_not_fit_is_named(tiny_base):
    from plumbline.models import checkpoints
    from plumbline.scoring.closed import option_probabilities

    model, tokenizer = (
        checkpoints.load_model(tiny_base, "float32"), checkpoints.load_tokenizer(tiny_base)
    )  # fmt: skip
    question = comparison("long", "Sing.", "la " * 400, "lo", "plain")
    with pytest.raises(InputError, match=r"long: .* tokens"):
        option_probabilities(model, tokenizer, [question], 4096)


def test_equal_responses_are_not_judged():
    asked = [instruction("a"), instruction("b")]

    def load():
        raise AssertionError("asked all the same")

    same = {"a": "x", "b": "y"}
    assert preferences(asked, same, {"a": " x\n", "b": "y"}, load) == dict.fromkeys(
        "ab", (0.5,) * 2
    )
    judge = PromptedJudge(lambda questions: [[0.9, 0.1], [0.4, 0.6]], "plain")
    found = preferences(asked, same, {"a": "x", "b": "z"}, lambda: judge)
    assert found == {"a": (0.5, 0.5), "b": (0.9, 0.6)}


def test_a_response_without_a_judge_has_no_score():
    asked = [instruction("a", "", "an answer"), instruction("b")]
    rows = helpfulness(asked, [response("a"), response("b")], ReferenceJudge())
    assert [(row.id, row.score) for row in rows] == [("a#0", 5), ("b#0", None)]
    assert [row.score for row in helpfulness(asked, [response("a")], None)] == [None]


def judging(checkpoint=None, name="base"):
    options = {"judge": name, "form": "plain", "scoring": '{"dtype": "float32"}'}
    options |= {"device": "cpu", "threads": 1}
    return options | ({"checkpoint": checkpoint} if checkpoint else {})


def test_a_judge_that_failed_judges_nothing(asked_model, tmp_path, monkeypatch, caplog):
    """A random model is no judge: its win rate is not made, and its points are not given."""
    from plumbline.data.instruction_sets import Prompt
    from plumbline.responses.scores import Helpfulness
    from plumbline.storage.files import write_rows

    caplog.set_level("INFO")
    calibration = tmp_path / "c.json"
    program(
        monkeypatch, "calibrate_judge", use="win_rate", calibration=calibration,
        **judging(asked_model),
    )  # fmt: skip
    made = Calibration.model_validate(read_json(calibration))
    assert not made.usable and made.kinds[0].n == 60
    assert "it is not used" in caplog.text
    prompts, mine, theirs = (tmp_path / name for name in ("p.jsonl", "m.jsonl", "t.jsonl"))
    write_rows(prompts, [Prompt(id=n, instruction=f"Say {n}.", source="t") for n in "ab"])
    write_rows(mine, [response("a", text="x"), response("b", text="y")])
    write_rows(theirs, [response("a", text="x"), response("b", text="z")])
    compare = {"instructions": prompts, "first": mine, "second": theirs}
    compare |= {"items": tmp_path / "items.jsonl", "calibration": calibration}
    rate = {"instructions": prompts, "responses": mine, "helpful": tmp_path / "h.jsonl"}
    rate |= {"calibration": calibration}
    program(monkeypatch, "judge_comparisons", **compare, **judging(tmp_path / "none"))
    program(monkeypatch, "judge_helpfulness", **rate, **judging(tmp_path / "none"))
    assert [one.metrics for one in read_unique_rows(tmp_path / "items.jsonl", Item)] == [{}, {}]
    assert [one.score for one in read_unique_rows(tmp_path / "h.jsonl", Helpfulness)] == [None] * 2

    calibration.write_text(json.dumps(made.model_dump() | {"usable": True}))
    program(monkeypatch, "judge_comparisons", **compare, **judging(asked_model))
    program(monkeypatch, "judge_helpfulness", **rate, **judging(asked_model))
    same, judged = read_unique_rows(tmp_path / "items.jsonl", Item)
    assert same.metrics == {"win": 0.5, "consistent": 1} and 0 < judged.metrics["win"] < 1
    assert all(1 < one.score < 5 for one in read_unique_rows(tmp_path / "h.jsonl", Helpfulness))

    rows = [{"model": "m", "seed": 0, "path": calibration}]
    table = tmp_path / "table.csv"
    program(
        monkeypatch, "tabulate_judges", calibrations=listed(tmp_path, rows), table=table
    )  # fmt: skip
    every, *kinds = csv_rows(table)
    assert (every["kind"], every["n"], every["usable"]) == ("All", "60", "yes")
    assert sum(int(row["n"]) for row in kinds) == 60


def test_a_measure_is_not_put_to_the_test(tmp_path, monkeypatch):
    path = tmp_path / "c.json"
    options = judging(name="reference")
    program(monkeypatch, "calibrate_judge", use="helpfulness", calibration=path, **options)
    found = Calibration.model_validate(read_json(path))
    assert (found.usable, found.kinds) == (True, [])


def test_a_judge_can_be_taught(tmp_path):
    """Taught that answers of the letter asked for are better, it finds them on unseen pairs."""
    import torch
    from plumbline.scoring.closed import option_probabilities
    from tiny import tiny_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = tiny_model(tmp_path / "judge", [" A", " B", "good", "bad"], context=2048)
    model = AutoModelForCausalLM.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    names = {one: tokenizer(f" {one}")["input_ids"][0] for one in "AB"}

    def asked(n):
        first, second = ("good", "bad") if n % 2 else ("bad", "good")
        return comparison(str(n), f"Task {n}.", first, second, "plain"), "A" if n % 2 else "B"

    prompts = [asked(n) for n in range(8)]
    rows = [tokenizer(question.prompt, return_tensors="pt") for question, _ in prompts]
    torch.manual_seed(0)
    for step in range(60):
        place = step % 4
        optimizer.zero_grad()
        for at in (2 * place, 2 * place + 1):
            logits = model(**rows[at]).logits[0, -1]
            target = torch.tensor(names[prompts[at][1]])
            torch.nn.functional.cross_entropy(logits[None], target[None]).backward()
        optimizer.step()
    model.eval()
    judge = PromptedJudge(lambda qs: option_probabilities(model, tokenizer, qs, 4096), "plain")
    found = judge.prefer([Duel("n", "Task 9.", "good", "bad"), Duel("m", "Task 9.", "bad", "good")])
    assert sum(found[0]) / 2 > 0.5 > sum(found[1]) / 2
    assert sum(found[0]) + sum(found[1]) == pytest.approx(2)
