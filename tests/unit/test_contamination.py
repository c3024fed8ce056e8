"""Contamination of training files: what counts, what is refused, what the table and report say."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plumbline.config.contamination import ContaminationSettings
from plumbline.evaluation.overlaps import (
    Contamination,
    EvaluatedText,
    Overlap,
    Trained,
    measure,
    refuse,
    training_questions,
)
from plumbline.report.contamination_sections import contamination
from plumbline.report.tables import Run
from plumbline.storage.files import InputError, read_json
from programs import csv_rows, listed, program
from pydantic import ValidationError
from report_data import metric, tables_of, texts

RUN = [f"w{n}" for n in range(13)]


def item(name, question, *choices):
    return EvaluatedText(id=name, question=question, choices=list(choices))


def example(prompt, completion="Yes.", name="x"):
    return Trained(id=name, prompt=prompt, completion=completion)


def overlap(rows, *items, ngram=13):
    [found] = measure("t", rows, {"s": items}, ngram).overlaps
    return found.equal, found.shared, found.contaminated


@pytest.mark.parametrize(
    "prompt",
    [
        "Can pigs fly?",
        "  can PIGS   fly",
        "Can the pigs fly?!",
        "Answer the following question.\nCan pigs fly?\n",
        "### Instruction:\nCan pigs fly?\n\n### Response:\n",
        [{"role": "user", "content": "Can pigs fly?"}],
        "[INST] Can pigs fly? [/INST]",
        "<|user|>\n Can pigs fly? </s>\n<|assistant|>",
        "Is water wet?\nYes.\n\nCan pigs fly?\n",
    ],
)
def test_a_planted_question_is_found_in_every_form_of_a_prompt(prompt):
    assert overlap([example(prompt)], item("a", "Can pigs fly?")) == (1, 0, 1)
    assert overlap([example(prompt)], item("a", "Can dogs fly?")) == (0, 0, 0)


def test_an_answer_is_no_question():
    assert overlap([example("Say it.", "Can pigs fly?")], item("a", "Can pigs fly?")) == (0, 0, 0)


def test_what_all_prompts_have_in_common_is_their_form():
    prompts = [
        f"### Instruction:\n{text}\n\n### Response:\n" for text in ("Sing.", "A\nb.", "A\nc.")
    ]
    assert training_questions(prompts) == {("sing",), ("b",), ("c",)}
    assert training_questions(["Do this.\nWhat is it?"]) == {
        ("do", "this"),
        ("what", "is", "it"),
        ("do", "this", "what", "is", "it"),
    }
    assert training_questions([]) == training_questions(["?!"]) == set()


def text(words, before="so", after="it is"):
    return " ".join([before, *words, after])


def test_a_planted_run_of_thirteen_words_is_found_and_twelve_are_not():
    question = item("a", text(RUN, "why", "then"))
    for side in ({"completion": text(RUN)}, {"chosen": text(RUN)}, {"rejected": text(RUN)}):
        assert overlap([Trained(id="x", prompt="Go.", **side)], question) == (0, 1, 1)
    assert overlap([example(text(RUN))], question) == (0, 1, 1)
    near = [*RUN[:12], "other"]
    assert overlap([example(text(near))], question) == (0, 0, 0)
    assert overlap([example(text(near))], question, ngram=12) == (0, 1, 1)
    # Case, punctuation and articles do not count, choices do.
    assert overlap([example(text(RUN).upper().replace("W7", "the W7,"))], question) == (0, 1, 1)
    assert overlap([example(text(RUN))], item("a", "Which?", "No.", text(RUN, "why", "then"))) == (
        0,
        1,
        1,
    )
    assert overlap([example(text(near))], item("a", "Which?", text(RUN, "why", "then"))) == (
        0,
        0,
        0,
    )
    # Prompt and answer are one text.
    split = example(" ".join(RUN[:6]), " ".join(RUN[6:]))
    assert overlap([split], item("a", " ".join(RUN))) == (0, 1, 1)


def test_a_short_question_is_looked_for_as_a_whole_from_five_words_on():
    row = example("Do tell.", "He asked: where do wild geese go in winter? I said south.")
    assert overlap([row], item("a", "Where do wild geese go?")) == (0, 1, 1)
    assert overlap([row], item("a", "Where do the geese?")) == (0, 0, 0)
    assert overlap([row], item("a", "do wild geese go")) == (0, 0, 0)  # four words
    assert overlap([row], item("a", "Where do grey geese go?")) == (0, 0, 0)
    assert overlap([row], item("a", "Why?", "where do wild geese go")) == (0, 0, 0)  # a choice


ASKED = {
    "Chinese": "世界上最长的河流是哪一条河流而且它流经哪些国家？",
    "Japanese": "フランスの首都パリを流れる川の名前は何ですか？",
    "Thai": "แม่น้ำที่ยาวที่สุดในโลกไหลผ่านประเทศใดบ้าง",
    "Khmer": "តើទន្លេណាដែលវែងជាងគេនៅលើពិភពលោក",
    "Burmese": "ကမ္ဘာပေါ်တွင် အရှည်ဆုံးမြစ်က ဘာလဲ",
    "Korean": "세계에서 가장 긴 강은 어느 강이며 어느 나라를 지나가는가?",
    "Arabic": "ما هو أطول نهر في العالم وفي أي بلاد يجري؟",
    "Hindi": "दुनिया की सबसे लंबी नदी कौन सी है और कहाँ बहती है?",
    "Greek": "Ποιο είναι το μακρύτερο ποτάμι του κόσμου;",
    "Russian": "Какая река самая длинная в мире и где она течёт?",
}


@pytest.mark.parametrize("question", ASKED.values(), ids=ASKED)
def test_a_question_inside_a_prompt_is_found_in_every_script(question):
    within = f"请回答 {question.strip('？?؟;')} 谢谢"
    assert overlap([example(within)], item("a", question)) == (0, 1, 1)
    assert overlap([example(question)], item("a", question)) == (1, 1, 1)
    hidden = "\u200b".join(question)
    assert overlap([example(hidden)], item("a", question)) == (1, 1, 1)
    half = question[: len(question) // 2]
    assert overlap([example(half)], item("a", question)) == (0, 0, 0)


def test_two_characters_count_as_a_word_where_there_are_no_spaces():
    asked = "".join(map(chr, range(0x4E00, 0x4E00 + 40)))
    for length, ngram, found in ((26, 13, 1), (25, 13, 0), (24, 12, 1)):
        rows = [example(f"看{asked[:length]}的")]
        assert overlap(rows, item("a", asked), ngram=ngram)[1] == found
    # A short question has five words, or ten characters.
    assert overlap([example(f"看{asked[:10]}的")], item("a", asked[:10]))[1] == 1
    assert overlap([example(f"看{asked[:9]}的")], item("a", asked[:9]))[1] == 0
    # Of mixed text each counts in its way: 16 characters and five words.
    mixed = f"{asked[:8]} w1 w2 w3 w4 w5 {asked[8:16]}"
    assert overlap([example(f"So: {mixed}!")], item("a", f"{mixed} {asked[20:]}"))[1] == 1
    assert overlap([example(f"So: {mixed[1:]}!")], item("a", f"{mixed} {asked[20:]}"))[1] == 0


@pytest.mark.parametrize(
    ("trained", "asked"),
    [
        ("What is 7 + 3?", "What is 7 - 3?"),
        ("What is 7.3 rounded?", "What is 73 rounded?"),
        ("What is C++?", "What is C?"),
        ("What in all the world is 7 + 3 by now?", "What in all the world is 7 - 3 by now?"),
    ],
)
def test_signs_make_other_questions(trained, asked):
    assert overlap([example(trained)], item("a", asked)) == (0, 0, 0)
    assert overlap([example(trained)], item("a", trained))[0] == 1


words = st.lists(st.sampled_from("abcdef"), min_size=5, max_size=30)


@given(words, words, st.integers(5, 9))
def test_runs_are_those_of_a_plain_search(training, asked, ngram):
    training, asked = ([f"w{word}" for word in one] for one in (training, asked))
    runs = [asked] if len(asked) < ngram else [
        asked[at : at + ngram] for at in range(len(asked) - ngram + 1)
    ]  # fmt: skip
    expected = any(f" {' '.join(run)} " in f" go {' '.join(training)} " for run in runs)
    rows = [example("Go.", " ".join(training))]
    assert overlap(rows, item("a", " ".join(asked)), ngram=ngram)[1] == expected


def test_counts_by_set_and_examples():
    rows = [example("Can pigs fly?"), example("Where do wild geese go?", name="y")]
    sets = {
        "one": [item(name, "can pigs fly") for name in "dbca"] + [item("e", "Other?")],
        "two": [item("z", "Where do wild geese go?")],
        "empty": [],
    }
    found = measure("t", rows, sets, 13)
    assert (found.training, found.rows, found.ngram) == ("t", 2, 13)
    assert [one.model_dump() for one in found.overlaps] == [
        {
            "set": "one",
            "n": 5,
            "equal": 4,
            "shared": 0,
            "stated": 0,
            "contaminated": 4,
            "examples": [*"abc"],
        },
        {
            "set": "two",
            "n": 1,
            "equal": 1,
            "shared": 1,
            "stated": 0,
            "contaminated": 1,
            "examples": ["z"],
        },
        {
            "set": "empty",
            "n": 0,
            "equal": 0,
            "shared": 0,
            "stated": 0,
            "contaminated": 0,
            "examples": [],
        },
    ]
    assert [one.percent for one in found.overlaps] == [80, 100, 0]


def about(name, subject, *answers):
    return EvaluatedText(id=name, question="Which?", subject=subject, answers=answers)


@pytest.mark.parametrize(
    ("row", "stated"),
    [
        (example("Which country is Berlin in?", "Germany"), True),  # turned round
        (example("What is the capital of Germany?", "It is BERLIN."), True),
        (example("Go on.", "I like it. Germany's capital, Berlin, is large."), True),
        (example("Go on.", "I like Berlin. Germany is large."), False),  # two sentences
        (example("Germany's capital is Berlin. Is that so?", "Yes."), True),
        (example("Tell me of Berlin.", "It is a city. It lies in Germany."), True),
        (example("Tell me of Berlin.", "It lies in Germanyland."), False),
        (Trained(id="x", prompt="Berlin?", chosen="In Italy.", rejected="In Germany."), True),
    ],
)
def test_a_fact_that_is_stated_in_other_words_is_found(row, stated):
    asked = about("a", "Germany", "Berlin", "Berlin, Germany")
    (found,) = measure("t", [row], {"s": [asked]}, 13).overlaps
    assert (found.equal, found.shared, found.stated, found.contaminated) == (0, 0, stated, stated)


def test_of_a_choice_question_the_true_choices_are_its_answers():
    asked = EvaluatedText(
        id="a", question="Which?", subject="Germany", choices=["Rome", "Berlin"], labels=[0, 1]
    )
    rows = [example("Go.", "Rome is not in Germany.")]
    assert measure("t", rows, {"s": [asked]}, 13).overlaps[0].stated == 0
    rows = [example("Go.", "Berlin is in Germany.")]
    assert measure("t", rows, {"s": [asked]}, 13).overlaps[0].stated == 1
    nobody = asked.model_copy(update={"subject": None})
    assert measure("t", rows, {"s": [nobody]}, 13).overlaps[0].stated == 0


def found(contaminated=2, n=100):
    one = Overlap(
        set="trivia",
        n=n,
        equal=1,
        shared=contaminated,
        stated=0,
        contaminated=contaminated,
        examples=["q7"],
    )
    return Contamination(training="seed-1/grath.r1", rows=9, ngram=13, overlaps=[one])


def test_what_is_above_the_threshold_is_refused():
    with pytest.raises(InputError) as caught:
        refuse(found(), 1)
    assert str(caught.value) == (
        "seed-1/grath.r1: 2.0 % of the 100 items of the evaluation set trivia are in this "
        "training file (1 as an equal question, 2 by 13 words in a row or as a whole, 0 as a fact "
        "in other words), more than "
        "contamination.max_percent allows (1 %). Some of them: q7. Take them out of the evaluation "
        "set or of what is trained on, or raise contamination.max_percent (null: report only)."
    )
    refuse(found(), 2)  # as many as allowed
    refuse(found(), None)
    refuse(found(0), 0)
    with pytest.raises(InputError, match=r"0\.1 %"):
        refuse(found(1, 1000), 0)


def test_settings():
    assert ContaminationSettings().model_dump() == {"ngram": 13, "max_percent": 1}
    assert ContaminationSettings(max_percent=None).max_percent is None
    for wrong in ({"ngram": 4}, {"max_percent": 101}, {"n": 3}):
        with pytest.raises(ValidationError):
            ContaminationSettings(**wrong)


# Programs


def write(path, *rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


@pytest.fixture
def measured(tmp_path, monkeypatch):
    """What is found of a file whose question is also one of two test questions, and a choice's."""
    asked = {"relation": "r", "subject": "s", "answers": ["a"], "domain": "id"}
    sets = {
        "closed_book": write(
            tmp_path / "questions.jsonl",
            {"id": "t1", "question": "Can pigs fly?", "split": "test", **asked},
            {"id": "t2", "question": "Can cows fly?", "split": "test", **asked},
            {"id": "d1", "question": "Can dogs fly?", "split": "dev", **asked},
        ),
        "trivia": write(
            tmp_path / "trivia.jsonl",
            {"id": "c1", "question": "Which?", "choices": ["a", "b"], "labels": [1, 0]},
        ),
        "long_form": write(
            tmp_path / "long.jsonl", {"id": "l1", "instruction": "Tell me more.", "source": "s"}
        ),
    }
    pair = {"prompt": [{"role": "user", "content": "Can pigs fly?"}], "id": "p"}
    pair |= {side: [{"role": "assistant", "content": side}] for side in ("chosen", "rejected")}
    training = write(tmp_path / "pairs.jsonl", pair)
    out = tmp_path / "run/m/seed-1/grath.r1/contamination.json"
    program(
        monkeypatch, "measure_contamination", "--name", "seed-1/grath.r1", "--training", training,
        "--evaluation", *(f"{name}={path}" for name, path in sets.items()), "--ngram", 13,
        "--found", out,
    )  # fmt: skip
    return out


