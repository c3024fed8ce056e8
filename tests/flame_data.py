"""Made-up instructions, answers and scored responses for tests of FLAME's parts."""

from __future__ import annotations

from plumbline.data.instructions import Instruction
from plumbline.records import Generation, Request
from plumbline.responses.drawn import DrawnResponse
from plumbline.responses.scores import Scored


def instruction(name: str, text: str = "", *responses: str, **changes) -> Instruction:
    fields = {"id": name, "instruction": text or f"Say {name}.", "source": "test"}
    return Instruction(**{**fields, "responses": list(responses), **changes})


def response(name: str, index: int = 0, text: str = "an answer") -> DrawnResponse:
    """Response `index` to the instruction `name`."""
    return DrawnResponse(
        id=f"{name}#{index}",
        prompt=f"Say {name}.",
        topic=name,
        text=text,
        instruction=name,
        index=index,
    )


def answered(request: Request, *texts: str, finish: str = "stop") -> list[Generation]:
    """What a model might have said to a request."""
    return [
        Generation(
            request=request.id,
            purpose=request.purpose,
            index=index,
            text=text,
            token_ids=[],
            finish=finish,
        )
        for index, text in enumerate(texts)
    ]


def scored(name: str, *scores: tuple[float | None, float | None]) -> list[Scored]:
    """Responses to one instruction with their (RM_IF, RM_fact)."""
    return [
        Scored(
            id=f"{name}#{index}",
            instruction=name,
            index=index,
            prompt=f"Say {name}.",
            text=f"{name} {index}",
            helpful=helpful,
            factual=factual,
        )
        for index, (helpful, factual) in enumerate(scores)
    ]
