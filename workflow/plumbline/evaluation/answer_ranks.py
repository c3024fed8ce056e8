"""A tuned model's greedy answers under a reference model (token distribution shift)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from plumbline.data.instruction_sets import Prompt
from plumbline.evaluation.rank_shift import TokenShift
from plumbline.generation.answered import answered
from plumbline.generation.engine import render
from plumbline.jobs.program import Progress
from plumbline.models import checkpoints, loaded
from plumbline.records import Generation, Request
from plumbline.scoring.ranks import TokenizedAnswer, token_ranks
from plumbline.storage.files import InputError


@dataclass(frozen=True)
class Written:
    """A greedy answer to a prompt as token ids; `ended`: its last token is one that ends an answer."""

    prompt: Prompt
    answer: TokenizedAnswer
    ended: bool


def greedy_written(
    prompts: Iterable[Prompt],
    requests: Iterable[Request],
    generations: Iterable[Generation],
    tokenizer,
) -> list[Written]:
    """The answers to `prompts` that a model wrote greedily, in the order of the requests.

    Prompts are turned into token ids as they were for writing. Everything up to the last thought counts
    as part of the prompt, since thoughts are not part of an answer. If an answer ended, the first token
    that is no longer part of its text is kept (the end token, or the token in which a stop string
    begins), and what follows it is not. Raises InputError for a request that is not greedy, since ranks
    of sampled tokens mean nothing, and if the files do not fit together.
    """
    by_id = {prompt.id: prompt for prompt in prompts}
    written = []
    for request, (generation, *more) in answered(requests, generations):
        if request.sampling.temperature != 0 or more:
            raise InputError(
                f"request {request.id}: its answers were drawn with temperature "
                f"{request.sampling.temperature:g}; token shift needs one greedy answer "
                f"(temperature 0, n 1). Generate greedily."
            )
        prompt = by_id.get(getattr(request, "instruction", None))
        if prompt is None:
            raise InputError(
                f"request {request.id}: its instruction is not among the prompts; they are of "
                f"different runs. Generate again."
            )
        tokens, ended = _up_to_its_end(generation, tokenizer)
        thought = _thought(generation, tokens[: len(tokens) - ended], tokenizer)
        answer = TokenizedAnswer(render(tokenizer, request) + tokens[:thought], tokens[thought:])
        written.append(Written(prompt, answer, ended))
    return written


def _up_to_its_end(generation: Generation, tokenizer) -> tuple[tuple[int, ...], bool]:
    """The tokens of the answer's text and, if it ended, the one that ends it."""
    tokens = tuple(generation.token_ids)
    if generation.finish == "length":
        return tokens, False
    kept = len(tokens) - 1
    # An end token adds no text. A stop string adds some, in several tokens.
    if tokenizer.decode(tokens[-1:], skip_special_tokens=True):
        while kept and len(_text(tokenizer, tokens[:kept])) > len(generation.text):
            kept -= 1
    return tokens[: kept + 1], True


def _thought(generation: Generation, tokens: tuple[int, ...], tokenizer) -> int:
    """How many tokens precede the answer: thoughts, and spaces after them."""
    if generation.answer == generation.text:
        return 0

    def left(start: int) -> str:
        return _text(tokenizer, tokens[start:]).strip()

    start = 0
    while start < len(tokens) and not (left(start) and generation.answer.endswith(left(start))):
        start += 1
    while start < len(tokens) and not _text(tokenizer, tokens[start : start + 1]).strip():
        start += 1
    return start


def _text(tokenizer, tokens: Sequence[int]) -> str:
    return tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)


def check_tokenizers(tuned, reference, requests: Iterable[Request]) -> None:
    """InputError unless both tokenizers have the same tokens and read all plain prompts alike."""
    ours, other = tuned.get_vocab(), reference.get_vocab()
    if different := ours.items() ^ other.items():
        token = min(token for token, _ in different)
        raise InputError(
            f"the tuned and the reference checkpoint have different tokenizers: {token!r} is token "
            f"{ours.get(token, 'none')} of one and {other.get(token, 'none')} of the other. Ranks of "
            f"tokens can only be compared with the same tokenizer; choose another pair."
        )
    for request in requests:
        if request.prompt is not None and render(tuned, request) != render(reference, request):
            raise InputError(
                f"request {request.id}: the tokenizers of the tuned and the reference checkpoint "
                f"take its prompt apart differently; choose another pair."
            )


def measure(
    written: Sequence[Written],
    tuned: Path,
    reference: Path,
    tokenizer,
    *,
    dtype: str,
    device: str,
    threads: int,
    batch_tokens: int,
) -> list[TokenShift]:
    """The ranks of every answer's tokens under the tuned model and under the reference.

    tuned, reference: checkpoint folders. If `tuned` is an adapter on `reference`, one model is loaded,
    and the adapter is switched off for the second pass; otherwise two are loaded, one after the other.
    """
    answers = [item.answer for item in written]

    def ranks(model, name: str) -> list[list[int]]:
        progress = Progress(len(answers), f"answers under the {name}")
        return token_ranks(model, answers, batch_tokens, progress)

    def model_of(folder: Path, load: str):
        return loaded.model(folder, dtype, device=device, threads=threads, load=load)

    if is_adapter_on(tuned, reference):
        model = model_of(tuned, "load_with_adapter")
        after = ranks(model, "tuned model")
        with model.disable_adapter():
            before = ranks(model, "reference")
    else:
        after = ranks(model_of(tuned, "load_model"), "tuned model")
        before = ranks(model_of(reference, "load_model"), "reference")
    return [
        _row(item, before, after, tokenizer)
        for item, before, after in zip(written, before, after, strict=True)
    ]


def is_adapter_on(tuned: Path, reference: Path) -> bool:
    """Whether `tuned` is an adapter whose parent is `reference`."""
    description = checkpoints.describe(tuned)
    return (
        description["kind"] == "adapter"
        and (tuned / description["parent"]).resolve() == reference.resolve()
    )


def _row(written: Written, ranks: list[int], own_ranks: list[int], tokenizer) -> TokenShift:
    kept = len(ranks) - written.ended
    return TokenShift(
        id=written.prompt.id,
        domain=written.prompt.domain,
        cluster=written.prompt.topic or written.prompt.id,
        tokens=[tokenizer.decode([token]) for token in written.answer.tokens[:kept]],
        ranks=ranks[:kept],
        own_ranks=own_ranks[:kept],
        end_rank=ranks[kept] if written.ended else None,
        truncated=not written.ended,
    )
