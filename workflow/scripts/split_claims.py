"""Split responses into claims: by a model's lists if they are given, otherwise by rule."""

from collections import Counter
from pathlib import Path
from typing import Annotated

from plumbline.claims.by_model import split_from_generations
from plumbline.claims.by_rule import split_by_rule
from plumbline.jobs import program
from plumbline.records import Generation
from plumbline.responses.reading import read_responses
from plumbline.storage.files import read_rows, write_rows


def main(
    *,
    responses_path: Path,
    decisions_path: Annotated[
        Path | None, "only of responses to instructions that need facts"
    ] = None,
    generations_path: Annotated[Path | None, "the model's lists; without: by rule"] = None,
    claims_path: Path,
    splittings_path: Path,
) -> None:
    responses = read_responses(responses_path, decisions_path)
    if generations_path:
        lists = read_rows(generations_path, Generation)
        claims, splittings = split_from_generations(responses, lists)
    else:
        claims, splittings = split_by_rule(responses)
    write_rows(claims_path, claims)
    write_rows(splittings_path, splittings)
    states = Counter(splitting.state.value for splitting in splittings)
    told = "".join(f", {n:,} {state}" for state, n in sorted(states.items()))
    program.log.info(f"{len(claims):,} claims of {len(responses):,} responses{told}")


if __name__ == "__main__":
    program.cli(main)
