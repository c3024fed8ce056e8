"""How likely Yes and No are as the next word, for instructions whose classification says neither."""

from __future__ import annotations

from collections.abc import Sequence

from plumbline.methods.flame.fact_based import CONTINUATIONS
from plumbline.program import Progress
from plumbline.records import ChoiceQuestion, Request
from plumbline.responses.prompting import Form
from plumbline.scoring.likelihood import Item, score
from plumbline.scoring.prompts import encode, encode_chat


def yes_and_no(
    model, tokenizer, requests: Sequence[Request], form: Form, batch_tokens: int
) -> dict[str, tuple[float, float]]:
    """By instruction id: log p of Yes and of No (nats) after a request of the classifier."""
    items = [_item(tokenizer, request, form) for request in requests]
    found = score(model, items, batch_tokens, Progress(len(items), "instructions"))
    return {
        request.instruction: (yes, no) for request, (yes, no) in zip(requests, found, strict=True)
    }


def _item(tokenizer, request: Request, form: Form) -> Item:
    words = CONTINUATIONS[form]
    if form == "chat":
        messages = [message.model_dump() for message in request.messages]
        prompt, ids = encode_chat(tokenizer, request.id, messages, words)
        return Item(tuple(prompt), tuple(map(tuple, ids)))
    question = ChoiceQuestion(
        id=request.id,
        question=request.prompt,
        choices=[word.strip() for word in words],
        labels=[1, 0],
    )
    return encode(tokenizer, question, "continuation")
