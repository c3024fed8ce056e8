"""Questions asked of a model after every epoch, and how its answers are recorded."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from plumbline.generation.engine import render
from plumbline.generation.greedy import greedy_answers
from plumbline.jobs.memory import first_that_fits, halves
from plumbline.records import Fit, Probe, Sampling
from plumbline.storage.files import InputError, read_rows, write_rows
from plumbline.texts.matching import Mode, can_still_match, exact_match
from plumbline.texts.thoughts import ENDING, is_unclosed, may_open, opened_by, without_thoughts
from plumbline.training import processes
from plumbline.training.data import Texts

TOGETHER = halves(64)  # answers decoded at once, fewer if memory is short


def measure(
    model,
    tokenizer,
    probes: list[Probe],
    epoch: int,
    *,
    end_token_ids: list[int],
    sampling: Sampling,
    match: Mode,
    together: Sequence[int] = TOGETHER,
) -> list[Fit]:
    """Greedy exact match by part, domain and category. A train question is *fitted* when right.

    An answer is decoded only while it can still become right, starting with what it shares with the
    probe's first answer; thoughts are not part of it. InputError when a question and its answer are
    longer than the model can read.
    """
    prompts = [render(tokenizer, probe) for probe in probes]
    texts = Texts(tokenizer)
    drafts = [_draft(texts, *one) for one in zip(probes, prompts, strict=True)]
    opened = [opened_by(tokenizer.decode(prompt[-ENDING:])) is not None for prompt in prompts]

    def go_on(i: int, text: str) -> bool:
        said = without_thoughts(text, opened[i])
        if is_unclosed(text, opened[i]) or may_open(said):
            return True
        # Stop strings are for plain text; a chat model ends by itself.
        ended = probes[i].messages is None and any(stop in said for stop in sampling.stop)
        return not ended and can_still_match(said, probes[i].answers, match)

    longest = max(map(len, prompts), default=0) + sampling.max_tokens
    if longest > tokenizer.model_max_length:
        raise InputError(
            f"questions asked after every epoch need {longest} tokens with their answers, but the "
            f"model reads at most {tokenizer.model_max_length}; lower slick.max_tokens."
        )
    outputs = first_that_fits(
        together,
        lambda size: greedy_answers(
            model,
            tokenizer,
            prompts,
            max_tokens=sampling.max_tokens,
            end_token_ids=end_token_ids,
            go_on=go_on,
            drafts=drafts,
            batch_size=size,
        ),
        "probes asked at once:",
        "Use a device with more memory, or shorten the questions.",
    )
    n: Counter[tuple] = Counter()
    right: dict[tuple, list[str]] = defaultdict(list)
    for probe, text, inside in zip(probes, outputs, opened, strict=True):
        group = probe.part, probe.domain, probe.category
        n[group] += 1
        if exact_match(without_thoughts(text, inside), probe.answers, match):
            right[group].append(probe.id)
    return [
        Fit(
            epoch=epoch,
            part=part,
            domain=domain,
            category=category,
            right=right[part, domain, category],
            n=count,
        )
        for (part, domain, category), count in sorted(n.items())
    ]


def _draft(texts: Texts, probe: Probe, prompt: tuple[int, ...]) -> list[int]:
    """The tokens of the probe's first answer as in training, without the end token."""
    asked, answer = probe.prompt, probe.answers[0]
    if asked is None:
        asked = [message.model_dump() for message in probe.messages]
        answer = [{"role": "assistant", "content": answer}]
    _, whole = texts.tokens(asked, answer)
    # If a token spans the end of the prompt, the answer has no tokens of its own.
    return whole[len(prompt) : -1] if tuple(whole[: len(prompt)]) == prompt else []


class FitLog:
    """The fit rows of a training run, written to disk each epoch so that a killed run can continue."""

    def __init__(self, path: Path):
        self.path = path
        self.rows = list(read_rows(path, Fit)) if path.exists() else []

    def keep_until(self, epoch: int) -> None:
        """Forget epochs after `epoch`: they will be trained again."""
        self.rows = [row for row in self.rows if row.epoch <= epoch]

    def add(self, rows: list[Fit]) -> None:
        self.rows += rows
        if processes.first():
            write_rows(self.path, self.rows)

    def best_epoch(self) -> int | None:
        """The first epoch with the highest accuracy on dev (EARLY_STOP); None before any."""
        correct, n = Counter(), Counter()
        for row in self.rows:
            if row.part == "dev" and row.epoch > 0:
                correct[row.epoch] += row.correct
                n[row.epoch] += row.n
        return min(n, key=lambda epoch: (-correct[epoch] / n[epoch], epoch), default=None)
