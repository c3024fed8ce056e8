"""How questions are asked for the vote: in the form of tuning, after few-shot examples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from plumbline.evaluation.exact_answers import closed_book_request
from plumbline.records import Message, Question, Request, Sampling, as_text
from plumbline.responses.prompting import Form, closed_book_prompt, response_side

PURPOSE = "consistency"
# Ours: of none of the included relations, so they show how to answer without giving facts away.
SHOTS = (
    ("Who painted the Mona Lisa?", "Leonardo da Vinci"),
    ("How many legs does a spider have?", "eight"),
    ("Which metal is liquid at room temperature?", "mercury"),
    ("In which ocean does Hawaii lie?", "Pacific Ocean"),
)


def vote_requests(
    questions: Iterable[Question],
    *,
    form: Form,
    shots: int,
    samples: int,
    temperature: float,
    max_tokens: int,
) -> Iterator[Request]:
    """One request for `samples` short answers to each question, after the first `shots` of SHOTS."""
    sampling = Sampling(n=samples, temperature=temperature, max_tokens=max_tokens, stop=("\n",))
    for question in questions:
        prompt = shown(question.question, form, shots)
        yield closed_book_request(question, PURPOSE, prompt, sampling)


def shown(question: str, form: Form, shots: int) -> str | list[Message]:
    """The few-shot examples as prompts and answers of the form, then the question's prompt."""
    turns: list = []
    for example, answer in SHOTS[:shots]:
        turns += closed_book_prompt(example, form), response_side(answer, form)
    turns.append(closed_book_prompt(question, form))
    if form == "chat":
        return [message for turn in turns for message in turn]
    blocks = [
        f"{prompt}{answer}\n\n" for prompt, answer in zip(turns[::2], turns[1::2], strict=False)
    ]
    return "".join([*blocks, as_text(turns[-1])])
