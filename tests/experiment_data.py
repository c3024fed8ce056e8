"""The default experiment with changes, as the rules see it."""

from __future__ import annotations

import copy
from pathlib import Path
from types import SimpleNamespace

import yaml
from plumbline.experiment import config, lineage
from plumbline.experiment.experiment import Experiment
from plumbline.methods.registry import METHODS

DEFAULT = yaml.safe_load(
    (Path(__file__).parents[1] / "config/config.yaml").read_text(encoding="utf-8")
)
TWO_MODELS = [{"name": name, "source": f"file:{name}"} for name in ("one", "two")]


def experiment(methods=METHODS, **overlay) -> Experiment:
    """The default configuration with these laid over it, section by section."""
    raw = copy.deepcopy(DEFAULT)
    for key, value in overlay.items():
        raw[key] = {**raw[key], **value} if isinstance(value, dict) and raw.get(key) else value
    checked = config.load(raw)
    return Experiment(checked, lineage.build(checked), methods, "results/demo", Path("resources"))


def wildcards(**values) -> SimpleNamespace:
    """Of a job of the default model, unless another is named."""
    return SimpleNamespace(**{"model": "smollm2-135m", **values})


def options(words: list[str]) -> dict[str, list[str]]:
    """Words of a command by their option."""
    found: dict[str, list[str]] = {}
    for word in words:
        if word.startswith("--"):
            name = word
            found[name] = []
        else:
            found[name].append(word)
    return found
