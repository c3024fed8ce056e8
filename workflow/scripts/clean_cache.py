"""Remove what no result needs and no process uses; say what else could be deleted, at what cost."""

import shutil
from pathlib import Path

from plumbline.experiment import disk
from plumbline.jobs import program


def main(*, results: Path = Path("results"), snakemake: Path = Path(".snakemake")) -> None:
    freed = 0
    for leftover in list(disk.leftovers(results, snakemake)):
        if leftover.owner == "dead":
            if leftover.path.is_dir():
                shutil.rmtree(leftover.path)
            else:
                leftover.path.unlink(missing_ok=True)
            freed += leftover.size
            print(f"removed {leftover.path} ({disk.human(leftover.size)})")
        else:
            why = (
                "in use"
                if leftover.owner == "alive"
                else f"of a process on {leftover.owner}; if it is dead"
            )
            tail = "" if leftover.owner == "alive" else ", delete it by hand"
            print(f"kept {leftover.path} ({disk.human(leftover.size)}), {why}{tail}")
    print(f"{disk.human(freed)} freed.")
    uses = disk.usage(results)
    if uses:
        print("\nWhat is left, and what deleting it by hand would cost:")
    for stage, consequence in disk.CONSEQUENCES.items():
        total = sum(use.size for use in uses if use.stage == stage)
        if total:
            print(f"  {disk.human(total):>9}  {stage}: {consequence}.")


if __name__ == "__main__":
    program.cli(main)
