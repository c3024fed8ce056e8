"""Finding passages for a claim: BM25 and, if there is an embedding model, cosine similarity."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from plumbline.data.similar import Index
from plumbline.models.tokenizing import usable_positions
from plumbline.storage.files import InputError
from plumbline.texts.text import fold
from plumbline.verification.passages import Passage, chunks
from plumbline.verification.words import Text

_NO_LIMIT = 10**9  # tokenizers that know of none name more
_RERANKED = 100  # of the whole store; a page is always ranked as a whole


class PassageStore:
    """Pages, cut to passages and indexed with their titles."""

    def __init__(
        self, pages: Iterable[Passage], words: int, embedder: Embedder | None = None
    ) -> None:
        """words: longest passage. InputError when no page has any text."""
        self._passages = [part for page in pages for part in chunks(page, words)]
        if not self._passages:
            raise InputError("no passages: none of the pages has any text.")
        self._pages: dict[str, list[int]] = defaultdict(list)
        for number, passage in enumerate(self._passages):
            self._pages[fold(passage.title)].append(number)
        texts = (f"{passage.title} {passage.text}" for passage in self._passages)
        self._index = Index(texts, split=lambda text: list(Text(text).folded))
        self._embedder, self._vectors, self._cut = embedder, {}, []

    def __len__(self) -> int:
        return len(self._passages)

    @property
    def cut(self) -> list[str]:
        """Passages found so far of which the embedding model read only the beginning."""
        return self._cut

    def search(self, claim: str, topic: str, k: int) -> list[dict]:
        """The `k` best passages for a claim, best first, as evidence: id, title, text and scores.

        If a page has the topic as its title, only its passages (as in FActScore); otherwise all
        passages that share a word with claim or topic, possibly none. Evidence has `bm25` and, with
        an embedding model, the `similarity` by which it is ordered.
        """
        import numpy as np

        scores = self._index.scores(f"{topic} {claim}")
        candidates = self._pages.get(fold(topic))
        if candidates is None:
            wanted = min(max(k, _RERANKED), len(self))
            best = np.argpartition(-scores, wanted - 1)[:wanted]
            candidates = [int(number) for number in best if scores[number] > 0]
        passages = [
            {
                "id": passage.id,
                "title": passage.title,
                "text": passage.text,
                "bm25": round(float(scores[number]), 4),
            }
            for number in sorted(candidates, key=lambda number: (-scores[number], number))
            for passage in [self._passages[number]]
        ]
        if self._embedder and passages:
            self._add_similarity(f"{topic} {claim}", passages)
            passages.sort(key=lambda passage: -passage["similarity"])
        return passages[:k]

    def _add_similarity(self, query: str, passages: list[dict]) -> None:
        new = [passage for passage in passages if passage["id"] not in self._vectors]
        texts = [f"{passage['title']} {passage['text']}" for passage in new]
        vectors, cut = self._embedder.embed([query, *texts])
        self._cut += [passage["id"] for passage, short in zip(new, cut[1:], strict=True) if short]
        self._vectors.update(zip((passage["id"] for passage in new), vectors[1:], strict=True))
        for passage in passages:
            passage["similarity"] = round(float(self._vectors[passage["id"]] @ vectors[0]), 4)


class Embedder:
    """Sentence vectors of a local encoder: the mean of its last layer over tokens, with length 1."""

    def __init__(self, folder: Path | str, device: str, batch_size: int = 32):
        from transformers import AutoModel, AutoTokenizer

        try:
            options = {"local_files_only": True, "trust_remote_code": False}
            self._tokenizer = AutoTokenizer.from_pretrained(folder, **options)
            self._model = AutoModel.from_pretrained(folder, use_safetensors=True, **options)
        except (OSError, ValueError) as error:
            raise InputError(
                f"{folder}: cannot be loaded as an embedding model ({error}). Expected a folder "
                f"with config.json, safetensors and a tokenizer."
            ) from error
        if self._model.config.is_encoder_decoder:
            raise InputError(
                f"{folder}: {self._model.config.model_type} is an encoder and decoder; take an "
                f"embedding model that only encodes."
            )
        self._model = self._model.to(device).eval()
        self._folder, self._batch_size = folder, batch_size

    def embed(self, texts: Sequence[str]):
        """Vectors (texts x width, float32), and which of the texts were too long and were cut.

        InputError when a vector contains something that is not a number.
        """
        import numpy as np
        import torch

        if self._tokenizer.pad_token is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token
        lengths = [len(ids) for ids in self._tokenizer(list(texts))["input_ids"]]
        limit = min(
            usable_positions(self._model.config) or math.inf, self._tokenizer.model_max_length
        )
        limit = limit if limit < _NO_LIMIT else max(lengths)
        parts = []
        for at in range(0, len(texts), self._batch_size):
            batch = self._tokenizer(
                list(texts[at : at + self._batch_size]),
                padding=True,
                truncation=True,
                max_length=limit,
                return_tensors="pt",
            ).to(self._model.device)
            with torch.inference_mode():
                states = self._model(**batch).last_hidden_state.float()
            mask = batch["attention_mask"][..., None]
            mean = (states * mask).sum(1) / mask.sum(1).clamp(min=1)
            parts.append(torch.nn.functional.normalize(mean, dim=-1).cpu().numpy())
        vectors = np.concatenate(parts)
        if not np.isfinite(vectors).all():
            raise InputError(
                f"{self._folder}: this embedding model gives vectors that are not numbers (NaN); get "
                f"it again, or take another one."
            )
        return vectors, [length > limit for length in lengths]
