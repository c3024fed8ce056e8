import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from plumbline.generation.engine import render
from plumbline.models.checkpoints import load_tokenizer
from plumbline.records import Example, Fit, Message, Probe, Sampling
from plumbline.responses.prompting import closed_book_prompt, response_side
from plumbline.storage.files import write_rows
from plumbline.texts.matching import can_still_match, exact_match
from plumbline.training import monitor
from plumbline.training.data import Texts, load_examples
from plumbline.training.monitor import FitLog, measure

# Letters and marks at which case, composition, articles and line ends go wrong, beside any text.
tricky = st.text(
    st.sampled_from("aAtThHeEnN oΣσςİıßéÉ\u0301\u0323\u0338°€>=.,'-½ﬁ\n\r\x85\u2028\t")
) | st.text(st.sampled_from("aA1234,.'+-#$%()/^²⁻½ \u200b\u200d\xad\nハ\u3099ーเกี่еЕ\u0308\u0301มֹـ"))
texts = st.one_of(tricky, st.text())
gaps = st.sampled_from(["", " ", ".", " the ", ", a ", "-", "\n", "\u0301"])


@given(
    answer=texts, before=gaps, after=st.one_of(gaps, texts), mode=st.sampled_from(["squad", "raw"])
)
@settings(max_examples=400)
@example("ΟΔΟΣΑ", "", "", "squad")  # the sigma before the last letter looks final while decoding
@example("a\u0302\u0323", "", "", "squad")  # marks change places when composed
@example("5°C", "", "\x85Paris", "squad")
@example("5°the C", "", "", "squad")
@example("New theory", " the ", "", "squad")
def test_no_answer_is_given_up_that_would_have_been_right(answer, before, after, mode):
    for output in (before + answer + after, before + answer.upper() + after):
        if exact_match(output, [answer], mode):
            for end in range(len(output) + 1):
                assert can_still_match(output[:end], [answer], mode), output[:end]


@pytest.mark.parametrize(
    ("beginning", "answers", "expected"),
    [
        ("Par", ["Paris"], True),
        (" the Par", ["Paris"], True),
        ("Pax", ["Paris"], False),
        ("Paris", ["Rome", "Paris"], True),
        ("Paris is", ["Paris"], False),
        ("Paris\n", ["Paris"], True),
        ("Rome\nParis", ["Paris"], False),
        ("t", ["Paris"], True),
        ("tw", ["Paris"], False),
        ("New y", ["New Zealand"], False),
        ("\ufffd", ["Ö"], True),
        ("", ["Paris"], True),
    ],
)
def test_wrong_answers_are_given_up_at_the_first_wrong_word(beginning, answers, expected):
    assert can_still_match(beginning, answers) is expected


def speak(table, given_up):
    """A stand-in for greedy_answers that says what a table holds, character by character."""

    def greedy_answers(model, tokenizer, prompts, *, go_on, **_):
        answers = []
        for i, prompt in enumerate(prompts):
            text = table[bytes(prompt).decode()]
            for end in range(1, len(text) + 1):
                if not go_on(i, text[:end]):
                    given_up[i] = text = text[:end]
                    break
            answers.append(text)
        return answers

    return greedy_answers


class Bytes:
    """A tokenizer whose tokens are bytes, and whose template lets the model think."""

    model_max_length = 10**30

    def __call__(self, text):
        return {"input_ids": list(text.encode())}

    def apply_chat_template(self, messages, **_):
        return self(f"{messages[0]['content']}<think>\n")

    def decode(self, ids):
        return bytes(ids).decode()


bytes_tokenizer = Bytes()


def test_measure_counts_by_part_domain_and_category(monkeypatch):
    def probe(name, answer, part="train", domain="id", category="Unknown"):
        return Probe(id=name, prompt=name, answers=[answer, "x"], part=part, domain=domain,
                     category=category)  # fmt: skip

    probes = [
        probe("1", "Paris"),
        probe("2", "Rome"),
        probe("3", "Oslo", category="MaybeKnown"),
        probe("4", "Bonn", part="test"),
        probe("5", "Bern", part="test", domain="ood"),
    ]
    table = {"1": "the paris.", "2": "Rimini", "3": "Oslo", "4": "x\ny", "5": "Bern, or so"}
    given_up = {}
    monkeypatch.setattr(monitor, "greedy_answers", speak(table, given_up))
    monkeypatch.setattr(monitor, "_draft", lambda *_: [])
    sampling = Sampling(max_tokens=9, stop=("\n",))

    def ask(match):
        return measure(
            None, bytes_tokenizer, probes, 3, end_token_ids=[], sampling=sampling, match=match
        )

    rows = ask("squad")
    assert [
        (row.part, row.domain, row.category, row.correct, row.n, row.epoch) for row in rows
    ] == [
        ("test", "id", "Unknown", 1, 1, 3),
        ("test", "ood", "Unknown", 0, 1, 3),
        ("train", "id", "MaybeKnown", 1, 1, 3),
        ("train", "id", "Unknown", 1, 2, 3),
    ]
    assert [row.right for row in rows] == [["4"], [], ["3"], ["1"]]
    assert given_up == {1: "Ri", 3: "x\n", 4: "Bern, o"}
    assert sum(row.correct for row in ask("raw")) == 2


