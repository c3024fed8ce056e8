"""Write the responses that the study's FLAME uses as human ones: config/study/responses.jsonl."""

from pathlib import Path

from plumbline.data.facts import load_embedded
from plumbline.data.instructions import load_instructions
from plumbline.jobs import program
from plumbline.storage.files import write_rows
from plumbline.study.human_side import from_facts, without_facts

ROOT = Path(__file__).resolve().parents[2]
ENTITIES = 400


def main(*, responses_path: Path = ROOT / "config/study/responses.jsonl") -> None:
    questions = load_embedded(ROOT / "workflow/resources/facts").questions
    seed_set, _ = load_instructions("embedded")
    write_rows(responses_path, [*from_facts(questions, ENTITIES), *without_facts(seed_set)])


if __name__ == "__main__":
    program.cli(main)
