"""Put a set of instructions together from its sources, and count what is lost."""

import argparse
from pathlib import Path

from plumbline import program
from plumbline.config.instructions import InstructionSource
from plumbline.data.instruction_sets import check_tuned, gather
from plumbline.fetching import read_marker
from plumbline.files import read_unique_rows, write_json, write_rows
from plumbline.records import Question
from pydantic import TypeAdapter


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", required=True, help="JSON: a list of instruction sources")
    parser.add_argument(
        "--markers",
        type=Path,
        nargs="*",
        default=[],
        help="the fetched source.json of each source that has one, in order",
    )
    parser.add_argument("--facts", type=Path, required=True, help="questions.jsonl, for entities")
    parser.add_argument("--entities-split", choices=("train", "dev", "test"), required=True)
    parser.add_argument("--entities-domains", required=True, help="id, ood or both: id,ood")
    parser.add_argument("--key", default="instructions", help="of the configuration, for messages")
    parser.add_argument(
        "--tuned",
        default="{}",
        help="JSON: by key, the relations that methods are tuned on; in-domain ones must be of these",
    )
    parser.add_argument("--name", required=True, help="of the set, e.g. in tables")
    parser.add_argument("--out", type=Path, required=True, help="JSON Lines to write")
    parser.add_argument("--dropped", type=Path, required=True)
    args = parser.parse_args()
    rows, dropped = gather(
        TypeAdapter(list[InstructionSource]).validate_json(args.sources),
        [read_marker(marker)[1] for marker in args.markers],
        read_unique_rows(args.facts, Question),
        split=args.entities_split,
        domains=set(args.entities_domains.split(",")),
        key=args.key,
    )
    check_tuned(rows, TypeAdapter(dict[str, list[str]]).validate_json(args.tuned), args.key)
    write_json(args.dropped, {"name": args.name, "kept": len(rows), "dropped": dropped})
    write_rows(args.out, rows)
    lost = "".join(f"; {row['item']}: {row['n']:,} {row['reason']}" for row in dropped)
    program.log.info(f"{args.name}: {len(rows):,} instructions{lost}")


if __name__ == "__main__":
    program.run(main, "build_instructions")