def fit(epoch, part, correct, category="Unknown", n=10):
    right = [f"{part}/{number}" for number in range(correct)]
    return Fit(epoch=epoch, part=part, domain="id", category=category, right=right, n=n)


def test_thoughts_are_waited_for_and_are_no_answer(monkeypatch):
    """Also where the prompt opens them; a wrong answer after them is given up as any other."""
    probes = [
        Probe(id=name, answers=["Paris"], part="train", domain="id", category="Unknown",
              **{"prompt": name} if name < "c" else
              {"messages": [Message(role="user", content=name)]})
        for name in "abcdef"
    ]  # fmt: skip
    table = {
        "a": "<think>Rome?</think>Paris\nand more",
        "b": "<think>\n\n</think>\n\nRome",
        "c<think>\n": "Rome?\nNo.\n</think>\n\nParis",
        "d<think>\n": "Paris",  # it never ends
        "e<think>\n": "</think>\n\nRome",
        "f<think>\n": "</think>\n<think>Rome</think>\nParis.",
    }
    given_up = {}
    monkeypatch.setattr(monitor, "greedy_answers", speak(table, given_up))
    monkeypatch.setattr(monitor, "_draft", lambda *_: [])
    (row,) = measure(
        None, bytes_tokenizer, probes, 1, end_token_ids=[], match="squad",
        sampling=Sampling(max_tokens=9, stop=("\n",)),
    )  # fmt: skip
    assert (row.correct, row.n) == (3, 6)
    assert given_up == {
        0: "<think>Rome?</think>Paris\na",
        1: "<think>\n\n</think>\n\nR",
        4: "</think>\n\nR",
    }


@pytest.mark.parametrize("form", ["plain", "chat"])
def test_a_draft_is_the_answer_as_training_writes_it(tiny_base, tmp_path, form):
    tokenizer = load_tokenizer(tiny_base)
    asked = closed_book_prompt("Which city is it?", form)
    row = Example(id="1", prompt=asked, completion=response_side("Paris or Rome", form))
    write_rows(tmp_path / "examples.jsonl", [row])
    ([trained], _) = load_examples(tmp_path / "examples.jsonl", tokenizer, 256)
    probe = Probe(
        id="1", answers=["Paris or Rome", "Oslo"], part="train", domain="id", category="Unknown",
        **({"prompt": asked} if form == "plain" else {"messages": asked}),
    )  # fmt: skip
    prompt = render(tokenizer, probe)
    draft = monitor._draft(Texts(tokenizer), probe, prompt)
    assert len(draft) > 1 and [*prompt, *draft] == trained["input_ids"][:-1]


def test_the_best_epoch_is_the_first_with_the_highest_dev_accuracy(tmp_path):
    log = FitLog(tmp_path / "fit.jsonl")
    assert log.best_epoch() is None
    log.add([fit(0, "dev", 9), fit(0, "train", 0)])
    assert log.best_epoch() is None  # before training nothing can be stopped
    for epoch, (dev_unknown, dev_known, train) in enumerate(
        [(1, 2, 9), (0, 5, 1), (4, 1, 0), (2, 2, 10)], start=1
    ):
        log.add(
            [
                fit(epoch, "dev", dev_unknown),
                fit(epoch, "dev", dev_known, "MaybeKnown"),
                fit(epoch, "train", train),
            ]
        )
    assert log.best_epoch() == 2  # 5 of 20, as in epoch 3


def test_the_log_survives_and_forgets_what_is_trained_again(tmp_path):
    log = FitLog(tmp_path / "fit.jsonl")
    for epoch in range(3):
        log.add([fit(epoch, "dev", epoch)])
    again = FitLog(tmp_path / "fit.jsonl")
    assert again.rows == log.rows
    again.keep_until(1)
    again.add([fit(2, "dev", 7)])
    assert [(row.epoch, row.correct) for row in FitLog(tmp_path / "fit.jsonl").rows] == [
        (0, 0),
        (1, 1),
        (2, 7),
    ]
