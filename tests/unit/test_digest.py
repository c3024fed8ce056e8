from __future__ import annotations

import json
from pathlib import Path

import pytest
from plumbline.jobs.digest import Library
from plumbline.storage.files import InputError

PROGRAM = '''"""What it does."""
import json
from plumbline.methods.slick import annotation
from plumbline import data


def main(rate=1e-5):
    """Run."""
    from plumbline.training import train  # heavy, so imported late
    return train(annotation.label(rate), sep=", ")
'''

LIBRARY = {
    "__init__.py": '"""The library."""\n',
    "data.py": "LIMIT = 10\n",
    "unused.py": "X = 1\n",
    "training/__init__.py": "from plumbline.training.trainer import train\n",
    "training/trainer.py": (
        "from ..deep import constant\n\n\ndef train(x, sep, rate=3):\n    return x * constant.C\n"
    ),
    "deep/__init__.py": "",
    "deep/constant.py": "C = 1.5\n",
    "methods/__init__.py": "",
    "methods/slick/__init__.py": "",
    "methods/slick/annotation.py": (
        "import plumbline.shared\n\n\ndef label(x):\n    return plumbline.shared.f(x)\n"
    ),
    "shared.py": "def f(x):\n    return x > 0\n",
}


@pytest.fixture
def tree(tmp_path) -> Path:
    for name, text in LIBRARY.items():
        path = tmp_path / "plumbline" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "program.py").write_text(PROGRAM)
    return tmp_path


def digest(tree: Path, also=()) -> str:
    return Library(tree / "plumbline").digest(tree / "program.py", also)


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) >= 1, f"{old!r} is not in {path}"
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("program.py", '"""What it does."""', '"""Other words."""\n# a comment'),
        ("program.py", '    """Run."""\n', ""),
        ("program.py", "# heavy, so imported late", ""),
        ("program.py", 'sep=", ")', "sep=', ',\n    )"),
        ("plumbline/shared.py", "x > 0", "(x  >  0)  # positive"),
        ("plumbline/data.py", "LIMIT = 10\n", 'LIMIT = 1_0\n"""The most there may be."""\n'),
    ],
)
def test_comments_docstrings_and_layout_mean_nothing(tree, file, old, new):
    before = digest(tree)
    replace(tree / file, old, new)
    assert digest(tree) == before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("program.py", "1e-5", "2e-5"),
        ("program.py", '", "', '","'),
        ("plumbline/__init__.py", "", "import os\n"),
        ("plumbline/data.py", "10", "11"),
        ("plumbline/shared.py", ">", ">="),
        ("plumbline/training/trainer.py", "rate=3", "rate=4"),
        ("plumbline/training/trainer.py", "rate=3", "rate=None"),
        ("plumbline/training/trainer.py", "rate=3", "rate"),
        ("plumbline/deep/constant.py", "1.5", "1.25"),
        ("plumbline/deep/__init__.py", "", "import os\n"),
    ],
)
def test_a_change_of_meaning_anywhere_in_the_imported_code_counts(tree, file, old, new):
    before = digest(tree)
    path = tree / file
    replace(path, old, new) if old else path.write_text(path.read_text() + new)
    assert digest(tree) != before


def test_imports_for_types_alone_do_not_count(tree):
    path = tree / "plumbline/shared.py"
    path.write_text("from typing import TYPE_CHECKING\n" + path.read_text())
    before = digest(tree)
    path.write_text(path.read_text() + "if TYPE_CHECKING:\n    from plumbline.unused import X\n")
    assert digest(tree) == before
    path.write_text(path.read_text() + "else:\n    from plumbline.unused import X\n")
    assert digest(tree) != before


def test_modules_that_are_not_imported_do_not_count(tree):
    before = digest(tree)
    replace(tree / "plumbline/unused.py", "1", "2")
    (tree / "plumbline/new.py").write_text("Y = 1\n")
    assert digest(tree) == before