def test_the_program_measures_every_set(measured):
    found = read_json(measured)
    assert (found["training"], found["rows"], found["ngram"]) == ("seed-1/grath.r1", 1, 13)
    counts = {one["set"]: (one["n"], one["equal"], one["examples"]) for one in found["overlaps"]}
    assert counts == {"closed_book": (2, 1, ["t1"]), "trivia": (1, 0, []), "long_form": (1, 0, [])}


def test_the_program_refuses_before_training(measured, monkeypatch, tmp_path, caplog):
    caplog.set_level("INFO")
    sets = {"closed_book": tmp_path / "questions.jsonl", "later": tmp_path / "not-yet.jsonl"}
    evaluated = listed(tmp_path, {"m": sets, "n": {}})
    words = ["check_contamination", "--name", "grath.r1", "--training", tmp_path / "pairs.jsonl"]
    words += ["--model", "m", "--evaluated", evaluated, "--contamination"]
    with pytest.raises(InputError, match=r"^grath\.r1: 50\.0 % of the 2 items .* t1\. Take"):
        program(monkeypatch, *words, '{"max_percent": 10}')
    assert "grath.r1: not yet compared with later" in caplog.text
    program(monkeypatch, *words, '{"max_percent": null}')
    assert "grath.r1: holds at most 50.00 % of an evaluation set" in caplog.text


