"""Write the requests that ask a judge which of two checkpoints' responses is better."""

import argparse
from pathlib import Path

from plumbline import program
from plumbline.data.instruction_sets import read_instructions
from plumbline.files import read_rows, write_rows
from plumbline.methods.flame.compare import compare_requests
from plumbline.methods.flame.inputs import one_each
from plumbline.responses.drawn import Response


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instructions", type=Path, required=True)
    parser.add_argument("--first", type=Path, required=True, help="responses whose wins count")
    parser.add_argument("--second", type=Path, required=True, help="responses of the baseline")
    parser.add_argument("--form", choices=("plain", "chat"), required=True)
    parser.add_argument("--max-tokens", type=int, required=True, help="of a judgement")
    parser.add_argument("--requests", type=Path, required=True)
    args = parser.parse_args()
    prompts = read_instructions([args.instructions])
    texts = []
    for path in (args.first, args.second):
        found = one_each(prompts, read_rows(path, Response))
        empty = len(prompts) - len(found)
        program.log.info(f"{path}: {len(found):,} responses, {empty:,} empty")
        texts.append({one.id: found[one.id].text if one.id in found else "" for one in prompts})
    requests = compare_requests(prompts, *texts, args.form, args.max_tokens)
    program.log.info(f"{write_rows(args.requests, requests):,} requests")


if __name__ == "__main__":
    program.run(main, "write_comparisons")
