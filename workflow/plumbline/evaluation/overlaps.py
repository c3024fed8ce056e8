"""Whether training data contain what is evaluated: equal questions, shared runs of words, facts.

Questions and words are compared by `text.question_key`, without articles. Runs of 13 words are
GPT-3's measure (Brown et al. 2020, App. C). Ours: an item with a shorter question is searched for as a
whole, if it has at least `WHOLE` words, since shorter questions are often equal only in form. In
scripts written without spaces, two characters count as a word, about a word's length in Chinese;
single signs are ignored. If an item's subject and right answers are known, a row that states this fact
in other words counts too (`plumbline.texts.stated`): "Berlin lies in Germany" gives away the capital
of Germany.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from pathlib import Path

from pydantic import AliasChoices, BaseModel, Field

from plumbline.records import Message, NonEmpty, Record, Split, as_text
from plumbline.storage.files import InputError, read_rows, read_unique_rows
from plumbline.texts.stated import SoughtFacts, in_answers
from plumbline.texts.text import ARTICLES, question_key, segments, weight

WHOLE = 5  # words; an n-gram cannot be shorter either
SHOWN = 3  # how many ids of contaminated items are shown

# What chat templates and prompt forms put around turns.
_TAGS = re.compile(r"</?s>|\[/?INST\]|<\|\w+\|>")


class EvaluatedText(Record):
    """The fields that closed-book questions, choice questions and instructions share."""

    id: NonEmpty
    question: NonEmpty = Field(validation_alias=AliasChoices("question", "instruction"))
    choices: list[str] = Field([], description="Of a choice question.")
    labels: list[int] = Field([], description="Of its choices: 1 true, 0 false.")
    subject: str | None = None
    answers: list[str] = Field([], description="All that are right.")
    split: Split = "test"

    @property
    def right(self) -> list[str]:
        """The accepted answers, or the true choices."""
        labelled = zip(self.choices, self.labels, strict=False)
        return self.answers or [choice for choice, label in labelled if label]


class Trained(Record):
    """A row of a training file: an example or a pair."""

    id: NonEmpty
    prompt: str | list[Message]
    completion: str | list[Message] | None = None
    chosen: str | list[Message] | None = None
    rejected: str | list[Message] | None = None

    def answers(self) -> list[str]:
        """The answers to the prompt."""
        answers = (self.completion, self.chosen, self.rejected)
        return [as_text(answer) for answer in answers if answer is not None]

    def texts(self) -> list[str]:
        """The prompt with each of its answers."""
        return [f"{as_text(self.prompt)}\n{answer}" for answer in self.answers()]


class Overlap(BaseModel):
    """How much of one evaluation set is in one training file; counts are of its items."""

    set: str
    n: int
    equal: int = Field(description="Their question is a training question, when normalised.")
    shared: int = Field(description="A run of words, or the whole short question, is in a row.")
    stated: int = Field(description="Their subject and a right answer are named together.")
    contaminated: int = Field(description="At least one of these.")
    examples: list[str] = Field(description="Ids of some contaminated items.")

    @property
    def percent(self) -> float:
        """Contaminated items, in per cent."""
        return 100 * self.contaminated / self.n if self.n else 0.0


class Contamination(BaseModel):
    """What was found for one training file."""

    training: str
    rows: int
    ngram: int
    overlaps: list[Overlap]


def measure(
    training: str, rows: Sequence[Trained], sets: Mapping[str, Sequence[EvaluatedText]], ngram: int
) -> Contamination:
    """Compare a training file with every evaluation set.

    ngram: how many words in a row count, at least `WHOLE`. An item is shared if such a run is in its
    question or in one of its choices. Its fact is stated if a sentence of a row names its subject and a
    right answer.
    """
    asked = training_questions([as_text(row.prompt) for row in rows])
    index = _Runs(ngram)
    for name, items in sets.items():
        for item in items:
            index.add((name, item.id), item)
    sharing = index.find({text for row in rows for text in row.texts()})
    facts = SoughtFacts(
        (item.subject, item.right, (name, item.id))
        for name, items in sets.items()
        for item in items
        if item.subject
    )
    told = {fact for row in rows for fact in in_answers(facts, as_text(row.prompt), row.answers())}
    overlaps = []
    for name, items in sets.items():
        equal = {item.id for item in items if _words(item.question) in asked}
        shared = {item.id for item in items if (name, item.id) in sharing}
        stated = {item.id for item in items if (name, item.id) in told}
        overlaps.append(
            Overlap(
                set=name,
                n=len(items),
                equal=len(equal),
                shared=len(shared),
                stated=len(stated),
                contaminated=len(equal | shared | stated),
                examples=sorted(equal | shared | stated)[:SHOWN],
            )
        )
    return Contamination(training=training, rows=len(rows), ngram=ngram, overlaps=overlaps)


def measure_files(training: str, path: Path, sets: Mapping[str, Path], ngram: int) -> Contamination:
    """`measure` for files; of questions with splits, only the test split is compared."""
    return measure(
        training,
        read_unique_rows(path, Trained, empty=True),
        {
            name: [row for row in read_rows(file, EvaluatedText) if row.split == "test"]
            for name, file in sets.items()
        },
        ngram,
    )


def training_questions(prompts: Iterable[str]) -> set[tuple[str, ...]]:
    """What prompts ask, as words: each prompt, and each of its lines (one line of a few-shot prompt
    is the question), without the lines that all prompts share, which are their form.
    """
    lines = {prompt: _lines(prompt) for prompt in prompts}
    form = set.intersection(*map(set, lines.values())) if len(lines) > 1 else set()
    questions = set()
    for texts in lines.values():
        left = [line for line in texts if line not in form]
        questions |= {_words(text) for text in ["\n".join(left), *left]}
    return {question for question in questions if any(map(weight, question))}


def refuse(contamination: Contamination, max_percent: float | None) -> None:
    """Raises InputError if more than `max_percent` of an evaluation set is contaminated."""
    for overlap in contamination.overlaps:
        if max_percent is not None and overlap.percent > max_percent:
            raise InputError(
                f"{contamination.training}: {overlap.percent:.1f} % of the {overlap.n} items of "
                f"the evaluation set {overlap.set} are in this training file ({overlap.equal} as "
                f"an equal question, {overlap.shared} by {contamination.ngram} words in a row or as "
                f"a whole, {overlap.stated} as a fact in other words), more than "
                f"contamination.max_percent allows ({max_percent:g} %). Some of them: "
                f"{', '.join(overlap.examples)}. Take them out of the evaluation set or of what is "
                f"trained on, or raise contamination.max_percent (null: report only)."
            )


class _Runs:
    """Runs of words and the items that they are from."""

    def __init__(self, ngram: int):
        self.ngram = ngram
        self._owners: dict[tuple[str, ...], set] = defaultdict(set)
        # Lengths of runs by the words that all of them begin with: one look-up per word of a text.
        self._lengths: dict[tuple[str, ...], set[int]] = defaultdict(set)

    def add(self, owner: tuple[str, str], item: EvaluatedText) -> None:
        question = _words(item.question)
        if WHOLE <= sum(map(weight, question)) < self.ngram:
            self._add(owner, question)
        for words in (question, *map(_words, item.choices)):
            for run in _runs(words, self.ngram):
                self._add(owner, run)

    def _add(self, owner: tuple[str, str], run: tuple[str, ...]) -> None:
        self._owners[run].add(owner)
        self._lengths[run[:WHOLE]].add(len(run))

    def find(self, texts: Iterable[str]) -> set[tuple[str, str]]:
        """The items with a run in any of the texts."""
        runs: set[tuple[str, ...]] = set()  # runs that all items share have very many owners
        for text in texts:
            words = _words(text)
            for at in range(len(words) - WHOLE + 1):
                for length in self._lengths.get(words[at : at + WHOLE], ()):
                    runs.add(words[at : at + length])
        return set().union(*(self._owners.get(run, ()) for run in runs))


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in segments(question_key(text)) if word not in ARTICLES)


def _runs(words: tuple[str, ...], ngram: int) -> Iterator[tuple[str, ...]]:
    """From each word on, the shortest run that counts for `ngram` words."""
    upto = list(accumulate(map(weight, words), initial=0))
    for at, before in enumerate(upto):
        end = bisect_left(upto, before + ngram, lo=at)
        if end < len(upto):
            yield words[at:end]


def _lines(prompt: str) -> list[str]:
    lines = (line.strip() for line in _TAGS.sub("\n", prompt).splitlines())
    return [line for line in lines if line]
