"""The base's answers written with retrieved passages: more factual, yet worse teachers.

They contain what the base does not know by itself, so tuning on them teaches it to make things up (Lin
et al. 2024, the pilot study). They differ from own answers (`own_answers`) only by the passages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from plumbline.config.verification import Passages
from plumbline.data.instructions import Instruction
from plumbline.data.select import for_training
from plumbline.methods.flame.own_answers import own_answer_requests
from plumbline.records import Question, Request
from plumbline.responses.prompting import few_shot_prompt
from plumbline.storage.files import InputError
from plumbline.verification.passages import fact_passages, read_passages
from plumbline.verification.search import PassageStore

PURPOSE = "flame_rag_answer"


def passage_store(
    settings: Passages, facts: Iterable[Question], path: Path | None = None
) -> PassageStore:
    """The indexed passages to answer with: from the file at `path`, or made from facts.

    Only facts to train on are used, so that nothing is taught that the test asks about. Raises
    InputError if the settings need a file and there is none.
    """
    if settings.format == "facts":
        pages = fact_passages(for_training(facts))
    elif path is None:
        raise InputError(f"passages of format {settings.format}: their file is missing; give it.")
    else:
        pages = read_passages(path, settings.format)
    return PassageStore(pages, settings.words)


def rag_answer_requests(
    instructions: Sequence[Instruction],
    seeds: Sequence[Instruction],
    store: PassageStore,
    k: int,
    **sampling,
) -> Iterator[Request]:
    """The requests of `own_answer_requests`, which takes `sampling`, with passages shown.

    The `k` best passages precede the instruction, the best one last, and the single best one
    precedes each demonstration. For each instruction, all pages are searched once, by the
    instruction's words. An instruction that shares no word with any passage is not asked. The
    request keeps the ids of the instruction's passages, in the order shown.
    """
    by_id = {instruction.id: instruction for instruction in [*instructions, *seeds]}
    by_name: dict[str, list[dict]] = {}

    def best(name: str) -> list[dict]:
        if name not in by_name:
            by_name[name] = store.search(by_id[name].instruction, "", k)
        return by_name[name]

    for request in own_answer_requests(instructions, seeds, **sampling):
        passages = best(request.instruction)[::-1]
        if not passages:
            continue
        shown = [
            (with_passages(by_id[name], best(name)[:1]), by_id[name].responses[0])
            for name in request.demonstrations
        ]
        changes = {
            "id": f"{request.instruction}/{PURPOSE}",
            "purpose": PURPOSE,
            "prompt": few_shot_prompt(shown, with_passages(by_id[request.instruction], passages)),
            "passages": [passage["id"] for passage in passages],
        }
        yield request.model_copy(update=changes)


def with_passages(instruction: Instruction, passages: Iterable[dict]) -> str:
    """The instruction after a list of passages (title, text); without any, as it is."""
    listed = "".join(f"- {passage['title']}: {passage['text']}\n" for passage in passages)
    return f"Passages:\n{listed}\n{instruction.instruction}" if listed else instruction.instruction
