"""Its programs by the environment they run in (`jobs/installed.py` reads this)."""

PROGRAMS = {
    "analyse": "tabulate_grath",
    "orchestrate": "build_grath_pairs choose_grath_questions write_grath_requests",
}
