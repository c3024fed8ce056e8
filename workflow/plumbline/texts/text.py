"""When two texts are the same: one rule for each purpose, for all scripts.

`seen`, `visible` what is seen: without characters that are not, composed (NFC); `visible` with
    single spaces.
`unified` the same text, typed by whatever keyboard and in whatever case: `visible`, compatibility
    forms and digits of all scripts as plain ones, one kind of apostrophe, quotation mark and dash,
    and without marks that writers may leave out: Arabic harakat and tatweel, Hebrew points, the
    stress on Russian vowels and the dots of ё.
`fold` names: `unified` without the accents of Latin and Greek. A mark of any other script is a
    part of its letter: バ is not ハ, й not и, أ not ا, and so are Indic and Thai vowels.
`question_key` questions: `unified` without punctuation, but with signs, operators and the points
    inside numbers.
`normalise` answers: SQuAD's normalisation (Rajpurkar et al. 2016, official script: case,
    punctuation, articles and spaces do not count), with Unicode's punctuation. Ours: what makes
    another number of a number is kept, and a + or # that ends a word (C++, C#).
`segments` and `words` overlap: a text's words. Where a script is written without spaces, each
    character with its marks is one.

These are for comparing only. Texts stay as their author wrote them, also for a model: a benchmark's
scores hold for its very characters. But facts of the user's own are read `clean`, since a hidden
character is a good part of a short answer, which is shown, trained on and expected.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import regex

# Scripts without spaces between words; the long vowel's mark belongs to two of them.
_SPACELESS = (
    r"ー\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\p{Yi}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
    r"\p{Tibetan}\p{Tai_Le}\p{New_Tai_Lue}\p{Tai_Tham}\p{Tai_Viet}\p{Cham}\p{Javanese}\p{Balinese}"
)
_CHARACTER = rf"[{_SPACELESS}]\p{{M}}*"
_PIECE = regex.compile(rf"(?:{_CHARACTER}|(?:(?![{_SPACELESS}])\S)+)\s*")
WORD = regex.compile(rf"{_CHARACTER}|(?:(?![{_SPACELESS}])[^\W_])+")
_IS_CHARACTER = regex.compile(_CHARACTER)
_HAS_WORD = regex.compile(r"[^\W_]")
_IN_WORD, _MARK = regex.compile(r"\w"), regex.compile(r"\p{M}")

# Of a flag made of invisible letters (England's, Scotland's) these are all there is.
_FLAG = r"(\U0001F3F4[\U000E0020-\U000E007F]+)"
_UNSEEN = r"\p{Default_Ignorable_Code_Point}|(?!\s)\p{Cc}"
_INVISIBLE = regex.compile(rf"{_FLAG}|{_UNSEEN}")
# Persian and Indic spelling has joiners, emoji and rare forms of Han have selectors.
_NEEDLESS = regex.compile(rf"{_FLAG}|(?![\u200C\u200D\p{{Variation_Selector}}])(?:{_UNSEEN})")
_ALIKE = str.maketrans(
    dict.fromkeys("`´ʹʻʼʽʾʿˈ‘’‚‛′‹›׳＇", "'")
    | dict.fromkeys("“”„‟″«»״", '"')
    | dict.fromkeys("‐‑‒–—―−־﹘﹣－", "-")
    | {"⁄": "/", "∕": "/", "٫": ".", "٬": ",", "،": ",", "゛": "\u3099", "゜": "\u309a"}
)
_RAISED = regex.compile(r"[⁺⁻]?[⁰¹²³⁴-⁹]+")
_MIXED = regex.compile(r"(?<=\d)(?=[¼-¾⅐-⅞])")
_OTHER_DIGIT = regex.compile(r"(?![0-9])\p{Nd}")
_OPTIONAL = regex.compile(
    r"(?<=\p{Hebrew}\p{M}*)\p{Mn}"
    r"|[\u0610-\u061A\u0640\u064B-\u0652\u0670\u06D6-\u06DC\u06DF-\u06E8\u06EA-\u06ED]"
    r"|(?<=[аеиоуыэюяієѵ]\p{M}*)[\u0300\u0301]|(?<=е)\u0308"
)
_ACCENT = regex.compile(r"(?<=[\p{Latin}\p{Greek}]\p{M}*)\p{Mn}")

_GROUPED = regex.compile(r"(?<![\d.,'])\d{1,3}(?:[,']\d{2,3})*[,']\d{3}(?!\d|[,']\d)")
# Marks that tell numbers and names apart: between two numbers, a sign or point before one or its
# exponent, + and # at the end of a word.
_TELLING = (
    r"(?<=\d)[\p{P}\p{S}](?=\p{Sc}?\d)"
    r"|(?<=\d[)\]]* )[-+*/^=<>](?= [(\[]*-?\p{Sc}?\.?\d)"
    r"|(?<![\w.)\]])(?:-(?=\p{Sc}?\.?\d)|\.(?=\d))|(?<=\de)-(?=\d)"
    r"|(?<=\w)(?:\++|#+)(?!\w)"
)
_OPERAND = r"[(\[]*(?:[-.]?\d|\p{L}\b)"
_OPERATOR = rf"(?<=(?:\d|\b\p{{L}}|[)\]]) ?)[-*/%&](?= ?{_OPERAND})|(?<=\d ?)%"
# A variable's sign and its prime.
_OF_VARIABLE = r"(?<![\w.)\]])-(?=\p{L}\b)|(?<=(?<![\w'])\p{L})'(?!\w)"
# SQuAD deletes every character of string.punctuation, among them these symbols.
_IN_ANSWERS = regex.compile(rf"({_TELLING})|[\p{{P}}$+<=>^`|~]")
_IN_QUESTIONS = regex.compile(rf"({_TELLING}|{_OPERATOR}|{_OF_VARIABLE})|\p{{P}}")
ARTICLES = frozenset(["a", "an", "the"])
STOPS = ".。．｡।۔።។"  # full stops


def seen(text: str) -> str:
    """A text without characters that are not seen, composed (NFC); its spaces and lines stay."""
    if text.isascii() and text.isprintable():
        return text
    return unicodedata.normalize("NFC", _INVISIBLE.sub(r"\1", text))


def clean(text: str) -> str:
    """A text for a model: without unseen characters that no spelling has, composed, blanks plain."""
    if text.isascii() and text.isprintable():
        return text
    return regex.sub(r"\p{Zs}", " ", unicodedata.normalize("NFC", _NEEDLESS.sub(r"\1", text)))


def visible(text: str) -> str:
    """What is seen of a text, with single spaces; case and letters stay."""
    return " ".join(seen(text).split())


def unified(text: str) -> str:
    """The text without what depends on keyboard, encoding and case only, and optional marks."""
    text = visible(text).translate(_ALIKE)
    if text.isascii():  # most text is
        return text.lower()
    # NFKC would make 10² the number 102, and 3½ the number 31/2.
    text = _MIXED.sub(" ", _RAISED.sub(_power, text))
    text = unicodedata.normalize("NFKC", text).translate(_ALIKE).casefold()
    text = text.replace("i\u0307", "i")  # of İ
    text = _OTHER_DIGIT.sub(lambda match: str(unicodedata.decimal(match[0])), text)
    text = _OPTIONAL.sub("", unicodedata.normalize("NFKD", text))
    return " ".join(unicodedata.normalize("NFC", text).split())


def _power(match: regex.Match) -> str:
    return "^" + unicodedata.normalize("NFKC", match[0])


@lru_cache(maxsize=1 << 16)  # a text's words come again and again
def fold(text: str) -> str:
    """What a name is told by: two names are one when these are equal."""
    text = unified(text)
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", _ACCENT.sub("", unicodedata.normalize("NFD", text)))


def question_key(text: str) -> str:
    """What a question is told by; where nothing but punctuation is left, that."""
    text = unified(text)
    return " ".join(_IN_QUESTIONS.sub(r"\1", _ungrouped(text)).split()) or text


@lru_cache(maxsize=1 << 16)  # answers come again and again
def normalise(text: str) -> str:
    """What an answer is told by; "" where it holds nothing but punctuation and articles."""
    kept = _IN_ANSWERS.sub(r"\1", _ungrouped(unified(text))).split()
    return " ".join(word for word in kept if word not in ARTICLES)


def _ungrouped(text: str) -> str:
    """With 1,000 as 1000."""
    return _GROUPED.sub(lambda match: regex.sub("[,']", "", match[0]), text)


def words(text: str) -> list[str]:
    """Runs of letters, marks and digits, as they are written."""
    return WORD.findall(text)


def segments(text: str) -> list[str]:
    """What stands between spaces, and each character of a script that has none."""
    return [piece.rstrip() for piece in pieces(text)]


def pieces(text: str) -> list[str]:
    """`segments`, each with the spaces after it, so that they make up the text again."""
    return _PIECE.findall(text)


def weight(segment: str) -> float:
    """How many words a segment counts for: two characters for one, marks alone for none."""
    if not _HAS_WORD.search(segment):
        return 0
    return 0.5 if _IS_CHARACTER.fullmatch(segment) else 1


def whole(name: str) -> str:
    """A pattern (of the package regex) that finds a name as whole words, whole characters where
    its script has no spaces.
    """
    before = "" if _IS_CHARACTER.match(name[:1]) else r"(?<!\w)"
    after = r"(?!\p{M})" if _IS_CHARACTER.match(name[-1:]) else r"(?!\w)"
    return before + regex.escape(name) + after


def is_whole(text: str, start: int, end: int) -> bool:
    """Whether text[start:end] is found by `whole`; where names are many, compiling a pattern for
    each takes longer than all else.
    """
    if not _IS_CHARACTER.match(text[start : start + 1]) and _IN_WORD.match(text[start - 1 : start]):
        return False
    joins = _MARK if _IS_CHARACTER.match(text[end - 1 : end]) else _IN_WORD
    return not joins.match(text, end)
