"""Write the few-shot requests for the base's answers with retrieved passages in the prompt."""

from pathlib import Path
from typing import Annotated

from plumbline.config.verification import Passages
from plumbline.data.instruction_sets import read_instructions
from plumbline.jobs import program
from plumbline.methods.flame.retrieved import passage_store, rag_answer_requests
from plumbline.records import Question
from plumbline.responses import drawn
from plumbline.responses.decisions import FactBased, fact_based_ids
from plumbline.sources.fetching import read_marker
from plumbline.storage.files import read_unique_rows, write_rows


def main(
    *,
    instructions_path: Annotated[Path, "also what is shown"],
    decisions_path: Annotated[Path | None, "only those that need facts are asked"] = None,
    passages: Passages,
    marker_path: Annotated[Path | None, "source.json of the passages, if fetched"] = None,
    facts_path: Annotated[Path, "for passages of the facts"],
    k: Annotated[int, "passages before an instruction"],
    shots: int,
    sampling: drawn.SamplingOptions,
    requests_path: Path,
) -> None:
    instructions = read_instructions([instructions_path])
    wanted = {instruction.id for instruction in instructions}
    if decisions_path:
        wanted = fact_based_ids(read_unique_rows(decisions_path, FactBased), wanted)
    store = passage_store(
        passages,
        read_unique_rows(facts_path, Question),
        read_marker(marker_path)[1] if marker_path else None,
    )
    requests = rag_answer_requests(
        [instruction for instruction in instructions if instruction.id in wanted],
        instructions,
        store,
        k,
        shots=shots,
        **vars(sampling),
    )
    written = write_rows(requests_path, requests)
    program.log.info(
        f"{written:,} requests with the best of {len(store):,} passages; "
        f"{len(wanted) - written:,} instructions share no word with any"
    )


if __name__ == "__main__":
    program.cli(main)
