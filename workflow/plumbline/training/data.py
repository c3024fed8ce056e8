"""Training files in TRL's formats, checked before a model is loaded."""

from __future__ import annotations

import logging
from pathlib import Path

from plumbline.files import InputError, read_unique_rows
from plumbline.records import Example

log = logging.getLogger("plumbline")


def load_examples(path: Path, tokenizer, max_length: int) -> tuple[list[dict], dict[str, int]]:
    """The prompt-completion rows that fit `max_length` tokens (prompt, completion and end token).

    Returns the rows as TRL takes them and the counts of dropped ones by reason. Nothing is cut.
    Raises InputError when a completion is empty or nothing is left.
    """
    rows, dropped = [], {"too_long": 0}
    for example in read_unique_rows(path, Example):
        row = example.model_dump(include={"prompt", "completion"})
        if not _text(row["completion"]).strip():
            raise InputError(f"{path}: {example.id}: the completion is empty; remove or fill it.")
        if _length(row, tokenizer) > max_length:
            dropped["too_long"] += 1
            continue
        rows.append(row)
    if not rows:
        raise InputError(
            f"{path}: none of {dropped['too_long']} examples fits max_length {max_length}; "
            f"raise it in the recipe."
        )
    if dropped["too_long"]:
        log.warning(f"{dropped['too_long']} example(s) longer than {max_length} tokens left out")
    return rows, dropped


def _text(side: str | list[dict]) -> str:
    return side if isinstance(side, str) else "".join(message["content"] for message in side)


def _length(row: dict, tokenizer) -> int:
    if isinstance(row["prompt"], str):
        return len(tokenizer(row["prompt"] + row["completion"])["input_ids"]) + 1
    ids = tokenizer.apply_chat_template(row["prompt"] + row["completion"], tokenize=True)
    return len(ids["input_ids"] if hasattr(ids, "keys") else ids)