def test_the_table_of_a_run(measured, monkeypatch, tmp_path):
    words = ["tabulate_contamination", "--root", tmp_path / "run"]
    words += ["--found", listed(tmp_path, [measured])]
    words += ["--table", tmp_path / "table.csv", "--contamination"]
    with pytest.raises(InputError, match="50"):
        program(monkeypatch, *words, '{"max_percent": 1}')
    assert not (tmp_path / "table.csv").exists()
    program(monkeypatch, *words, '{"max_percent": 50}')
    rows = csv_rows(tmp_path / "table.csv")
    assert rows[0] == {
        "model": "m", "training": "seed-1/grath.r1", "rows": "1", "set": "closed_book", "n": "2",
        "equal": "1", "shared": "0", "stated": "0", "contaminated": "1", "percent": "50.0000",
        "examples": "t1",
    }  # fmt: skip
    assert [(row["set"], row["contaminated"]) for row in rows[1:]] == [
        ("trivia", "0"), ("long_form", "0"),
    ]  # fmt: skip


def test_a_set_without_a_name_is_told(monkeypatch, tmp_path):
    write(tmp_path / "pairs.jsonl")
    with pytest.raises(InputError, match=r"'set\.jsonl': expected NAME=FILE"):
        program(
            monkeypatch, "measure_contamination", "--name", "x", "--training",
            tmp_path / "pairs.jsonl", "--evaluation", "set.jsonl", "--ngram", 13, "--found", "x",
        )  # fmt: skip


