"""MMLU's CSV files as rows, each with the few-shot examples that precede its question."""

import csv
from pathlib import Path

from datasets import Dataset

LETTERS = "ABCD"


def load(data_dir: str, **_) -> dict[str, Dataset]:
    """The split `test`: subject, shown (the examples), asked, question, answer (its index).

    ValueError where a file is missing or has another shape.
    """
    folder, found = Path(data_dir), []
    for path in sorted(folder.glob("test/*_test.csv")):
        name = path.name.removesuffix("_test.csv")
        subject = name.replace("_", " ")
        examples = _rows(folder / f"dev/{name}_dev.csv")
        shown = "".join(f"{_asked(row)} {row[-1]}\n\n" for row in examples)
        for row in _rows(path):
            question, key = row[0].strip(), LETTERS.index(row[-1])
            found.append(
                {"subject": subject, "shown": shown, "asked": _asked(row)}
                | {"question": question, "answer": key}
            )
    if not found:
        raise ValueError(f"{folder}/test has no file <subject>_test.csv")
    return {"test": Dataset.from_list(found)}


def _asked(row: list[str]) -> str:
    choices = "".join(f"{letter}. {text}\n" for letter, text in zip(LETTERS, row[1:5], strict=True))
    return f"{row[0].strip()}\n{choices}Answer:"


def _rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    for number, row in enumerate(rows, start=1):
        if len(row) != 6 or row[-1] not in LETTERS:
            raise ValueError(
                f"{path}, row {number}: expected a question, four choices and the letter of the "
                f"right one"
            )
    return rows
