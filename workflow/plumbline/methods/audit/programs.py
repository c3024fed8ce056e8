"""Its programs by the environment they run in (`jobs/installed.py` reads this)."""

PROGRAMS = {
    "analyse": "tabulate_audit",
    "train": "import_tuned",
}
