"""The report's section on whether training files contain what is evaluated."""

from __future__ import annotations

import pandas as pd

from plumbline.report.blocks import Block, Cell, Prose, Table, count, named, number
from plumbline.report.tables import Run


def contamination(run: Run) -> list[Block]:
    table = run.tables.contamination
    if table.empty:
        return []
    settings = run.manifest.get("config", {}).get("contamination", {})
    words = [_sentence(table, model) for model in table.model.unique()]
    limit = settings.get("max_percent")
    if settings:
        words.append(
            "Nothing is refused; the figures are only reported."
            if limit is None
            else f"Training on a file that contains more than {limit:g} % of a set is refused."
        )
    rows = [
        [
            Cell(row.model),
            Cell(row.training),
            Cell(row.set),
            number(row.rows),
            number(row.n),
            number(row.equal),
            number(row.shared),
            number(row.stated),
            number(row.contaminated),
            number(row.percent, f"{row.percent:.2f}"),
            Cell(row.examples),
        ]
        for row in table.itertuples()
    ]
    run_of_words = f"{settings['ngram']} words" if settings else "so many words"
    caption = (
        "Items of every evaluation set that are in a training file. Equal: the item's question "
        f"is one of the prompts'. Shared: {run_of_words} in a row of its question, or of one of its "
        "choices, occur in a prompt with its answer; for a shorter question, all its words. Stated: a "
        "sentence names its subject and a right answer. %: at least one of these holds. Case, "
        "punctuation and articles are ignored."
    )
    columns = ["model", "training file", "evaluation set", "rows", "items", "equal", "shared"]
    columns += ["stated", "any", "%", "for example"]
    return [Prose(words), Table(caption, columns, rows, folded=True)]


def _sentence(table: pd.DataFrame, model: str) -> str:
    """The model's training files in one sentence, and where most of a set was found."""
    of_model = table[table.model == model]
    held = of_model[of_model.contaminated > 0]
    files, sets = of_model.training.nunique(), of_model.set.nunique()
    whose = named(table, model)
    opening = f"{whose}: of" if whose else "Of"
    plural = "s" * (sets > 1)
    compared = f"{opening} {files} training files compared with {sets} evaluation set{plural} each,"
    if held.empty:
        return f"{compared} no evaluated item was found in any; a paraphrase would not be found."
    most = held.loc[held.percent.idxmax()]
    holding = held.training.nunique()
    return (
        f"{compared} {holding} contain{'s' * (holding == 1)} items that are evaluated; most: "
        f"{most.training}, {count(most.contaminated)} of {count(most.n)} items of {most.set} "
        f"({most.percent:.1f} %)."
    )
