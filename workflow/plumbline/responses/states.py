"""What became of instructions, responses, claims and pairs: counts of every state, and a sample."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from plumbline.claims.records import Claim, Splitting, Verdict
from plumbline.data.select import order
from plumbline.responses.decisions import FactBased
from plumbline.responses.drawn import DrawnResponse
from plumbline.training.sets import Composition

SEED = 1  # for drawing the responses that are shown
State = tuple[str, str, int]  # item, state, n


def of_decisions(decisions: Iterable[FactBased]) -> Iterator[State]:
    """Instructions by decision, and how decisions agree with hand-made labels."""
    decisions = list(decisions)
    yield from _counted(
        "instructions",
        (_kind(decision.fact_based) for decision in decisions),
    )
    labels = (
        (decision, label) for decision in decisions if (label := _label(decision)) is not None
    )
    yield from _counted(
        "instructions with a label",
        (f"{_kind(label)}, decided {_kind(decision.fact_based)}" for decision, label in labels),
    )


def _kind(fact_based: bool) -> str:
    return "fact-based" if fact_based else "not fact-based"


def _label(decision: FactBased) -> bool | None:
    return decision.label


def of_splittings(splittings: Iterable[Splitting]) -> Iterator[State]:
    """Responses by the outcome of splitting; sentences that could not be read; claims not kept."""
    splittings = list(splittings)
    yield from _counted("responses split", (row.state.value for row in splittings))
    yield "sentences", "read", sum(row.sentences - row.unparsable for row in splittings)
    yield "sentences", "unparsable", sum(row.unparsable for row in splittings)
    yield "claims", "kept", sum(row.claims for row in splittings)
    yield "claims", "cut off", sum(row.cut for row in splittings)
    yield "claims", "said before", sum(row.duplicates for row in splittings)


def of_verdicts(verdicts: Iterable[Verdict]) -> Iterator[State]:
    """Claims by verdict and by its reason."""
    yield from _counted(
        "verdicts",
        (row.verdict if row.state == "ok" else f"{row.verdict}: {row.state}" for row in verdicts),
    )


def of_composition(composition: Composition) -> Iterator[State]:
    """Counts of a training file: examples or pairs by source, what was judged and dropped."""
    counted, kind = composition.counted, "examples"
    if "responses_without_judgement" in counted:
        kind, lacking = "pairs", counted["responses_without_judgement"]
        yield "responses judged", "judged", counted["responses"] - lacking
        yield "responses judged", "not judged", lacking
    for source, n in composition.parts.items():
        yield kind, source, n
    for row in composition.dropped:
        yield row["item"], row["reason"], row["n"]


def _counted(item: str, states: Iterable[str]) -> Iterator[State]:
    for state, n in sorted(Counter(states).items()):
        yield item, state, n


def shown_instructions(answered: Sequence[Iterable[DrawnResponse]], shown: int) -> list[str]:
    """Ids of at most `shown` instructions that all checkpoints answered, drawn with `SEED`.

    answered: each checkpoint's responses. Empty if no instruction was answered by all.
    """
    ids = [{response.instruction for response in responses} for responses in answered]
    return sorted(set.intersection(*ids), key=lambda name: order(name, SEED))[:shown] if ids else []


def sample(
    names: Iterable[str],
    responses: Iterable[DrawnResponse],
    claims: Iterable[Claim],
    verdicts: Iterable[Verdict],
    states: Mapping[str, str],
) -> Iterator[dict]:
    """The first response to each of the named instructions, with its claims and their verdicts.

    states: of splitting, by response id. Objects with instruction, topic, prompt, text, state, and
    claims: text, sentence, and the verdict's verdict, state, score and evidence.
    """
    first: dict[str, DrawnResponse] = {}
    for response in responses:
        known = first.setdefault(response.instruction, response)
        first[response.instruction] = min(known, response, key=lambda drawn: drawn.index)
    verdict_of = {verdict.claim: verdict for verdict in verdicts}
    claims_of: dict[str, list[dict]] = defaultdict(list)
    for claim in claims:
        verdict = verdict_of[claim.id].model_dump(include={"verdict", "state", "score", "evidence"})
        claims_of[claim.response].append(
            {"text": claim.text, "sentence": claim.sentence, **verdict}
        )
    for name in names:
        response = first[name]
        yield {
            "instruction": name,
            "topic": response.topic,
            "prompt": response.prompt,
            "text": response.text,
            "state": states[response.id],
            "claims": claims_of[response.id],
        }