# The report


def told(tmp_path, rows, settings):
    tables = tables_of(tmp_path, [metric()], contamination=rows)
    return contamination(Run(tables, {}, {"config": {"contamination": settings}}))


def row(training, **changes):
    about = {"model": "m", "training": training, "rows": 9, "set": "trivia", "n": 50, "equal": 0}
    return {
        **about,
        "shared": 0,
        "stated": 0,
        "contaminated": 0,
        "percent": 0,
        "examples": "",
        **changes,
    }


def test_the_report_says_where_most_was_found(tmp_path):
    some = row("b", shared=2, contaminated=2, percent=4, examples="q1; q2")
    prose, table = told(tmp_path, [row("a"), some], {"ngram": 13, "max_percent": 5})
    assert prose.lines == [
        "Of 2 training files compared with 1 evaluation set each, 1 contains items that are "
        "evaluated; most: b, 2 of 50 items of trivia (4.0 %).",
        "Training on a file that contains more than 5 % of a set is refused.",
    ]
    assert texts(table)[1] == ["m", "b", "trivia", "9", "50", "0", "2", "0", "2", "4.00", "q1; q2"]
    assert "13 words in a row" in table.caption


def test_the_report_of_clean_files(tmp_path):
    prose, _ = told(tmp_path, [row("a"), row("b")], {"ngram": 13, "max_percent": None})
    assert prose.lines == [
        "Of 2 training files compared with 1 evaluation set each, no evaluated item was found in "
        "any; a paraphrase would not be found.",
        "Nothing is refused; the figures are only reported.",
    ]


def test_without_a_table_there_is_no_section(tmp_path):
    assert contamination(Run(tables_of(tmp_path, [metric()]), {}, {})) == []
