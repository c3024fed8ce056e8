"""Build a training file of FLAME's first stage, and count what it consists of."""

from pathlib import Path
from typing import Annotated

from plumbline.data.instruction_sets import read_instructions
from plumbline.jobs import program
from plumbline.methods.flame.own_answers import own_answers
from plumbline.methods.flame.sets import SftSet
from plumbline.methods.flame.sft import build_sft, composition
from plumbline.records import Generation, Request
from plumbline.responses.decisions import FactBased, fact_based_ids
from plumbline.responses.prompting import Form
from plumbline.storage.files import InputError, read_rows, read_unique_rows, write_rows
from plumbline.training import knowledge
from plumbline.training.sets import TrainingSet, dropped_rows


def main(
    *,
    name: Annotated[str, "the tuning, <variant>.<set>"],
    set: SftSet,
    instructions_path: Path,
    decisions_path: Annotated[Path | None, "what needs facts; sft can do without"] = None,
    own_requests_path: Annotated[Path | None, "what the base was asked; not for sft"] = None,
    own_generations_path: Annotated[Path | None, "what it answered; not for sft"] = None,
    form: Form,
    seed: int,
    passes: Annotated[int, "over the instructions"],
    filtering: knowledge.FilterOptions,
    examples_path: Path,
    composition_path: Path,
) -> None:
    instructions = read_instructions([instructions_path])
    answers, dropped, facts = {}, [], None
    if decisions_path:
        decisions = read_unique_rows(decisions_path, FactBased)
        facts = fact_based_ids(decisions, [instruction.id for instruction in instructions])
    if set != "sft":
        if None in (decisions_path, own_requests_path, own_generations_path):
            raise InputError(f"set {set}: give --decisions, --own-requests and --own-generations.")
        answers, reasons = own_answers(
            instructions,
            instructions,
            list(read_rows(own_requests_path, Request)),
            read_rows(own_generations_path, Generation),
        )
        dropped = dropped_rows("own answers", reasons, "flame")  # with or without passages
    built = build_sft(
        set,
        instructions,
        answers,
        facts,
        form=form,
        seed=seed,
        passes=passes,
    )
    examples, known = knowledge.kept(built.rows, filtering, seed)
    dropped += knowledge.dropped_row("flame", f"{set} examples", known)
    made = composition(
        TrainingSet(name, examples, [*dropped, *built.dropped], knowledge.counted(known))
    )
    write_rows(examples_path, examples)
    made.write(composition_path)
    of_base = made.parts["own"] + made.parts["retrieved"]
    program.log.info(f"{name}: {made.rows:,} examples, {of_base:,} with an answer of the base")


if __name__ == "__main__":
    program.cli(main)
