"""Splitting by rule: for text that keeps to one topic in plain sentences, such as ours.

What the rules do not understand stays whole: a claim that is too long is judged too strictly, but one
that is split wrongly is judged on something nobody said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import regex

from plumbline.claims.clauses import clauses, fronted, tails
from plumbline.claims.records import Claim, Response, Splitting
from plumbline.claims.sentences import name_of
from plumbline.claims.split import Listing, collect
from plumbline.texts.text import whole

_AUXILIARY = "is|was|are|were|has|had|does|did|can|could|would"
# Never part of a passive, so these begin a new predicate.
_FINITE = (
    rf"{_AUXILIARY}|appeared|became|began|came|chose|died|fell|flew|gave|graduated|grew|knew|lived"
    r"|ran|sang|starred|took|traveled|travelled|went|wrote"
)
# Past tenses that are also participles: "and joined" begins a predicate in "he left and joined", but
# not in "was asked and joined". Those that often precede a noun ("new and published work") are not in
# the list.
_PAST = (
    "acted|attended|bought|coached|defeated|directed|discovered|earned|enrolled|explored|fought"
    "|founded|helped|hosted|invented|joined|launched|led|lost|made|married|moved|opened|performed"
    "|played|produced|received|released|represented|resigned|returned|served|sold|spent|studied"
    "|taught|toured|won|worked"
)
_VERB = re.compile(rf"\b(?:{_FINITE}|{_PAST})\b")
_ADVERB = "also|then|later|soon|subsequently|eventually|still|now"
# The beginning of a predicate: its verb and the word after it ("was founded").
_BEGINNING = re.compile(
    rf"(?:(?:{_ADVERB}) )?(?:(?P<auxiliary>{_AUXILIARY})|{_VERB.pattern})\b(?: (?:{_ADVERB})\b)? \S+"
)
_NEXT = re.compile(
    rf"(?:,? (?:and|but) |(?P<semicolon>; ))(?:(?P<pronoun>he|she|it|they) )?"
    rf"(?P<predicate>(?:(?:{_ADVERB}) )?(?:(?P<finite>{_FINITE})|{_PAST}) )"
)
# After one of these, it is uncertain what a later verb belongs to.
_UNSURE = re.compile(
    r"\b(?:who|whom|whose|which|that|what|where|when|while|because|although|though|if|as|after"
    r"|before|until|since)\b|[\"“”:]"
)
# May open a shortened clause ("a house built in 1900 and sold"); names begin with a capital.
_PARTICIPLE = re.compile(r"\b(?:[a-z]+ed|built|called|held|known|made|sold|written)\b")

_POSSESSIVES = {"his": "he", "her": "she", "its": "it"}
_OPENING = re.compile(
    r"(?P<setting>(?:in|on|at|after|during|by|since|from)\b[^,;]*, )?(?P<pronoun>he|she|it)\b"
    r"|(?P<possessive>his|her|its)\b",
    re.IGNORECASE,
)
_IMPERSONAL = re.compile(r"(?:[^,;]*, )?it (?:is|was|has been) (?:\w+ )?(?:that|to)\b", re.I)
_CONTRACTED = re.compile(r"^['’]s (?!been\b)")
_CHAT = re.compile(
    r"(?:sure|certainly|of course|okay|ok|here(?:'s| is| are)|i(?! is\b)|let me|please|feel free"
    r"|thanks?|if you|note that)\b",
    re.IGNORECASE,
)


def split_by_rule(responses: Iterable[Response]) -> tuple[list[Claim], list[Splitting]]:
    """Claims of the responses, and for each response the outcome of splitting it.

    The pronoun that first opens a sentence (he, she or it) stands for the topic wherever it opens
    one. A second predicate gets its subject repeated if that is the topic and it is clear what the
    verb belongs to. Questions and remarks to the reader state no claim.
    """
    return collect(responses, _listings)


def _listings(response: Response, parts: list[str]) -> list[Listing]:
    name = name_of(response.topic)
    pronoun = next((pronoun for part in parts if (pronoun := _opening_pronoun(part, name))), None)
    return [Listing(tuple(facts(part, name, pronoun))) for part in parts]


def facts(sentence: str, name: str, pronoun: str | None) -> list[str]:
    """The claims of one sentence, or the sentence itself if no rule applies.

    name: the topic as in running text; pronoun: he, she or it, if that stands for the topic.
    """
    if not _starts_with(sentence, name):
        if _CHAT.match(sentence.replace("’", "'")):
            return []
        if pronoun and _opening_pronoun(sentence, name) == pronoun:
            opening = _OPENING.match(sentence)
            subject = f"{name}'s" if opening["possessive"] else f"{opening['setting'] or ''}{name}"
            sentence = subject + _CONTRACTED.sub(" is ", sentence[opening.end() :])
    if sentence.endswith(("?", "？", "؟")) and not sentence.endswith(name):
        return []
    if parts := fronted(sentence, name, pronoun):
        front, sentence = parts
        return [*clauses(name, f"is {front}."), *facts(sentence, name, pronoun)]
    article = "The " if _starts_with(sentence, f"the {name}") else ""
    length = len(article) + len(name)
    if sentence[length : length + 1] not in (" ", ",") or not _starts_with(
        sentence, article + name
    ):
        return [*tails(sentence)]
    predicates = _predicates(sentence[length:].lstrip(" "), pronoun)
    return [claim for predicate in predicates for claim in clauses(sentence[:length], predicate)]


def _starts_with(sentence: str, name: str) -> bool:
    """Whether it does, apart from a capital: topics such as "helium" get one there."""
    return sentence[:1].casefold() == name[:1].casefold() and sentence[1:].startswith(name[1:])


def _opening_pronoun(sentence: str, name: str) -> str | None:
    """he, she or it if the sentence opens with one; None if it also contains the name."""
    opening = _OPENING.match(sentence)
    named = regex.search(whole(name), sentence, regex.IGNORECASE)
    if not opening or named or _IMPERSONAL.match(sentence):
        return None
    if opening["possessive"]:
        return _POSSESSIVES[opening["possessive"].lower()]
    return opening["pronoun"].lower()


def _predicates(text: str, pronoun: str | None) -> list[str]:
    """From "moved to Rome and died there." the two: "moved to Rome." and "died there."."""
    beginning = _BEGINNING.match(text)
    if not beginning:
        return [text]
    for following in _NEXT.finditer(text, beginning.end()):
        before = text[: following.start()]
        if _UNSURE.search(before) or _VERB.search(before, beginning.end()):
            break
        if following["pronoun"]:
            # "It" later in a sentence more often means what was mentioned last.
            clear = following["pronoun"] == pronoun != "it"
            if not clear:
                break
        elif following["semicolon"]:
            break
        else:
            clear = following["finite"] or not (
                beginning["auxiliary"] or _PARTICIPLE.search(before, beginning.end())
            )
        if clear:
            end = text[-1] if text[-1] in ".!" else ""
            return [before + end, *_predicates(text[following.start("predicate") :], pronoun)]
    return [text]
