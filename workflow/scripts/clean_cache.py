"""Remove what no result needs and no process uses; say what else could go, at what cost."""

import shutil
from pathlib import Path

from plumbline.experiment import disk
from plumbline.jobs import program


def main(*, results: Path = Path("results"), snakemake: Path = Path(".snakemake")) -> None:
    freed = 0
    for one in list(disk.leftovers(results, snakemake)):
        if one.owner == "dead":
            if one.path.is_dir():
                shutil.rmtree(one.path)
            else:
                one.path.unlink(missing_ok=True)
            freed += one.size
            print(f"removed {one.path} ({disk.human(one.size)})")
        else:
            why = (
                "in use" if one.owner == "alive" else f"of a process on {one.owner}; if it is dead"
            )
            tail = "" if one.owner == "alive" else ", delete it by hand"
            print(f"kept {one.path} ({disk.human(one.size)}), {why}{tail}")
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
