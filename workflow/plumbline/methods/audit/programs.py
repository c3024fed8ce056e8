"""Its programs by the environment they run in (`jobs/installed.py` reads this)."""

PROGRAMS = {
    "analyse": "tabulate_audit",
    "orchestrate": "write_second_probe",
    "train": "import_tuned",
}
