"""Write the few-shot requests for the base's answers with retrieved passages in the prompt."""

import argparse
from pathlib import Path

from plumbline import program
from plumbline.config.verification import Passages
from plumbline.data.instruction_sets import read_instructions
from plumbline.fetching import read_marker
from plumbline.files import read_unique_rows, write_rows
from plumbline.methods.flame.retrieved import passage_store, rag_answer_requests
from plumbline.records import Question
from plumbline.responses import drawn
from plumbline.responses.decisions import FactBased, fact_based_ids


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instructions", type=Path, required=True, help="also what is shown")
    parser.add_argument("--decisions", type=Path, help="only those that need facts are asked")
    parser.add_argument("--passages", required=True, help="JSON of the passages section")
    parser.add_argument("--marker", type=Path, help="source.json of the passages, if fetched")
    parser.add_argument("--facts", type=Path, required=True, help="for passages of the facts")
    parser.add_argument("--k", type=int, required=True, help="passages before an instruction")
    parser.add_argument("--shots", type=int, required=True)
    drawn.add_sampling(parser)
    parser.add_argument("--requests", type=Path, required=True)
    args = parser.parse_args()
    instructions = read_instructions([args.instructions])
    wanted = {one.id for one in instructions}
    if args.decisions:
        wanted = fact_based_ids(read_unique_rows(args.decisions, FactBased), wanted)
    store = passage_store(
        Passages.model_validate_json(args.passages),
        read_unique_rows(args.facts, Question),
        read_marker(args.marker)[1] if args.marker else None,
    )
    requests = rag_answer_requests(
        [one for one in instructions if one.id in wanted],
        instructions,
        store,
        args.k,
        shots=args.shots,
        **drawn.sampling(args),
    )
    written = write_rows(args.requests, requests)
    program.log.info(
        f"{written:,} requests with the best of {len(store):,} passages; "
        f"{len(wanted) - written:,} instructions share no word with any"
    )


if __name__ == "__main__":
    program.run(main, "write_rag_answers")
