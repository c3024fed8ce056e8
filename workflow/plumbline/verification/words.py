"""Finding names in running text: words are compared without case and accents, longest name first."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from plumbline.texts.text import ARTICLES, WORD, fold, seen

_INITIALS = re.compile(r"\b(?:[^\W\d_]\. ?){2,}")
# Names that, at the beginning of a sentence, are more often ordinary words.
_OPENERS = frozenset(
    ["as", "at", "be", "he", "her", "hi", "i", "in", "inside", "it", "me", "no", "of", "once", "us"]
)

# Words that may have a capital before a name without being part of it.
_LEADING = frozenset([
    *ARTICLES, "although", "and", "as", "at", "both", "by", "during", "for", "from", "if", "in",
    "is", "like", "of", "on", "since", "that", "though", "to", "was", "when", "while", "with",
    "capital", "city", "country", "deity", "element", "film", "god", "goddess", "movie", "republic",
    "state", "town", "west", "east", "north", "south", "western", "eastern", "northern", "southern",
    "central", "southeast", "southwest", "northeast", "northwest",
])  # fmt: skip

Key = tuple[str, ...]


class Text:
    """A text as words: `words` as written, `folded` for comparing.

    "U.S." is the word US, and "J. J. Abrams" begins with JJ. `joined[i]` says whether only a space or a
    hyphen is between words i-1 and i.
    """

    def __init__(self, text: str):
        text = seen(text)
        text = _INITIALS.sub(lambda match: re.sub(r"[. ]", "", match[0]) + " ", text)
        matches = list(WORD.finditer(text))
        self.words = [word[0] for word in matches]
        self.folded = tuple(map(fold, self.words))
        self.joined = [False] + [
            text[first.end() : second.start()] in (" ", "-") for first, second in pairwise(matches)
        ]

    def __len__(self) -> int:
        return len(self.words)


@dataclass(frozen=True)
class Mention:
    """Words `start` to `end` of a text, which are a name for `values`."""

    start: int
    end: int
    values: tuple = ()

    def covers(self, at: int) -> bool:
        return self.start <= at < self.end


class Names:
    """Names and what they mean.

    A name with a capital must begin with one (after its article), so that the film Her is not found in
    "with her"; a symbol or code of up to four capitals must be written exactly.
    """

    def __init__(self) -> None:
        self._entries: dict[Key, list[tuple[str | None, object]]] = {}
        self._longest = 0

    def add(self, name: str, value: object, any_case: bool = False, exact: bool = False) -> None:
        """`any_case`: small letters match too; `exact`: only the exact spelling matches."""
        text = Text(name)
        if not text.folded:
            return
        test = None
        if len(text) == 1 and (exact or (name.isupper() and len(name) <= 4)):
            test = name
        elif not any_case and _begins_with_capital(text.words):
            test = ""
        self._entries.setdefault(text.folded, []).append((test, value))
        self._longest = max(self._longest, len(text))

    def update(self, names: Iterable[str], value: object) -> None:
        """Add several names of the same thing."""
        for name in names:
            self.add(name, value)

    def find(self, text: Text) -> list[Mention]:
        """Mentions from left to right, without overlap."""
        mentions, at = [], 0
        while at < len(text):
            for end in range(min(len(text), at + self._longest), at, -1):
                if values := self._values(text, at, end):
                    mentions.append(Mention(at, end, values))
                    at = end
                    break
            else:
                at += 1
        return mentions

    def _values(self, text: Text, start: int, end: int) -> tuple:
        entries = self._entries.get(text.folded[start:end])
        if entries is None or (start == 0 and end == 1 < len(text) and text.folded[0] in _OPENERS):
            return ()
        written = text.words[start:end]
        capital = _begins_with_capital(written) or "".join(text.words).islower()
        return tuple(
            value
            for test, value in entries
            if test is None or (capital if test == "" else written == [test])
        )


def part_of_longer(text: Text, mention: Mention, mentions: Iterable[Mention]) -> bool:
    """Whether a one-word name is beside another capitalised word, as in "Alfred Hitchcock".

    Words that belong to a mention of their own do not count.
    """
    if mention.end - mention.start > 1 or not text.words[mention.start][0].isupper():
        return False
    mentions = list(mentions)
    before = mention.start - 1 if text.joined[mention.start] else None
    after = mention.end if mention.end < len(text) and text.joined[mention.end] else None
    return any(
        at is not None
        and text.words[at][0].isupper()
        and not (at == before and text.folded[at] in _LEADING)
        and not any(other.covers(at) for other in mentions)
        for at in (before, after)
    )


def _begins_with_capital(name: list[str]) -> bool:
    word = name[1] if len(name) > 1 and name[0].lower() in ARTICLES else name[0]
    return word[0].isupper()
