"""Generation through `transformers`: portable, slower."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice, takewhile

from plumbline.generation.engine import Completion, Engine, RenderedPrompt, left_padded
from plumbline.jobs.memory import first_that_fits, halves
from plumbline.models.caches import attends_only
from plumbline.models.finite import check_logits

WINDOW = 8  # batches whose prompts are sorted together
SEQUENCES = "generation.max_num_seqs"
REMEDY = (
    "Draw fewer samples at once, shorten prompts or answers (max_tokens), or use a device with more "
    "memory."
)


class TransformersEngine(Engine):
    """Batched generation with a model that is already in memory."""

    def __init__(self, model, tokenizer, *, end_token_ids: list[int], batch_size: int):
        self._model, self._tokenizer = model, tokenizer
        self._end_token_ids, self._batch_size = end_token_ids, batch_size
        self._padded = attends_only(model)

    def stream(
        self, prompts: Iterable[tuple[str, RenderedPrompt]]
    ) -> Iterator[tuple[str, list[Completion]]]:
        """Like `Engine.stream`; batches have prompts of similar length and sampling, sorted among
        WINDOW batches.

        Prompts have equal lengths if the model might take padding for part of them. When memory is
        short, batches have fewer sequences from then on; InputError when not even one fits.
        """
        source = iter(prompts)
        while window := dict(islice(source, WINDOW * self._batch_size)):
            order = sorted(
                window,
                key=lambda name: (
                    window[name].sampling.model_dump_json(),
                    len(window[name].token_ids),
                ),
            )
            while order:
                rows = [window[name] for name in order]
                found = first_that_fits(
                    halves(self._batch_size), partial(self._first, rows), SEQUENCES, REMEDY
                )
                yield from zip(order, found, strict=False)
                del order[: len(found)]

    def _first(self, rows: list[RenderedPrompt], sequences: int) -> list[list[Completion]]:
        """Answers to the first rows, as many as make a batch."""
        self._batch_size = sequences
        sampling, length = rows[0].sampling, len(rows[0].token_ids)
        batch = [
            row.token_ids
            for row in takewhile(
                lambda row: (
                    row.sampling == sampling and (self._padded or len(row.token_ids) == length)
                ),
                rows[: max(1, sequences // sampling.n)],
            )
        ]
        return self._batch(batch, sampling)

    def _batch(self, rows: list[tuple[int, ...]], sampling) -> list[list[Completion]]:
        import torch
        from transformers import GenerationConfig

        pad = self._tokenizer.pad_token_id
        ids, mask = left_padded(rows, pad, self._model.device)
        draw = (
            {"do_sample": False}
            if sampling.temperature == 0
            else {
                "do_sample": True,
                "temperature": sampling.temperature,
                "top_k": sampling.top_k,
                "top_p": sampling.top_p,
                "num_return_sequences": sampling.n,
            }
        )
        config = GenerationConfig(
            max_new_tokens=sampling.max_tokens,
            eos_token_id=self._end_token_ids,
            pad_token_id=pad,
            stop_strings=list(sampling.stop) or None,
            **draw,
        )
        with torch.inference_mode():
            output = self._model.generate(
                input_ids=ids,
                attention_mask=mask,
                generation_config=config,
                logits_processor=[self._checked],
                tokenizer=self._tokenizer,
            )
        completions = [
            self._completion(row, sampling) for row in output[:, ids.shape[1] :].tolist()
        ]
        return [completions[i : i + sampling.n] for i in range(0, len(completions), sampling.n)]

    def _checked(self, ids, logits):
        """As a logits processor: greedy decoding would take a NaN for the likeliest token."""
        check_logits(logits, self._model, "generation.dtype")
        return logits

    def _completion(self, token_ids: list[int], sampling) -> Completion:
        """Cut at the first end token or stop string, whichever comes first."""
        finish = "length"
        for position, token in enumerate(token_ids):
            if token in self._end_token_ids:
                token_ids, finish = token_ids[: position + 1], "stop"
                break
        body = token_ids[:-1] if finish == "stop" else token_ids
        text = self._tokenizer.decode(body, skip_special_tokens=True)
        cuts = [text.index(stop) for stop in sampling.stop if stop in text]
        if cuts:
            text, finish = text[: min(cuts)], "stop"
            kept = 1
            while not any(
                stop in self._tokenizer.decode(body[:kept], skip_special_tokens=True)
                for stop in sampling.stop
            ):
                kept += 1
            token_ids = body[:kept]
        return Completion(text=text, token_ids=token_ids, finish=finish)
