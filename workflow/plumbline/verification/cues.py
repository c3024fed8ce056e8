"""How a sentence says which relation it is about.

Patterns are searched in a claim's folded words, joined by single spaces, with the subject's name
replaced by SUBJ, names of the object's kind by OBJ and adjectives that stand for one by ADJ.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

# Words that add nothing to what a sentence says.
PLAIN = frozenset([
    "a", "an", "the", "this", "that", "which", "who", "whose", "of", "in", "on", "at", "by", "for",
    "from", "to", "with", "within", "as", "and", "is", "was", "are", "were", "be", "it", "its",
    "he", "his", "she", "her", "they", "their", "s", "has", "have", "had", "does", "also", "there",
    "where", "located", "situated", "found", "lies", "lie", "sits", "called", "named", "known",
])  # fmt: skip
_OBJECT = re.compile(r"\b(?:OBJ|ADJ)\b")
_LINK = r"(?:(?:is|was|are|s|as|by|called|named|known|located|in|the|an?|city|of) )*"
_AFTER = re.compile(rf" {_LINK}(?:OBJ|ADJ)\b")
_BEFORE = re.compile(rf"\b(?:OBJ|ADJ) {_LINK}$")


class Tier(IntEnum):
    """How much a pattern says; the first says most."""

    SLOT = 0  # the subject's place in the sentence: another object contradicts the fact
    CUE = 1  # what the sentence is about: in a short sentence, another object contradicts it too
    WEAK = 2  # occurs with a true fact, but another object is no contradiction


@dataclass(frozen=True)
class Cues:
    slots: tuple[str, ...]
    cues: tuple[str, ...]
    weak: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()  # signs that another relation is meant
    generic: str = ""  # what the subject may be called instead of its name
    words: str = ""  # words that say no more than the relation does, besides `PLAIN`
    past: bool = False  # the tables describe the present: "the former capital" is not meant

    def tier(self, masked: str) -> Tier | None:
        """The best tier that has a pattern in the masked claim."""
        if any(re.search(pattern, masked) for pattern in self.unless):
            return None
        for tier, patterns in zip(Tier, (self.slots, self.cues, self.weak), strict=True):
            if any(re.search(pattern, masked) for pattern in patterns):
                return tier
        return None

    def fills_slot(self, masked: str) -> bool:
        """Whether an object is in a slot, or next to one with only a verb in between."""
        return any(
            _OBJECT.search(match[0])
            or _AFTER.match(masked, match.end())
            or _BEFORE.search(masked, 0, match.start())
            for pattern in self.slots
            for match in re.finditer(pattern, masked)
        )


NEGATED = re.compile(
    r"\b(?:not|never|no longer|neither|nor|cannot|\w+n t|except|unlike|instead of|rather than)\b"
)
PAST = re.compile(r"\b(?:former|formerly|once|until|previously|used to be|historic|ancient)\b")
PRONOUN = re.compile(r"(?:he|she|it|they|his|her|its|their)")

_IS = r"(?:is|was|are|were|became|remains)"
_THE = r"(?:the )?"
_CITY = r"city|town|municipality|village|suburb|port|settlement|metropolis"
_COUNTRY = r"country|nation|state|republic|kingdom"
_WHERE = (
    r"(?:(?:located|situated|found) )?(?:in|within|inside) (?:the )?"
    r"(?:(?:us |american )?(?:state|country|continent) of )?"
    r"(?:(?:north|south|east|west|central|northern|southern|eastern|western) )*(?:the )?OBJ"
)
_CAPITAL = rf"capital (?:city )?of {_THE}(?:(?:us |american )?(?:state|country|nation) of )?{_THE}"
_ANOTHER_CAPITAL = (
    r"\bcapital (?:city |district )?(?:and (?:\w+ ){1,4}?)?of "
    r"(?!(?:the )?(?:(?:us |american )?(?:state|country|nation|republic|kingdom) of )?(?:the )?SUBJ)",
    r"\b(?:provincial|regional|economic|financial|cultural|commercial) capital|\bcapital district",
)

CUES: dict[str, Cues] = {
    "country_capital": Cues(
        (
            rf"\b{_CAPITAL}SUBJ",
            r"SUBJ (?:s )?(?:national )?capital (?:city )?(?:is|was|OBJ)\b",
            r"SUBJ (?:has|made) (?:its )?capital\b",
            r"SUBJ has (?:the city of )?OBJ as its capital",
        ),
        (r"\bcapital\b",),
        unless=(*_ANOTHER_CAPITAL, r"\bstate capital"),
        words="capital city country nation national",
        generic=_COUNTRY,
        past=True,
    ),
    "us_state_capital": Cues(
        (
            rf"\b{_CAPITAL}SUBJ",
            r"SUBJ (?:s )?(?:state )?capital (?:city )?(?:is|was|OBJ)\b",
            r"SUBJ (?:has|made) (?:its )?(?:state )?capital\b",
            r"SUBJ has (?:the city of )?OBJ as its (?:state )?capital",
        ),
        (r"\bcapital\b", r"\bcapitol\b"),
        unless=_ANOTHER_CAPITAL,
        words="capital city state us united states american",
        generic="state",
        past=True,
    ),
    "country_continent": Cues(
        (
            rf"SUBJ (?:is|lies|sits) (?:(?:an? |the )?(?:\w+ ){{0,3}}?(?:{_COUNTRY}) )?{_WHERE}",
            r"SUBJ (?:is|lies|sits) on (?:the )?(?:continent of )?OBJ",
            rf"SUBJ is (?:an? |the )?(?:\w+ ){{0,2}}?ADJ (?:{_COUNTRY})",
            rf"SUBJ (?:is|belongs|forms) (?:\w+ )?(?:part of|to) {_THE}(?:continent of )?OBJ",
            rf"SUBJ is (?:\w+ ){{0,4}}?(?:countries|nations|states) (?:in|of) {_THE}OBJ",
            r"\bcontinent (?:that|on which|of|where) (?:\w+ )?SUBJ",
            r"SUBJ (?:s )?continent\b",
        ),
        (rf"\b(?:{_COUNTRY}) (?:\w+ ){{0,3}}?(?:in|of|on) (?:\w+ )?OBJ", r"\bcontinent\b"),
        unless=(r"\b(?:close|near|next|border\w*) (?:to )?",),
        words="country nation state sovereign continent part belongs",
        generic="country|nation",
    ),
    "country_language": Cues(
        (
            rf"\b(?:official|national) language of {_THE}SUBJ",
            r"SUBJ (?:s )?(?:only )?(?:official|national) language (?:is|OBJ)\b",
            r"SUBJ has OBJ as its (?:official|national) language",
        ),
        (r"\bofficial language\b", r"\bofficially\b"),
        (r"\b(?:speak|speaks|spoken|language)\b",),
        unless=(r"\blanguages\b", r"\bminority\b", r"\brecogni[sz]ed\b"),
        words="official officially national language speak speaks spoken country people",
        generic=_COUNTRY,
        past=True,
    ),
    "country_currency": Cues(
        (
            rf"\b(?:currency|legal tender|monetary unit) (?:used )?(?:of|in) {_THE}SUBJ",
            r"SUBJ (?:s )?(?:official |national )?currency (?:unit )?(?:is|OBJ)\b",
            rf"SUBJ (?:\w+ )?(?:uses?|adopted) {_THE}OBJ",
            rf"SUBJ has {_THE}OBJ as its currency",
            rf"\bin {_THE}SUBJ (?:\w+ )?(?:pay|pays) (?:in|with) {_THE}OBJ",
        ),
        (r"\bcurrency\b", r"\blegal tender\b", r"\b(?:money|cash|coins?|banknotes?)\b"),
        unless=(r"\bcurrencies\b",),
        words="currency official national money legal tender unit used uses use pay people country",
        generic=_COUNTRY,
        past=True,
    ),
    "city_country": Cues(
        (
            rf"SUBJ (?:is|lies|sits) (?:(?:an? |the )?(?:\w+ ){{0,3}}?(?:{_CITY}) )?{_WHERE}",
            rf"SUBJ is (?:an? |the )(?:\w+ ){{0,3}}?ADJ (?:\w+ )?(?:{_CITY})",
            rf"\b(?:ADJ|OBJ) (?:{_CITY}) (?:of |called |named )?SUBJ",
            r"\bcountry (?:that|in which|of|where) (?:\w+ )?SUBJ (?:\w+ ){0,3}?is",
            r"^(?:the )?SUBJ OBJ$",
        ),
        (rf"\b(?:country|nation|located|{_CITY})\b",),
        words="city town municipality country nation",
        generic=_CITY,
    ),
    "us_city_state": Cues(
        (
            rf"SUBJ (?:is|lies|sits) (?:(?:an? |the )?(?:\w+ ){{0,3}}?(?:{_CITY}) )?{_WHERE}",
            r"\bstate (?:that|in which|of|where) (?:\w+ )?SUBJ (?:\w+ ){0,3}?is",
            rf"\bOBJ (?:{_CITY}) (?:of |called |named )?SUBJ",
            r"^(?:the )?SUBJ OBJ$",
        ),
        (rf"\b(?:state|located|{_CITY})\b",),
        words="city town municipality state us united states american usa america",
        generic=_CITY,
    ),
    "airport_city": Cues(
        (
            rf"SUBJ (?:\w+ )?(?:serves|serving) {_THE}(?:city of )?OBJ",
            rf"\bserved by {_THE}SUBJ",
            rf"SUBJ is (?:an? |the )?(?:\w+ ){{0,3}}?{_WHERE}",
            r"SUBJ is (?:an? |the )?(?:\w+ ){0,3}?airport (?:for|of|in|serving) (?:\w+ of )?OBJ",
        ),
        (r"\bserv(?:es?|ed|ing)\b", r"\b(?:located|airport)\b"),
        words="airport international serves serving served serve city",
        generic="airport",
    ),
    "element_symbol": Cues(
        (
            rf"\bsymbol (?:of|for) {_THE}(?:element )?SUBJ",
            r"SUBJ (?:s )?(?:has )?(?:the )?(?:chemical |atomic )?symbol\b",
            r"SUBJ is (?:an? |the )(?:\w+ ){0,3}?(?:with|has) (?:the )?(?:\w+ )?symbol OBJ",
            r"SUBJ is (?:represented|denoted|abbreviated|symboli[sz]ed) (?:\w+ ){0,4}?OBJ",
        ),
        (r"\bsymbol\b", r"\babbreviat"),
        words="symbol chemical atomic element represented denoted abbreviated abbreviation",
        generic="element|metal|gas",
    ),
    "element_number": Cues(
        (
            rf"\batomic number (?:of|for) {_THE}(?:element )?SUBJ",
            r"SUBJ (?:s )?(?:has )?(?:the |an )?atomic number\b",
            r"SUBJ is (?:an? |the )(?:\w+ ){0,3}?(?:with|has) (?:the |an )?atomic number OBJ",
            r"SUBJ (?:has|contains) (?:\w+ )?OBJ protons",
            r"SUBJ is the OBJ element",
        ),
        (r"\batomic number\b", r"\bOBJ protons\b"),
        words="atomic number chemical element protons contains nucleus atom periodic table",
        generic="element|metal|gas",
    ),
    "person_country": Cues(
        (
            rf"SUBJ {_IS} (?:an? |the )?(?:\w+ (?!and|who|of|in)){{0,3}}?ADJ\b",
            rf"SUBJ (?:{_IS} )?(?:\w+ )?(?:from|native of|citizen of) {_THE}OBJ",
            rf"SUBJ (?:came|comes|hails|hailed) from {_THE}OBJ",
            r"SUBJ (?:s )?(?:nationality|citizenship|home ?country|homeland)\b",
            r"\b(?:nationality|citizenship|homeland) of SUBJ",
            r"\bcountry (?:that |where )?SUBJ (?:came|comes|was|is)",
        ),
        (r"\b(?:nationality|citizen\w*|ADJ (?:\w+ ){1,2}?SUBJ)\b",),
        (r"\bborn\b",),
        words="country nationality citizen citizenship came comes native homeland home",
        generic="man|woman|author|artist",
    ),
    "person_profession": Cues(
        (
            rf"SUBJ {_IS} (?:an? |the )(?:(?!who|and|of|in|by|for)\w+ ){{0,5}}?OBJ",
            r"SUBJ (?:\w+ )?(?:worked|works|served) (?:\w+ )?as an? (?:\w+ ){0,3}?OBJ",
            r"SUBJ (?:s )?(?:profession|occupation)\b",
            r"\b(?:profession|occupation) of SUBJ",
        ),
        (r"\b(?:profession|occupation)\b",),
        (r"\bOBJ (?:\w+ ){0,2}?SUBJ", r"SUBJ.*\b(?:as|and) (?:an? )?(?:\w+ )?OBJ"),
        words="profession occupation worked works work",
        generic="man|woman",
    ),
    "film_director": Cues(
        (
            r"SUBJ (?:\w+ ){0,8}?directed (?:and \w+ )?by OBJ",
            r"\bOBJ (?:wrote and )?directed (?:the )?(?:\w+ )?(?:film |movie )?SUBJ",
            r"\bdirector of (?:the )?(?:film |movie )?SUBJ",
            r"SUBJ (?:s )?director\b",
            r"SUBJ is (?:an? )?(?:\w+ ){0,3}?(?:film|movie) by OBJ",
        ),
        (r"\bdirect(?:ed|or|ing|ion)\b", r"\b(?:film|movie) ?maker\b"),
        unless=(r"\bdirectors\b",),
        words="film movie directed director",
        generic="film|movie|picture",
    ),
    "film_language": Cues(
        (
            r"\blanguage (?:of|in) (?:the )?(?:film |movie )?SUBJ",
            r"SUBJ (?:s )?(?:original )?language\b",
            r"SUBJ is (?:an? )?(?:\w+ ){0,4}?OBJ language",
            r"SUBJ (?:was |is )?(?:made|filmed|spoken) (?:entirely )?in (?:the )?OBJ",
        ),
        (r"\blanguage\b", r"\bspoken\b", r"\b(?:film|movie) in OBJ"),
        unless=(r"\blanguages\b",),
        words="film movie language original spoken made",
        generic="film|movie|picture",
    ),
    "film_country": Cues(
        (
            rf"SUBJ (?:was |is )?(?:made|produced) in {_THE}OBJ",
            rf"SUBJ is an? (?:\w+ ){{0,3}}?(?:film|movie) (?:made in|produced in|from) {_THE}OBJ",
            r"SUBJ is an? (?:\w+ )?ADJ (?:\w+ ){0,4}?(?:film|movie)",
            r"\bcountry (?:in which|where|of) (?:\w+ ){0,3}?SUBJ",
        ),
        (r"\bcountry\b", r"\b(?:film|movie|production) from\b", r"\bADJ (?:film|movie)\b"),
        words="film movie country made produced",
        generic="film|movie|picture",
    ),
    "deity_mythology": Cues(
        (
            r"SUBJ (?:is|was|belongs) (?:\w+ ){0,8}?OBJ (?:mytholog|pantheon|religion|god|deit)\w*",
            r"\bin OBJ (?:mythology|religion) SUBJ (?:is|was)\b",
        ),
        (r"\b(?:mytholog\w*|pantheon|god|goddess|deity|myths?)\b",),
        words="mythology religion pantheon deity god figure belongs myths",
        generic="god|goddess|deity",
    ),
}
