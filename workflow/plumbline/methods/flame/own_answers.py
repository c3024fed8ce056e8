"""The base model's own answers, by few-shot prompting with the most similar seed instructions.

FLAME trains on these instead of human responses where facts are asked for, so that tuning does not
teach the model to say what it does not know (Lin et al. 2024, sec. 4.1).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from plumbline.data.instructions import Instruction
from plumbline.data.similar import Index, near_duplicate
from plumbline.records import Generation, Request, Sampling
from plumbline.responses.drawn import collect
from plumbline.responses.prompting import NEXT, few_shot_prompt
from plumbline.storage.files import InputError
from plumbline.texts.text import unified

PURPOSE = "flame_own_answer"


def demonstrations(
    instruction: Instruction, seeds: Sequence[Instruction], index: Index, shots: int
) -> list[Instruction]:
    """The `shots` seeds most similar to the instruction; the most similar is last, next to the
    question.

    index: of the seeds' instructions, in order. The instruction itself, its near-duplicates (see
    `data.similar.near_duplicate`) and seeds without a human response are skipped. Raises InputError
    when too few are left.
    """
    chosen: list[Instruction] = []
    for place in index.ranking(instruction.instruction):
        seed = seeds[place]
        if seed.responses and not near_duplicate(seed.instruction, instruction.instruction):
            chosen.append(seed)
            if len(chosen) == shots:
                return chosen[::-1]
    raise InputError(
        f"instruction {instruction.id}: {len(chosen)} of {len(seeds)} seed instructions can be "
        f"shown for it, {shots} are needed; give more seed instructions with responses."
    )


def own_answer_requests(
    instructions: Iterable[Instruction],
    seeds: Sequence[Instruction],
    *,
    max_tokens: int,
    shots: int = 5,
    samples: int = 10,
    temperature: float = 0.7,
    top_p: float = 0.9,
) -> Iterator[Request]:
    """One few-shot request for each instruction, as plain text, since the base answers.

    The request keeps the ids of the demonstrations.
    """
    index = Index([seed.instruction for seed in seeds])
    sampling = Sampling(
        n=samples, temperature=temperature, top_p=top_p, max_tokens=max_tokens, stop=(NEXT,)
    )
    for instruction in instructions:
        shown = demonstrations(instruction, seeds, index, shots)
        yield Request(
            id=f"{instruction.id}/{PURPOSE}",
            prompt=few_shot_prompt(
                [(seed.instruction, seed.responses[0]) for seed in shown], instruction.instruction
            ),
            sampling=sampling,
            purpose=PURPOSE,
            instruction=instruction.id,
            demonstrations=[seed.id for seed in shown],
        )


def own_answers(
    instructions: Sequence[Instruction],
    seeds: Iterable[Instruction],
    requests: Sequence[Request],
    generations: Iterable[Generation],
) -> tuple[dict[str, list[str]], Counter]:
    """Own answers by instruction id, without repetitions, and why others are left out.

    An answer ends where the next demonstration's header begins. Empty and cut-off answers are
    dropped, as are repetitions, and copies of a response that was shown, which is a human's.
    """
    responses, dropped = collect(instructions, requests, generations)
    by_id = {seed.id: seed for seed in seeds}
    shown = {
        request.instruction: {unified(by_id[name].responses[0]) for name in request.demonstrations}
        for request in requests
    }
    answers: dict[str, list[str]] = defaultdict(list)
    for response in responses:
        if unified(response.text) in shown[response.instruction]:
            dropped["copy of a demonstration"] += 1
        elif response.text in answers[response.instruction]:
            dropped["repetition"] += 1
        else:
            answers[response.instruction].append(response.text)
    return {name: texts for name, texts in answers.items() if texts}, dropped
