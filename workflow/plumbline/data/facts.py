"""Closed-book questions about facts: from the included tables or from the user's own rows.

Train, dev and test are separated by subject, never by row, and a subject is in the same split in
every relation. So no subject of a test question of any relation is the subject of a train question of
any relation (which Gekhman et al. 2024, app. A, achieve by filtering).

Nor does a train or dev question state a test fact with its answers (`plumbline.texts.stated`), as
inverse relations do: the capital of a country, the country of a city. Ours.

Out-of-domain relations are only evaluated: they have no train split. Their subjects that hash to train
serve as dev questions, from which few-shot examples are drawn.
"""

from __future__ import annotations

import difflib
import hashlib
import logging
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, ValidationError

from plumbline.data.tables import FactCount
from plumbline.records import Domain, NonEmpty, Question, Split, Text
from plumbline.storage.files import InputError
from plumbline.storage.rows import OwnRow, own_rows
from plumbline.texts import stated
from plumbline.texts.text import clean, fold, question_key

log = logging.getLogger("plumbline")
SHARES = (0.6, 0.1, 0.3)
SPLITS: tuple[Split, ...] = ("train", "dev", "test")
# Why rows are dropped; FactCount explains each reason.
REASONS = tuple(FactCount.model_fields)[4:]


class FactRow(OwnRow):
    """A question from the user's own file. If the split is left out, it is derived from the subject."""

    id: NonEmpty | None = None
    relation: Text
    subject: Text
    question: Text
    answers: list[Text] = Field(min_length=1)
    domain: Domain = "id"
    split: Split | None = None
    popularity: float | None = None


@dataclass(frozen=True)
class QuestionSet:
    """Questions, and how many were kept and dropped and why.

    `counts` has a row for each relation and split: relation, domain, split, kept, and one column for
    each of `REASONS`.
    """

    questions: list[Question]
    counts: list[dict]

    def dropped(self) -> dict[str, int]:
        """How many rows were dropped in all, by reason; only reasons that occurred."""
        sums = {reason: sum(row[reason] for row in self.counts) for reason in REASONS}
        return {reason: n for reason, n in sums.items() if n}


class Tally:
    """Counts kept and dropped rows by relation, domain and split."""

    def __init__(self) -> None:
        self._cells: dict[tuple[str, Domain, Split], Counter] = defaultdict(Counter)

    def add(self, relation: str, domain: Domain, split: Split, what: str, count: int = 1) -> None:
        """Count rows as `kept` or under one of `REASONS`."""
        self._cells[relation, domain, split][what] += count

    def rows(self) -> list[dict]:
        """One row per relation, domain and split, in-domain relations first, then by name and split."""
        ordered = sorted(self._cells, key=lambda cell: (cell[1], cell[0], SPLITS.index(cell[2])))
        return [
            {
                **dict(zip(("relation", "domain", "split"), cell, strict=True)),
                **{what: self._cells[cell][what] for what in ("kept", *REASONS)},
            }
            for cell in ordered
        ]


def split_of(
    subject: str, domain: Domain, shares: Sequence[float] = SHARES, seed: int = 1
) -> Split:
    """The split of a subject: a hash of seed and folded subject, cut at `shares`.

    shares: train, dev and test as fractions of 1. Raises `InputError` if they are not.
    """
    train, dev, _ = _checked_shares(shares)
    digest = hashlib.sha256(f"{seed}:{fold(subject)}".encode()).digest()
    position = int.from_bytes(digest[:8]) / 2**64
    if position >= train + dev:
        return "test"
    return "train" if position < train and domain == "id" else "dev"


def question_ids(rows: Iterable[tuple[str, str, str, str]]) -> list[str]:
    """Stable unique ids of (relation, subject, question, first answer); equal rows get -2, -3…"""
    seen: Counter = Counter()
    ids = []
    for relation, *parts in rows:
        name = f"{relation}/{hashlib.sha256('|'.join(parts).encode()).hexdigest()[:12]}"
        seen[name] += 1
        ids.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return ids


