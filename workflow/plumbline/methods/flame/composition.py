"""What FLAME's training files are made of: the counts that are kept beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from statistics import fmean

from plumbline.claims.records import Splitting, Verdict
from plumbline.files import InputError
from plumbline.methods.flame.responses import Response
from plumbline.methods.flame.rewards import Helpfulness, Scored
from plumbline.methods.flame.sft import Built
from plumbline.records import Pair


def of_examples(name: str, built: Built, dropped: Iterable[dict] = ()) -> dict:
    """Counts of a first-stage set; `dropped`: rows of what was lost before it was built."""
    kinds = Counter(example.response_from for example in built.examples)
    return {
        "name": name,
        "kept": len(built.examples),
        "human": kinds["human"],
        "own": kinds["own"],
        "fact_based": sum(example.fact_based for example in built.examples),
        "dropped": [*dropped, *built.dropped],
    }


def of_pairs(
    name: str,
    rows: Sequence[Scored],
    helpful: Sequence[Helpfulness],
    pairs: Mapping[str, Sequence[Pair]],
    *,
    training_rows: int,
    dropped: Sequence[dict],
) -> dict:
    """Counts of a second-stage set, and the means of both rewards where they are defined.

    `pairs` counts each pair once; `training_rows` are drawn from them, some more than once.
    """
    parsed = sum(row.parsed for row in helpful)
    composition = {
        "name": name,
        "kept": sum(map(len, pairs.values())),
        "responses": len(rows),
        "responses_without_judgement": sum(row.score is None for row in helpful),
        "judgements": {
            "parsed": parsed,
            "unparsed": sum(row.samples for row in helpful) - parsed,
        },
        "pairs": {source: len(found) for source, found in sorted(pairs.items())},
        "training_rows": training_rows,
        "dropped": list(dropped),
    }
    for reward in ("helpful", "factual"):
        values = [value for row in rows if (value := getattr(row, reward)) is not None]
        composition[f"{reward}_n"] = len(values)
        composition[f"{reward}_mean"] = fmean(values) if values else None
    return composition


def check_same_run(
    responses: Iterable[Response],
    helpful: Iterable[Helpfulness],
    splittings: Iterable[Splitting],
    verdicts: Iterable[Verdict],
    fact_based: Collection[str],
) -> None:
    """Raises InputError unless every response was judged, and every claim of those that answer an
    instruction in `fact_based` was verified.
    """
    responses = list(responses)
    _same({one.id for one in responses}, {row.id for row in helpful}, "judged")
    about_facts = {one.id for one in responses if one.instruction in fact_based}
    claims = {row.response: row.claims for row in splittings}
    _same(about_facts, set(claims), "split into claims")
    verified = Counter(verdict.response for verdict in verdicts)
    for name in sorted(claims.keys() | verified.keys()):
        if verified[name] != claims.get(name, 0):
            raise InputError(
                f"response {name} has {claims.get(name, 0)} claim(s) and {verified[name]} "
                f"verdict(s); expected one a claim. Verify again."
            )


def _same(wanted: set[str], found: set[str], done: str) -> None:
    if wanted != found:
        name = min(wanted ^ found)
        what = f"was {done}, but should not have been" if name in found else f"was not {done}"
        raise InputError(
            f"response {name} {what}; the files are of different runs. Make them again."
        )
