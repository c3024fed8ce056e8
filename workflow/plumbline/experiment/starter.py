"""A configuration to start from, made from a model and a file of facts, with a list of guesses."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, get_args

from pydantic import TypeAdapter, ValidationError

from plumbline.config.base import Dtype, Name
from plumbline.data.facts import SHARES, QuestionSet, load_rows
from plumbline.experiment.config import SECTIONS
from plumbline.records import Question
from plumbline.sources.source import Source
from plumbline.storage.files import InputError, read_json
from plumbline.texts.text import fold

# By slick.shots (config.yaml's first): how many dev subjects always suffice to draw
# slick.exemplar_sets different few-shot sets, with no subject in all of them.
SUBJECTS = {4: 7, 3: 4}
SHOTS = next(iter(SUBJECTS))
CHANGED = 0.2  # a guess at the share of answers that tuning turns right or wrong
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+(@[\w.-]+)?")


class Guess(NamedTuple):
    """A key, what it was set to, and why."""

    key: str
    value: str
    reason: str


@dataclass(frozen=True)
class Starter:
    """name: the run's and its model's; text: the file's; guesses: what the user did not specify;
    warning: what so few test questions can hardly show, empty without facts of the user's.
    """

    name: str
    text: str
    guesses: list[Guess]
    warning: str = ""


def make(
    model: str, facts: str | None, device: str, engine: str, name: str | None = None
) -> Starter:
    """Settings for `snakemake --configfile`, an overlay of config.yaml.

    model: a folder or GGUF file, OWNER/NAME of the hub with or without @REVISION, or a source line;
    facts: a file of questions or the folder of EntityQuestions, None: the included facts; engine:
    what generates answers; name: of run and model, None: from the model's. Raises InputError if one of
    them is not valid.
    """
    source, guesses = _source(model)
    if name is None:
        name = _name(source)
        guesses.append(Guess("run", name, "the model's name; NAME=… gives it another"))
    else:
        _check(name)
    dtype, reason = _dtype(source)
    guesses.append(Guess("models.dtype", dtype, reason))
    guesses.append(Guess("device", device, "what this machine has"))
    guesses.append(Guess("generation.engine", engine, "what is installed"))
    told, warning = [], ""
    if facts is not None:
        told, of_facts, warning = _facts(Path(facts))
        guesses += of_facts
    off = [key for key, field in SECTIONS.items() if type(None) in get_args(field[0])]
    lines = [
        "# Made by `make new`; overrides config/config.yaml. Keys: docs/configuration.md.",
        f"run: {name}",
        f"device: {device}",
        "models:",
        f"  - {{name: {name}, source: {_quoted(source)}, dtype: {dtype}}}",
        *told,
        "# Probes all facts; for a first look, give a number of questions per relation.",
        f"slick: {{{_shots(guesses)}limit: {{train: null, dev: null, test: null}}}}",
        "mixes: {parent: base}",
        f"generation: {{engine: {engine}}}",
        "evaluation:",
        "  questions: null",
        "  choices: [{name: facts, format: facts}]",
        "  long_form: null",
        "  token_shift: null",
        "# Everything else is switched off. To switch a part on, remove its line.",
        *(f"{key}: null" for key in off),
    ]
    return Starter(name, "\n".join(lines) + "\n", guesses, warning)


def _source(model: str) -> tuple[str, list[Guess]]:
    path = Path(model).expanduser()
    if path.exists():
        if (path / "adapter_config.json").exists():
            raise InputError(
                f"{model}: is an adapter, which needs its base. Give the base here; docs/own-data.md "
                f"says how to compare the adapter with it."
            )
        if path.is_dir() and not (path / "config.json").exists():
            raise InputError(
                f"{model}: has no config.json. Expected the folder of a transformers model."
            )
        return f"file:{model}", []
    if _REPOSITORY.fullmatch(model):
        if "@" in model:
            return f"hub:{model}", []
        reason = "no revision was given; main can move, so put a commit there"
        return f"hub:{model}@main", [Guess("models.source", f"hub:{model}@main", reason)]
    if ":" in model:
        Source.parse(model)
        return model, []
    raise InputError(
        f"{model}: there is no such folder or file, and it is not OWNER/NAME of a model on the hub. "
        f"Correct it."
    )


def _name(source: str) -> str:
    """The last part of a source line that contains a name, in a form that suits a folder."""
    last = source.partition(":")[2].rstrip("/").split("/")[-1].partition("@")[0]
    name = re.sub(r"[^A-Za-z0-9_+-]+", "-", last.removesuffix(".gguf")).strip("-_+").lower()
    return name or "model"


def _check(name: str) -> None:
    try:
        TypeAdapter(Name).validate_python(name)
    except ValidationError as error:
        raise InputError(
            f"{name}: cannot be the name of a run. Expected at most 100 letters, digits, '-', '_', '+' "
            f"and single dots inside, since it becomes a folder's name."
        ) from error


def _dtype(source: str) -> tuple[str, str]:
    config = Path(source.removeprefix("file:")).expanduser() / "config.json"
    if source.startswith("file:") and config.exists():
        settings = read_json(config)
        said = settings.get("dtype", settings.get("torch_dtype"))
        if said in get_args(Dtype):
            return said, "as its config.json says"
    return "bfloat16", "the usual one; its config.json was not read"


def _facts(path: Path) -> tuple[list[str], list[Guess], str]:
    """The section `facts`, the guesses in it, and a warning."""
    if path.is_dir():
        if not list(path.glob("train/*.train.json")):
            raise InputError(
                f"{path}: has no train/*.train.json. Expected EntityQuestions' folder, or a file "
                f"of questions (docs/own-data.md)."
            )
        lines = ["facts:", "  source: entityquestions", f"  path: {_quoted(f'file:{path}')}"]
        return lines, [Guess("facts.source", "entityquestions", "it is a folder")], ""
    for dev in (0.1, 0.2, 0.3):
        shares = (round(1 - SHARES[2] - dev, 2), dev, SHARES[2])
        loaded = load_rows(path, shares)
        questions = loaded.questions
        smallest = min(_dev_subjects(questions).values(), default=0)
        if smallest >= SUBJECTS[SHOTS]:
            break
    shots = next((shots for shots, least in SUBJECTS.items() if smallest >= least), None)
    if shots is None:
        few = min(_dev_subjects(questions).items(), key=lambda item: item[1])
        raise InputError(
            f"{path}: relation {few[0]} leaves {few[1]} subject(s) for few-shot examples; "
            f"{min(SUBJECTS.values())} are needed. Give it 30 subjects or more, or leave it out."
        )
    guesses = [Guess("facts.source", "rows", f"a file of {_counted(loaded)}")]
    lines = ["facts:", "  source: rows", f"  path: {_quoted(f'file:{path}')}"]
    if shares != SHARES:
        split = f"{{train: {shares[0]:g}, dev: {dev:g}, test: {shares[2]:g}}}"
        lines.append(f"  split: {split}")
        why = "so that small relations have enough few-shot examples"
        guesses.append(Guess("facts.split", split, why))
    if shots != SHOTS:
        guesses.append(Guess("slick.shots", str(shots), "the smallest relation has no more"))
    return lines, guesses, _warning(sum((q.split, q.domain) == ("test", "id") for q in questions))


def _warning(n: int) -> str:
    """What `n` test questions can hardly show: less than 2.8 standard errors of a paired difference is
    found with less than 80 % probability at the 5 % level.
    """
    least = min(100 * 2.8 * math.sqrt(CHANGED / max(n, 1)), 100)
    return (
        f"With {n:,} test questions in the domain, a difference of less than about "
        f"{least:.0f} points will hardly be seen, if tuning changes a fifth of the answers. More facts "
        f"show more."
    )


def _shots(guesses: list[Guess]) -> str:
    return "".join(f"shots: {guess.value}, " for guess in guesses if guess.key == "slick.shots")


def _dev_subjects(questions: list[Question]) -> dict[str, int]:
    subjects: dict[str, set[str]] = defaultdict(set)
    for question in questions:
        of_relation = subjects[question.relation]
        if question.split == "dev":
            of_relation.add(fold(question.subject))
    return {relation: len(names) for relation, names in subjects.items()}


def _counted(loaded: QuestionSet) -> str:
    questions = loaded.questions
    relations = {question.relation for question in questions}
    splits = [question.split for question in questions]
    parts = ", ".join(f"{splits.count(split):,} {split}" for split in dict.fromkeys(sorted(splits)))
    dropped = ", ".join(f"{n:,} {reason}" for reason, n in loaded.dropped().items())
    return f"{len(questions):,} questions of {len(relations):,} relation(s): {parts}" + (
        f"; rows dropped: {dropped}" if dropped else ""
    )


def _quoted(text: str) -> str:
    """The text as a quoted YAML string."""
    return "'" + text.replace("'", "''") + "'"


def told(guesses: list[Guess]) -> Iterator[str]:
    """A line for each guess, aligned."""
    width = max(len(f"{guess.key}: {guess.value}") for guess in guesses)
    for guess in guesses:
        yield f"  {f'{guess.key}: {guess.value}':{width}}  {guess.reason}"
