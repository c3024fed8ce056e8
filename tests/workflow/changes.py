"""Every key of the configuration, and a change of it alone that is a configuration too."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args, get_origin

import method_overlays
import yaml
from plumbline.experiment import config as experiment
from plumbline.experiment import lineage
from plumbline.experiment.config import Config
from plumbline.storage.files import InputError
from project import ROOT
from pydantic import BaseModel


def rows(name: str) -> dict:
    """The user's rows, in a file that no other key names."""
    return {"format": "rows", "source": f"file:{{folder}}/{name}.jsonl"}


# Laid over the defaults one by one; together they have every key.
OVERLAYS = [
    {
        "facts": {
            "relations": {
                "id": ["country_capital", "element_symbol", "us_city_state"],
                "ood": ["us_state_capital", "deity_mythology"],
            }
        },
        "apeft": {"questions": "table"},
    },
    {
        "facts": {
            "source": "rows",
            "path": "file:{folder}/facts.jsonl",
        },
        "claims": {"splitter": "model"},
        "verification": {
            "kind": "retrieval",
            "passages": rows("verification"),
            "embeddings": {"source": "file:{folder}/embeddings"},
        },
        "flame": {
            "instructions": rows("instructions") | {"part": "all"},
            "prompts": [rows("prompts")],
            "sft": ["sft-star", "sft-rag"],
            "dpo": ["sft-star.dpo-star", "sft-star.facttune-mc"],
            "passages": rows("passages"),
        },
        "apeft": {
            "prompts": [rows("apeft")],
            "questions": "model",
            "parent": "flame.sft-star",
            "losses": ["robust"],
        },
        "recipes": {"apeft": {"reference": {"fixed": "base"}, "loss": "robust"}},
        "evaluation": {
            "long_form": {
                "prompts": [rows("long_form")],
                "instructions": rows("long_form_instructions") | {"part": "all"},
            },
            "closed_book": [rows("closed_book") | {"name": "s"}],
            "harness": [{"task": "t", "folder": "file:{folder}/harness", "domain": "ood"}],
        },
    },
    {
        "verification": {
            "kind": "endpoint",
            "passages": {"format": "facts"},
            "url": "http://127.0.0.1:8000/v1",
            "model": "m",
        },
        "device": "cuda",
        "training": {"processes": 2},
        "facts": {"source": "entityquestions", "path": "file:{folder}/entityquestions"},
        "flame": {"instructions": {"format": "entities", "part": "all"}},
        "recipes": {
            "other": {
                "method": "dpo",
                "learning_rate": 0.1,
                "max_steps": 1,
                "global_batch_size": 8,
                "order": "file",
            }
        },
        "evaluation": {
            "long_form": {
                "prompts": [{"format": "entities"}],
                "instructions": {"format": "entities", "part": "all"},
            }
        },
    },
]
# What shared weights need, and what they cannot have.
OVERLAYS.append({"device": "cuda", "training": {"processes": 2, "strategy": "fsdp"}})
OVERLAYS.append({"audit": {"checkpoints": [{"name": "a", "source": "file:{folder}/audited"}]}})
OVERLAYS += method_overlays.OVERLAYS.values()
# Those that no configuration can have changed alone.
TOGETHER = {
    "facts.split.train": "the three shares add up to 1",
    "facts.split.dev": "the three shares add up to 1",
    "facts.split.test": "the three shares add up to 1",
    "verification.kind": "each kind has keys of its own",
}


class Change(NamedTuple):
    """A key without the names and numbers on its way, and whole configurations that differ in it."""

    key: str
    before: dict
    after: dict


def keys(kind: Any = Config) -> Iterator[str]:
    """Every key of the typed configuration that holds a value; a key may come more than once."""
    for name, field in kind.model_fields.items():
        sections = list(_sections(field.annotation))
        if not sections or not _all_sections(field.annotation):
            yield name
        for section in sections:
            yield from (f"{name}.{key}" for key in keys(section))


