"""Professions that one person may well have had together.

Hardly anybody has only one: that a poet was also a novelist is no contradiction, but that he was a
tennis player is taken for one. So a claimed profession contradicts the listed ones only if both are
known here and share no family.
"""

from __future__ import annotations

from collections.abc import Iterable

_FAMILIES = """
writer author poet novelist dramatist playwright essayist critic journalist historian biographer
    lexicographer humorist songwriter philosopher educator comedian screenwriter
philosopher theologian historian educator sociologist psychologist anthropologist economist
    mathematician priest
inventor photographer painter engineer explorer
physicist chemist mathematician astronomer naturalist biochemist bacteriologist anatomist
    biologist geneticist botanist physiologist doctor physician surgeon neurologist psychologist
    inventor engineer anthropologist scientist zoologist explorer philosopher educator
    nuclear_physicist electrical_engineer
actor actress comedian film_maker filmmaker director singer dancer choreographer screenwriter
    playwright dramatist vocalist
composer violinist pianist conductor singer vocalist songwriter jazz_musician musician
painter sculptor architect designer photographer cartoonist artist engraver illustrator
statesman politician diplomat lawyer general industrialist financier economist soldier
    political_leader national_leader
explorer navigator aviator soldier general sailor
tennis_player ballplayer baseball_player golfer prizefighter boxer athlete
"""


def _families() -> dict[str, set[int]]:
    families: dict[str, set[int]] = {}
    lines = _FAMILIES.replace("\n    ", " ").strip().splitlines()
    for number, line in enumerate(lines):
        for name in line.split():
            families.setdefault(name.replace("_", " "), set()).add(number)
    return families


FAMILIES = _families()

# Listed as a word for an actor; alone, it mostly means somebody who plays a sport.
TOO_WIDE = frozenset({"player"})

# Said of anybody who has published something.
_OF_ANYBODY = frozenset({"author", "writer"})


def exclude(claimed: str, listed: Iterable[str]) -> bool:
    """Whether a claimed profession contradicts the listed ones (all folded)."""
    if claimed in _OF_ANYBODY:
        return False
    said = FAMILIES.get(claimed, set())
    other = set().union(*(FAMILIES.get(name, set()) for name in listed))
    return bool(said and other) and not said & other
