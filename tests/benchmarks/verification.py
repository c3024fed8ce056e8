"""What checking claims costs: the judge asked about all claims at once or one at a time, and BM25.

BM25 is measured over made-up passages in a process of its own, for its memory: indexing them, and
looking for evidence in all of them, as for a topic that has no page.
"""

from __future__ import annotations

import json
import random
import resource
import sys
import time
from functools import partial
from itertools import accumulate
from pathlib import Path

from measuring import ROOT, check, cost_of, cost_rows, embedded_model, in_turn, row, run_program

CLAIMS, K = 12, 3
SIZES = (10_000, 1_000_000)
WORDS, WORDS_A_PASSAGE, QUERIES = 200_000, 30, 100
CLOSE = 1e-3  # nats, by which scores of differently filled batches may differ in float32


def _judging(checkpoint: Path) -> list[dict]:
    """Rows of the judge by logits."""
    from plumbline.claims.records import Claim
    from plumbline.config.engines import Scoring
    from plumbline.data.facts import load_embedded
    from plumbline.verification import logits
    from plumbline.verification.judging import Case
    from plumbline.verification.passages import fact_passages
    from plumbline.verification.search import PassageStore

    facts = load_embedded(ROOT / "workflow/resources/facts").questions
    pages = fact_passages(facts)
    store, judge = PassageStore(pages, 100), logits.load(checkpoint, Scoring(), "cpu")
    cases = []
    for number, page in enumerate(random.Random(1).sample(pages, CLAIMS)):
        claim = Claim(
            id=f"c{number}", response="r", topic="no page", sentence=0, text=page.text.split(". ")[0]
        )  # fmt: skip
        cases.append(Case(claim, store.search(claim.text, claim.topic, K)))

    def one_at_a_time() -> list[float]:
        return [found.score for case in cases for _, found in judge.judge([case])]

    def all_at_once() -> list[float]:
        return [found.score for _, found in judge.judge(cases)]

    def agree(found: dict[str, list[float]]) -> None:
        pairs = zip(*found.values(), strict=True)
        apart = max(abs(one - other) for one, other in pairs)
        check(apart <= CLOSE, f"scores of the same claims differ by {apart:.1e} nats")

    variants = {"all at once": all_at_once, "one at a time": one_at_a_time}
    costs = in_turn({name: partial(cost_of, run) for name, run in variants.items()}, agree)
    return cost_rows(f"judging {CLAIMS} claims", costs, "all at once")


def index(size: int, found: Path) -> None:
    """Index made-up passages in this process, look for evidence, and write what it took."""
    import numpy as np
    from plumbline.verification.passages import Passage
    from plumbline.verification.search import PassageStore

    # The n-th word is as frequent as 1/n, as in language (Zipf).
    weights = list(accumulate(1 / (n + 1) for n in range(WORDS)))
    source, words = random.Random(1), [f"w{n:x}" for n in range(WORDS)]

    def text() -> str:
        return " ".join(source.choices(words, cum_weights=weights, k=WORDS_A_PASSAGE))

    pages = [Passage(id=str(n), title=f"Page {n:x}", text=f"{text()}.") for n in range(size)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    store = PassageStore(pages, 100)
    indexed = time.process_time()
    for number in map(int, np.linspace(0, size - 1, QUERIES)):
        claim = " ".join(pages[number].text.rstrip(".").split()[:12])
        best = store.search(claim, "no page", K)[0]
        check(best["id"].startswith(f"{number}#"), f"page {number} is not the best for its words")
    searched = time.process_time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    about = {
        "indexing": (indexed - start, "processor s"),
        "a search": ((searched - indexed) / QUERIES * 1000, "processor ms"),
        "with the pages themselves": (peak / 1024, "MiB at most"),
        "the pages alone": (before / 1024, "MiB at most"),
    }
    found.write_text(json.dumps(about))


def measure(
    folder: Path, sizes: tuple[int, ...] = SIZES, checkpoint: Path | None = None
) -> list[dict]:
    """Rows of the judge and of BM25; checkpoint: the judge, None: the embedded model."""
    rows = _judging(checkpoint or embedded_model())
    paths = ":".join(str(ROOT / part) for part in ("workflow", "tests"))
    for size in sizes:
        found = folder / f"{size}.json"
        words = [sys.executable, __file__, size, found]
        run_program(words, folder / f"{size}.log", PYTHONPATH=paths)
        for variant, (value, unit) in json.loads(found.read_text()).items():
            rows.append(row(f"BM25 over {size:,} passages", variant, value, unit))
    return rows


if __name__ == "__main__":
    index(int(sys.argv[1]), Path(sys.argv[2]))