def load_embedded(
    folder: Path | str,
    id_relations: list[str] | None = None,
    ood_relations: list[str] | None = None,
    shares: Sequence[float] = SHARES,
    seed: int = 1,
) -> QuestionSet:
    """Questions from the fact tables `<relation>.tsv` that `relations.tsv` in `folder` lists.

    Relation lists: None means those that `relations.tsv` gives the domain by default, except those
    named in the other list. Raises `InputError` for an unknown relation, one named in both domains,
    and a malformed table.
    """
    folder = Path(folder)
    table = {row["relation"]: row for row in _read_tsv(folder / "relations.tsv", _RELATION_COLUMNS)}
    domains = choose_relations(
        {name: row["domain"] for name, row in table.items()}, id_relations, ood_relations
    )
    rows = []
    for name, domain in domains.items():
        path = folder / f"{name}.tsv"
        for number, fact in enumerate(_read_tsv(path, _FACT_COLUMNS), start=2):
            try:
                row = FactRow(
                    relation=name,
                    domain=domain,
                    subject=fact["subject"],
                    question=table[name]["template"].replace("[X]", fact["subject"]),
                    answers=fact["answers"].split("|"),
                    popularity=fact["popularity"] or None,
                )
            except ValidationError as error:
                first = error.errors(include_url=False)[0]
                where = ".".join(str(part) for part in first["loc"])
                raise InputError(f"{path}, line {number}: {where}: {first['msg']}.") from error
            rows.append(row)
    # Left out when the tables were made, since their names have several meanings in the source.
    tally = Tally()
    for row in _read_tsv(folder / "ambiguous.tsv", ("relation", "subject")):
        if domain := domains.get(row["relation"]):
            split = split_of(row["subject"], domain, shares, seed)
            tally.add(row["relation"], domain, split, "ambiguous_subject")
    return _assemble(rows, shares, seed, tally)


def load_rows(
    path: Path | str,
    shares: Sequence[float] = SHARES,
    seed: int = 1,
    merge_duplicates: bool = False,
) -> QuestionSet:
    """The user's own questions: JSON Lines with the fields of `FactRow`.

    Rows with a split keep it; a train row whose subject is asked about in a test question is dropped
    and counted. Rows of a relation that ask the same become one, the first (of the test rows, if
    there are any, or else of the dev rows), which accepts the answers of all. If these have none in
    common, the question is ambiguous and dropped, unless `merge_duplicates`. Raises `InputError`
    naming the line of a malformed row, and for a file without rows, a relation that is both in and
    out of the domain, and an `id` given twice.
    """
    written = list(own_rows(Path(path), FactRow))
    if not written:
        raise InputError(f"{path}: no rows. Expected at least one question.")
    rows = [_cleaned(row) for row in written]
    if changed := sum(row != before for row, before in zip(rows, written, strict=True)):
        log.warning(
            f"{path}: {changed:,} row(s) have invisible characters, blanks around a text, or letters "
            f"and spaces in an unusual encoding; they are read without these, in the form that models "
            f"are used to."
        )
    domain_of: dict[str, Domain] = {}
    for number, row in enumerate(rows, start=1):
        if domain_of.setdefault(row.relation, row.domain) != row.domain:
            raise InputError(
                f"{path}, row {number}: relation {row.relation!r} is {row.domain} here and "
                f"{domain_of[row.relation]} before; give a relation one domain."
            )
    result = _assemble(rows, shares, seed, merge=merge_duplicates)
    twice = [name for name, n in Counter(q.id for q in result.questions).items() if n > 1]
    if twice:
        raise InputError(
            f"{path}: the id {twice[0]!r} occurs more than once; ids must be unique. Rename one, or "
            f"leave ids out."
        )
    return result


def _cleaned(row: FactRow) -> FactRow:
    texts = {name: _stripped(getattr(row, name)) for name in ("relation", "subject", "question")}
    return row.model_copy(update={**texts, "answers": list(map(_stripped, row.answers))})


def _stripped(text: str) -> str:
    return clean(text).strip()


