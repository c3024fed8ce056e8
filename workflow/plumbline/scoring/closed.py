"""Closed questions: how a model's probability is divided among the few allowed answers.

No text is generated, so no answer can be unreadable.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from plumbline.jobs.program import Progress
from plumbline.records import ChoiceQuestion
from plumbline.scoring.closed_question import ClosedQuestion
from plumbline.scoring.likelihood import TokenizedItem, score
from plumbline.scoring.prompts import context_length, encode, encode_chat
from plumbline.storage.files import InputError


def option_probabilities(
    model, tokenizer, questions: Sequence[ClosedQuestion], batch_tokens: int
) -> list[list[float]]:
    """The probability of each option given that it is one of them, question by question.

    An option is the whole word after a space, or the whole turn in a chat. InputError for a question
    that is longer than the model can read.
    """
    longest = context_length(model)
    items = [_item(tokenizer, question, longest) for question in questions]
    scores = score(model, items, batch_tokens, Progress(len(items), "questions"))
    return [shares(logprobs) for logprobs in scores]


def shares(logprobs: Sequence[float]) -> list[float]:
    """Each value exponentiated (from nats) and divided by the sum of all."""
    most = max(logprobs)
    weights = [math.exp(logprob - most) for logprob in logprobs]
    return [weight / sum(weights) for weight in weights]


def _item(tokenizer, question: ClosedQuestion, longest: int | None) -> TokenizedItem:
    if question.messages is not None:
        turns = [message.model_dump() for message in question.messages]
        prompt, options = encode_chat(tokenizer, question.id, turns, question.options)
        item = TokenizedItem(tuple(prompt), tuple(map(tuple, options)))
    else:
        asked = ChoiceQuestion(
            id=question.id,
            question=question.prompt,
            choices=list(question.options),
            labels=[1, *[0] * (len(question.options) - 1)],
        )
        item = encode(tokenizer, asked, "continuation")
    needed = len(item.prompt) + max(map(len, item.continuations)) - 1
    if longest is not None and needed > longest:
        raise InputError(
            f"{question.id}: {needed:,} tokens to judge, but the model reads at most {longest:,}; "
            f"lower max_tokens of the responses, or name another judge."
        )
    return item
