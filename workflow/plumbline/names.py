"""How checkpoints are called."""

FINAL = "final"  # the stop of a tuning that keeps only the end of its training


def checkpoint_name(tuning: str, stop: str) -> str:
    """`mix.unknown-50.early_stop`; a tuning with only its final stop is called by its own name."""
    return tuning if stop == FINAL else f"{tuning}.{stop}"
