"""What FLAME's programs read: files by name, and the inputs of both training stages."""

import json

import pytest
from flame_data import response
from flame_stages import ASKED, DECISIONS, verified
from plumbline.claims.records import Splitting
from plumbline.judging.records import Calibration
from plumbline.responses.scores import Helpfulness
from plumbline.storage.files import write_rows


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
def second_stage(files):
    """Two instructions with two responses each, rated by a usable judge; a asks for facts."""
    rows = [
        response("a", 0, "First."), response("a", 1, "Second."),
        response("b", 0, "Third."), response("b", 1, "Fourth."),
    ]  # fmt: skip
    files("responses.jsonl", rows)
    points = {"a#0": 3.5, "a#1": 4, "b#0": 1, "b#1": 2}
    files("helpful.jsonl", [Helpfulness(id=name, score=one) for name, one in points.items()])
    judge = Calibration(judge="base", use="helpfulness", usable=True)
    files("calibration.json", judge.model_dump())
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
