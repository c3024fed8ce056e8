"""When two texts are the same: one rule for each purpose, for all scripts.

`seen`, `visible` the visible text: without invisible characters, composed (NFC); `visible` also with
    single spaces.
`unified` the same text typed on any keyboard and in any case: `visible`, with compatibility forms and
    digits of all scripts as plain ones, one kind of apostrophe, quotation mark and dash, and without
    marks that writers may leave out: Arabic harakat and tatweel, Hebrew points, the stress on Russian
    vowels and the dots of ё.
`fold` names: `unified` without the accents of Latin and Greek. In any other script, a mark is part of
    its letter: バ is not ハ, й not и, أ not ا; the same holds for Indic and Thai vowels.
`question_key` questions: `unified` without punctuation, but with signs, operators and the points
    inside numbers.
`normalise` answers: SQuAD's normalisation (Rajpurkar et al. 2016, official script: case, punctuation,
    articles and spaces do not count), with Unicode's punctuation. Ours: characters that turn a number
    into another one are kept, and so is a + or # at the end of a word (C++, C#).
`segments` and `words` overlap: the words of a text. In a script written without spaces, each character
    with its marks is one.

These are only for comparing. Texts stay as their author wrote them, also for a model, since a
benchmark's scores refer to its exact characters. But the user's own facts are read `clean`, since a
hidden character would be a considerable part of a short answer, which is shown, trained on and
expected.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import regex

# Scripts without spaces between words; the mark of a long vowel belongs to two of them.
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

# A flag that consists only of invisible letters (England's, Scotland's).
_FLAG = r"(\U0001F3F4[\U000E0020-\U000E007F]+)"
_UNSEEN = r"\p{Default_Ignorable_Code_Point}|(?!\s)\p{Cc}"
_INVISIBLE = regex.compile(rf"{_FLAG}|{_UNSEEN}")
# Persian and Indic spelling uses joiners; emoji and rare forms of Han use selectors.
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
# Marks that distinguish numbers and names: between two numbers; a sign or point before a number or
# its exponent; + and # at the end of a word.
_TELLING = (
    r"(?<=\d)[\p{P}\p{S}](?=\p{Sc}?\d)"
    r"|(?<=\d[)\]]* )[-+*/^=<>](?= [(\[]*-?\p{Sc}?\.?\d)"
    r"|(?<![\w.)\]])(?:-(?=\p{Sc}?\.?\d)|\.(?=\d))|(?<=\de)-(?=\d)"
    r"|(?<=\w)(?:\++|#+)(?!\w)"
)
_OPERAND = r"[(\[]*(?:[-.]?\d|\p{L}\b)"
_OPERATOR = rf"(?<=(?:\d|\b\p{{L}}|[)\]]) ?)[-*/%&](?= ?{_OPERAND})|(?<=\d ?)%"
# The sign of a variable, and its prime.
_OF_VARIABLE = r"(?<![\w.)\]])-(?=\p{L}\b)|(?<=(?<![\w'])\p{L})'(?!\w)"
# SQuAD deletes every character of string.punctuation, among them these symbols.
_IN_ANSWERS = regex.compile(rf"({_TELLING})|[\p{{P}}$+<=>^`|~]")
_IN_QUESTIONS = regex.compile(rf"({_TELLING}|{_OPERATOR}|{_OF_VARIABLE})|\p{{P}}")
ARTICLES = frozenset(["a", "an", "the"])
STOPS = ".。．｡।۔።។"  # full stops


def seen(text: str) -> str:
    """A text without invisible characters, composed (NFC); its spaces and lines stay."""
    if text.isascii() and text.isprintable():
        return text
    return unicodedata.normalize("NFC", _INVISIBLE.sub(r"\1", text))


def clean(text: str) -> str:
    """A text for a model: without invisible characters that no spelling uses, composed, plain
    spaces.
    """
    if text.isascii() and text.isprintable():
        return text
    return regex.sub(r"\p{Zs}", " ", unicodedata.normalize("NFC", _NEEDLESS.sub(r"\1", text)))


def visible(text: str) -> str:
    """The visible text, with single spaces; case and letters stay."""
    return " ".join(seen(text).split())


def unified(text: str) -> str:
    """The text without optional marks and differences of keyboard, encoding and case."""
    text = visible(text).translate(_ALIKE)
    if text.isascii():  # as most text is
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


@lru_cache(maxsize=1 << 16)  # a text's words occur again and again
def fold(text: str) -> str:
    """The key of a name: two names are the same if these are equal."""
    text = unified(text)
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", _ACCENT.sub("", unicodedata.normalize("NFD", text)))


def question_key(text: str) -> str:
    """The key of a question; if only punctuation would be left, the punctuation."""
    text = unified(text)
    return " ".join(_IN_QUESTIONS.sub(r"\1", _ungrouped(text)).split()) or text


@lru_cache(maxsize=1 << 16)  # answers occur again and again
def normalise(text: str) -> str:
    """The key of an answer; "" if it has only punctuation and articles."""
    kept = _IN_ANSWERS.sub(r"\1", _ungrouped(unified(text))).split()
    return " ".join(word for word in kept if word not in ARTICLES)


def _ungrouped(text: str) -> str:
    """With 1,000 as 1000."""
    return _GROUPED.sub(lambda match: regex.sub("[,']", "", match[0]), text)


def words(text: str) -> list[str]:
    """Runs of letters, marks and digits, as written."""
    return WORD.findall(text)


def segments(text: str) -> list[str]:
    """The parts between spaces, and each character of a script without spaces."""
    return [piece.rstrip() for piece in pieces(text)]


def pieces(text: str) -> list[str]:
    """`segments`, each with the spaces after it, so that together they are the text."""
    return _PIECE.findall(text)


def weight(segment: str) -> float:
    """How many words a segment counts as: two characters as one, marks alone as none."""
    if not _HAS_WORD.search(segment):
        return 0
    return 0.5 if _IS_CHARACTER.fullmatch(segment) else 1


def whole(name: str) -> str:
    """A pattern (of the package regex) that finds a name as whole words, or as whole characters in
    scripts without spaces.
    """
    before = "" if _IS_CHARACTER.match(name[:1]) else r"(?<!\w)"
    after = r"(?!\p{M})" if _IS_CHARACTER.match(name[-1:]) else r"(?!\w)"
    return before + regex.escape(name) + after


def is_whole(text: str, start: int, end: int) -> bool:
    """Whether `whole` would find text[start:end]; for many names, compiling a pattern for each would
    take longer than everything else.
    """
    if not _IS_CHARACTER.match(text[start : start + 1]) and _IN_WORD.match(text[start - 1 : start]):
        return False
    joins = _MARK if _IS_CHARACTER.match(text[end - 1 : end]) else _IN_WORD
    return not joins.match(text, end)