def choose_relations(
    defaults: dict[str, Domain | None],
    id_relations: list[str] | None,
    ood_relations: list[str] | None,
) -> dict[str, Domain]:
    """The domain of each relation to use; `defaults` are all there are, None: not used by default.

    Raises `InputError` for an unknown relation, one in both lists, and an empty in-domain list.
    """
    named = set(id_relations or ()) | set(ood_relations or ())
    for name in sorted(named - set(defaults)):
        near = difflib.get_close_matches(name, defaults, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise InputError(f"unknown relation {name!r}.{hint} There are: {', '.join(defaults)}.")
    both = sorted(set(id_relations or ()) & set(ood_relations or ()))
    if both:
        raise InputError(f"relation {both[0]!r} is named both in and out of the domain; keep one.")
    chosen: dict[str, Domain] = {}
    for domain, wish in (("id", id_relations), ("ood", ood_relations)):
        if wish is None:
            wish = [n for n, default in defaults.items() if default == domain and n not in named]
        chosen |= dict.fromkeys(wish, domain)
    if "id" not in chosen.values():
        raise InputError("no in-domain relation is left: name at least one.")
    return chosen


def all_answers(rows: Iterable[FactRow]) -> list[str]:
    """The answers of all rows, without repetition, in order of first appearance."""
    return list(dict.fromkeys(answer for row in rows for answer in row.answers))


def _assemble(
    rows: list[FactRow],
    shares: Sequence[float],
    seed: int,
    tally: Tally | None = None,
    merge: bool = False,
) -> QuestionSet:
    """Assign splits and ids, and drop rows for the reasons that all sources of single facts share.

    tally: what was already dropped; merge: also merge questions whose answers have none in common.
    """
    tally = tally or Tally()
    asked: dict[tuple[str, str], list[tuple[FactRow, Split]]] = defaultdict(list)
    for row in rows:
        split = row.split or split_of(row.subject, row.domain, shares, seed)
        asked[row.relation, question_key(fold(row.question))].append((row, split))

    split_rows: list[tuple[FactRow, Split]] = []
    for same in _told_apart(asked.values()):
        # What is evaluated stays evaluated, whatever the order of a file's rows.
        same.sort(key=lambda pair: SPLITS.index(pair[1]), reverse=True)
        distinct: dict[frozenset[str], tuple[FactRow, Split]] = {}
        for row, split in same:
            answers = _answers(row)
            if distinct.setdefault(answers, (row, split))[0] is not row:
                tally.add(row.relation, row.domain, split, "duplicate")
        (first, own_split), *others = distinct.values()
        if merge or _hang_together(list(distinct)):
            reason, lost = "merged", others
            if own_split == "train" and first.domain == "ood":
                tally.add(first.relation, first.domain, own_split, "ood_train")
            else:
                accepted = all_answers(row for row, _ in same)
                split_rows.append((first.model_copy(update={"answers": accepted}), own_split))
        else:
            reason, lost = "ambiguous_question", distinct.values()
        for row, split in lost:
            tally.add(row.relation, row.domain, split, reason)

    tested = [row for row, split in split_rows if split == "test"]
    test_subjects = {fold(row.subject) for row in tested}
    test_facts = stated.SoughtFacts((row.subject, row.answers, at) for at, row in enumerate(tested))
    kept: list[tuple[FactRow, Split]] = []
    for row, split in split_rows:
        what = "kept"
        if split == "train" and fold(row.subject) in test_subjects:
            what = "test_subject_overlap"
        elif split != "test" and stated.in_answers(test_facts, row.question, row.answers):
            what = "states_test_fact"
        tally.add(row.relation, row.domain, split, what)
        if what == "kept":
            kept.append((row, split))

    ids = question_ids((row.relation, row.subject, row.question, row.answers[0]) for row, _ in kept)
    questions = [
        Question(**(row.model_dump() | {"id": row.id or name, "split": split}))
        for name, (row, split) in zip(ids, kept, strict=True)
    ]
    return QuestionSet(questions, tally.rows())


def _told_apart(
    groups: Iterable[list[tuple[FactRow, Split]]],
) -> Iterator[list[tuple[FactRow, Split]]]:
    """Rows that ask the same. Accents may be missing, but not where that changes the answers: then
    Bär is not Bar.
    """
    for same in groups:
        if _hang_together([_answers(row) for row, _ in same]):
            yield same
            continue
        spelled = defaultdict(list)
        for row, split in same:
            spelled[question_key(row.question)].append((row, split))
        yield from spelled.values()


def _answers(row: FactRow) -> frozenset[str]:
    return frozenset(map(fold, row.answers))


def _hang_together(groups: list[frozenset[str]]) -> bool:
    """Whether the groups of answers are connected: each shares one with another, directly or not."""
    joined, *apart = groups
    while near := [group for group in apart if group & joined]:
        joined = joined.union(*near)
        apart = [group for group in apart if group not in near]
    return not apart


_RELATION_COLUMNS = ("relation", "template", "domain", "licence", "source")
_FACT_COLUMNS = ("subject", "answers", "popularity")


def _read_tsv(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as a table in UTF-8 ({error}).") from error
    rows = [line.split("\t") for line in lines]
    if not rows or tuple(rows[0]) != columns:
        raise InputError(f"{path}, line 1: expected the columns {', '.join(columns)}.")
    for number, row in enumerate(rows, start=1):
        if len(row) != len(columns):
            raise InputError(
                f"{path}, line {number}: {len(row)} tab-separated cells; expected {len(columns)}."
            )
    return [dict(zip(columns, row, strict=True)) for row in rows[1:]]


def _checked_shares(shares: Sequence[float]) -> tuple[float, float, float]:
    if len(shares) != 3 or min(shares) < 0 or not math.isclose(sum(shares), 1):
        raise InputError(
            f"shares {tuple(shares)}: expected three fractions (train, dev, test), sum 1."
        )
    return tuple(shares)
