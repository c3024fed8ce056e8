"""The plan as text for a terminal."""

from __future__ import annotations

COUNTS = ("jobs", "prompts", "sequences", "tokens", "steps")
SUMMED = ("disk_mib", "seconds", "device_seconds")


def as_text(plan: dict) -> str:
    """The plan as an aligned table with a line of totals, and with costs if there is a price."""
    price, stages = plan["price_per_device_hour"], plan["stages"]
    rows = [["stage", *COUNTS, "disk MiB", "time", "device-hours", *(["cost"] if price else [])]]
    for stage in stages:
        counts = [f"{stage[key]:,}" for key in COUNTS]
        rows.append([stage["stage"], *counts, *_summed(stage, price)])
    total = {key: sum(stage[key] for stage in stages) for key in SUMMED}
    rows.append(["total", *("" for _ in COUNTS), *_summed(total, price)])
    head = f"Estimated on {plan['device']}; an upper bound for stages that can save work."
    notes = ["time: a stage's jobs one after the other"]
    if price:
        notes.append(f"cost: at {price:g} per device-hour (price_per_device_hour)")
    return "\n".join([head, "", *_aligned(rows), "", *notes])


def _summed(stage: dict, price: float | None) -> list[str]:
    hours = stage["device_seconds"] / 3600
    money = [f"{hours * price:,.2f}"] if price else []
    return [f"{stage['disk_mib']:,.0f}", _time(stage["seconds"]), f"{hours:,.2f}", *money]


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]


def _time(seconds: float) -> str:
    if seconds < 5400:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h"
