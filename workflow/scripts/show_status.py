"""Show what is on disk, by run and stage, and what killed processes left behind."""

from pathlib import Path

from plumbline.experiment import disk
from plumbline.jobs import program


def main(*, results: Path = Path("results"), snakemake: Path = Path(".snakemake")) -> None:
    uses = disk.usage(results)
    print(disk.as_text(uses) if uses else f"{results}: nothing is there yet.")
    left = list(disk.leftovers(results, snakemake))
    dead = [leftover for leftover in left if leftover.owner == "dead"]
    if dead:
        total = disk.human(sum(leftover.size for leftover in dead))
        print(
            f"\n{len(dead):,} left over from earlier runs, {total}: `make clean-cache` removes them."
        )
    busy = sum(leftover.owner == "alive" for leftover in left)
    if busy:
        print(f"\n{busy:,} temporary: a run is in progress.")


if __name__ == "__main__":
    program.cli(main)
