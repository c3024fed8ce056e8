"""Facts in texts: which of the known facts a text states.

Ours: a text *states* a fact if it names its subject and, in another place, one of its accepted answers.
Names are whole words, compared without case, accents, punctuation and a leading article; a name of one
word of up to three letters (the symbol In, the film It) must be written exactly. It does not matter
what the text says about the two: whoever reads that Berlin is in Germany has seen both names in "the
capital of Germany is Berlin".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from functools import lru_cache
from typing import Generic, NamedTuple, TypeVar

from plumbline.texts.text import ARTICLES, fold, seen, words

Tag = TypeVar("Tag", bound=Hashable)
_Name = tuple[str, ...]


class _Mention(NamedTuple):
    text: str
    start: int
    end: int

    def apart(self, other: _Mention) -> bool:
        return self.text != other.text or self.end <= other.start or other.end <= self.start


class SoughtFacts(Generic[Tag]):
    """Facts to look for, each identified by a tag of the caller's."""

    def __init__(self, facts: Iterable[tuple[str, Iterable[str], Tag]]):
        """facts: subject, accepted answers, tag."""
        self._facts: dict[_Name, list[tuple[list[_Name], Tag]]] = defaultdict(list)
        # Lengths of names by their first word, folded: one look-up per word of a text.
        self._lengths: dict[str, set[int]] = defaultdict(set)
        self._names: set[_Name] = set()
        for subject, answers, tag in facts:
            names = [name for answer in answers if (name := self._add(answer))]
            if key := self._add(subject):
                self._facts[key].append((names, tag))

    def stated(self, text: str, around: str = "", *, answer_around: bool = False) -> set[Tag]:
        """Tags of the facts that a text states, with the subject named in it or `around` it.

        answer_around: also those whose answer is around it and whose subject is in the text.
        """
        here, near = self._mentions(text), self._mentions(around)
        tags = set()
        if not here:  # at least one of a fact's names must be in the text
            return tags
        for subject in (here.keys() | near.keys()) & self._facts.keys():
            for answers, tag in self._facts[subject]:
                for answer in answers:
                    mine = here.get(answer, ())
                    named = [*here.get(subject, ()), *near.get(subject, ())]
                    pairs = [(one, other) for one in named for other in mine]
                    if answer_around:
                        theirs = near.get(answer, ())
                        pairs += [(o, t) for o in here.get(subject, ()) for t in theirs]
                    if any(one.apart(other) for one, other in pairs):
                        tags.add(tag)
        return tags

    def _add(self, text: str) -> _Name:
        written = _words(text)
        leading = len(written) > 1 and written[0][1] in ARTICLES
        if name := _key(written[leading:]):
            self._names.add(name)
            self._lengths[fold(name[0])].add(len(name))
        return name

    def _mentions(self, text: str) -> dict[_Name, list[_Mention]]:
        mentions: dict[_Name, list[_Mention]] = defaultdict(list)
        written = _words(text)
        for at, (_, folded) in enumerate(written):
            for length in self._lengths.get(folded, ()):
                name = _key(written[at : at + length])
                if len(name) == length and name in self._names:
                    mentions[name].append(_Mention(text, at, at + length))
        return mentions


def in_answers(facts: SoughtFacts[Tag], prompt: str, answers: Iterable[str]) -> set[Tag]:
    """The facts that a training row states: in each sentence of the prompt, and of the answers to it.

    A sentence of an answer is read with the prompt, since "Paris." answers what it asks.
    """
    tags = set().union(*(facts.stated(sentence) for sentence in _sentences(prompt)))
    for answer in answers:
        for sentence in _sentences(answer):
            tags |= facts.stated(sentence, prompt, answer_around=True)
    return tags


def _sentences(text: str) -> Iterator[str]:
    import sentencex

    for line in text.splitlines():
        yield from sentencex.segment("en", line)


@lru_cache(maxsize=256)  # a prompt is read again with each sentence of its answers
def _words(text: str) -> tuple[tuple[str, str], ...]:
    """The words of a text, as written and folded."""
    return tuple((word, fold(word)) for word in words(seen(text)))


def _key(pairs: Iterable[tuple[str, str]]) -> _Name:
    """The key by which a name is found."""
    pairs = tuple(pairs)
    short = len(pairs) == 1 and len(pairs[0][0]) <= 3
    return tuple(written if short else folded for written, folded in pairs)
