"""Sets of closed-book questions that others made: from their files to the report."""

import csv
import json

import pyarrow
import pyarrow.parquet
import pytest
from plumbline.config.closed_book import ClosedBookSet
from plumbline.data.question_sets import load_closed_book
from plumbline.evaluation.exact_answers import Answer
from plumbline.methods.slick.config import Slick
from plumbline.records import Generation, Request, SetQuestion
from plumbline.report.closed_book_sections import as_lines, closed_book
from plumbline.report.tables import Run
from plumbline.storage.files import InputError, read_json, read_rows, write_json, write_rows
from programs import csv_rows, listed, program
from report_data import metric, tables_of, texts

POPQA = [
    *("id", "subj", "prop", "obj", "subj_id", "prop_id", "obj_id", "s_aliases", "o_aliases"),
    *("s_uri", "o_uri", "s_wiki_title", "o_wiki_title", "s_pop", "o_pop", "question"),
    "possible_answers",
]


def popqa(path, rows):
    """Its TSV as published: cells with quotes are quoted, answers are a JSON list."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, POPQA, delimiter="\t", restval="x")
        table.writeheader()
        table.writerows(rows)
    return path


def row(number, prop="occupation", answers=("politician", 'a "leader"'), **changes):
    return {
        "id": 4222362 + number, "subj": f"Person {number}", "prop": prop, "obj": answers[0],
        "s_pop": 142 + number, "question": f"What is Person {number}'s {prop}?",
        "possible_answers": json.dumps(answers), **changes,
    }  # fmt: skip


def jsonl(path, rows):
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    return path


def source(format, name="extra", **changes):
    return ClosedBookSet(name=name, format=format, source="file:x", **changes)


def load(path, format, shots=2, **changes):
    """What is asked and what is shown, by id without the set's name, and what was dropped."""
    rows, dropped = load_closed_book(source(format, **changes), path, shots)
    asked = {one.id.partition("/")[2]: one for one in rows if one.split == "test"}
    shown = {one.id.partition("/")[2]: one for one in rows if one.split == "dev"}
    return asked, shown, {(one["item"], one["reason"]): one["n"] for one in dropped}


def test_popqa_as_published(tmp_path):
    rows = [row(n) for n in range(4)] + [row(n, "capital", ["Rome"]) for n in range(10, 14)]
    path = popqa(tmp_path / "test.tsv", rows)
    asked, shown, dropped = load(path, "popqa", domain="id")
    assert len(asked) == len(shown) == 4 and asked.keys().isdisjoint(shown)
    assert dropped == {("questions", "shown_as_example"): 4}
    one = {**asked, **shown}["4222362"]
    assert (one.subject, one.relation, one.domain) == ("Person 0", "occupation", "id")
    assert one.question == "What is Person 0's occupation?" and one.popularity == 142
    # The object comes first, which the answers hold once more.
    assert one.answers == ["politician", 'a "leader"'] and one.commonest == "politician"
    table = pyarrow.Table.from_pylist(
        [{name: one.get(name, "x") for name in POPQA} for one in rows]
    )
    pyarrow.parquet.write_table(table, tmp_path / "test.parquet")
    assert load(tmp_path / "test.parquet", "popqa", domain="id") == (asked, shown, dropped)


def test_nq_open_as_published_and_as_on_the_hub(tmp_path):
    rows = [{"question": f"who wrote book {n}", "answer": [f"Author {n}", "A."]} for n in range(5)]
    path = jsonl(tmp_path / "NQ-open.dev.jsonl", rows)
    asked, shown, _ = load(path, "nq_open")
    assert (len(asked), len(shown)) == (3, 2)
    for one in asked.values():
        # Nothing is named, so the question is its own subject and the set its relation.
        assert one.subject == one.question and one.relation == "extra" and one.domain == "ood"
        assert one.answers[1] == "A."
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "v.parquet")
    assert load(tmp_path / "v.parquet", "nq_open")[0] == asked


