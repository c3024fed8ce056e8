"""Its programs by the environment they run in (`jobs/installed.py` reads this)."""

PROGRAMS = {
    "analyse": "tabulate_losses",
    "orchestrate": """
        build_apeft_pairs collect_apeft_answers tabulate_apeft write_apeft_answers
        write_apeft_questions""",
}
