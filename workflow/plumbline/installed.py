"""Whether a program runs in the environment that its rule names, with the versions pinned there.

Snakemake activates an environment and then runs the job in the same shell, whether or not the
activation worked, so that a job can end well with packages that nobody chose. This is asked before
anything else is imported: only Python's own modules are used, and no package is imported.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Where Snakemake itself runs, if its jobs are to run in environments that conda makes.
OUTSIDE = "PLUMBLINE_OUTSIDE_CONDA"
_PIN = re.compile(r"(?m)^(?:[^#\n]* )?([A-Za-z0-9][\w.-]*)(?:\[[\w,]+\])?==(\S+)$")


def problem(program: str, environment: dict[str, str], prefix: str = sys.prefix) -> str | None:
    """What is wrong with where a program runs and what to do about it; None: nothing.

    environment: the variables; prefix: the interpreter's folder. Two kinds of environment are
    judged, by what the program's rule needs of them: those that conda made for a run with
    --use-conda, and the one that `make setup` made. Any other is its maker's choice.
    """
    names = environments(program)
    if not names:
        return None
    if outside := environment.get(OUTSIDE):
        on_gpu = environment.get("PLUMBLINE_DEVICE") == "cuda"
        [name] = [one for one in names if one.endswith("-gpu.yaml") == on_gpu] or names
        active = environment.get("CONDA_PREFIX")
        if not active or _same(prefix, outside) or not _same(prefix, active):
            return (
                f"runs in {prefix}, not in the environment of envs/{name}: that was not activated. "
                f"What conda says stands above. Delete .snakemake/conda and start again."
            )
        return _differing(f"envs/{name}", _pins(name), prefix, f"Delete {prefix}")
    words = _words(Path(prefix) / "setup.txt")
    lists = [word for word in words if word.endswith(".txt")]
    if not words or (lists and not (ROOT / lists[0]).is_file()):
        return None
    if not lists:
        return f"runs in {prefix}, which 'make setup' has not finished. Run 'make setup'."
    listed = _pins_of(ROOT / lists[0])
    wanted = {package: listed[package] for n in names for package in _pins(n) if package in listed}
    return _differing(lists[0], wanted, prefix, "Run 'make clean setup'")


def environments(program: str) -> list[str]:
    """The files in envs/ that the rules name for a program, sorted; none: no rule runs it."""
    found: set[str] = set()
    for file in (ROOT / "workflow/rules").glob("*.smk"):
        for rule in re.split(r"(?m)^(?=(?:use )?rule )", file.read_text(encoding="utf-8")):
            if re.search(rf"python -m scripts\.{re.escape(program)}\b", rule):
                found.update(re.findall(r"envs/([\w-]+\.yaml)", rule))
    return sorted(found)


def _differing(file: str, wanted: dict[str, str], prefix: str, remedy: str) -> str | None:
    found = dict(_installed())
    wrong = [
        f"{package} {version} (found: {found.get(package, 'none')})"
        for package, version in sorted(wanted.items())
        if found.get(package, "").partition("+")[0] != version  # 2.13.0+cpu is a build of 2.13.0
    ]
    if not wrong:
        return None
    return f"{prefix} is not as {file} says. It wants {', '.join(wrong)}. {remedy} and start again."


def _pins(name: str) -> dict[str, str]:
    """What an environment installs with pip, its post-deploy script included."""
    file = ROOT / "envs" / name
    script = file.with_suffix(".post-deploy.sh")
    return _pins_of(file) | (_pins_of(script) if script.is_file() else {})


def _pins_of(file: Path) -> dict[str, str]:
    return {_normal(name): version for name, version in _PIN.findall(file.read_text())}


def _installed() -> Iterator[tuple[str, str]]:
    """Name and version of what can be imported, by its folders' names; first come last.

    A tenth of the time that importlib.metadata takes, which opens every file.
    """
    for folder in reversed(sys.path):
        try:
            names = os.listdir(folder or ".")
        except OSError:
            continue
        for name in names:
            package, _, version = name.partition("-")
            if version.endswith(".dist-info"):
                yield _normal(package), version.removesuffix(".dist-info")


def _words(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except OSError:
        return []


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _same(one: str, other: str) -> bool:
    return Path(one).resolve() == Path(other).resolve()
