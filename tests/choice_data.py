"""Writes choice questions to files, and loads them as a program would."""

import json

from plumbline.config.choices import ChoiceSource
from plumbline.data.choices import load_choices


def lines(folder, *rows, name="rows.jsonl"):
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def load(form, path=None, questions=None, domain="ood", **more):
    source = None if form == "facts" else f"file:{path}"
    return load_choices(ChoiceSource(format=form, source=source, **more), path, questions, domain)


def simple(row):
    return row.question, row.choices, row.labels, row.best


def reasons(dropped):
    return {(row["item"], row["reason"]): row["n"] for row in dropped}


def own(number, **more):
    return {
        "id": f"own-{number}",
        "question": f"Which is {number}?",
        "choices": [f"{number}", f"{number + 1}", f"{number + 2}"],
        "labels": [1, 0, 0],
        **more,
    }
