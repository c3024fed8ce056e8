"""The code that methods share knows none of them by name: its modules, its rules and its programs."""

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from plumbline.jobs import installed
from plumbline.methods.registry import METHODS

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "workflow/plumbline"
NAMES = sorted(path.parent.name for path in (LIBRARY / "methods").glob("*/face.py"))
LABELS = ["SliCK", *(method.label for method in METHODS if method.label.isupper())]
# The first stage of every run, whose section is always there: what the base knows. Its settings and
# files are used outside its folder; its code is not.
PROBING = "slick"
NAMED = re.compile(rf"(?<![A-Za-z])({'|'.join([*NAMES, *LABELS])})(?![A-Za-z])")


def explaining(tree: ast.AST) -> set[int]:
    """Ids of the strings in docstrings and descriptions, which may give examples and cite papers."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            found.add(id(node.value))
        elif isinstance(node, ast.keyword) and node.arg == "description":
            found |= {id(child) for child in ast.walk(node.value)}
    return found


def named(source: str) -> Iterator[str]:
    """Where code names a method: in a string, an attribute, a variable or an import."""
    tree = ast.parse(source)
    skipped = explaining(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            # What is shown to a reader may cite a paper by its method.
            said = NAMED.findall(node.value) if id(node) not in skipped else []
            if "et al." not in node.value:
                yield from (f"line {node.lineno}: {name}" for name in said if name != PROBING)
        elif isinstance(node, ast.Attribute | ast.Name):
            name = node.attr if isinstance(node, ast.Attribute) else node.id
            if name in NAMES and name != PROBING:
                yield f"line {node.lineno}: {name}"
        elif isinstance(node, ast.Import | ast.ImportFrom):
            modules = [getattr(node, "module", None) or "", *(a.name for a in node.names)]
            yield from (
                f"line {node.lineno}: import of {name}"
                for name in NAMES
                if any(f"plumbline.methods.{name}" in module for module in modules)
            )


def shared_modules() -> list[Path]:
    """Every module outside the methods' folders, except the list of methods and the study.

    The study is about these methods, by name; no experiment uses it.
    """
    modules = [path for path in LIBRARY.rglob("*.py") if LIBRARY / "study" not in path.parents]
    own = {LIBRARY / "methods" / name for name in NAMES}
    assert len(own) == len(METHODS) and {"SliCK", "GRATH", "FLAME", "APEFT"} <= {*LABELS}
    registry = LIBRARY / "methods/registry.py"
    return sorted(path for path in modules if path != registry and not own & {*path.parents})


def test_no_shared_module_names_a_method():
    found = {
        str(path.relative_to(LIBRARY)): places
        for path in shared_modules()
        if (places := list(named(path.read_text(encoding="utf-8"))))
    }
    assert found == {}


@pytest.mark.parametrize(
    "line",
    [
        "checkpoints = ['base', 'flame*']",
        "PURPOSE = 'flame_response'",
        "f'{name}/grath/questions.jsonl'",
        "return config.apeft",
        "def f(consistency): return consistency",
        "from plumbline.methods.slick.probing import requests",
        "text = 'the own answers of FLAME'",
    ],
)
def test_a_line_that_names_one_is_found(line):
    assert list(named(line if not line.startswith("return") else f"def f(): {line}"))


def test_a_paper_may_be_cited_and_an_example_given():
    assert not list(named('"""Such as `grath.r1`."""\nX = "Yuan et al. 2024 (APEFT)"'))


@pytest.mark.parametrize(
    "path", sorted((ROOT / "workflow/scripts").glob("*.py")), ids=lambda path: path.stem
)
def test_a_program_imports_a_method_only_if_it_is_the_methods(path):
    """The program is then in the list in the method's folder."""
    imported = re.findall(r"plumbline\.methods\.(\w+)\.", path.read_text(encoding="utf-8"))
    owners = {
        name
        for name in NAMES
        for programs in import_module(f"plumbline.methods.{name}.programs").PROGRAMS.values()
        if path.stem in programs.split()
    }
    assert {name for name in imported if name in NAMES} <= owners and len(owners) <= 1
    assert not owners or path.stem in installed.ENVIRONMENTS


def test_no_shared_rule_names_a_method():
    """A method's rules are in the file with its name."""
    found = {}
    for path in sorted((ROOT / "workflow/rules").glob("*.smk")):
        said = {name for name in NAMED.findall(path.read_text(encoding="utf-8")) if name in NAMES}
        if path.stem not in NAMES and (others := said - {PROBING}):
            found[path.name] = others
    assert found == {}
