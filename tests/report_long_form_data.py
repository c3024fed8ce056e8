"""Long answers for the report's tests: simulated claims and verdicts, invented responses."""

from __future__ import annotations

import numpy as np

PROMPTS = {"id": 40, "ood": 30}
COMPARISONS = 30
# Checkpoint: share of supported claims, claims a response, share of responses with claims, wins.
CHECKPOINTS = {
    "base": (0.3, 9, 0.95, None),
    "flame.sft": (0.26, 9, 0.98, 0.5),
    "flame.sft-star": (0.45, 5, 0.9, 0.45),
    "flame.sft.dpo": (0.3, 13, 0.98, 0.7),
    "flame.sft-star.dpo-star": (0.55, 9, 0.97, 0.6),
}


def bounds(values: np.ndarray) -> dict:
    """The mean with its interval, as in a row of metrics.csv."""
    half = 1.96 * values.std() / np.sqrt(len(values))
    middle = values.mean()
    return dict(value=middle, low=middle - half, high=middle + half, n=len(values))


def _measures(rng, right: float, claims: int, responds: float, n: int) -> dict[str, np.ndarray]:
    """Values by prompt; NaN where a measure is not defined."""
    said = np.where(rng.random(n) < responds, 1 + rng.poisson(claims - 1, n), 0).astype(float)
    supported = rng.binomial(said.astype(int), right).astype(float)
    none = said == 0
    open_ = np.floor((said - supported) / 2)
    decided = said - open_
    counts = {"claims": said, "decided": decided, "supported": supported}
    counts |= {"refuted": decided - supported, "unverifiable": open_}
    f1 = 2 * supported / np.maximum(decided + 5, 1)
    return {
        "split_failed": np.zeros(n),
        "responded": (~none).astype(float),
        "f1": f1,
        "f1_at_5": f1,
        "coverage": np.where(none, np.nan, decided / np.maximum(said, 1)),
        "factscore": np.where(none, np.nan, supported / np.maximum(said, 1)),
        "precision": np.where(decided == 0, np.nan, supported / np.maximum(decided, 1)),
        **counts,
        "words": 12 * said + 4,
    }


def metrics(model: str, seeds: list[int], seed: int) -> list[dict]:
    """Rows of metrics.csv: tasks long_form and win_rate."""
    rows, rng = [], np.random.default_rng(seed)
    before: dict[str, dict] = {}
    for checkpoint, (right, claims, responds, wins) in CHECKPOINTS.items():
        base = checkpoint == "base"
        for one in [0] if base else seeds:
            about = dict(model=model, seed=one, checkpoint=checkpoint, split="test", category="All")
            about |= dict(parent="" if base else "base")
            for domain, n in PROMPTS.items():
                where = about | dict(task="long_form", domain=domain)
                found = _measures(rng, right, claims, responds, n)
                if base:
                    before[domain] = found
                for name, values in found.items():
                    rows.append(where | dict(metric=name) | bounds(values[~np.isnan(values)]))
                    gap = values - before[domain][name]
                    if not base:
                        gap = bounds(gap[~np.isnan(gap)])
                        rows.append(where | dict(metric=f"{name}_vs_base") | gap)
            if not base:
                where = about | dict(task="win_rate", domain="ood")
                won = np.where(rng.random(COMPARISONS) < 0.5, 0.5, rng.random(COMPARISONS) < wins)
                judged = {"win": won, "consistent": won != 0.5}
                for name, values in judged.items():
                    rows.append(where | dict(metric=name) | bounds(np.asarray(values, float)))
    return rows


def states(model: str) -> list[dict]:
    """Rows of claim_states.csv."""
    rows = []
    for checkpoint in CHECKPOINTS:
        counted = [("claims", "kept", 300), ("claims", "said before", 12)]
        counted += [("verdicts", "supported", 100), ("verdicts", "refuted", 60)]
        counted += [("verdicts", "unverifiable: no subject", 140)]
        if ".dpo" in checkpoint:
            counted += [("responses judged", "judged", 200), ("responses judged", "not judged", 56)]
        about = dict(model=model, seed=0 if checkpoint == "base" else 1, checkpoint=checkpoint)
        rows += [about | dict(item=item, state=state, n=n) for item, state, n in counted]
    return rows


def verifier() -> list[dict]:
    """Rows of verifier.csv."""
    values = {"accuracy": (0.97, 540), "precision": (0.98, 260), "recall": (0.85, 300)}
    values |= {"coverage": (0.9, 600)}
    rows = [
        dict(claims="templates", relation=relation, metric=name, value=v, n=n // share)
        for relation, share in (("All", 1), ("country_capital", 2), ("element_symbol", 2))
        for name, (v, n) in values.items()
    ]
    read = {"precision": (0.94, 90), "refuted_precision": (0.95, 80), "coverage": (0.3, 500)}
    rows += [
        dict(claims="models", relation=part, metric=name, value=v, n=n // share)
        for part, share in (("All", 1), ("held out", 2))
        for name, (v, n) in read.items()
    ]
    return [row | dict(low=row["value"] - 0.02, high=row["value"] + 0.01) for row in rows]


def judge_calibration(model: str) -> list[dict]:
    """Rows of judge_calibration.csv: one judge that is used, one that is not."""
    kinds = {"All": 60, "truncated": 20, "words shuffled": 20, "answer to another question": 20}
    return [
        dict(model=model, seed=0, judge="base", use=use, kind=kind, right=right, usable=usable)
        | dict(low=right - 0.1, high=right + 0.05, n=n)
        for use, right, usable in (("win_rate", 0.9, "yes"), ("helpfulness", 0.5, "no"))
        for kind, n in kinds.items()
    ]


def responses(model: str, evil: str = "") -> list[dict]:
    """Responses to two prompts by each checkpoint; `evil` is put wherever there is free text."""
    shown = []
    for place, town in enumerate(("Ostrava", "Tampere")):
        for checkpoint in CHECKPOINTS:
            claims = [
                ("supported", "ok", f"{town} is a town.", [{"subject": town, "found": ["town"]}]),
                ("refuted", "ok", f"{town} lies by the sea.", [{"title": town, "text": evil}]),
                ("unverifiable", "no relation", f"{town} is lovely. {evil}", []),
            ]
            names = ("verdict", "state", "text", "evidence")
            claims = [dict(zip(names, claim, strict=True)) for claim in claims]
            silent = place == 1 and checkpoint == "base"
            shown.append(
                dict(
                    model=model,
                    seed=0 if checkpoint == "base" else 1,
                    checkpoint=checkpoint,
                    instruction=f"entity/{place}",
                    topic=town,
                    prompt=f"Tell me about {town}. {evil}",
                    text="" if silent else f"{town} is a lovely town by the sea. {evil}",
                    state="empty" if silent else "ok",
                    claims=[] if silent else claims,
                )
            )
    return shown
