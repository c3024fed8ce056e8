"""Writes choice questions to files, and loads them as a program would."""

import json

from plumbline.config.choices import ChoiceSource
from plumbline.data.choice_items import load_choices
from plumbline.records import Question

CITIES = ["Oslo", "Rome", "Lima", "Cairo", "Quito", "Paris", "Seoul", "Bern"]


def fact(number, answer, relation="capital", split="test", **more):
    return Question(
        **{
            "id": f"{relation}/{number}",
            "relation": relation,
            "subject": f"S{number}",
            "question": f"What is the {relation} of S{number}?",
            "answers": [answer] if isinstance(answer, str) else answer,
            "split": split,
            "domain": "id",
            **more,
        }
    )


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
