"""A digest of a program's meaning: its code and that of every library module it imports.

A rule with this digest as a parameter reruns when the meaning of its code changes, in whatever
module, and does not rerun for a comment, a reformat or a fresh clone.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from plumbline.storage.files import InputError, write_json

LENGTH = 16  # hex digits: 64 bits, ample for telling versions of one program apart


@dataclass(frozen=True)
class _Import:
    """One imported name. `module` must exist; `module.name` is followed if it is a module."""

    module: str
    name: str | None


@dataclass(frozen=True)
class _Parsed:
    digest: str
    imports: tuple[_Import, ...]
    names: frozenset[str]  # what a package's __init__.py binds; empty for other files

    def as_json(self) -> list:
        imports = [[target.module, target.name] for target in self.imports]
        return [self.digest, imports, sorted(self.names)]

    @classmethod
    def from_json(cls, told: list) -> _Parsed:
        digest, imports, names = told
        return cls(digest, tuple(_Import(*target) for target in imports), frozenset(names))


class Library:
    """A package's folder, read once, and the digests of the programs beside it.

    remembered: a JSON file with what files mean, by their bytes, since parsing the whole package
    takes half a second and every job on a cluster reads the rules again. `remember` writes it. Its
    entries stay true for the same bytes, so it may be shared, and lost.
    """

    def __init__(self, folder: Path, remembered: Path | None = None):
        self.folder, self.name = Path(folder), Path(folder).name
        self._file = remembered
        self._known = _remembered(remembered) if remembered else {}
        self._met: dict[str, _Parsed] = {}
        self._parsed: dict[Path, _Parsed] = {}
        self._files: dict[_Import, list[tuple[str, Path]]] = {}

    def digest(self, program: Path, also: Sequence[Path] = (), loaded: Sequence[str] = ()) -> str:
        """Hex digest of a program and of all modules of the library that it transitively imports.

        Comments, docstrings, layout and code under `if TYPE_CHECKING:` do not count; imports inside
        functions do. The bytes of the files in `also` (templates and other resources that the code
        reads) count as they are.

        Raises `InputError` when a file cannot be read or parsed, or when an imported module of the
        library does not exist. Imports by a computed name are not seen; `loaded` names these modules.
        """
        program = Path(program)
        start = self.parse(program, package=None)
        digests = {"": start.digest}
        by_name = [_Import(module, None) for module in loaded]
        queue = [(program, target) for target in [*start.imports, *by_name]]
        while queue:
            importer, target = queue.pop()
            for module, path in self.files_of(target, importer):
                if module not in digests:
                    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
                    parsed = self.parse(path, package)
                    digests[module] = parsed.digest
                    queue += [(path, further) for further in parsed.imports]
        total = hashlib.sha256()
        for module, digest in sorted(digests.items()):
            total.update(f"{module} {digest}\n".encode())
        for resource in also:
            total.update(f"{Path(resource).name} {_bytes_digest(Path(resource))}\n".encode())
        return total.hexdigest()[:LENGTH]

    def parse(self, path: Path, package: str | None) -> _Parsed:
        """What a file of package `package` (None: a program) means, with its imports."""
        if path not in self._parsed:
            # A relative import means another module if the package is another.
            key = f"{_bytes_digest(path)} {package}"
            self._met[key] = self._known.get(key) or _parse(path, package, self.name)
            self._parsed[path] = self._met[key]
        return self._parsed[path]

    def files_of(self, target: _Import, importer: Path) -> list[tuple[str, Path]]:
        """The module that `target` names, with the packages around it, and its submodule if it is one.

        Importing a.b.c also runs a/__init__.py and a/b/__init__.py, so they count.
        """
        if target not in self._files:
            self._files[target] = list(self._find(target, importer))
        return self._files[target]

    def remember(self) -> None:
        """Store the meanings of the files parsed since `remembered` was read; if it cannot be
        written, files are parsed again next time.
        """
        if self._met.keys() != self._known.keys():
            files = {key: parsed.as_json() for key, parsed in self._met.items()}
            with suppress(OSError):
                write_json(self._file, {"by": _bytes_digest(Path(__file__)), "files": files})

    def _find(self, target: _Import, importer: Path) -> Iterator[tuple[str, Path]]:
        parts = target.module.split(".")
        for depth in range(1, len(parts) + 1):
            path = self._locate(parts[1:depth])
            if path is None:
                raise self._missing(target.module, importer)
            yield ".".join(parts[:depth]), path
        if target.name in (None, "*"):
            return
        submodule = self._locate([*parts[1:], target.name])
        if submodule is not None:
            yield f"{target.module}.{target.name}", submodule
        elif path.name == "__init__.py":
            bound = self.parse(path, target.module).names
            if target.name not in bound and "*" not in bound:
                raise self._missing(f"{target.module}.{target.name}", importer)

    def _missing(self, module: str, importer: Path) -> InputError:
        return InputError(
            f"{importer} imports {module}, but there is no such module in {self.folder}. Correct "
            f"the import or add the module (a folder is one only with an __init__.py)."
        )

    def _locate(self, parts: Sequence[str]) -> Path | None:
        """The file of a module given its name's parts below the library."""
        base = self.folder.joinpath(*parts)
        candidates = [base / "__init__.py"]
        if parts:
            candidates.append(base.with_name(base.name + ".py"))
        return next((path for path in candidates if path.is_file()), None)


