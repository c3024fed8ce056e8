"""Row files that programs read, and ways to damage any of them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from plumbline.records import Question, Request
from plumbline.storage.files import write_json, write_rows

CAPITAL = {"relation": "capital", "domain": "id"}
QUESTIONS = [
    {
        **CAPITAL,
        "id": f"capital/{split}/{n}",
        "subject": f"{split} land {n}",
        "question": f"What is the capital of {split} land {n}?",
        "answers": [f"{split} town {n}"],
        "split": split,
    }
    for split in ("train", "dev", "test")
    for n in range(3)
]
CLAIMS = [
    {"id": f"a#{n}/0", "response": f"a#{n}", "topic": "Oslo", "sentence": 0, "text": "It is so."}
    for n in range(4)
]
SAMPLING = {"n": 1, "temperature": 0, "max_tokens": 8}


def facts(folder: Path) -> Path:
    """A sound file of questions, for programs that read one beside the damaged file."""
    path = folder / "facts.jsonl"
    write_rows(path, map(Question.model_validate, QUESTIONS))
    return path


def marker(folder: Path, path: Path) -> Path:
    """What a fetched source leaves."""
    write_json(folder / "source.json", {"source": f"file:{path}", "path": str(path), "files": {}})
    return folder / "source.json"


@dataclass(frozen=True)
class Format:
    """A kind of row file: sound rows, a text field of them, and who reads them.

    arguments: of the program, from the folder, the damaged file and the folder for outputs. twice:
    what is said of an id that occurs twice; empty: of a file without rows, None where it may be.
    """

    name: str
    program: str
    rows: list[dict]
    field: str
    arguments: Callable[[Path, Path, Path], list]
    twice: str | None = r"same id|id of two|occurs more than once"
    empty: str | None = r"no (rows|instruction is left).*"


def _questions(folder, path, out):
    return ["--source", "rows", "--path", path, "--questions", out / "q", "--counts", out / "c"]


def _choices(folder, path, out):
    source = json.dumps({"format": "rows", "source": f"file:{path}"})
    return [
        *("--choices", source, "--source-marker", marker(folder, path), "--name", "mine"),
        *("--out", out / "choices.jsonl", "--dropped", out / "dropped.json"),
    ]


def _instructions(folder, path, out):
    source = json.dumps([{"format": "rows", "source": f"file:{path}"}])
    return [
        *("--sources", source, "--markers", marker(folder, path), "--facts", facts(folder)),
        *("--entities-split", "train", "--entities-domains", "id", "--name", "mine"),
        *("--out", out / "instructions.jsonl", "--dropped", out / "dropped.json"),
    ]


def _passages(folder, path, out):
    claims = folder / "claims.jsonl"
    claims.write_text(json.dumps(CLAIMS[0]) + "\n")
    verifier = {
        **{"kind": "endpoint", "url": "http://127.0.0.1:9/v1", "model": "none"},
        "passages": {"format": "rows", "source": f"file:{path}"},
    }
    return [
        *("--verifier", json.dumps(verifier), "--passages", path, "--store", out / "store"),
        *("--claims", claims, "--verdicts", out / "verdicts.jsonl"),
    ]


def _claims(folder, path, out):
    return [
        *("--verifier", '{"kind": "table"}', "--claims", path, "--facts", facts(folder)),
        *("--store", out / "store", "--verdicts", out / "verdicts.jsonl"),
    ]


def _requests(folder, path, out):
    write_rows(folder / "none", [])
    return [
        *("--questions", facts(folder), "--requests", path, "--generations", folder / "none"),
        *("--match", "squad", "--annotations", out / "annotations.jsonl"),
    ]


def _generations(folder, path, out):
    asked = [
        Request(
            id=f"capital/train/{n}/slick_greedy#0",
            prompt="Q",
            sampling=SAMPLING,
            purpose="slick_greedy",
            question=f"capital/train/{n}",
            exemplar_set=0,
        )
        for n in range(3)
    ]
    write_rows(folder / "requests.jsonl", asked)
    return [
        *("--questions", facts(folder), "--requests", folder / "requests.jsonl"),
        *("--generations", path, "--match", "squad", "--annotations", out / "annotations.jsonl"),
    ]


def _responses(folder, path, out):
    return ["--responses", path, "--claims", out / "claims", "--splittings", out / "splittings"]


def _annotations(folder, path, out):
    mixes = json.dumps({"unknown_percent": [50]})
    demands = json.dumps({"most_unknown": 50, "least_unknown": 50})
    return [
        *("--name", "unknown-50", "--seed", "1", "--mixes", mixes, "--demands", demands),
        *("--questions", facts(folder)),
        *("--annotations", path, "--examples", out / "examples", "--probes", out / "probes"),
        *("--composition", out / "composition"),
    ]


FORMATS = [
    Format("questions", "build_questions", QUESTIONS, "subject", _questions),
    Format(
        "choices",
        "build_choices",
        [
            {"id": f"q{n}", "question": f"Which {n}?", "choices": ["a", "b"], "labels": [1, 0]}
            for n in range(4)
        ],
        "question",
        _choices,
    ),
    Format(
        "instructions",
        "build_instructions",
        [{"id": f"i{n}", "instruction": f"Write {n}.", "response": "So."} for n in range(4)],
        "instruction",
        _instructions,
    ),
    Format(
        "passages",
        "verify_claims",
        [{"id": f"p{n}", "title": f"Page {n}", "text": "It is so."} for n in range(4)],
        "text",
        _passages,
    ),
    Format(
        "claims",
        "verify_claims",
        CLAIMS,
        "text",
        _claims,
        twice=None,
        empty=None,
    ),
    Format(
        "requests",
        "annotate",
        [
            {
                **{"id": f"r{n}", "prompt": "Q", "sampling": SAMPLING, "purpose": "slick_greedy"},
                **{"question": "capital/train/0", "exemplar_set": 0},
            }
            for n in range(4)
        ],
        "purpose",
        _requests,
        twice=None,
        empty=None,
    ),
    Format(
        "generations",
        "annotate",
        [
            {
                **{"request": f"capital/train/{n}/slick_greedy#0", "purpose": "slick_greedy"},
                **{"index": 0, "text": "A town", "token_ids": [1, 2], "finish": "stop"},
            }
            for n in range(3)
        ],
        "finish",
        _generations,
        twice=None,
        empty=r"capital/train/0.*(answered|answers)",
    ),
    Format(
        "annotations",
        "build_mix",
        [
            {
                **CAPITAL,
                **{"id": f"capital/train/{n}", "split": "train", "category": "Unknown"},
                **{"p_greedy": 0, "p_sampled": 0, "greedy_correct": 0, "greedy_total": 1},
                **{"sampled_correct": 0, "sampled_total": 1, "exemplar_sets": [0]},
            }
            for n in range(3)
        ],
        "relation",
        _annotations,
    ),
    Format(
        "responses",
        "split_claims",
        [
            {"id": f"a#{n}", "prompt": "Tell.", "topic": "Oslo", "text": "It is a town."}
            for n in range(4)
        ],
        "text",
        _responses,
        empty=None,
    ),
]


@dataclass(frozen=True)
class Damage:
    """What is done to the rows of a file (dicts and a text field's name become its bytes), and
    what the message must say. None in place of bytes: there is no such file.
    """

    name: str
    make: Callable[[list[dict], str], bytes | None]
    says: str


def _text(rows: list) -> bytes:
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    return ("\n".join(lines) + "\n").encode()


def _second(change: Callable[[dict, str], object]) -> Callable[[list[dict], str], bytes]:
    """Change the second row alone, so that the number of the line can be checked."""
    return lambda rows, field: _text([rows[0], change(dict(rows[1]), field), *rows[2:]])


def _without(row: dict, field: str) -> dict:
    return {key: value for key, value in row.items() if key != field}


def _another(row: dict, field: str) -> dict:
    """With other words under the same id."""
    return row | {name: "Z" for name in (field, "question") if name in row}


OBJECT = "Expected one JSON object with the fields"
DAMAGES = [
    Damage(
        "missing", lambda rows, field: None, r"{file}.*(cannot be read|is gone).*(correct|[Ff]etch)"
    ),
    Damage("of-zeros", lambda rows, field: b"\0" * 4096, r"{file}, line 1: .*" + OBJECT),
    Damage(
        "utf-16", lambda rows, field: _text(rows).decode().encode("utf-16"), r"{file}.*not UTF-8"
    ),
    Damage(
        "latin-1",
        lambda rows, field: _text([*rows, {"note": "Malmo"}]).replace(b"mo", b"m\xf6"),
        r"{file}.*not UTF-8.*[Ss]ave",
    ),
    Damage("gzip", lambda rows, field: gzip.compress(_text(rows)), r"{file}.*not UTF-8"),
    Damage(
        "cut-off",
        lambda rows, field: _text(rows)[:-9],
        r"{file}, line \d+: the line: Invalid JSON: EOF.*" + OBJECT,
    ),
    Damage("csv", lambda rows, field: b"id,text\n1,a\n", r"{file}, line 1: .*" + OBJECT),
    Damage("html", lambda rows, field: b"<!DOCTYPE html>\n<html>", r"{file}, line 1: .*" + OBJECT),
    Damage(
        "one-list", lambda rows, field: json.dumps(rows).encode(), r"{file}, line 1: .*" + OBJECT
    ),
    Damage(
        "pretty-printed",
        lambda rows, field: json.dumps(rows[0], indent=1).encode(),
        r"{file}, line 1: .*" + OBJECT,
    ),
    Damage(
        "two-on-a-line",
        _second(lambda row, field: json.dumps(row) * 2),
        r"{file}, line 2: .*trailing characters.*" + OBJECT,
    ),
    Damage("a-number", _second(lambda row, field: "7"), r"{file}, line 2: .*" + OBJECT),
    Damage(
        "nul-byte",
        _second(lambda row, field: "\0" + json.dumps(row)),
        r"{file}, line 2: .*" + OBJECT,
    ),
    Damage(
        "control-character",
        _second(lambda row, field: json.dumps(row | {"note": "a"}).replace('"a"', '"\x07"')),
        r"{file}, line 2: .*control character.*" + OBJECT,
    ),
    Damage(
        "deeply-nested",
        _second(lambda row, field: "[" * 100_000),
        r"{file}, line 2: .*recursion.*" + OBJECT,
    ),
    Damage(
        "half-a-surrogate",
        _second(lambda row, field: json.dumps(row | {field: "\ud800"})),
        r"{file}, line 2: .*hex escape.*" + OBJECT,
    ),
    Damage(
        "field-missing", _second(_without), r"{file}, line 2: {field}: Field required.*" + OBJECT
    ),
    Damage(
        "field-null",
        _second(lambda row, field: row | {field: None}),
        r"{file}, line 2: {field}: Input should be .*" + OBJECT,
    ),
    Damage(
        "field-a-list",
        _second(lambda row, field: row | {field: [1]}),
        r"{file}, line 2: {field}: Input should be .*" + OBJECT,
    ),
    Damage(
        "field-a-number",
        _second(lambda row, field: row | {field: 1e400}),
        r"{file}, line 2: {field}: Input should be .*" + OBJECT,
    ),
    Damage(
        "same-id-twice",
        lambda rows, field: _text([*rows, _another(rows[1], field)]),
        "twice",
    ),
    Damage("empty", lambda rows, field: b"", "empty"),
    Damage("only-blank-lines", lambda rows, field: b"\r\n \n\n", "empty"),
    Damage("only-a-bom", lambda rows, field: b"\xef\xbb\xbf", "empty"),
]
