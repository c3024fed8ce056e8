"""EntityQuestions (Sciavolino et al. 2021) filtered as in Gekhman et al. 2024, app. A.

The dataset folder contains `<split>/<relation>.<split>.json` for the splits train, dev and test and 24
relations; each file is a list of {"question": str, "answers": [str, …]}.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from plumbline.data.facts import (
    QuestionSet,
    Tally,
    all_answers,
    choose_relations,
    question_ids,
)
from plumbline.records import Domain, Question, Split
from plumbline.storage.files import InputError, read_json
from plumbline.texts.text import visible

log = logging.getLogger("plumbline")

TEMPLATES = {
    "P17": "Which country is [X] located in?",
    "P19": "Where was [X] born?",
    "P20": "Where did [X] die?",
    "P26": "Who is [X] married to?",
    "P36": "What is the capital of [X]?",
    "P40": "Who is [X]'s child?",
    "P50": "Who is the author of [X]?",
    "P69": "Where was [X] educated?",
    "P106": "What kind of work does [X] do?",
    "P112": "Who founded [X]?",
    "P127": "Who owns [X]?",
    "P131": "Where is [X] located?",
    "P136": "What type of music does [X] play?",
    "P159": "Where is the headquarter of [X]?",
    "P170": "Who was [X] created by?",
    "P175": "Who performed [X]?",
    "P176": "Which company is [X] produced by?",
    "P264": "What music label is [X] represented by?",
    "P276": "Where is [X] located?",
    "P407": "Which language was [X] written in?",
    "P413": "What position does [X] play?",
    "P495": "Which country was [X] created in?",
    "P740": "Where was [X] founded?",
    "P800": "What is [X] famous for?",
}

# How many questions of each relation are left after all filters (Gekhman et al. 2024, tables 3 to 5;
# the paper does not print the dev sizes, which are recomputed from the files). P20, P106, P159, P276
# and P413 are missing, since the paper leaves them out as too close to an in-domain relation.
PAPER_COUNTS: dict[str, dict[Split, int]] = {
    "P131": {"train": 7646, "dev": 976, "test": 965},
    "P136": {"train": 7516, "dev": 959, "test": 967},
    "P17": {"train": 7890, "dev": 994, "test": 996},
    "P19": {"train": 7921, "dev": 1000, "test": 999},
    "P26": {"train": 7456, "dev": 954, "test": 951},
    "P264": {"train": 7324, "dev": 951, "test": 958},
    "P36": {"train": 6815, "dev": 881, "test": 880},
    "P40": {"train": 6110, "dev": 805, "test": 801},
    "P495": {"train": 7674, "dev": 992, "test": 993},
    "P69": {"train": 6721, "dev": 838, "test": 840},
    "P740": {"train": 7271, "dev": 939, "test": 942},
    "P800": {"train": 1356, "dev": 172, "test": 189},
    "P127": {"test": 990},
    "P50": {"test": 967},
    "P407": {"test": 623},
    "P176": {"test": 972},
    "P170": {"test": 850},
    "P175": {"test": 980},
    "P112": {"test": 466},
}
DEFAULT_DOMAINS: dict[str, Domain] = {
    relation: "id" if "train" in counts else "ood" for relation, counts in PAPER_COUNTS.items()
}


@dataclass(frozen=True)
class EntityFact:
    relation: str
    subject: str
    question: str
    answers: tuple[str, ...]


def load_entityquestions(
    folder: Path | str,
    id_relations: list[str] | None = None,
    ood_relations: list[str] | None = None,
    strict_dev: bool = False,
    merge_duplicates: bool = False,
) -> QuestionSet:
    """Questions of the in-domain relations (train, dev, test) and the others (dev, test).

    In the order of the paper: questions with more than one gold answer are dropped; a train question is
    dropped if its subject equals, letter by letter, that of any test question of any of the 24
    relations, including test questions with several answers. Objects may overlap.

    Relation lists: None means the paper's. strict_dev: also drop dev questions whose subject is that
    of any test question or of a kept train question (the paper lets them overlap). merge_duplicates:
    questions of one relation and split that ask the same become one that accepts all their answers
    (the paper keeps both, so that not all of them can be fitted).

    Raises `InputError` for missing files, naming them all, and for a file or row that is not as
    described above, naming file and row.
    """
    folder = Path(folder)
    everything = {relation: DEFAULT_DOMAINS.get(relation) for relation in TEMPLATES}
    domains = choose_relations(everything, id_relations, ood_relations)
    _check_files(folder, domains)

    tests = {name: read_facts(_path(folder, "test", name), name) for name in TEMPLATES}
    test_subjects = {fact.subject for facts in tests.values() for fact in facts}

    tally = Tally()
    kept: list[tuple[EntityFact, Split]] = []

    def keep(relation: str, split: Split, facts: list[EntityFact], unwanted: dict[str, set[str]]):
        domain = domains[relation]
        left = []
        for fact in facts:
            reason = "several_answers" if len(fact.answers) > 1 else None
            for overlap, subjects in unwanted.items():
                if reason is None and fact.subject in subjects:
                    reason = overlap
            if reason:
                tally.add(relation, domain, split, reason)
            else:
                left.append(fact)
        if merge_duplicates:
            merged = _merged(left)
            tally.add(relation, domain, split, "merged", len(left) - len(merged))
            left = merged
        tally.add(relation, domain, split, "kept", len(left))
        kept.extend((fact, split) for fact in left)
        return left

    train_subjects: set[str] = set()
    for relation, domain in domains.items():
        if domain == "id":
            facts = read_facts(_path(folder, "train", relation), relation)
            facts = keep(relation, "train", facts, {"test_subject_overlap": test_subjects})
            train_subjects.update(fact.subject for fact in facts)
    overlaps = {"test_subject_overlap": test_subjects, "train_subject_overlap": train_subjects}
    for relation in domains:
        dev = read_facts(_path(folder, "dev", relation), relation)
        keep(relation, "dev", dev, overlaps if strict_dev else {})
        keep(relation, "test", tests[relation], {})

    result = QuestionSet(_questions(kept, domains), tally.rows())
    if domains == DEFAULT_DOMAINS and not strict_dev and not merge_duplicates:
        check_paper_counts(result.counts)
    return result


def check_paper_counts(counts: list[dict]) -> list[str]:
    """The differences of `counts` from `PAPER_COUNTS`; each is also logged as a warning."""
    kept = {(row["relation"], row["split"]): row["kept"] for row in counts}
    differences = [
        f"{relation} {split}: {kept.get((relation, split), 0):,} questions kept, "
        f"{expected:,} in Gekhman et al. 2024"
        for relation, splits in PAPER_COUNTS.items()
        for split, expected in splits.items()
        if kept.get((relation, split), 0) != expected
    ]
    for difference in differences:
        log.warning(difference)
    return differences


def _path(folder: Path, split: Split, relation: str) -> Path:
    return folder / split / f"{relation}.{split}.json"


def _check_files(folder: Path, domains: dict[str, Domain]) -> None:
    needed = [_path(folder, "test", relation) for relation in TEMPLATES]
    needed += [_path(folder, "dev", relation) for relation in domains]
    needed += [_path(folder, "train", name) for name, domain in domains.items() if domain == "id"]
    missing = [str(path.relative_to(folder)) for path in needed if not path.is_file()]
    if missing:
        raise InputError(
            f"{folder}: missing {', '.join(missing)}. Expected EntityQuestions' folders train, dev "
            f"and test; the test files of all 24 relations are needed, because a train question "
            f"is dropped when any of them asks about its subject."
        )


def read_facts(path: Path, relation: str) -> list[EntityFact]:
    """The rows of a relation's file. InputError if one is not as described above."""
    rows = read_json(path)
    if not isinstance(rows, list):
        raise InputError(f"{path}: expected a list of questions, found {type(rows).__name__}.")
    return list(_facts(path, relation, rows))


