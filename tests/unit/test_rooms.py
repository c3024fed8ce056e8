"""The library's packages: imports go down the layers of docs/rules.md; no two classes share a name."""

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "workflow/plumbline"


def layers() -> dict[str, int]:
    """The layer of each package, by the page's table."""
    page = (ROOT / "docs/rules.md").read_text(encoding="utf-8")
    rows = re.findall(r"(?m)^\| (\d) \|[^|]*\| (.+) \|$", page)
    return {name: int(layer) for layer, names in rows for name in re.findall(r"`(\w+)`", names)}


def imported_packages(node: ast.AST) -> Iterator[str]:
    """Imports under `if TYPE_CHECKING:` do not count."""
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name):
        if node.test.id == "TYPE_CHECKING":
            return
    elif isinstance(node, ast.ImportFrom) and node.module == "plumbline":
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom | ast.Import):
        names = [node.module] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        yield from (name.split(".")[1] for name in names if name and name.startswith("plumbline."))
    for child in ast.iter_child_nodes(node):
        yield from imported_packages(child)


def upward(library: Path, layer: dict[str, int]) -> list[str]:
    """Imports from a higher layer."""
    found = []
    for path in sorted(library.rglob("*.py")):
        package = path.relative_to(library).with_suffix("").parts[0]
        for other in imported_packages(ast.parse(path.read_text(encoding="utf-8"))):
            if package != "__init__" and layer[other] > layer[package]:
                found.append(f"{path.relative_to(library)} imports {other}")
    return found


def test_every_package_has_its_layer():
    packages = {path.stem for path in LIBRARY.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert set(layers()) == packages - {"__init__", "__pycache__"}


def test_imports_go_down():
    assert upward(LIBRARY, layers()) == []


@pytest.mark.parametrize(
    "statement",
    [
        "from plumbline import report",
        "import plumbline.report.page",
        "from plumbline.report import x",
    ],
)
def test_an_import_that_goes_up_is_found(tmp_path, statement):
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts/text.py").write_text(f"def f():\n    {statement}\n")
    assert upward(tmp_path, layers()) == ["texts/text.py imports report"]


def test_no_two_public_classes_have_one_name():
    places = defaultdict(list)
    for path in sorted((ROOT / "workflow").rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(str(path.relative_to(ROOT)))
    counts = Counter({name: len(files) for name, files in places.items()})
    assert {name: places[name] for name, count in counts.items() if count > 1} == {}
