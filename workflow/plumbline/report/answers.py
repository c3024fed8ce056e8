"""Every answer to every question, for the part of the page where readers browse them."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from plumbline.evaluation.answer_sheets import AnswerSheets, AskedQuestion, Sheet
from plumbline.names import PLACEBO
from plumbline.report.blocks import Block, Browser, Prose, count
from plumbline.report.labels import checkpoint_label
from plumbline.report.tables import DOMAINS, TASKS, Run
from plumbline.storage.files import InputError, first_mistake

FILTERS = ("domain", "split", "category", "relation")
# Values for which the page uses other words.
SPOKEN = {("domain", domain): words for domain, words in DOMAINS.items()}
SPOKEN |= {("category", "All"): "not probed"}


def read_answers(path: Path) -> AnswerSheets:
    """Read tables/answers.json. InputError naming file and field if it is not valid."""
    try:
        return AnswerSheets.model_validate_json(path.read_bytes())
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}). Run the stage that makes it "
            f"(tabulate_answers)."
        ) from error
    except ValidationError as error:
        raise InputError(
            f"{path}: {first_mistake(error, 'the file')}. Expected sheets of answers; write the file "
            f"again by running the stage that makes it (tabulate_answers)."
        ) from error


def answers(run: Run) -> list[Block]:
    """How many answers there are to browse, and the place for them."""
    if run.answers is None or not run.answers.sheets:
        return []
    n = sum(len(sheet.questions) * len(sheet.columns) for sheet in run.answers.sheets)
    return [
        Prose(
            [
                f"{count(n)} answers: what two checkpoints say to the same question, side by side. "
                f"Shares are as in metrics.csv, of the questions that the filters leave. Click a "
                f"question to see what all checkpoints answer."
            ]
        ),
        Browser(packed(run.answers)),
    ]


def packed(answers: AnswerSheets) -> dict:
    """The data of the page's script: all text, names in the page's words, values to filter by."""
    several = len({sheet.model for sheet in answers.sheets}) > 1
    return {
        "texts": answers.texts,
        "sheets": [_packed(sheet, several) for sheet in answers.sheets],
    }


def _packed(sheet: Sheet, several_models: bool) -> dict:
    seeds = {column.seed for column in sheet.columns if column.checkpoint != "base"}
    task = TASKS.get(sheet.task, sheet.task)
    return {
        "title": f"{sheet.model}: {task}" if several_models else task,
        "questions": [question.text for question in sheet.questions],
        "accepted": [question.accepted for question in sheet.questions],
        **{name: _values(sheet.questions, name) for name in FILTERS},
        "checkpoints": [
            checkpoint_label(column.checkpoint)
            + (f", seed {column.seed}" if len(seeds) > 1 and column.checkpoint != "base" else "")
            for column in sheet.columns
        ],
        "after": _last(sheet),
        "outputs": [column.outputs for column in sheet.columns],
        "right": [column.right for column in sheet.columns],
    }


def _last(sheet: Sheet) -> int:
    """The column that is shown beside the first at first: the last one, but no placebo's."""
    places = range(len(sheet.columns))
    return max((n for n in places if not sheet.columns[n].checkpoint.endswith(PLACEBO)), default=0)


def _values(questions: list[AskedQuestion], name: str) -> dict:
    """The values of a filter, and which of them applies to each question."""
    values = [getattr(question, name) for question in questions]
    places = {value: place for place, value in enumerate(dict.fromkeys(values))}
    names = [SPOKEN.get((name, value), value) for value in places]
    return {"names": names, "of": [places[value] for value in values]}
