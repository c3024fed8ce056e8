"""Training sets of the first stage: the same instructions, with answers from different sources."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from plumbline.data.instructions import Instruction
from plumbline.methods.flame.sets import SftSet
from plumbline.records import Example
from plumbline.responses.prompting import Form, instruction_prompt, response_side
from plumbline.training.sets import Composition, TrainingSet, dropped_rows


def build_sft(
    name: SftSet,
    instructions: Iterable[Instruction],
    answers: Mapping[str, list[str]],
    fact_based: AbstractSet[str] | None,
    *,
    form: Form,
    seed: int,
    passes: int = 1,
) -> TrainingSet[Example]:
    """The examples of one set (Lin et al. 2024, sec. 4.1; sft-rag: their pilot, sec. 3).

    sft: human responses; sft-fact: own answers; sft-star: own answers to the instructions whose ids
    are in `fact_based`, human responses to the others; sft-rag: the same, with answers written with
    retrieved passages. fact_based: None if it is not known yet, which makes no difference to sft.
    own: the base's answers by instruction id.

    An instruction is sampled first, then one of its responses, so that ten answers to one instruction
    weigh no more than one answer to another: every pass contains each instruction once, and an
    instruction's responses take turns over the passes, in an order drawn from the seed and its id.
    Instructions without the kind of response they need are left out and counted.
    """
    dropped: Counter = Counter()
    usable: list[tuple[Instruction, str, list[str]]] = []
    for instruction in instructions:
        kind = _kind(name, instruction.id in (fact_based or ()))
        responses = list(
            instruction.responses if kind == "human" else answers.get(instruction.id, [])
        )
        if responses:
            random.Random(f"{seed}:{instruction.id}").shuffle(responses)
            usable.append((instruction, kind, responses))
        else:
            dropped["no human response" if kind == "human" else f"no {kind} answer"] += 1
    usable.sort(key=lambda entry: entry[0].id)
    examples = []
    for turn in range(passes):
        order = list(usable)
        random.Random(f"{seed}:{turn}").shuffle(order)
        examples += [
            Example(
                id=f"{instruction.id}@{turn}",
                prompt=instruction_prompt(instruction.instruction, form),
                completion=response_side(responses[turn % len(responses)], form),
                instruction=instruction.id,
                response_from=kind,
                fact_based=None if fact_based is None else instruction.id in fact_based,
            )
            for instruction, kind, responses in order
        ]
    return TrainingSet(name, examples, dropped_rows(name, dropped, "flame"))


def _kind(name: SftSet, fact_based: bool) -> str:
    """Whose response to an instruction the set uses."""
    if name == "sft" or (name != "sft-fact" and not fact_based):
        return "human"
    return "retrieved" if name == "sft-rag" else "own"


def composition(built: TrainingSet[Example]) -> Composition:
    """What a first-stage set consists of: parts by whose response is used."""
    return built.composition(
        built.parts("response_from", ("human", "own", "retrieved")),
        fact_based=sum(bool(example.fact_based) for example in built.rows),
    )
