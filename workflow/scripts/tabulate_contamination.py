"""Collect the contamination of all training files in one table, and refuse files with too much.

Files are refused here too, since an evaluation set may have changed after a training.
"""

from pathlib import Path
from typing import Annotated

from plumbline.config.contamination import ContaminationSettings
from plumbline.evaluation.overlaps import Contamination, refuse
from plumbline.evaluation.tables import OverlapRow
from plumbline.jobs import program
from plumbline.storage import lists
from plumbline.storage.files import read_json
from plumbline.tables import write_table


def main(
    *,
    root: Annotated[Path, "folder of the run"],
    found_path: Annotated[Path, "list of files"],
    contamination: ContaminationSettings,
    table_path: Path,
) -> None:
    rows = []
    files = lists.read(found_path, list[Path])
    for path in files:
        measured = Contamination.model_validate(read_json(path))
        refuse(measured, contamination.max_percent)
        shared = {"model": path.relative_to(root).parts[0]}
        shared |= {"training": measured.training, "rows": measured.rows}
        for overlap in measured.overlaps:
            counts = overlap.model_dump(
                include={"set", "n", "equal", "shared", "stated", "contaminated"}
            )
            more = {"percent": f"{overlap.percent:.4f}", "examples": "; ".join(overlap.examples)}
            rows.append({**shared, **counts, **more})
    write_table(table_path, OverlapRow, rows)
    most = max((float(row["percent"]) for row in rows), default=0)
    program.log.info(f"{len(files)} training files: at most {most:.2f} % of an evaluation set")


if __name__ == "__main__":
    program.cli(main)
