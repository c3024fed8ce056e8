"""A digest of what a program means: its code and that of every library module it imports.

A rule that carries this digest as a parameter reruns when the code behind it changes in meaning,
in whatever module, and does not rerun for a comment, a reformat or a fresh clone.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from plumbline.files import InputError

LENGTH = 16  # hex digits: 64 bits, ample for telling versions of one program apart
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class _Import:
    """One imported name. `module` must exist; `module.name` is followed if it is a module."""

    module: str
    name: str | None


@dataclass(frozen=True)
class _Parsed:
    digest: str
    imports: tuple[_Import, ...]


# Parsed files by path, with the (mtime, size) they were parsed at: a Snakefile asks for the
# digests of many programs that share most of their modules.
_parsed: dict[Path, tuple[tuple[int, int], _Parsed]] = {}


def code_digest(program: Path, library: Path, also: Sequence[Path] = ()) -> str:
    """Hex digest of a program and of all modules of `library` that it transitively imports.

    `library` is the package's folder (its name is the package's). Comments, docstrings and layout
    do not count; imports inside functions do. The bytes of the files in `also` (templates and
    other resources the code reads) count as they are.

    Raises `InputError` when a file cannot be read or parsed, or when an imported module of the
    library does not exist.
    """
    program, library = Path(program), Path(library)
    start = _parse(program, package=None, name=library.name)
    digests = {"": start.digest}
    queue = [(program, target) for target in start.imports]
    while queue:
        importer, target = queue.pop()
        for module, path in _files_of(target, library, importer):
            if module not in digests:
                package = module if path.name == "__init__.py" else module.rpartition(".")[0]
                parsed = _parse(path, package, library.name)
                digests[module] = parsed.digest
                queue += [(path, further) for further in parsed.imports]
    total = hashlib.sha256()
    for module, digest in sorted(digests.items()):
        total.update(f"{module} {digest}\n".encode())
    for resource in also:
        total.update(f"{Path(resource).name} {_bytes_digest(Path(resource))}\n".encode())
    return total.hexdigest()[:LENGTH]


def _files_of(target: _Import, library: Path, importer: Path) -> Iterator[tuple[str, Path]]:
    """The module that `target` names with the packages around it, and its submodule if it is one.

    Importing a.b.c runs a/__init__.py and a/b/__init__.py as well, so they count.
    """
    parts = target.module.split(".")
    for depth in range(1, len(parts) + 1):
        path = _locate(parts[1:depth], library)
        if path is None:
            raise InputError(
                f"{importer} imports {target.module}, but there is no such module in {library}. "
                f"Correct the import or add the module."
            )
        yield ".".join(parts[:depth]), path
    if target.name is not None:
        path = _locate([*parts[1:], target.name], library)
        if path is not None:
            yield f"{target.module}.{target.name}", path


def _locate(parts: Sequence[str], library: Path) -> Path | None:
    """The file of a module given its name's parts below the library."""
    base = library.joinpath(*parts)
    candidates = [base / "__init__.py"]
    if parts:
        candidates.append(base.with_name(base.name + ".py"))
    return next((path for path in candidates if path.is_file()), None)


def _parse(path: Path, package: str | None, name: str) -> _Parsed:
    """Parse one file of package `package` (None: a program); only imports from `name` are kept."""
    try:
        stat = path.stat()
        version = (stat.st_mtime_ns, stat.st_size)
        known = _parsed.get(path)
        if known is not None and known[0] == version:
            return known[1]
        tree = ast.parse(path.read_bytes(), filename=str(path))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}).") from error
    except (SyntaxError, ValueError) as error:
        raise InputError(f"{path}: is not valid Python ({error}).") from error
    imports = tuple(_imports(tree, package, name, path))
    pieces: list[str] = []
    _dump(tree, pieces.append)
    parsed = _Parsed(hashlib.sha256("".join(pieces).encode()).hexdigest(), imports)
    _parsed[path] = (version, parsed)
    return parsed


def _imports(tree: ast.AST, package: str | None, name: str, path: Path) -> Iterator[_Import]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            targets: Iterable[_Import] = (_Import(alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                if package is None:
                    raise InputError(
                        f"{path}, line {node.lineno}: a program cannot import relatively. "
                        f"Write 'from {name} import …'."
                    )
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base] if base else above)
            targets = (_Import(base, alias.name) for alias in node.names)
        else:
            continue
        yield from (t for t in targets if t.module.split(".")[0] == name)


def _dump(node: object, write) -> None:
    """Write a node's meaning.

    `ast.dump` differs between Python versions (3.12 added fields, 3.13 leaves out empty ones), so
    empty fields are skipped here; so is everything that is not a field (positions).
    """
    if isinstance(node, ast.AST):
        write(type(node).__name__)
        write("(")
        for field, value in ast.iter_fields(node):
            if value is None and not isinstance(node, ast.Constant):
                continue
            if field == "body" and isinstance(node, _DOCUMENTED):
                value = _without_docstring(value)
            if isinstance(value, list) and not value:
                continue
            if field == "kind" and isinstance(node, ast.Constant):
                continue  # u"" and "" mean the same
            write(field)
            write("=")
            _dump(value, write)
            write(",")
        write(")")
    elif isinstance(node, list):
        write("[")
        for item in node:
            _dump(item, write)
            write(",")
        write("]")
    else:
        write(repr(node))


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    match body:
        case [ast.Expr(value=ast.Constant(value=str())), *rest]:
            return rest
    return body


def _bytes_digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}).") from error
