"""Its programs by the environment they run in (`jobs/installed.py` reads this)."""

PROGRAMS = {
    "analyse": "tabulate_fits tabulate_p_true write_closed_book",
    "orchestrate": "annotate build_mix count_slick write_second_probe",
    "train": "measure_p_true prepare_probe",
}
