"""The page on how the fifth method was added says what stands in the code."""

import re
import textwrap
from dataclasses import MISSING, fields
from pathlib import Path

import pytest
from plumbline.methods.consistency.face import CONSISTENCY
from plumbline.methods.method import Method

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/adding-a-method.md").read_text(encoding="utf-8")
# A file's name in a paragraph, and the code that the paragraph announces.
QUOTED = re.findall(r"[Ii]n\s+`([\w/.-]+)`[^`\n]*:\n\n((?:    .*\n|\n(?=    ))+)", PAGE)


def lines(text: str) -> list[str]:
    return [line.strip() for line in textwrap.dedent(text).strip().splitlines()]


@pytest.mark.parametrize(("file", "code"), QUOTED, ids=[file for file, _ in QUOTED])
def test_what_is_quoted_stands_in_the_file(file, code):
    """As whole lines, one after the other."""
    there, quoted = lines((ROOT / file).read_text(encoding="utf-8")), lines(code)
    starts = range(len(there) - len(quoted) + 1)
    assert any(there[start : start + len(quoted)] == quoted for start in starts), code


def test_every_piece_of_code_names_its_file():
    blocks = re.findall(r"\n\n((?:    .*\n)+)", PAGE)
    commands = [block for block in blocks if block.strip().startswith("PYTHONPATH=")]
    assert len(QUOTED) == len(blocks) - len(commands) >= 10


def test_every_file_that_is_named_is_there():
    named = set(re.findall(r"`((?:[\w-]+/)*[\w-]+\.(?:py|smk|yaml|md))`", PAGE))
    folders = [ROOT, ROOT / "workflow/plumbline", ROOT / "workflow/plumbline/methods/consistency"]
    missing = {name for name in named if not any((folder / name).is_file() for folder in folders)}
    assert named and missing == set()
    # And every file of the method's own is named.
    own = {path.name for path in folders[-1].glob("*.py")}
    told = {name.rpartition("/")[2] for name in named}
    assert own - told == {"__init__.py"}


def test_every_field_of_the_face_is_explained():
    rows = re.findall(r"(?m)^\| (`.*?`) \|", PAGE.split("## 8.")[1].split("## 9.")[0])
    told = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert told == [field.name for field in fields(Method)]
    needed = [
        field.name
        for field in fields(Method)
        if field.default is MISSING and field.default_factory is MISSING
    ]
    assert needed == told[:4] and "The first four are needed" in PAGE
    assert f"| `label` | {CONSISTENCY.label} |" in PAGE
    left_out = [
        field.name
        for field in fields(Method)
        if field.default is not MISSING and getattr(CONSISTENCY, field.name) is field.default
    ]
    assert left_out and all(f"| `{name}` | left out" in PAGE for name in left_out)