def test_modules_that_are_loaded_by_name_count_where_they_are_named(tree):
    def named() -> str:
        return Library(tree / "plumbline").digest(tree / "program.py", (), ["plumbline.unused"])

    before, alone = named(), digest(tree)
    replace(tree / "plumbline/unused.py", "1", "2")
    assert named() != before != alone
    assert digest(tree) == alone


def test_resources_count_by_their_bytes(tree):
    template = tree / "template.html"
    template.write_text("<p>")
    with_template = digest(tree, [template])
    template.write_text("<p >")
    assert digest(tree, [template]) not in (with_template, digest(tree))


@pytest.mark.parametrize(
    ("statement", "missing"),
    [
        ("import plumbline.nowhere", "plumbline.nowhere"),
        ("from plumbline.nowhere import x", "plumbline.nowhere"),
        ("from plumbline import nowhere", "plumbline.nowhere"),
        ("from .methods import nowhere", "plumbline.methods.nowhere"),
    ],
)
def test_an_imported_module_that_does_not_exist_is_named(tree, statement, missing):
    path = tree / "plumbline/data.py"
    path.write_text(f"def f():\n    {statement}\n")
    with pytest.raises(InputError) as error:
        digest(tree)
    assert missing in str(error.value)
    assert str(path) in str(error.value)


def test_a_name_bound_in_a_package_is_not_taken_for_a_module(tree):
    (tree / "plumbline/__init__.py").write_text('VERSION = "1"\n')
    (tree / "plumbline/data.py").write_text("from plumbline import VERSION\n")
    assert digest(tree)


def test_unreadable_code_is_named(tree):
    (tree / "plumbline/data.py").write_text("def f(:\n")
    with pytest.raises(InputError, match=r"data\.py: is not valid Python"):
        digest(tree)


def test_digest_does_not_depend_on_the_python_version_or_the_place(tree):
    """The number was computed alike by Python 3.11, 3.12 and 3.13."""
    (tree / "plumbline/data.py").write_text(
        "async def g(*a: int, b=None, **k) -> None:\n"
        "    global x\n"
        "    match a:\n        case {'k': [1, *_], **rest} if rest: pass\n"
        "    return f'{b!r:>{k}} {a=}' 'x' + u'y', {**k}, (lambda: ...), [i async for i in b]\n"
    )
    assert digest(tree) == "ea9843e74c10c446"


def remembering(tree: Path) -> tuple[str, Path]:
    library = Library(tree / "plumbline", tree / "meanings.json")
    made = library.digest(tree / "program.py")
    library.remember()
    return made, tree / "meanings.json"


def test_what_is_remembered_changes_no_digest(tree):
    first, kept = remembering(tree)
    assert remembering(tree)[0] == first == digest(tree)
    replace(tree / "plumbline/shared.py", ">", ">=")
    assert remembering(tree)[0] == digest(tree) != first
    kept.write_text("{")
    assert remembering(tree)[0] == digest(tree)
    kept.unlink()
    kept.mkdir()  # cannot be written
    assert remembering(tree)[0] == digest(tree)


def test_a_file_that_is_remembered_is_not_parsed_again(tree, monkeypatch):
    first, _ = remembering(tree)

    def parsed(*_):
        raise AssertionError("parsed again")

    monkeypatch.setattr("plumbline.jobs.digest.ast.parse", parsed)
    assert remembering(tree)[0] == first


def test_what_another_version_remembered_is_not_taken(tree):
    first, kept = remembering(tree)
    told = json.loads(kept.read_text())
    told["files"] = {key: ["0" * 64, *rest] for key, (_, *rest) in told["files"].items()}
    kept.write_text(json.dumps(told))
    assert Library(tree / "plumbline", kept).digest(tree / "program.py") != first
    kept.write_text(json.dumps(told | {"by": "another"}))
    assert Library(tree / "plumbline", kept).digest(tree / "program.py") == first
