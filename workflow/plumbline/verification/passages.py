"""Passages to look for evidence in: from the user's files, a Wikipedia extract, or the facts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import Field, ValidationError

from plumbline.claims.sentences import sentences
from plumbline.files import InputError, read_json, read_unique_rows
from plumbline.records import NonEmpty, Question, Record
from plumbline.verification import statements


class Passage(Record):
    """A page, or a part of one, that evidence may come from."""

    id: NonEmpty
    title: NonEmpty = Field(description="What the page is about; claims name it as their topic.")
    text: NonEmpty


def read_passages(path: Path | str, layout: str) -> list[Passage]:
    """Pages of a file. layout "rows": JSON Lines or *.parquet with id, title and text;
    "summaries": one JSON object, page title to an object with `extract` and `description`.

    Raises `InputError` naming file and row for a malformed one, and for a file without pages.
    """
    path = Path(path)
    if layout == "summaries":
        return _summaries(path)
    if path.suffix == ".parquet":
        return _parquet(path)
    return read_unique_rows(path, Passage)


def fact_passages(questions: Iterable[Question]) -> list[Passage]:
    """One page for every subject that has facts with wordings: its facts as sentences."""
    pages: dict[str, list[str]] = defaultdict(list)
    for question, sentence in statements.sentences(questions):
        pages[question.subject].append(sentence)
    if not pages:
        raise InputError(
            f"no facts to make passages from; expected questions of some of the relations "
            f"{', '.join(statements.STATEMENTS)}."
        )
    return [
        Passage(id=title, title=title, text=" ".join(dict.fromkeys(texts)))
        for title, texts in pages.items()
    ]


def chunks(passage: Passage, words: int) -> Iterator[Passage]:
    """The passage in parts of whole sentences, each of at most `words` words.

    A sentence that is longer by itself is cut. Ids are the passage's with #0, #1…
    """
    parts: list[list[str]] = []
    for sentence in sentences(passage.text, passage.title):
        pieces = sentence.split()
        for piece in (pieces[at : at + words] for at in range(0, len(pieces), words)):
            if not parts or len(parts[-1]) + len(piece) > words:
                parts.append([])
            parts[-1] += piece
    for number, part in enumerate(parts):
        yield Passage(id=f"{passage.id}#{number}", title=passage.title, text=" ".join(part))


def _summaries(path: Path) -> list[Passage]:
    pages = read_json(path)
    if not isinstance(pages, dict) or not pages:
        raise InputError(f"{path}: no pages. Expected one JSON object, page title to page.")
    found = []
    for title, page in pages.items():
        try:
            about = f"{title} — {page['description']}. " if page.get("description") else ""
            found.append(Passage(id=title, title=title, text=about + page["extract"]))
        except (AttributeError, KeyError, TypeError, ValidationError) as error:
            raise InputError(
                f"{path}, page {title!r}: expected an object with the texts extract and, if "
                f"there is one, description."
            ) from error
    return found


def _parquet(path: Path) -> list[Passage]:
    import pandas

    columns = ["id", "title", "text"]
    try:
        table = pandas.read_parquet(path, columns=columns)
    except (OSError, ValueError) as error:  # pyarrow's own errors are ValueErrors
        raise InputError(
            f"{path}: cannot be read as Parquet with the columns {', '.join(columns)} "
            f"({str(error).splitlines()[0]}). Give the file these columns."
        ) from error
    found, lines = [], {}
    for number, row in enumerate(table.to_dict("records"), start=1):
        try:
            found.append(Passage(**(row | {"id": str(row["id"])})))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise InputError(f"{path}, row {number}: {first['loc'][0]}: {first['msg']}.") from error
        if lines.setdefault(found[-1].id, number) != number:
            raise InputError(
                f"{path}: rows {lines[found[-1].id]} and {number} have the same id; ids must be "
                f"unique."
            )
    if not found:
        raise InputError(f"{path}: no rows. Expected at least one passage.")
    return found
