"""More instructions, written by a model that is shown examples (Self-Instruct, Wang et al. 2023)."""

from __future__ import annotations

import hashlib
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from math import ceil

from plumbline.data.instructions import Instruction
from plumbline.data.similar import rouge_l
from plumbline.generation.answered import answered
from plumbline.records import Generation, Request, Sampling
from plumbline.responses.drawn import reason_of
from plumbline.responses.prompting import Form, asked
from plumbline.storage.files import InputError
from plumbline.texts.text import unified, words

PURPOSE = "flame_augment"
SIMILAR = 0.7  # ROUGE-L from which on an instruction is not new
SHORTEST, LONGEST = 3, 150  # words
WANTED = 2  # new instructions expected per list; most lists have more, of which many are not new

_TASK = (
    "Below is a numbered list of instructions that people gave to an assistant. They are of many "
    "kinds and on many subjects. Continue the list with new instructions, each different from "
    "all others and complete in itself, so that text alone can answer it.\n\n"
)
_ITEM = re.compile(r"^\s*(\d+)[.)、．）]\s*", re.MULTILINE)


def lists_for(wanted: int) -> int:
    """How many lists to ask for, to get `wanted` new instructions."""
    return ceil(wanted / WANTED)


def augment_requests(
    seeds: Sequence[Instruction],
    requests: int,
    form: Form,
    *,
    seed: int,
    shots: int = 8,
    temperature: float = 0.6,
    top_p: float = 0.9,
    max_tokens: int = 256,
) -> Iterator[Request]:
    """`requests` lists to continue, of `shots` seeds each, drawn independently.

    Raises InputError when there are fewer seeds than are shown.
    """
    if len(seeds) < shots:
        raise InputError(f"{len(seeds)} seed instruction(s); {shots} are shown at a time.")
    sampling = Sampling(temperature=temperature, top_p=top_p, max_tokens=max_tokens)
    ordered = sorted(seeds, key=lambda instruction: instruction.id)
    for number in range(requests):
        shown = random.Random(f"{seed}:{number}").sample(ordered, shots)
        listed = "".join(
            f"{place}. {' '.join(instruction.instruction.split())}\n"
            for place, instruction in enumerate(shown, start=1)
        )
        yield Request(
            id=f"{PURPOSE}/{number}",
            sampling=sampling,
            purpose=PURPOSE,
            # A base model continues after the next number; a chat model writes the number itself.
            **asked(f"{_TASK}{listed}" + (f"{shots + 1}." if form == "plain" else ""), form),
        )


def parse(text: str, *, complete: bool, opened: bool) -> list[str]:
    """The items of a continued list, each on one line.

    opened: the prompt ended with the list's next number, so the text begins with an item. complete: the
    text ended by itself; otherwise its last item is left out. An item ends at an empty line.
    """
    parts = _ITEM.split(("0. " if opened else "") + text)
    items = [part.split("\n\n")[0] for part in parts[2::2]]
    if items and not complete and "\n\n" not in parts[-1]:
        items.pop()
    return [" ".join(item.split()) for item in items]


def new_instructions(
    known: Iterable[Instruction],
    requests: Iterable[Request],
    generations: Iterable[Generation],
    wanted: int | None = None,
) -> tuple[list[Instruction], Counter]:
    """The first `wanted` (None: all) instructions that are new, without responses, and why others are
    dropped.

    Dropped are those shorter than 3 or longer than 150 words, those with a ROUGE-L of 0.7 or more to
    a known instruction or to one kept before, and those beyond `wanted`.
    """
    accepted = [words(unified(instruction.instruction)) for instruction in known]
    kept, dropped = [], Counter()
    for request, drawn in answered(requests, generations):
        for generation in drawn:
            items = parse(
                generation.answer,
                complete=generation.finish == "stop",
                opened=request.prompt is not None,
            )
            if not items:
                dropped[reason_of(generation, "no list item")] += 1
            for item in items:
                tokens = words(unified(item))
                if len(tokens) < SHORTEST:
                    dropped["too short"] += 1
                elif len(tokens) > LONGEST:
                    dropped["too long"] += 1
                elif any(_similar(tokens, other) for other in accepted):
                    dropped["near-duplicate"] += 1
                else:
                    accepted.append(tokens)
                    digest = hashlib.sha256(item.encode()).hexdigest()[:16]
                    kept.append(
                        Instruction(id=f"augmented/{digest}", instruction=item, source="augmented")
                    )
    dropped["more than wanted"] = len(kept[wanted:]) if wanted is not None else 0
    return kept[:wanted], +dropped


def _similar(first: list[str], second: list[str]) -> bool:
    # The shorter one limits the common subsequence, which suffices to rule most pairs out.
    if 2 * min(len(first), len(second)) < SIMILAR * (len(first) + len(second)):
        return False
    return rouge_l(first, second) >= SIMILAR
