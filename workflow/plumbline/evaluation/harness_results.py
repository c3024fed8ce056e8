"""A checkpoint's figures in the LM evaluation harness's own format (`results_*.json`).

Readers of that format find our figures. Standard errors are "N/A", as in the harness if none were
estimated: our intervals do not come from any, and metrics.csv has them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

AGAINST = ("_vs_base", "_vs_parent")
# Measures that need no model; metrics.csv has them beside the base's figures.
WITHOUT_MODEL = ("chance_", "prior_", "majority_")
HIGHER = {
    *("em", "em_answered", "mc1", "mc2", "mc3", "acc", "acc_norm", "exact_match", "win"),
    *("f1", "precision", "factscore", "factscore_penalised", "supported", "coverage"),
}
LOWER = {"refuted", "undecided", "split_failed", "cut_off"}
STDERR = "N/A"


def harness_results(
    rows: Iterable[Mapping[str, str]],
    shots: Mapping[str, int],
    *,
    name: str,
    folder: str,
    device: str,
) -> dict[str, Any]:
    """The document of one checkpoint at one seed.

    rows: its rows of metrics.csv. shots: few-shot examples by task; other tasks have none. name:
    what the model is called; folder: where it is. A task that is asked both in the tuning domain and
    outside it becomes a group of two, `<task>_id` and `<task>_ood`.
    """
    found: dict[tuple[str, str], dict[str, tuple[float, int]]] = defaultdict(dict)
    for row in rows:
        metric = row["metric"]
        if row["category"] == "All" and not (
            metric.endswith(AGAINST) or metric.startswith(WITHOUT_MODEL)
        ):
            found[row["task"], row["domain"]][metric] = float(row["value"]), int(row["n"])
    domains: dict[str, list[str]] = defaultdict(list)
    for task, domain in found:
        domains[task].append(domain)
    document: dict[str, Any] = {
        "results": {},
        "group_subtasks": {},
        "configs": {},
        "versions": {},
        "n-shot": {},
        "higher_is_better": {},
        "n-samples": {},
        "config": {
            "model": "plumbline",
            "model_args": {"pretrained": folder},
            "device": device,
            "limit": None,
            "bootstrap_iters": 0,
        },
        "model_source": "plumbline",
        "model_name": name,
        "model_name_sanitized": name.replace("/", "__"),
    }
    for (task, domain), metrics in sorted(found.items()):
        part = f"{task}_{domain}" if len(domains[task]) > 1 else task
        members = document["group_subtasks"].setdefault(task, [])
        if part != task:
            members.append(part)
        for key, entry in _task(part, domain, metrics, shots.get(task, 0)).items():
            document[key][part] = entry
    return document


def _task(
    name: str, domain: str, metrics: Mapping[str, tuple[float, int]], shots: int
) -> dict[str, Any]:
    """The parts of the document about one task, by the document's keys."""
    n = max(items for _, items in metrics.values())
    better = {metric: _higher_is_better(metric) for metric in metrics}
    values: dict[str, Any] = {"name": name, "alias": name, "sample_len": n}
    for metric, (value, _) in metrics.items():
        plain, _, named = metric.partition(",")  # for the harness's own tasks, a filter
        values[f"{plain},{named or 'none'}"] = value
        values[f"{plain}_stderr,{named or 'none'}"] = STDERR
    return {
        "results": values,
        "configs": {
            "task": name,
            "num_fewshot": shots,
            "metric_list": [
                {"metric": metric, "aggregation": "mean", "higher_is_better": better[metric]}
                for metric in metrics
            ],
            "metadata": {"domain": domain, "n": {m: items for m, (_, items) in metrics.items()}},
        },
        "versions": None,
        "n-shot": shots,
        "higher_is_better": better,
        "n-samples": {"original": n, "effective": n},
    }


def _higher_is_better(metric: str) -> bool | None:
    """None if neither is better, or if it is not known."""
    plain = metric.partition(",")[0]
    if plain in HIGHER or plain.startswith(("f1_at_", "recall_at_")):
        return True
    return False if plain in LOWER else None
