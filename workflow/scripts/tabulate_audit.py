"""Compare what audited models know with what their base knows, fact by fact."""

from pathlib import Path
from typing import Annotated

from plumbline.config.engines import Evaluation
from plumbline.jobs import program
from plumbline.methods.audit.tables import MovedFact, RelationChange, Transition
from plumbline.methods.audit.transitions import (
    ProbedFact,
    first_answers,
    moved,
    paired,
    relation_changes,
    transitions,
)
from plumbline.names import BASE
from plumbline.records import Annotation, Generation, Question, Request
from plumbline.storage.files import read_rows, read_unique_rows
from plumbline.tables import write_table


def answers_of(files: dict[str, str]) -> dict[str, str]:
    """The first greedy answer to every question of a probing."""
    return first_answers(
        read_rows(Path(files["requests"]), Request),
        read_rows(Path(files["generations"]), Generation),
    )


def main(
    *,
    probings: Annotated[
        list[dict], "model, checkpoint (base: its second one), questions, files of base and probed"
    ],
    evaluation: Evaluation,
    transitions_path: Path,
    relations_path: Path,
    facts_path: Path,
) -> None:
    by_model: dict[str, dict[str, list[ProbedFact]]] = {}
    named: list[MovedFact] = []
    for row in probings:
        facts = paired(
            read_unique_rows(Path(row["questions"]), Question),
            read_unique_rows(Path(row["base"]["annotations"]), Annotation),
            read_unique_rows(Path(row["probed"]["annotations"]), Annotation),
        )
        by_model.setdefault(row["model"], {})[row["checkpoint"]] = facts
        if row["checkpoint"] != BASE:
            answers = answers_of(row["base"]), answers_of(row["probed"])
            named += moved(row["model"], row["checkpoint"], facts, *answers)
    write_table(
        transitions_path,
        Transition,
        [
            row
            for model, probed in by_model.items()
            for checkpoint, facts in probed.items()
            for row in transitions(model, checkpoint, facts)
        ],
    )
    write_table(
        relations_path,
        RelationChange,
        [
            row
            for model, probed in by_model.items()
            for row in relation_changes(model, probed, evaluation.confidence)
        ],
    )
    write_table(facts_path, MovedFact, named)


if __name__ == "__main__":
    program.cli(main)
