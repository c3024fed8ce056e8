"""Bring what was measured of all training files into one table, and refuse it where too much is.

The refusal is also here for trainings that were done before an evaluation set changed.
"""

import argparse
from pathlib import Path

from plumbline import lists, program
from plumbline.config.contamination import Contamination as Settings
from plumbline.evaluation.contamination import Contamination, refuse
from plumbline.evaluation.tables import OverlapRow
from plumbline.files import read_json
from plumbline.tables import write_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="folder of the run")
    parser.add_argument("--found", type=Path, required=True, help="list of files")
    parser.add_argument("--contamination", required=True, help="JSON of the section")
    parser.add_argument("--table", type=Path, required=True)
    args = parser.parse_args()
    settings = Settings.model_validate_json(args.contamination)
    rows = []
    files = lists.read(args.found, list[Path])
    for path in files:
        found = Contamination.model_validate(read_json(path))
        refuse(found, settings.max_percent)
        about = {"model": path.relative_to(args.root).parts[0]}
        about |= {"training": found.training, "rows": found.rows}
        for one in found.overlaps:
            counts = one.model_dump(
                include={"set", "n", "equal", "shared", "stated", "contaminated"}
            )
            more = {"percent": f"{one.percent:.4f}", "examples": "; ".join(one.examples)}
            rows.append({**about, **counts, **more})
    write_table(args.table, OverlapRow, rows)
    most = max((float(row["percent"]) for row in rows), default=0)
    program.log.info(f"{len(files)} training files: at most {most:.2f} % of an evaluation set")


if __name__ == "__main__":
    program.run(main, "tabulate_contamination")
