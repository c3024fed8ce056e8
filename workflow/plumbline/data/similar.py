"""Similarity of texts: BM25 ranking, near-duplicates, ROUGE-L."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from plumbline.texts.text import question_key, segments, unified, words

if TYPE_CHECKING:
    import numpy as np

NEAR = 0.7  # from this share of common word trigrams on, two texts count as near-duplicates


def _words(text: str) -> list[str]:
    return words(unified(text))


class Index:
    """Documents ranked by BM25 (Robertson et al. 1994, in Lucene's form, k1 1.5, b 0.75)."""

    def __init__(self, documents: Iterable[str], split: Callable[[str], list[str]] = _words):
        """split: splits a document or query into the words that are compared."""
        tokens = [split(document) for document in documents]
        self._size, self._split, self._index = len(tokens), split, None
        if any(tokens):
            import bm25s

            # It sets its logger to DEBUG, which would fill the programs' logs.
            logging.getLogger("bm25s").setLevel(logging.WARNING)
            self._index = bm25s.BM25(method="lucene", k1=1.5, b=0.75)
            self._index.index(tokens, show_progress=False)

    def scores(self, query: str) -> np.ndarray:
        """The score of every document, shape (documents,); 0 if it shares no word with the query."""
        import numpy as np

        tokens = self._split(query)
        if self._index is None or not tokens:
            return np.zeros(self._size)
        return self._index.get_scores(tokens)

    def ranking(self, query: str) -> list[int]:
        """Indices of all documents, most similar first; equal ones in their own order."""
        return (-self.scores(query)).argsort(kind="stable").tolist()


def near_duplicate(first: str, second: str) -> bool:
    """Whether two texts ask the same thing in nearly the same words.

    They do if they consist of the same words in any order, or if their sets of word trigrams have a
    Jaccard index of at least `NEAR`. Short texts that differ in one word, such as the same question
    about two entities, are not near-duplicates.
    """
    our_words, other = segments(question_key(first)), segments(question_key(second))
    if sorted(our_words) == sorted(other):
        return True
    ours, theirs = _trigrams(our_words), _trigrams(other)
    return bool(ours and theirs) and len(ours & theirs) >= NEAR * len(ours | theirs)


def _trigrams(tokens: list[str]) -> set[tuple[str, ...]]:
    return set(zip(tokens, tokens[1:], tokens[2:], strict=False))


def rouge_l(first: Sequence[str], second: Sequence[str]) -> float:
    """ROUGE-L of two lists of words: F1 of their longest common subsequence, in [0, 1]."""
    total = len(first) + len(second)
    return 2 * _common(first, second) / total if total else 0.0


def _common(first: Sequence[str], second: Sequence[str]) -> int:
    """Length of the longest common subsequence, bit-parallel (Hyyrö 2004)."""
    places: dict[str, int] = {}
    for index, word in enumerate(first):
        places[word] = places.get(word, 0) | 1 << index
    row = everything = (1 << len(first)) - 1
    for word in second:
        matched = row & places.get(word, 0)
        row = (row + matched | row - matched) & everything
    return len(first) - row.bit_count()
