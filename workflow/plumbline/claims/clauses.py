"""Splitting a sentence about one subject: what its clauses say, each as a sentence of its own.

Clauses are only cut off if their form says whom or what they are about:

- shortened clauses and phrases ("…, bordering Peru", "…, known for rice", "…, with a population of
  …", "… with the symbol Al") are about the subject;
- relative clauses after a comma, and nouns beside a name ("in Texas, a state of …"), are about the name
  just before the comma; if there is none, this is unknown;
- "a town that lies in Ohio" says that the subject lies there;
- parallel nouns ("a poet and critic", "the capital and largest city of Peru") are one claim each;
- "a busy town in northern Peru" also says that it is a town in Peru.

If it is unknown what a clause is about, the clause stays together with everything before it, beside the
part that stands without it: so no claim is made that nobody said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import regex

_LONGEST = 1500  # characters; a model that repeats itself writes longer sentences
_BE = r"(?:is|was|are|were)"
_FINITE = (
    rf"(?:{_BE}|has|have|had|became|remains|lies|sits|borders|consists|covers|includes|contains"
    r"|belongs|serves|features|plays|played|stands|lived|lives|works|worked|died|won|wrote)"
)
# Participles and adjectives that open a shortened clause about the sentence's subject.
_SHORTENED = (
    r"(?:(?:also|often|widely|officially|formerly|originally|commonly|best|primarily|mainly|mostly"
    r"|just|most) )*(?:located|situated|nestled|found|known|famous|renowned|celebrated|named|called"
    r"|founded|established|built|created|developed|directed|written|produced|released|published"
    r"|starring|based|born|bordered|surrounded|home to|used|considered|regarded|recognized|spoken"
    r"|bordering|covering|making|serving|spanning|boasting|containing|comprising|lying|overlooking"
    r"|stretching|featuring|offering|attracting|consisting|connecting|specializing)\b"
)
_NOUN = r"(?:an?|the|one of)"
# A name at the end of a text; its last word has a capital.
_NAME_END = regex.compile(
    r"(?<![\w-])(?:the )?"
    r"(?:\p{Lu}[\w'’.-]*(?: (?:of|and|the|de|da|do|del|la) (?=\p{Lu})| (?=\p{Lu}))?)+$"
)
_LISTED = re.compile(r"\b(?:including|such as|like|between|from)\b")
_DIRECTION = r"(?:north|south|east|west)\w*(?:[ -](?:and )?(?:north|south|east|west)\w*)?"

_TAIL = re.compile(
    rf",? (?:and )?(?:"
    rf"(?P<shortened>(?<=, )(?:and )?{_SHORTENED})"
    rf"|(?P<has>(?<=, )(?:and )?with (?={_NOUN} |(?:about|around|over|approximately)\b|\w+ \w+))"
    rf"|(?P<relative>(?<=, )(?:which|who) (?:also |later )?(?={_FINITE}\b))"
    rf"|(?P<beside>(?<=, )(?={_NOUN} (?![A-Z])))"
    rf"|(?P<other>(?<=, )and (?:(?P<own>its|his|her) |(?=the ))(?=[a-z][\w' -]*? {_BE} ))"
    r")"
)
_WITH = re.compile(
    r" with (?=an? |(?:the )?(?:chemical |atomic |official )?(?:symbol|number|population|capital)\b)"
)
_THAT = re.compile(
    rf"(?P<head>{_BE} (?:also )?an? [^,;]*?) (?:that|which|who) (?P<rest>(?:also )?{_FINITE}\b.*)"
)
_TWO_OF = re.compile(
    rf"(?P<verb>{_BE} (?:also )?)the (?P<one>[a-z]+(?: city)?) and (?:the )?"
    r"(?P<two>(?:[\w-]+ ){0,3}?[a-z]+) (?P<of>(?:of|in) [^,]*(?:, [A-Z][^,]*)?)"
)
_PARALLEL = re.compile(
    rf"(?P<verb>{_BE} (?:also )?)(?P<a>an? )(?P<list>[\w' -]+(?:, [\w' -]+)*,? and [\w' -]+?)"
    r"(?P<end>[.!]?)"
)
_PERSON = re.compile(r"\b(?:[a-z]{2,}(?:[^r]er|ist|[ct]or|ian|man)|poet|critic)$")
_TWO_THINGS = re.compile(
    r"(?P<verb>(?:has|had|with) )(?P<one>(?:an? |the )?(?:\w+ ){0,3}?(?:symbol|number|mass|weight)\b"
    r"[^,;]*?),? and (?P<two>(?:an? |the )?(?:\w+ ){0,3}?(?:symbol|number|mass|weight)\b[^,;]*)"
)
_BORDERS = re.compile(
    rf"(?P<verb>(?:is |was )?(?:bordered by|borders|bordering) )(?P<list>.* (?:to|on|in) the "
    rf"{_DIRECTION}[.!]?)"
)
_BORDER = re.compile(
    rf"(?:,? and |, |^)(?P<one>(?!while\b).+? (?:to|on|in) the {_DIRECTION})(?=,| and |[.!]?$)"
)
_ASIDE = re.compile(
    rf", (?P<aside>{_NOUN} [^,;]+(?:, [A-Z][^,;]+)?|{_SHORTENED}[^,;]*), (?={_FINITE}\b)"
)
_WAY = r"(?:north|south|east|west)(?:-?(?:east|west))?(?:ern(?:most)?)?"
_PART = (
    rf"(?:(?:the )?(?:very|far|{_WAY}|central|part|half|third|heart|center|centre|middle|region|of"
    r"|(?:North|South|East|West)(?:[ -](?:East|West))? of) )*"
)
_WIDER = (
    r"(?:(?!Northern (?:Ireland|Mariana)|Western (?:Sahara|Samoa))(?:North|South|East|West)\w*ern[ -]"
    r"|(?:North|South|East|West|Central|Southeast|Northeast|Southwest|Northwest)[ -]"
    r"(?!Africa$(?<=South Africa))(?=(?:Africa|Asia|Europe)$))"
)
# A former or fictional town is not a town, and a deity of a mythology is not a mythology.
_NO_SUCH = re.compile(
    r"\b(?:former|fictional|imaginary|alleged|supposed|mythical|mythological|legendary|ancient"
    r"|proposed|planned|disputed|non-\w+|semi-\w+|of|in|to|from|with|by|for|on|at|that|who|which)\b"
)
# Where somebody or something is, said more precisely than by the name of a place.
_PLACED = regex.compile(
    rf"(?P<verb>{_BE} (?:also )?)(?:an? (?P<kind>[^,;]*?)(?P<noun>[a-z]+)(?: that is)?)?"
    rf"(?P<set> ?(?:located|situated|nestled|set))?(?:(?<=\w) )in {_PART}"
    rf"(?:\p{{Lu}}[\w' -]*, )*{_WIDER}?"
    r"(?P<name>(?:the )?\p{Lu}[\p{L}'-]*(?: (?:of (?:the )?|and (?:the )?)?\p{Lu}[\p{L}'-]*)*)"
)
_NATIONAL = regex.compile(
    rf"(?P<verb>{_BE} (?:also )?)an? (?P<kind>(?:[^,;]+ )?)(?P<noun>\p{{Lu}}[a-z]+ [a-z]+"
    r"(?: (?!(?:located|nestled|situated|in|on|at|from|who|that|of|with)\b)[a-z]+)?)"
    r"(?: (?:located|nestled|situated|in|on|at|from|who|that|of|with) .*)?"
)
_FRONTED = re.compile(rf"(?P<front>{_SHORTENED}[^,;]*(?:, [A-Z][^,;]*)?), ", re.IGNORECASE)
_VERBLESS = re.compile(rf"\b{_FINITE}\b|\b(?:that|which|who|whose|where|when|by|to)\b")


def clauses(subject: str, predicate: str) -> Iterator[str]:
    """The sentences that "subject predicate" says, in order, or that sentence alone if no rule applies.

    subject: as in the sentence; predicate: everything after it, including the full stop.
    """
    mark = predicate[-1] if predicate[-1:] in (".", "!") else ""
    text = predicate[: len(predicate) - len(mark)]
    if aside := _ASIDE.match(text):
        yield f"{subject} {_predicate(aside['aside'])}{mark}"
        text = " " + text[aside.end() :]
    for clause in _of(subject, text.strip()):
        yield clause + mark


def fronted(sentence: str, name: str, pronoun: str | None) -> tuple[str, str] | None:
    """("located in Ohio", "Akron is …") for "Located in Ohio, Akron is …"; None for other sentences.

    The pronoun may take the place of the name.
    """
    match = _FRONTED.match(sentence)
    if not match:
        return None
    front, rest = match["front"][0].lower() + match["front"][1:], sentence[match.end() :]
    if pronoun and rest.startswith(f"{pronoun} "):
        rest = name + rest[len(pronoun) :]
    return (front, rest) if rest.startswith(f"{name} ") else None


def tails(sentence: str) -> Iterator[str]:
    """The parts of a sentence whose subject is unknown: only clauses about a name are cut off."""
    mark = sentence[-1] if sentence[-1:] in (".", "!") else ""
    for clause in _cut("", sentence[: len(sentence) - len(mark)]):
        yield clause + mark


def _of(subject: str, text: str) -> Iterator[str]:
    """The claims of "subject text", without full stops."""
    for clause in _cut(subject, text):
        predicate = clause.removeprefix(f"{subject} ")
        if predicate == clause:  # about something else
            yield clause
        else:
            for part in _parallel(predicate):
                yield f"{subject} {part}"


def _cut(subject: str, text: str) -> Iterator[str]:
    """Cut off clauses after commas, one after another; subject "": text is a whole sentence."""
    whole = f"{subject} {text}".strip()
    if len(text) > _LONGEST:
        yield whole
        return
    for match in _TAIL.finditer(text):
        head, rest = text[: match.start()], text[match.end() :]
        if not re.search(rf"\b{_FINITE}\b", head):
            continue
        head = f"{subject} {head}".strip()
        kind = match.lastgroup if match.lastgroup != "own" else "other"
        if kind == "beside" and (_LISTED.search(head) or re.search(rf",? and {_NOUN} ", rest)):
            continue  # it may be an item of a list
        name = _NAME_END.search(head)
        if kind in ("shortened", "has") and subject:
            said = text[match.start() :].lstrip(", ").removeprefix("and ")
            following = [*_cut(subject, _predicate(said, past=re.search(r"\bwas\b", head)))]
        elif kind == "relative" and name:
            following = [*_cut(_capital(name[0]), rest)]
        elif (
            kind == "beside"
            and name
            and not re.match(r"(?:the|one of)\b", rest)
            and "," not in rest
        ):
            following = [f"{_capital(name[0])} is {rest}"]
        elif kind == "other":
            owner = f"{subject}'s " if match["own"] and subject else ""
            if match["own"] and not subject:
                continue
            said = owner + rest
            following = [*_cut("", _capital(said))]
        else:
            following = [whole]
        yield from _cut("", head) if not subject else [head]
        yield from following
        return
    yield whole


def _predicate(said: str, past: object = None) -> str:
    """A shortened clause or a noun as a predicate: "bordering Peru", "is bordering Peru"."""
    if said.startswith("with "):
        return f"{'had' if past else 'has'} {said[5:]}"
    said = re.sub(r"^making (?:it|him|her) ", "", said)
    return f"{'was' if past else 'is'} {said}"


def _parallel(text: str) -> list[str]:
    """A predicate with parallel nouns or attributes, as several; other predicates as they are."""
    if len(text) > _LONGEST:
        return [text]
    if match := _THAT.fullmatch(text):
        return [*_parallel(match["head"]), *_parallel(match["rest"])]
    if re.match(rf"{_BE} (?:also )?an? ", text) and (match := _WITH.search(text)):
        head = text[: match.start()]
        if not re.search(r"\b(?:who|that|which|,)", head):
            verb = "had" if text.startswith("was") else "has"
            return [*_parallel(head), *_parallel(f"{verb} {text[match.end() :]}")]
    if match := _TWO_THINGS.fullmatch(text):
        return [match["verb"] + match["one"], match["verb"] + match["two"]]
    if match := _TWO_OF.fullmatch(text):
        return [f"{match['verb']}the {match[part]} {match['of']}" for part in ("one", "two")]
    if match := _BORDERS.fullmatch(text):
        parts = [border["one"] for border in _BORDER.finditer(match["list"])]
        if len(parts) > 1 and not any(noun.startswith("to ") for noun in parts):
            return [match["verb"] + noun for noun in parts]
        return [text]
    match = _PARALLEL.fullmatch(text)
    if match and not _VERBLESS.search(match["list"]):
        nouns = re.split(r", and |, | and ", match["list"])
        # "A vibrant and old city" has two adjectives, "a writer and tennis player" has none.
        single = r"(?:an? .+|[a-z-]+)" if not _PERSON.search(nouns[0]) else r"[a-z -]+"
        if all(re.fullmatch(single, noun) for noun in nouns[1:]) and not re.search(
            r"\b(?:in|of|on|at|from|for|with|between)\b", match["list"]
        ):
            return [_with_article(match["verb"], match["a"], noun) for noun in nouns]
    return _placed(text)


def _placed(text: str) -> list[str]:
    """The text, and a plainer claim that it also makes, by its place or nation."""
    for pattern in (_PLACED, _NATIONAL):
        match = pattern.fullmatch(text)
        if not match or _NO_SUCH.search(match["kind"] or ""):
            continue
        said = match["noun"] or "located"
        place = f" in {match['name']}" if pattern is _PLACED else ""
        plain = match["verb"] + said + place
        if match["noun"]:
            plain = _with_article(match["verb"], "a", said + place)
        return [text] if plain == text else [plain, text]
    return [text]


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _with_article(verb: str, article: str, noun: str) -> str:
    if re.match(r"(?:an?|the) ", noun):
        return verb + noun
    vowel = noun[:1].lower() in "aeiou" and not noun.lower().startswith(("uni", "eu", "one"))
    return f"{verb}{'an' if vowel else 'a'} {noun}"