def _remembered(path: Path) -> dict[str, _Parsed]:
    """What `Library.remember` wrote; empty if it cannot be read."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        told = json.loads(path.read_text())
        if told["by"] == _bytes_digest(Path(__file__)):
            return {key: _Parsed.from_json(file) for key, file in told["files"].items()}
    return {}


def _parse(path: Path, package: str | None, name: str) -> _Parsed:
    """Parse one file of package `package` (None: a program); only imports from `name` are kept."""
    try:
        tree = ast.parse(path.read_bytes(), filename=str(path))
    except (SyntaxError, ValueError) as error:
        raise InputError(f"{path}: is not valid Python ({error}).") from error
    pieces: list[str] = []
    statements: list[ast.Import | ast.ImportFrom] = []
    _dump(tree, pieces.append, statements)
    imports = tuple(_imports(statements, package, name, path))
    names = frozenset(_bound_names(tree)) if path.name == "__init__.py" else frozenset()
    return _Parsed(hashlib.sha256("".join(pieces).encode()).hexdigest(), imports, names)


def _imports(
    statements: Iterable[ast.Import | ast.ImportFrom], package: str | None, name: str, path: Path
) -> Iterator[_Import]:
    """The imports from the library `name` among a file's import statements."""
    for statement in statements:
        if isinstance(statement, ast.Import):
            targets = [_Import(alias.name, None) for alias in statement.names]
        else:
            base = statement.module or ""
            if statement.level:
                if package is None:
                    raise InputError(
                        f"{path}, line {statement.lineno}: a program cannot import relatively. "
                        f"Write 'from {name} import …'."
                    )
                above = package.split(".")[: package.count(".") + 2 - statement.level]
                base = ".".join([*above, base] if base else above)
            targets = [_Import(base, alias.name) for alias in statement.names]
        yield from (t for t in targets if t.module.split(".")[0] == name)


def _dump(node: ast.AST, write: Callable[[str], object], statements: list) -> None:
    """Write a node's meaning; import statements are added to `statements`.

    `ast.dump` differs between Python versions (3.12 added fields, 3.13 leaves out empty ones), so empty
    fields are left out here, and with them everything that is implied or has no meaning: load or store,
    u"" or "", positions.
    """
    kind = type(node)
    if kind is ast.Constant:
        write(repr(node.value))
        return
    if kind is ast.Import or kind is ast.ImportFrom:
        statements.append(node)
    write(kind.__name__)
    write("(")
    for field in node._fields:
        value = getattr(node, field, None)
        if value is None or field == "ctx":
            continue
        if isinstance(value, ast.AST):
            write(field)
            write("=")
            _dump(value, write, statements)
        elif isinstance(value, list):
            if kind is ast.JoinedStr:  # 3.12 ends some format specs with an empty string
                value = [v for v in value if getattr(v, "value", None) != ""]
            value = [v for v in value if not (_is_remark(v) or _is_for_types(v))]
            if not value:
                continue
            write(field)
            write("=[")
            for item in value:
                if isinstance(item, ast.AST):
                    _dump(item, write, statements)
                else:
                    write(repr(item))
                write(",")
            write("]")
        else:
            write(f"{field}={value!r}")
        write(",")
    write(")")


def _is_remark(node: object) -> bool:
    """Whether a statement is a bare string: a docstring, or a string that documents a field."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _is_for_types(node: object) -> bool:
    """Whether a statement is an `if TYPE_CHECKING:`, whose imports nobody runs."""
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Name)
        and node.test.id == "TYPE_CHECKING"
        and not node.orelse
    )


def _bound_names(tree: ast.AST) -> Iterator[str]:
    """Every name that the file binds anywhere."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).split(".")[0]


def _bytes_digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}).") from error
