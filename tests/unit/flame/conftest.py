"""What FLAME's programs read: files by name, and the inputs of both training stages."""

import json

import pytest
from flame_data import response
from flame_stages import ASKED, DECISIONS, generated, verified
from plumbline.claims.records import Splitting
from plumbline.files import read_unique_rows, write_rows
from plumbline.records import Request
from programs import program


@pytest.fixture
def files(tmp_path):
    """Paths by name below a temporary folder, written with rows or with a JSON value."""

    class Files:
        def __call__(self, name, content=None):
            path = tmp_path / name
            if isinstance(content, dict):
                path.write_text(json.dumps(content), encoding="utf-8")
            elif content is not None:
                write_rows(path, content)
            return path

    return Files()


@pytest.fixture
def first_stage(files):
    files("instructions.jsonl", ASKED)
    files("decisions.jsonl", DECISIONS)
    return files


@pytest.fixture
def second_stage(files, monkeypatch):
    """Two instructions with two responses each; a asks for facts. One judgement cannot be read."""
    rows = [
        response("a", 0, "First."), response("a", 1, "Second."),
        response("b", 0, "Third."), response("b", 1, "Fourth."),
    ]  # fmt: skip
    files("responses.jsonl", rows)
    program(
        monkeypatch, "write_judgements", responses=files("responses.jsonl"), form="plain",
        samples=2, temperature=0.7, top_p=0.9, max_tokens=44, requests=files("judge.jsonl"),
    )  # fmt: skip
    requests = read_unique_rows(files("judge.jsonl"), Request)
    assert [(one.response, one.sampling.n) for one in requests] == [
        ("a#0", 2), ("a#1", 2), ("b#0", 2), ("b#1", 2),
    ]  # fmt: skip
    said = {
        "a#0": ["Score: 4", "Score: 3"], "a#1": ["Score: 4", "Fine."], "b#0": ["Score: 1"] * 2,
        "b#1": ["Score: 2"] * 2,
    }  # fmt: skip
    texts = {one.id: said[one.response] for one in requests}
    files("judged.jsonl", generated(requests, texts))
    files("decisions.jsonl", DECISIONS)
    files(
        "splittings.jsonl",
        [
            Splitting(response="a#0", state="ok", claims=2),
            Splitting(response="a#1", state="ok", claims=4),
        ],
    )
    files("verdicts.jsonl", [*verified("a#0", "s", "s"), *verified("a#1", "s", "r", "u", "u")])
    return files
