"""Code that the splitters share: which responses are split, and claims from lists of facts.

A splitter gives a `Listing` for each sentence. Responses without claims get a state that says why, so
that none is scored as if its claims were false.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from plumbline.claims.records import Claim, Response, SplitState, Splitting
from plumbline.claims.sentences import sentences
from plumbline.texts.matching import is_abstention
from plumbline.texts.text import STOPS, unified
from plumbline.texts.thoughts import is_unclosed, without_thoughts

_REFUSAL = re.compile(
    r"""(?:but\s+)?(?:
        i(?:'m|\ am)\ (?:\w+\ )?sorry\b(?!\ (?:for|about)\b)
      | sorry\b(?!\ (?:for|about)\b)
      | (?:i|my)\ apolog\w+\b(?!\ (?:for|about)\b)
      | unfortunately,?\ i\b
      | (?:as\ an?\ [^.]{1,60},\ )?i\ (?:
            cannot | can't | could\ not | couldn't | do\ not | don't | did\ not | didn't
          | am\ (?:unable|not) | was\ (?:unable|not) | have\ no )\b
      | i'm\ (?:unable|not)\b
      | there\ (?:is|are|was)\ no\ (?:\w+\ ){0,3}information\b
    )""",
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True)
class Listing:
    """The facts that a splitter finds in one sentence, possibly none."""

    facts: tuple[str, ...] = ()
    parsed: bool = True
    cut: bool = False  # The last fact was incomplete and is left out.


def is_refusal(text: str) -> bool:
    """Whether an answer begins by declining, apologising or claiming not to know.

    Only its beginning counts: after such a remark further on, the rest is still checked.
    """
    opening = text.strip().replace("’", "'")
    return is_abstention(opening) or _REFUSAL.match(opening) is not None


def to_split(response: Response) -> tuple[SplitState | None, list[str]]:
    """The response's complete sentences, or the state that says why there are none to split.

    The last sentence of a response that was cut off is incomplete and left out.
    """
    if response.unfinished_thought or is_unclosed(response.text):
        return SplitState.UNFINISHED_THOUGHT, []
    text = without_thoughts(response.text)
    kept = sentences(text, response.topic)
    if not kept:
        said = any(character.isalnum() for character in text)
        return SplitState.NO_CLAIMS if said else SplitState.EMPTY, []
    if is_refusal(text):
        return SplitState.REFUSED, []
    if response.cut_off:
        kept = kept[:-1]
    return (None if kept else SplitState.CUT_OFF), kept


def collect(
    responses: Iterable[Response], listings: Callable[[Response, list[str]], list[Listing]]
) -> tuple[list[Claim], list[Splitting]]:
    """Claims of all responses, and the outcome of splitting each response; both in order.

    `listings` is called with a response and its sentences and returns one list per sentence. Facts
    that a response states twice, apart from case and the full stop, are kept once.
    """
    claims: list[Claim] = []
    outcomes = []
    for response in responses:
        state, parts = to_split(response)
        ended = response.cut_off and state in (None, SplitState.CUT_OFF)
        lists = listings(response, parts)
        seen: set[str] = set()
        stated = 0
        for index, listing in enumerate(lists):
            for number, fact in enumerate(listing.facts):
                stated += 1
                same = unified(fact).rstrip(STOPS)
                if same not in seen:
                    seen.add(same)
                    claims.append(
                        Claim(
                            id=f"{response.id}#{index}.{number}",
                            response=response.id,
                            topic=response.topic,
                            sentence=index,
                            text=fact,
                        )
                    )
        unparsable = sum(not listing.parsed for listing in lists)
        if state is None:
            state = SplitState.UNPARSABLE if unparsable else SplitState.NO_CLAIMS
            state = SplitState.OK if seen else state
        outcomes.append(
            Splitting(
                response=response.id,
                state=state,
                sentences=len(parts),
                unparsable=unparsable,
                cut=sum(listing.cut for listing in lists) + ended,
                duplicates=stated - len(seen),
                claims=len(seen),
            )
        )
    return claims, outcomes
