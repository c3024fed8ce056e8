"""Its programs by the environment they run in (`jobs/installed.py` reads this)."""

PROGRAMS = {
    "analyse": "tabulate_consistency",
    "orchestrate": "build_consistency_pairs write_consistency_requests",
}
