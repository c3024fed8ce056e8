"""Checkpoints in words, and in reading order."""

from __future__ import annotations

import re

from plumbline.methods.registry import METHODS
from plumbline.names import BASE, PLACEBO, STOPS, parts

_BY_NAME = {method.name: method for method in METHODS}


def checkpoint_label(name: str) -> str:
    """`mix.unknown-50.early_stop` as `unknown-50, early stop`, `grath.r1` as `GRATH, round 1`,
    `flame.sft-star.dpo-star` as `FLAME: SFT★, DPO★`, `grath-unknown-0.r1` as `GRATH without Unknown,
    round 1`, `grath.r1.placebo` as `GRATH, round 1, placebo`; other names as they are.
    """
    if name.endswith(PLACEBO):
        return f"{checkpoint_label(name.removesuffix(PLACEBO))}, placebo"
    prefix, percent, rest = parts(name)
    if not rest or prefix not in _BY_NAME:
        return name
    return _BY_NAME[prefix].words(_variant_label(prefix, percent), rest) or name


def variant_label(variant: str) -> str:
    """`grath` as `GRATH`, `grath-unknown-25` as `GRATH with 25 % of Unknown`."""
    method, percent, _ = parts(f"{variant}.")
    return _variant_label(method, percent)


def _variant_label(method: str, percent: float) -> str:
    filtered = f" with {percent:g} % of Unknown" if percent else " without Unknown"
    return method_label(method) + (filtered if percent < 100 else "")


def method_label(method: str) -> str:
    """`grath` as `GRATH`, `mix` as `SliCK`; a name that is not a method's as it is."""
    return _BY_NAME[method].label if method in _BY_NAME else method


def checkpoint_order(name: str) -> tuple:
    """Sort key: the base, the methods in the order of `METHODS`, everything else. Within a method:
    by its own ranks, then variants that keep all Unknown, then by stages and by numbers in the name.
    """
    prefix, percent, rest = parts(name)
    place, rank = len(METHODS), 0
    if rest and prefix in _BY_NAME:
        place, rank = list(_BY_NAME).index(prefix), _BY_NAME[prefix].rank(rest)
    place = -1 if name == BASE else place
    name = f"{prefix}.{rest}" if rest else prefix
    stem, _, stop = name.rpartition(".")
    if stop not in STOPS:
        stem, stop = name, ""
    pieces = re.split(r"(\d+|\.)", stem)
    natural = [(not p.isdigit(), int(p) if p.isdigit() else 0, p) for p in pieces]
    stop_place = list(STOPS).index(stop) if stop else 0
    return place, rank, -percent, stem.count("."), natural, stop_place
