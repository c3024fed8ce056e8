"""Passages to search for evidence: from the user's files, a Wikipedia extract, or the facts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field, ValidationError

from plumbline.claims.sentences import sentences
from plumbline.records import NonEmpty, Question, Text
from plumbline.storage.files import InputError, first_mistake, read_json, unique
from plumbline.storage.rows import OwnRow, own_rows
from plumbline.texts.text import pieces
from plumbline.verification import statements


def _as_text(name: object) -> object:
    return str(name) if isinstance(name, int) else name


class Passage(OwnRow):
    """A page, or part of one, that may contain evidence."""

    CONTENT: ClassVar = frozenset()  # no questions or answers

    id: Annotated[NonEmpty, BeforeValidator(_as_text)]
    title: Text = Field(description="What the page is about; claims name it as their topic.")
    text: Text


def read_passages(path: Path | str, layout: str) -> list[Passage]:
    """Pages of a file. layout "rows": JSON Lines, *.csv or *.parquet with id, title and text;
    "texts": a folder of *.txt and *.md files, each a page titled by the file's name; "summaries":
    one JSON object, page title to an object with `extract` and `description`.

    Raises `InputError` naming file and row for a malformed one, and for a file without pages.
    """
    path = Path(path)
    if layout == "summaries":
        return _summaries(path)
    if layout == "texts":
        return list(_texts(path))
    return unique(path, own_rows(path, Passage), Passage)


def fact_passages(questions: Iterable[Question]) -> list[Passage]:
    """One page for every subject that has facts with wordings, stating its facts as sentences."""
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
    """The passage in parts of whole sentences, each of at most `words` words (`text.segments`).

    A sentence that alone is longer is cut. Ids are the passage's with #0, #1…
    """
    parts: list[list[str]] = []
    for sentence in sentences(passage.text, passage.title):
        written = pieces(f"{sentence} ")
        for piece in (written[at : at + words] for at in range(0, len(written), words)):
            if not parts or len(parts[-1]) + len(piece) > words:
                parts.append([])
            parts[-1] += piece
    for number, part in enumerate(parts):
        yield Passage(id=f"{passage.id}#{number}", title=passage.title, text="".join(part).strip())


def _texts(folder: Path) -> Iterator[Passage]:
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".txt", ".md"))
    if not files:
        raise InputError(
            f"{folder}: has no text file. Expected a folder of *.txt or *.md files, one page each."
        )
    for path in files:
        name = path.relative_to(folder).as_posix()
        try:
            text = path.read_text(encoding="utf-8-sig")
            yield Passage(id=name, title=path.stem.replace("_", " "), text=text)
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"{path}: cannot be read as text in UTF-8 ({error}). Save it again, or take it out."
            ) from error
        except ValidationError as error:
            raise InputError(
                f"{path}: {first_mistake(error, 'the page')}. Fill it, or take it out."
            ) from error


def _summaries(path: Path) -> list[Passage]:
    pages = read_json(path)
    if not isinstance(pages, dict) or not pages:
        raise InputError(f"{path}: no pages. Expected one JSON object, page title to page.")
    passages = []
    for title, page in pages.items():
        try:
            opening = f"{title} — {page['description']}. " if page.get("description") else ""
            passages.append(Passage(id=title, title=title, text=opening + page["extract"]))
        except (AttributeError, KeyError, TypeError, ValidationError) as error:
            raise InputError(
                f"{path}, page {title!r}: expected an object with the texts extract and, if "
                f"there is one, description."
            ) from error
    return passages
