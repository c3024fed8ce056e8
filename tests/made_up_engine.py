"""The program `generate`, its engine one that makes answers up: what is left is the stage's own cost.

    python -m made_up_engine FACTS <options of generate>

FACTS: the questions that are asked; their answers are given always, now and then, or never.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import islice
from pathlib import Path
from unittest.mock import patch

from plumbline.generation import engine, start
from plumbline.generation.engine import Completion, Engine
from plumbline.jobs import program
from plumbline.records import Question
from plumbline.storage.files import read_rows
from scripts import generate

HELD = 256  # prompts at once
ENDING = 32  # tokens of a prompt that hold its last question
WRONG = " Nowhere that anybody knows of"


class MadeUp(Engine):
    """Answers few-shot prompts by what their last question is about."""

    def __init__(self, tokenizer, facts: Path):
        self._answers = {row.question: row.answers[0] for row in read_rows(facts, Question)}
        self._decode = lru_cache(maxsize=1 << 16)(tokenizer.decode)
        self._encode = lru_cache(maxsize=1 << 16)(lambda text: tokenizer(text)["input_ids"])

    def stream(self, prompts):
        source = iter(prompts)
        while held := list(islice(source, HELD)):
            for name, prompt in held:
                yield name, list(self._completions(prompt))

    def _completions(self, prompt) -> Iterator[Completion]:
        """A quarter of the questions each is answered always, by half, rarely and never."""
        said = self._decode(prompt.token_ids[-ENDING:])
        question = said.rpartition("Q: ")[2].partition("\n")[0]
        answer = self._answers.get(question)
        drawn = zlib.crc32(question.encode())
        known = answer and drawn % 4
        chance = zlib.crc32(repr(prompt.token_ids[:64]).encode(), drawn) % 100
        for index in range(prompt.sampling.n):
            right = known and (chance + 37 * index) % 100 < (0, 5, 50, 100)[known]
            if known == 1 and prompt.sampling.temperature == 0:
                right = False
            text = f" {answer}" if right else WRONG
            yield Completion(text, [*self._encode(text)], "stop")


@contextmanager
def answering(facts: Path) -> Iterator[None]:
    """Within it, every checkpoint's engine makes its answers up."""
    started = {"of": lambda self, checkpoint, tokenizer: MadeUp(tokenizer, facts)}
    with (
        patch.multiple(start.Engines, **started),
        patch.object(engine, "check_needs", lambda *_: None),
    ):
        yield


if __name__ == "__main__":
    with answering(Path(sys.argv.pop(1))):
        program.cli(generate.main)