def test_entityquestions_as_a_folder_or_a_file(tmp_path):
    (tmp_path / "test").mkdir()
    for relation, text in (
        ("P36", "What is the capital of X{}?"),
        ("P50", "Who is the author of X{}?"),
    ):
        rows = [{"question": text.format(n), "answers": ["a", "b"]} for n in range(4)]
        write_json(tmp_path / f"test/{relation}.test.json", rows)
    asked, _, _ = load(tmp_path, "entityquestions")
    assert sorted(one.relation for one in asked.values()) == ["P36"] * 2 + ["P50"] * 2
    alone, _, _ = load(tmp_path / "test/P36.test.json", "entityquestions")
    assert [one.subject[0] for one in alone.values()] == ["X", "X"]
    with pytest.raises(InputError, match=r"more is not a relation of EntityQuestions.*P36\.test"):
        write_json(tmp_path / "more.test.json", [])
        load(tmp_path / "more.test.json", "entityquestions")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"no file <relation>\.test\.json"):
        load(tmp_path / "empty", "entityquestions")


def test_what_cannot_be_used_is_counted_by_reason(tmp_path):
    good = [{"question": f"q {n}?", "answers": [f"a {n}"], "subject": f"s {n}"} for n in range(6)]
    rows = [
        *good,
        {**good[3], "subject": "another"},  # asks the same
        {"question": "q?", "answers": [" ", "a"], "subject": "own"},
        {"question": "none?", "answers": [""]},
        {"question": "alone?", "answers": ["a"], "relation": "small"},
    ]
    asked, shown, dropped = load(jsonl(tmp_path / "own.jsonl", rows), "rows", limit=2)
    assert (len(asked), len(shown)) == (2, 2)
    assert dropped == {
        ("answers", "empty_answer"): 2, ("questions", "no_answer"): 1,
        ("questions", "duplicate"): 1, ("questions", "too_few_of_the_relation"): 1,
        ("questions", "shown_as_example"): 2, ("questions", "over_limit"): 3,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "format", "message"),
    [
        ([row(0), row(1, possible_answers="[politician")], "popqa",
         r"test\.tsv, line 3: .*possible_answers.*no JSON list"),
        ([row(0), row(0)], "popqa", r"rows 1 and 2 have the same id '4222362'.*Remove or rename"),
        ([row(0, s_pop="many")], "popqa", r"line 2: .*s_pop"),
        ([{"question": "q?", "answers": ["a"]}], "nq_open", r"line 1: .*answer"),
        ([{"question": "q?", "answers": []}], "rows", r"line 1: .*answers"),
        ([{"question": "q?", "answers": ["a"], "context": "c"}], "rows", r"line 1: .*context"),
        ([{"question": "q?", "answers": ["a"]}], "rows", r"no question is left.*too_few.*slick\.shots"),
    ],
)  # fmt: skip
def test_bad_rows_are_told_with_their_line(tmp_path, rows, format, message):
    tsv = format == "popqa"
    path = tmp_path / ("test.tsv" if tsv else "rows.jsonl")
    with pytest.raises(InputError, match=message):
        load((popqa if tsv else jsonl)(path, rows), format)


def test_a_popqa_file_of_another_shape_is_told(tmp_path):
    path = tmp_path / "test.tsv"
    path.write_text("id\tquestion\n1\tq?\n")
    with pytest.raises(InputError, match="line 1: no column subj, prop, obj, s_pop, possible"):
        load(path, "popqa")
    popqa(path, [row(0)])
    path.write_text(path.read_text() + "4\tcut\n")
    with pytest.raises(InputError, match=r"line 3: more or fewer cells than the header's 17"):
        load(path, "popqa")


def test_which_questions_does_not_depend_on_their_order_and_a_limit_only_cuts(tmp_path):
    rows = [row(n, "ab"[n % 2]) for n in range(20)]
    asked, shown, _ = load(popqa(tmp_path / "a.tsv", rows), "popqa")
    path = popqa(tmp_path / "b.tsv", rows[::-1])
    fewer, same, _ = load(path, "popqa", limit=5)
    assert same == shown and len(fewer) == 5 and fewer.items() <= asked.items()
    assert load(path, "popqa", seed=2)[1] != shown


