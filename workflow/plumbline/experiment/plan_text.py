"""The plan as text for a terminal."""

from __future__ import annotations


def as_text(plan: dict) -> str:
    """The plan as an aligned table with a line of totals."""
    header = ["stage", "jobs", "prompts", "sequences", "tokens", "steps", "disk MiB", "time"]
    rows = [
        [
            stage["stage"],
            f"{stage['jobs']:,}",
            f"{stage['prompts']:,}",
            f"{stage['sequences']:,}",
            f"{stage['tokens']:,}",
            f"{stage['steps']:,}",
            f"{stage['disk_mib']:,.0f}",
            _time(stage["seconds"]),
        ]
        for stage in plan["stages"]
    ]
    disk = sum(stage["disk_mib"] for stage in plan["stages"])
    seconds = sum(stage["seconds"] for stage in plan["stages"])
    rows.append(["total", "", "", "", "", "", f"{disk:,.0f}", _time(seconds)])
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    lines = [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in [header, *rows]
    ]
    return "\n".join(
        [f"Estimated on {plan['device']}; an upper bound where a stage can save work.", "", *lines]
    )


def _time(seconds: float) -> str:
    if seconds < 5400:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h"