def changes(folder: Path) -> Iterator[Change]:
    """One of each key that can be changed alone, in each of `OVERLAYS` that has it.

    folder: where the files that are named lie.
    """
    for overlay in OVERLAYS:
        raw = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
        text = json.dumps(overlay).replace("{folder}", str(folder))
        config = experiment.load(_merged(raw, json.loads(text)))
        before = config.model_dump(mode="json")
        done = set()
        for key, place, kind in _places(config):
            if key in done:
                continue
            for value in _others(before, place, kind, folder):
                changed = copy.deepcopy(before)
                _set(changed, place, value)
                after = _whole(changed)
                if after is not None and after != before:
                    done.add(key)
                    yield Change(key, before, after)
                    break


def _sections(kind: Any) -> Iterator[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    else:
        for part in get_args(kind):
            yield from _sections(part)


def _all_sections(kind: Any) -> bool:
    """Whether a key holds sections, or nothing."""
    if isinstance(kind, type):
        return issubclass(kind, BaseModel | type(None))
    parts = [part for part in get_args(kind) if isinstance(part, type) or get_origin(part)]
    if get_origin(kind) is dict:
        parts = parts[1:]
    return get_origin(kind) is not Literal and all(map(_all_sections, parts))


def _places(section: BaseModel) -> Iterator[tuple[str, tuple, Any]]:
    """(key, the way to it, annotation) of every value of a configuration."""
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        inner = {(): value}
        if isinstance(value, list):
            inner = {(n,): one for n, one in enumerate(value)}
        elif isinstance(value, dict):
            inner = {(n,): one for n, one in value.items()}
        models = {way: one for way, one in inner.items() if isinstance(one, BaseModel)}
        if not models:
            yield name, (name,), field.annotation
        for way, one in models.items():
            for key, place, kind in _places(one):
                yield f"{name}.{key}", (name, *way, *place), kind


def _others(before: dict, place: tuple, kind: Any, folder: Path) -> Iterator[Any]:
    """Other values that may fit."""
    value = before
    for step in place:
        value = value[step]
    yield from (one for one in _options(kind) if one != value)
    names = lineage.build(experiment.load(copy.deepcopy(before))).checkpoints
    words = [
        *names,
        *before["recipes"],
        "1" * 64,
        f"file:{folder}/other",
        "http://[::1]:1/v1",
        "HighlyKnown",
    ]
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield from (value + 1, value - 1, value * 2, value / 2, 0.25, 0.75)
    elif isinstance(value, list):
        more = [25, 7, *_options(kind), *words]
        yield from ([*value, one] for one in more if one not in value)
        yield from (value[:-1], ["base"], ["x"])
    elif isinstance(value, dict):
        yield from (
            {"sigmoid": {"beta": 0.2}},
            {"unknown-50": {"max_length": 64}},
            {"enable_thinking": False},
        )
    else:
        if isinstance(value, str):
            yield from (one for one in words if one != value and one != "base")
            yield from (f"{value}x", {"fixed": "base"})
        yield from (1, 5, 32, 0.5, *words, "x", [5], ["r"], ["country_capital"])


def _options(kind: Any) -> Iterator[Any]:
    if get_origin(kind) is Literal:
        yield from get_args(kind)
    else:
        for part in get_args(kind):
            yield from _options(part)


def _whole(raw: dict) -> dict | None:
    """A configuration with every key written out; None if it cannot be."""
    try:
        config = experiment.load(raw)
        lineage.build(config)
    except InputError:
        return None
    return config.model_dump(mode="json")


def _merged(low: Any, high: Any) -> Any:
    if isinstance(low, dict) and isinstance(high, dict):
        return {key: _merged(low.get(key), high.get(key, low.get(key))) for key in {**low, **high}}
    return high


def _set(raw: Any, place: tuple, value: Any) -> None:
    for step in place[:-1]:
        raw = raw[step]
    raw[place[-1]] = value
