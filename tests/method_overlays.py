"""What turns every method on, for tests that run or change all there is.

A method that the default configuration leaves out has an overlay of its own in
tests/methods/<name>.yaml, so that no other test has to name it.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path

import yaml
from plumbline.experiment.config import load
from plumbline.methods.registry import METHODS
from snakemake.utils import update_config

DEFAULT = Path(__file__).parents[1] / "config/config.yaml"
FILES = sorted((Path(__file__).parent / "methods").glob("*.yaml"))
OVERLAYS = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in FILES}


def with_all(raw: dict) -> dict:
    """A copy of a configuration with these laid over it."""
    merged = copy.deepcopy(raw)
    for overlay in OVERLAYS.values():
        update_config(merged, overlay)
    return merged


def sections_with(key: str, raw: dict) -> list[str]:
    """The methods' sections that have a key, such as keep_unknown; raw: the default configuration."""
    config = load(with_all(raw))
    names = (name for method in METHODS for name in method.sections)
    return [name for name in names if hasattr(getattr(config, name), key)]


def overlay(project, seeds: int, models: int) -> tuple[str, ...]:
    """Options of Snakemake for a run of all methods, with and without what is new to the base.

    project: a `Project`, into which its configuration and empty folders of models are put.
    """
    names = [f"m{n}" for n in range(models)]
    for name in names:
        (project.folder / "models" / name).mkdir(parents=True, exist_ok=True)
    found = {"seeds": list(range(1, seeds + 1))}
    found["models"] = [{"name": name, "source": f"file:models/{name}"} for name in names]
    found = with_all(found)
    default = yaml.safe_load(DEFAULT.read_text(encoding="utf-8"))
    for section in sections_with("keep_unknown", default):
        found.setdefault(section, {})["keep_unknown"] = [100, 0]
    (project.folder / "many.yaml").write_text(json.dumps(found))
    return "--configfile", "many.yaml", "--"