def test_no_question_is_asked_about_an_example(tmp_path):
    """One subject has most of the rows; where it is shown, none of them is asked."""
    rows = [
        {"id": f"{n}", "question": f"q {n}?", "answers": ["a"], "subject": "Bär" if n % 2 else f"s{n}"}
        for n in range(12)
    ]  # fmt: skip
    path, seen = jsonl(tmp_path / "own.jsonl", rows), set()
    for seed in range(8):
        asked, shown, dropped = load(path, "rows", seed=seed)
        subjects = {one.subject for one in shown.values()}
        assert len(subjects) == 2 and subjects.isdisjoint(one.subject for one in asked.values())
        seen.add(dropped.get(("questions", "subject_of_an_example"), 0))
    assert seen == {0, 5}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A set asked of the base and of a tuned checkpoint, from its file to judged answers.

    The base is right on the first question alone, the other checkpoint on all in the few-shot form.
    """
    path = popqa(tmp_path / "test.tsv", [row(n, answers=[f"job {n // 5}"]) for n in range(8)])
    marker = tmp_path / "source.json"
    write_json(marker, {"source": "file:test.tsv", "path": str(path)})
    questions, requests = tmp_path / "popqa.jsonl", tmp_path / "requests.jsonl"
    settings = source("popqa", "popqa", limit=4)
    program(
        monkeypatch, "build_closed_book", set=settings.model_dump_json(), source_marker=marker,
        shots=2, questions=questions, dropped=tmp_path / "dropped.json",
    )  # fmt: skip
    program(
        monkeypatch, "write_closed_book", all_questions=questions, questions=questions,
        labelling=[], slick=Slick(shots=2).model_dump_json(), name="popqa",
        forms=["few_shot+chat"], limit=0, exemplars=tmp_path / "exemplars.jsonl",
        requests=[requests],
    )  # fmt: skip
    accepted = {one.id: one.answers[0] for one in read_rows(questions, SetQuestion)}
    asked = list(read_rows(requests, Request))
    checkpoints = []
    for name, seed in (("base", 0), ("grath.r1", 1)):
        folder = tmp_path / name / "closed_book/popqa"
        folder.mkdir(parents=True)
        right = asked[:1] if name == "base" else asked[:4]
        write_rows(folder / "generations.jsonl", [
            Generation(request=one.id, purpose=one.purpose, index=0, token_ids=[], finish="stop",
                       text=accepted[one.question] if one in right else "no")
            for one in asked
        ])  # fmt: skip
        program(
            monkeypatch, "judge_closed_book", questions=questions, annotations=[],
            requests=requests, generations=folder / "generations.jsonl", match="squad",
            checkpoint=name, answers=folder / "answers.jsonl",
        )  # fmt: skip
        checkpoints.append(dict(model="m", seed=seed, checkpoint=name, folder=name,
                                parent="" if name == "base" else "base",
                                scored=["closed_book/popqa/answers.jsonl"]))  # fmt: skip
    return tmp_path, asked, listed(tmp_path, checkpoints).rename(tmp_path / "checkpoints.json")


def test_a_set_is_asked_in_every_form_after_its_own_examples(run):
    folder, asked, _ = run
    assert [one.purpose for one in asked] == ["popqa"] * 4 + ["popqa_chat"] * 4
    few_shot, chat = asked[0], asked[4]
    assert few_shot.prompt.count("Q: ") == 3 and few_shot.prompt.count("A: job ") == 2
    assert chat.messages[0].content in few_shot.prompt and chat.sampling.stop == ()
    assert read_json(folder / "dropped.json") == {
        "name": "popqa", "kept": 4,
        "dropped": [
            {"stage": "closed_book", "item": "questions", "reason": reason, "n": 2}
            for reason in ("over_limit", "shown_as_example")
        ],
    }  # fmt: skip


def test_its_answers_are_items_with_what_the_commonest_answer_would_score(run):
    folder, _, _ = run
    base = list(read_rows(folder / "base/closed_book/popqa/answers.jsonl", Answer))
    questions = {one.id: one for one in read_rows(folder / "popqa.jsonl", SetQuestion)}
    assert [one.metrics["em"] for one in base] == [1, 0, 0, 0, 0, 0, 0, 0]
    for one in base:
        # Five of eight rows have the first answer.
        right = questions[one.question].answers[0] == "job 0"
        assert one.metrics["majority_em"] == right
        assert one.category == "All" and one.cluster == questions[one.question].subject
    tuned = read_rows(folder / "grath.r1/closed_book/popqa/answers.jsonl", Answer)
    assert not any("majority_em" in one.metrics for one in tuned)


def test_its_tables_and_what_the_report_says_of_it(run, monkeypatch):
    folder, _, checkpoints = run
    about = dict(root=folder, checkpoints=checkpoints, evaluation="{}")
    program(
        monkeypatch, "tabulate_metrics", choices=listed(folder, []),
        metrics=folder / "metrics.csv", **about,
    )  # fmt: skip
    rows = csv_rows(folder / "metrics.csv")
    found = {(r["checkpoint"], r["task"], r["metric"]): (float(r["value"]), r["n"]) for r in rows}
    assert found["base", "popqa", "em"] == (0.25, "4")
    assert found["grath.r1", "popqa", "em"] == (1, "4")
    assert found["grath.r1", "popqa", "em_vs_base"] == (0.75, "4")
    assert found["grath.r1", "popqa_chat", "em_vs_base"] == (0, "4")
    assert ("base", "popqa", "majority_em") in found and {r["domain"] for r in rows} == {"ood"}
    held = dict(method="grath", name="held", first="grath.r1", second="base", task="popqa",
                domain="ood", metric="em", kind="equivalence")  # fmt: skip
    outputs = ("contrasts", "comparisons", "gains")
    program(
        monkeypatch, "tabulate_comparisons", stated=listed(folder, [held]), baseline="base",
        **{name: folder / f"{name}.csv" for name in outputs}, **about,
    )  # fmt: skip
    (contrast,) = csv_rows(folder / "contrasts.csv")
    assert (float(contrast["difference"]), contrast["n"]) == (0.75, "4")
    compared = {
        row["task"]: float(row["difference"]) for row in csv_rows(folder / "comparisons.csv")
    }
    assert compared == {"popqa": 0.75, "popqa_chat": 0}
    # Few-shot counts alone, as of the questions about the facts.
    (gain,) = csv_rows(folder / "gains.csv")
    assert (gain["tasks"], float(gain["value"])) == ("popqa", 0.75)

    shown = [
        metric(value=0.35, low=0.3, high=0.4),
        *({**row, "seed": row["seed"] or ""} for row in rows),
    ]
    tables = tables_of(folder, shown)
    _, facts, told, few_shot, chat = closed_book(Run(tables, {}, {}))
    assert texts(facts) == [["base", "35.0", "–"]]
    (line,) = told.lines
    assert line.startswith(
        "Out of domain (OOD), 4 questions, answered exactly right by the base: with few-shot "
        "examples 25.0 %"
    )
    assert "always giving a relation's commonest answer would score" in line.lower()
    assert few_shot.caption.startswith("popqa, asked with few-shot examples: exact match")
    assert texts(few_shot) == [["base", "25.0", "–"], ["GRATH", "100.0", "+75.0"]]
    assert (few_shot.folded, chat.folded) == (False, True)
    assert "m, popqa as a user's turn, EM" in as_lines(tables.metrics)


def test_training_files_are_compared_with_what_is_asked_of_it(run, monkeypatch):
    folder, asked, _ = run
    pairs = [{"id": "p", "prompt": asked[4].messages[0].content, "chosen": "a", "rejected": "b"}]
    program(
        monkeypatch, "measure_contamination", name="seed-1/grath.r1",
        training=jsonl(folder / "pairs.jsonl", pairs),
        evaluation=[f"popqa={folder / 'popqa.jsonl'}"], ngram=13, found=folder / "found.json",
    )  # fmt: skip
    (overlap,) = read_json(folder / "found.json")["overlaps"]
    # The two examples are not asked.
    assert (overlap["set"], overlap["n"], overlap["equal"]) == ("popqa", 4, 1)
