"""How a model is asked for a pair, and in what form it is trained on it (GRATH, algorithm 1).

The wording of the instruction is ours. The lines of the answer are the authors', since `parse` and the
model's imitation depend on them.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from plumbline.methods.grath.demonstrations import DEMONSTRATIONS
from plumbline.methods.grath.parse import CORRECT, INCORRECT
from plumbline.records import ChoiceQuestion, Message, Request, Sampling

Legacy = Literal["llama2", "zephyr"]
PURPOSE = "grath_pair"


class Tags(NamedTuple):
    """The authors' tags around turns: before a user's turn, after it, and in training."""

    user: str
    assistant: str
    training_user: str


# The exact text, including spaces: the code adds <s> itself, besides the one of a Llama tokenizer.
TAGS: dict[Legacy, Tags] = {
    "llama2": Tags("<s>[INST]", "[/INST]", "[INST]"),
    "zephyr": Tags("\n<|user|>\n", "</s>\n<|assistant|>", "<|user|>\n"),
}
END = "</s>"


def request_id(question_id: str) -> str:
    """The id of the one request about a question; the same in every round."""
    return f"{question_id}/{PURPOSE}"


def pair_requests(
    questions: Iterable[ChoiceQuestion],
    *,
    max_tokens: int,
    use_ground_truth: bool = False,
    legacy_prompt: Legacy | None = None,
) -> Iterator[Request]:
    """One greedy request per question: six demonstrations, then the question without its options.

    use_ground_truth: each turn also lists a right and a wrong option (the paper's useGT).
    legacy_prompt: one text in the authors' tags instead of messages for the chat template.
    """
    for question in questions:
        turns = [
            (
                _ask(
                    demonstration.question,
                    (demonstration.right_option, demonstration.wrong_option),
                    use_ground_truth,
                ),
                f"Question: {demonstration.question}\n{CORRECT}{demonstration.correct}\n"
                f"{INCORRECT}{demonstration.incorrect}",
            )
            for demonstration in DEMONSTRATIONS
        ]
        last = _ask(question.question, candidates(question), use_ground_truth)
        sampling = Sampling(max_tokens=max_tokens, stop=(END,) if legacy_prompt else ())
        yield Request(
            id=request_id(question.id),
            purpose=PURPOSE,
            sampling=sampling,
            question=question.id,
            **(
                {"prompt": _tagged(turns, last, TAGS[legacy_prompt])}
                if legacy_prompt
                else {"messages": _messages(turns, last)}
            ),
        )


def candidates(question: ChoiceQuestion) -> tuple[str, str]:
    """A right option (the best one, or the first) and a wrong one, drawn by the question's id."""
    right = question.labels.index(1) if question.best is None else question.best
    wrong = [
        choice
        for choice, label in zip(question.choices, question.labels, strict=True)
        if label == 0
    ]
    return question.choices[right], random.Random(question.id).choice(wrong)


def training_sides(question: str, correct: str, incorrect: str, legacy: Legacy | None) -> dict:
    """prompt, chosen and rejected: the question alone, without instruction or demonstrations."""
    if legacy:
        tags = TAGS[legacy]
        prompt = f"{tags.training_user} {question} {tags.assistant}"
        return {"prompt": prompt, "chosen": correct, "rejected": incorrect}
    return {
        "prompt": [Message(role="user", content=question)],
        "chosen": [Message(role="assistant", content=correct)],
        "rejected": [Message(role="assistant", content=incorrect)],
    }


def _ask(question: str, options: tuple[str, str], with_options: bool) -> str:
    right, wrong = options
    listed = f"An option that is right: {right}\nAn option that is wrong: {wrong}\n"
    return (
        f"Here is a question: {question}\n{listed if with_options else ''}"
        "Write one correct and one incorrect answer to it. Both must sound plausible. "
        "Do not explain them."
    )


def _messages(turns: list[tuple[str, str]], last: str) -> list[Message]:
    messages = []
    for user, assistant in turns:
        messages.append(Message(role="user", content=user))
        messages.append(Message(role="assistant", content=assistant))
    return [*messages, Message(role="user", content=last)]


def _tagged(turns: list[tuple[str, str]], last: str, tags: Tags) -> str:
    shown = (f"{tags.user} {user} {tags.assistant}\n{answer} {END}" for user, answer in turns)
    return "".join(shown) + f"{tags.user} {last} {tags.assistant}"
