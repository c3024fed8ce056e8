"""Whether a program runs in the environment that its rule names, with the versions pinned there.

Snakemake activates an environment and then runs the job in the same shell, even if the activation
failed, so that a job could succeed with the wrong packages. This is checked before anything else is
imported, so only Python's own modules are used.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# Where Snakemake itself runs, if its jobs run in environments that conda makes.
OUTSIDE = "PLUMBLINE_OUTSIDE_CONDA"
# The programs by their environment in envs/, from which the rules take it; a method's programs are
# listed in its own folder. On a CUDA device, <name>-gpu.yaml is used if it exists.
PROGRAMS = {
    "analyse": """
        build_choices build_instructions draw_figures judge_closed_book tabulate_answers
        tabulate_comparisons tabulate_judges tabulate_metrics tabulate_token_shift write_report""",
    "generate": "generate",
    "orchestrate": """
        build_closed_book build_questions collect_responses count_dropped export_harness fetch_source
        make_plan measure_contamination measure_long_form print_plan split_claims swap_pairs
        tabulate_contamination tabulate_curves tabulate_stages tabulate_states
        write_claim_requests write_responses""",
    "train": """
        calibrate_judge check_contamination import_model judge_comparisons list_harness_questions
        measure_token_shift run_harness score_choices score_reference train
        write_cards write_manifest""",
    "verify": "check_verifier verify_claims",
}
# Imported by name, since each is only a list and imports nothing.
_OF_METHODS = [
    import_module(f"plumbline.methods.{path.parent.name}.programs").PROGRAMS
    for path in sorted((ROOT / "workflow/plumbline/methods").glob("*/programs.py"))
]
ENVIRONMENTS = {
    program: name
    for listed in (PROGRAMS, *_OF_METHODS)
    for name, programs in listed.items()
    for program in programs.split()
}
_PIN = re.compile(r"(?m)^(?:[^#\n]* )?([A-Za-z0-9][\w.-]*)(?:\[[\w,]+\])?==(\S+)$")


def problem(program: str, variables: Mapping[str, str], prefix: str = sys.prefix) -> str | None:
    """What is wrong with the environment of a program, and what to do; None: nothing.

    variables: the environment variables; prefix: the interpreter's folder. Two kinds of environment are
    checked for what the program's rule needs: those that conda made for a run with --use-conda, and the
    one that `make setup` made. Any other is its maker's responsibility.
    """
    if program not in ENVIRONMENTS:
        return None
    if outside := variables.get(OUTSIDE):
        name = environment(program, variables.get("PLUMBLINE_DEVICE") == "cuda")
        active = variables.get("CONDA_PREFIX")
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
    files = {environment(program, on_gpu) for on_gpu in (False, True)}
    wanted = {package: listed[package] for f in files for package in _pins(f) if package in listed}
    return _differing(lists[0], wanted, prefix, "Run 'make clean setup'")


def environment(program: str, on_gpu: bool) -> str:
    """The file in envs/ of the environment that a program runs in. KeyError if no rule runs it."""
    name = ENVIRONMENTS[program]
    gpu = f"{name}-gpu.yaml"
    return gpu if on_gpu and (ROOT / "envs" / gpu).is_file() else f"{name}.yaml"


def _differing(file: str, wanted: dict[str, str], prefix: str, remedy: str) -> str | None:
    installed = dict(_installed())
    wrong = [
        f"{package} {version} (found: {installed.get(package, 'none')})"
        for package, version in sorted(wanted.items())
        if installed.get(package, "").partition("+")[0]
        != version  # 2.13.0+cpu is a build of 2.13.0
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
    """Name and version of what can be imported, by folder names; the first on the path come last.

    It takes a tenth of the time of importlib.metadata, which opens every file.
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
