"""Sentences of a long answer, by `sentencex` (rules and lists of abbreviations, no model)."""

from __future__ import annotations

import re

import sentencex

# A dash, a dot, a star or a number that opens a line of a list.
LIST_MARK = re.compile(r"\s*(?:[-*•–]|\d{1,3}[.)])\s+")
_HEADING = re.compile(r"\s*#{1,6}\s")
# Characters for private use, after a capital letter as names begin with one.
_WHOLE, _BARE = "Q\ue000", "Q\ue001"


def name_of(topic: str) -> str:
    """The topic as running text calls it: without a bracketed distinction at its end."""
    return re.sub(r"\s*\([^()]*\)$", "", topic).strip() or topic


def sentences(text: str, topic: str) -> list[str]:
    """Sentences of `text` in order, stripped; [] where nothing holds a letter or digit.

    A line break always ends a sentence. Headings, the marks of list lines and `**` are left out.
    Full stops, question and exclamation marks inside the topic's name end no sentence, nor is it
    taken for an abbreviation.
    """
    name = name_of(topic)
    bare = name.rstrip(".?!")
    found = []
    for line in re.sub("[\ue000\ue001]", "", text).splitlines():
        if _HEADING.match(line):
            continue
        mark = LIST_MARK.match(line)
        line = line[mark.end() if mark else 0 :].replace("**", "").strip()
        if bare:
            line = _hide(line, name, bare)
        for sentence in sentencex.segment("en", line):
            sentence = sentence.replace(_WHOLE, name).replace(_BARE, bare).strip()
            if any(character.isalnum() for character in sentence):
                found.append(sentence)
    return found


def without_last_sentence(text: str) -> str:
    """What comes before a text's last sentence, which a token limit has cut off."""
    return "".join([*sentencex.segment("en", text)][:-1]).rstrip()


def _hide(line: str, name: str, bare: str) -> str:
    """The line with a plain word for the topic's name, whose marks might end sentences.

    A mark at the name's end is hidden only where the sentence visibly goes on, since the same
    mark may end the sentence too ("He met Martin Luther King Jr.").
    """
    line = re.sub(rf"(?<!\w){re.escape(name)}(?=\s+[a-z(]|[,;:'’])", _WHOLE, line)
    return re.sub(rf"(?<!\w){re.escape(bare)}(?!\w)", _BARE, line)