def _facts(path: Path, relation: str, rows: list) -> Iterator[EntityFact]:
    before, after = TEMPLATES[relation].split("[X]")
    for index, row in enumerate(rows):
        question, answers = (
            (row.get("question"), row.get("answers")) if isinstance(row, dict) else (None, None)
        )
        if not isinstance(question, str) or not _is_answers(answers):
            raise InputError(
                f'{path}, row {index}: expected {{"question": text, "answers": [text, …]}}, '
                f"at least one answer, none of them blank."
            )
        subject = question[len(before) : len(question) - len(after)]
        if not visible(subject) or question != before + subject + after:
            raise InputError(
                f"{path}, row {index}: the question {question!r} does not follow the template of "
                f"{relation}, {TEMPLATES[relation]!r}, so its subject is not known."
            )
        yield EntityFact(relation, subject, question, tuple(answers))


def _is_answers(answers: object) -> bool:
    return (
        isinstance(answers, list)
        and len(answers) > 0
        and all(isinstance(answer, str) and visible(answer) for answer in answers)
    )


def _merged(facts: list[EntityFact]) -> list[EntityFact]:
    same: dict[str, list[EntityFact]] = defaultdict(list)
    for fact in facts:
        same[fact.question].append(fact)
    return [replace(group[0], answers=tuple(all_answers(group))) for group in same.values()]


def _questions(kept: list[tuple[EntityFact, Split]], domains: dict[str, Domain]) -> list[Question]:
    """Questions whose ids also differ for repetitions, in one split or in two (39 in the real data)."""
    ids = question_ids((f.relation, f.subject, f.question, f.answers[0]) for f, _ in kept)
    return [
        Question(
            id=name,
            relation=fact.relation,
            subject=fact.subject,
            question=fact.question,
            answers=list(fact.answers),
            split=split,
            domain=domains[fact.relation],
        )
        for name, (fact, split) in zip(ids, kept, strict=True)
    ]
