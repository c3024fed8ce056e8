"""Sentences of a long answer, by `sentencex` (rules and lists of abbreviations, no model)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import regex
import sentencex

from plumbline.texts.text import STOPS, is_whole

# A dash, dot, star or number at the beginning of a list item.
LIST_MARK = re.compile(r"\s*(?:(?:[-*•–]|\d{1,3}[.)])\s+|\d{1,3}[、．）]\s*)")
# Ends of sentences that sentencex does not know: Khmer full stops, and the Greek question mark.
_END = regex.compile(r"(?<=[។៕]\s*|\p{Greek}[;\u037e]\s+)(?=\S)")
# The fence of a code block: three or more of them, the first with the language (CommonMark, sec. 4.5).
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)$")
_IN_WORD, _GOES_ON = re.compile(r"\w"), re.compile(r"\s+[a-z(]|[,;:'’]")
_HEADING = re.compile(r"\s*#{1,6}\s")
# Private-use characters, after a capital letter since names begin with one.
_WHOLE, _BARE = "Q\ue000", "Q\ue001"


def name_of(topic: str) -> str:
    """The topic as in running text: without a distinction in brackets at its end."""
    return re.sub(r"\s*\([^()]*\)$", "", topic).strip() or topic


def sentences(text: str, topic: str) -> list[str]:
    """Sentences of `text` in order, stripped; [] if it has no letters or digits.

    A line break always ends a sentence. Headings, code between fences (to the end of the text if a
    fence is not closed), the marks of list items and `**` are left out. Full stops, question marks and
    exclamation marks inside the topic's name do not end a sentence, and the name is not taken for an
    abbreviation.
    """
    name = name_of(topic)
    bare = name.rstrip(f"{STOPS}?!？！")
    kept = []
    fence = None
    for line in re.sub("[\ue000\ue001]", "", text).splitlines():
        if mark := _FENCE.match(line):
            if fence is None:
                fence = mark[1]
            elif mark[1].startswith(fence) and not mark[2].strip():
                fence = None
            continue
        if fence is not None:
            continue
        if _HEADING.match(line):
            continue
        mark = LIST_MARK.match(line)
        line = line[mark.end() if mark else 0 :].replace("**", "").strip()
        if bare:
            line = _hide(line, name, bare)
        for sentence in _split(line):
            sentence = sentence.replace(_WHOLE, name).replace(_BARE, bare).strip()
            if any(character.isalnum() for character in sentence):
                kept.append(sentence)
    return kept


def without_last_sentence(text: str) -> str:
    """Everything before a text's last sentence, which a token limit has cut off."""
    return "".join([*_split(text)][:-1]).rstrip()


def _split(text: str) -> Iterator[str]:
    for part in sentencex.segment("en", text):
        yield from _END.split(part)


def _hide(line: str, name: str, bare: str) -> str:
    """The line with a plain word in place of the topic's name, whose marks might end sentences.

    A mark at the end of the name is hidden only if the sentence visibly continues, since the mark
    may also end the sentence ("He met Martin Luther King Jr.").
    """

    def goes_on(text: str, start: int, end: int) -> bool:
        return bool(not _IN_WORD.match(text[start - 1 : start]) and _GOES_ON.match(text, end))

    line = _put(line, name, _WHOLE, goes_on)
    return _put(line, bare, _BARE, is_whole)


def _put(text: str, name: str, new: str, fits: Callable[[str, int, int], bool]) -> str:
    """The text with `new` in place of `name` wherever fits(text, start, end)."""
    parts, done, at = [], 0, text.find(name)
    while at >= 0:
        end = at + len(name)
        if fits(text, at, end):
            parts += [text[done:at], new]
            done, at = end, text.find(name, end)
        else:
            at = text.find(name, at + 1)
    return "".join([*parts, text[done:]])
