"""Show what lies on disk, by run and stage, and what killed processes left."""

import argparse
from pathlib import Path

from plumbline import disk, program


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--snakemake", type=Path, default=Path(".snakemake"))
    args = parser.parse_args()
    uses = disk.usage(args.results)
    print(disk.as_text(uses) if uses else f"{args.results}: nothing is there yet.")
    left = list(disk.leftovers(args.results, args.snakemake))
    dead = [one for one in left if one.owner == "dead"]
    if dead:
        total = disk.human(sum(one.size for one in dead))
        print(
            f"\n{len(dead):,} left over by earlier runs, {total}: `make clean-cache` removes them."
        )
    busy = sum(one.owner == "alive" for one in left)
    if busy:
        print(f"\n{busy:,} temporary: a run is at work.")


if __name__ == "__main__":
    program.run(main, "show_status")
