"""Training sets of the first stage: SFT, SFT-fact and SFT★, from the same instructions."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal

from plumbline.data.instructions import Instruction
from plumbline.methods.flame.prompting import Form, instruction_prompt, response_side
from plumbline.methods.flame.responses import dropped_rows
from plumbline.records import Example

SftSet = Literal["sft", "sft-fact", "sft-star"]


@dataclass(frozen=True)
class Built:
    """Examples of one set, and the instructions that could not be used."""

    examples: list[Example]
    dropped: list[dict]


def build_sft(
    name: SftSet,
    instructions: Iterable[Instruction],
    own: Mapping[str, list[str]],
    fact_based: AbstractSet[str],
    *,
    form: Form,
    seed: int,
    passes: int = 1,
) -> Built:
    """The examples of one set (Lin et al. 2024, sec. 4.1).

    sft: human responses; sft-fact: own answers; sft-star: own answers to the instructions whose
    ids are in `fact_based`, human responses to the others. own: own answers by instruction id.

    An instruction is sampled first, then one of its responses, so that ten answers to one
    instruction weigh no more than one answer to another: every pass holds each instruction once,
    and an instruction's responses take turns over the passes, in an order drawn from the seed and
    its id. An instruction without the kind of response it needs is left out and counted.
    """
    dropped: Counter = Counter()
    usable: list[tuple[Instruction, str, list[str]]] = []
    for one in instructions:
        wants_own = name == "sft-fact" or (name == "sft-star" and one.id in fact_based)
        kind = "own" if wants_own else "human"
        responses = list(own.get(one.id, []) if wants_own else one.responses)
        if responses:
            random.Random(f"{seed}:{one.id}").shuffle(responses)
            usable.append((one, kind, responses))
        else:
            dropped["no own answer" if wants_own else "no human response"] += 1
    usable.sort(key=lambda entry: entry[0].id)
    examples = []
    for turn in range(passes):
        order = list(usable)
        random.Random(f"{seed}:{turn}").shuffle(order)
        examples += [
            Example(
                id=f"{one.id}@{turn}",
                prompt=instruction_prompt(one.instruction, form),
                completion=response_side(responses[turn % len(responses)], form),
                instruction=one.id,
                response_from=kind,
                fact_based=one.id in fact_based,
            )
            for one, kind, responses in order
        ]
    return Built(examples, dropped_rows(name, dropped))
