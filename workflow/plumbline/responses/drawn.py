"""Responses drawn from a model: several per instruction, distinguished by index."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from plumbline.claims.records import Response
from plumbline.claims.sentences import without_last_sentence
from plumbline.data.instructions import Instruction
from plumbline.generation.answered import answered
from plumbline.records import Generation, NonEmpty, Request, Sampling
from plumbline.responses.prompting import (
    NEXT,
    Form,
    asked,
    instruction_prompt,
    stop_at,
)
from plumbline.storage.files import DifferentRuns
from plumbline.texts.matching import is_abstention
from plumbline.texts.text import normalise

PURPOSE = "response"
UNFINISHED_THOUGHT = "unfinished thought"


@dataclass(kw_only=True)
class SamplingOptions:
    """The options of a program whose requests draw several answers each; builders of requests have
    parameters of the same names.
    """

    samples: int
    temperature: Annotated[float, "0: one, greedy"]
    top_p: float
    max_tokens: int


class DrawnResponse(Response):
    """One of several responses to an instruction; can be split into claims as it is."""

    instruction: NonEmpty = Field(description="The instruction's id.")
    index: int = Field(ge=0, description="0..n-1 within the instruction.")


def response_requests(
    instructions: Iterable[Instruction],
    form: Form,
    *,
    max_tokens: int,
    samples: int = 4,
    temperature: float = 0.7,
    top_p: float = 0.9,
    purpose: str = PURPOSE,
) -> Iterator[Request]:
    """`samples` responses to each instruction (papers' settings; temperature 0: one, greedy)."""
    sampling = Sampling(
        n=samples,
        temperature=temperature,
        top_p=top_p,
        max_tokens=max_tokens,
        stop=stop_at(form, NEXT),
    )
    for instruction in instructions:
        yield Request(
            id=f"{instruction.id}/{purpose}",
            sampling=sampling,
            purpose=purpose,
            instruction=instruction.id,
            **asked(instruction_prompt(instruction.instruction, form), form),
        )


def collect(
    instructions: Iterable[Instruction],
    requests: Iterable[Request],
    generations: Iterable[Generation],
    *,
    unfinished: bool = False,
    whole_sentences: bool = False,
) -> tuple[list[DrawnResponse], Counter]:
    """The usable responses in the order of the requests, and why others are not usable.

    Responses are answers without thoughts. Empty ones are dropped, and so are those that the token
    limit cut off, in a thought or after one, since training on them teaches to stop in mid-sentence.
    `unfinished` keeps all of these (for evaluation); `whole_sentences` keeps cut-off ones up to
    their last complete sentence. Raises InputError when a request has fewer or more answers than
    were asked for.
    """
    by_id = {instruction.id: instruction for instruction in instructions}
    responses, dropped = [], Counter()
    for request, drawn in answered(requests, generations):
        instruction = by_id.get(request.instruction)
        if instruction is None:
            raise DifferentRuns(
                f"request {request.id}: instruction {request.instruction!r} is not among the "
                "instructions",
                "Generate again",
            )
        for answer in drawn:
            text = answer.answer.split(NEXT)[0].strip()
            whole = answer.finish == "stop" or NEXT in answer.answer
            if whole_sentences and not whole:
                text = without_last_sentence(text)
                whole = text != ""
            if answer.unfinished_thought and not unfinished:
                dropped[UNFINISHED_THOUGHT] += 1
            elif not text and not unfinished:
                dropped["empty"] += 1
            elif not whole and not unfinished:
                dropped["unfinished"] += 1
            else:
                responses.append(
                    DrawnResponse(
                        id=f"{instruction.id}#{answer.index}",
                        prompt=instruction.instruction,
                        topic=instruction.topic or instruction.instruction,
                        text=text,
                        unfinished_thought=answer.unfinished_thought,
                        cut_off=not whole,
                        instruction=instruction.id,
                        index=answer.index,
                    )
                )
    return responses, dropped


def reason_of(generation: Generation | None, otherwise: str) -> str:
    """Why nothing could be read from an answer: it is missing, or empty; or else `otherwise`."""
    if generation is not None and generation.unfinished_thought:
        return UNFINISHED_THOUGHT
    return otherwise if generation is not None and generation.answer.strip() else "empty"


def unusable(generation: Generation, line: str) -> str | None:
    """Why a short answer says nothing; None if it says something.

    line: the part that is read. A line that the token limit cut off is incomplete.
    """
    if generation.unfinished_thought:
        return UNFINISHED_THOUGHT
    if not normalise(line):
        return "empty"
    if is_abstention(line):
        return "abstained"
    cut_off = generation.finish == "length" and "\n" not in generation.answer.strip()
    return "unfinished" if cut_off else None
