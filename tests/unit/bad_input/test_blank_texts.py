"""A text in which nothing can be seen is refused where the user's file is read, with its line."""

import pytest
from bad_rows import FORMATS, QUESTIONS
from checked import check, run
from making import lines, of_choices, of_instructions, of_passages, of_questions, put

BLANKS = {"empty": "", "space": " \t", "no-break": "\xa0", "invisible": "\u200b\u2060\ufeff\u3164"}
OWN = {form.name: form for form in FORMATS}
FIELDS = [
    ("questions", "relation"),
    ("questions", "subject"),
    ("questions", "question"),
    ("questions", "answers"),
    ("choices", "question"),
    ("choices", "choices"),
    ("instructions", "instruction"),
    ("instructions", "response"),
    ("passages", "title"),
    ("passages", "text"),
]


@pytest.mark.parametrize("blank", BLANKS.values(), ids=BLANKS)
@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_of_ones_own_rows(name, field, blank, tmp_path, monkeypatch):
    form, path, out = OWN[name], tmp_path / "rows.jsonl", tmp_path / "out"
    out.mkdir()
    rows = [dict(row) for row in form.rows]
    old = rows[1][field]
    rows[1][field] = [*old[:-1], blank] if isinstance(old, list) else blank
    path.write_bytes(lines(*rows).encode())
    says = rf"rows\.jsonl, line 2: {field}\S*: (is blank.*Fill it|.*at least 1 character)"
    says = says.replace("response", "responses")
    check(run(form.program, form.arguments(tmp_path, path, out), monkeypatch), says, out)


SEEN = "\u2060 "
EXAMPLES = [
    ("labelled", {"question": "Q", "answer": SEEN, "label": 1}, "answer"),
    ("ai2", {"question": SEEN, "choices": [{"label": "A", "text": "x"}], "answerKey": "A"}, "question"),
    ("mmlu", {"question": SEEN, "choices": ["x", "y"], "answer": 0}, "question"),
    ("hellaswag", {"ctx": SEEN, "endings": ["x", "y"], "label": 0}, "ctx"),
    ("langtest", {"question": SEEN, "options": "A. x", "answer": "A. x"}, "question"),
]  # fmt: skip
PROMPTS = [
    ("rows", {"prompt": "Q", "completion": SEEN}, "responses"),
    ("self_instruct", {"id": "a", "instruction": SEEN, "instances": [{"output": "b"}]}, "instruction"),
    ("mt_bench", {"question_id": 1, "turns": [SEEN]}, r"turns\.0"),
    ("longfact", {"prompt": SEEN}, "prompt"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("program", "arguments", "says"),
    [
        *(("build_choices", of_choices(f, "a.jsonl", lines(row)), rf"line 1: {field}: is blank")
          for f, row, field in EXAMPLES),
        *(("build_instructions", of_instructions(f, "a.jsonl", lines(row)), rf"line 1: {field}.*blank")
          for f, row, field in PROMPTS),
        ("build_choices", of_choices("promptukit", "a.json", {"questions": [
            {"prompt": SEEN, "choices": ["x", "y"], "answer": 0, "category": "c"}]}),
         "question 1: prompt: is blank"),
        ("verify_claims", of_passages("summaries", lambda folder: put(
            folder, "p.json", {"Oslo": {"extract": SEEN}})), "page 'Oslo': expected"),
    ],
)  # fmt: skip
def test_of_published_formats(program, arguments, says, tmp_path, monkeypatch):
    out = tmp_path / "out"
    out.mkdir()
    check(run(program, arguments(tmp_path, out, None), monkeypatch), says, out)


def test_what_may_be_left_out_may_not_be_blank_but_absent(tmp_path, monkeypatch):
    rows = [{"instruction": "Write.", "response": None}, {"instruction": "Sing.", "input": " "}]
    arguments = of_instructions("rows", "a.jsonl", lines(*rows))(tmp_path, tmp_path, None)
    assert run("build_instructions", arguments, monkeypatch).code == 0
    path = put(tmp_path, "q.jsonl", lines(*(row | {"popularity": None} for row in QUESTIONS)))
    arguments = of_questions("rows", lambda folder: path)(tmp_path, tmp_path, None)
    assert run("build_questions", arguments, monkeypatch).code == 0
