"""A program's command line, derived from the signature of its `main`.

    def main(*, claims_path: Path, k: list[int], form: Form, scoring: Scoring, rows: list[Row],
             limit: Annotated[int, "questions; 0: all"] = 0) -> None

is called with `--claims FILE --k 16 32 --form chat --scoring '{…}' --rows rows.json`. A parameter is an
option; without a default, it is required. `_path` at the end of a name marks a file, as opposed to its
contents, and is not part of the option. A list or tuple of words takes several, a `bool` is a flag, and
anything that is not a word is JSON, or a file of JSON (`plumbline.storage.lists`). A dataclass stands
for options that programs share: its fields are options themselves. Text in `Annotated` is the
option's help; `main(plan_path, /)` takes a word without an option's name.
"""

from __future__ import annotations

import argparse
import inspect
import re
import reprlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Literal, Union, get_args, get_origin

from pydantic import TypeAdapter, ValidationError

from plumbline.storage import lists
from plumbline.storage.files import InputError, first_error


def call(main: Callable[..., None], words: Sequence[str]) -> None:
    """Call a program's `main` with the words of its command line. InputError: see `arguments`."""
    given = arguments(main, words)
    main(*given.args, **given.kwargs)


def arguments(main: Callable[..., None], words: Sequence[str]) -> inspect.BoundArguments:
    """The arguments for `main`; options that are not given keep their defaults.

    Raises InputError naming the option if one is missing, unknown or has an invalid value.
    """
    return _bound(main, vars(parser(main).parse_args(words)))


def parser(main: Callable[..., None]) -> argparse.ArgumentParser:
    """Splits words into options, as text. The help is the docstring of `main`'s module."""
    made = _Parser(
        prog=Path(main.__code__.co_filename).stem,
        description=main.__globals__["__doc__"],
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    for parameter in _parameters(main):
        given = {"help": _help(parameter)}
        if _bare(parameter.annotation) is bool:
            given["action"] = "store_true"
        else:
            given |= {"nargs": _number(parameter), "metavar": _metavar(parameter.annotation)}
        if parameter.kind is parameter.POSITIONAL_ONLY:
            made.add_argument(parameter.name, **given | {"metavar": _option(parameter)})
        else:
            required = parameter.default is parameter.empty
            made.add_argument(_option(parameter), dest=parameter.name, required=required, **given)
    return made


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:
        raise InputError(f"{message.removeprefix('argument ')}. See --help.")


def _parameters(function: Callable) -> Iterator[inspect.Parameter]:
    for parameter in inspect.signature(function, eval_str=True).parameters.values():
        if is_dataclass(parameter.annotation):
            yield from _parameters(parameter.annotation)
        else:
            yield parameter


def _bound(function: Callable, given: dict) -> inspect.BoundArguments:
    signature, values = inspect.signature(function, eval_str=True), {}
    for name, parameter in signature.parameters.items():
        if is_dataclass(parameter.annotation):
            values[name] = parameter.annotation(**_bound(parameter.annotation, given).arguments)
        elif name in given:
            values[name] = _value(parameter, given[name])
    return inspect.BoundArguments(signature, values)


def _value(parameter: inspect.Parameter, text: str | list[str] | bool):
    kind = TypeAdapter(parameter.annotation)
    try:
        if not _is_json(parameter.annotation):
            return kind.validate_python(text)
        if text.startswith(("{", "[")):
            return kind.validate_json(text)
    except ValidationError as error:
        where, expected, found = first_error(error)
        place = f"{_option(parameter)}: {where}" if where else _option(parameter)
        raise InputError(f"{place}: {expected}; found {reprlib.repr(found)}.") from error
    return lists.read(Path(text), parameter.annotation)


def _option(parameter: inspect.Parameter) -> str:
    name = re.sub("_paths?$", "", parameter.name).replace("_", "-")
    return name if parameter.kind is parameter.POSITIONAL_ONLY else f"--{name}"


def _help(parameter: inspect.Parameter) -> str:
    notes = getattr(parameter.annotation, "__metadata__", ())
    texts = [note for note in notes if isinstance(note, str)]
    if type(parameter.default) in (str, int, float):
        texts.append(f"default: {parameter.default}")
    return "; ".join(texts).replace("%", "%%")


def _bare(kind):
    """A type without annotations and without `| None`."""
    if get_origin(kind) is Annotated:
        return _bare(get_args(kind)[0])
    some = [option for option in get_args(kind) if option is not NoneType]
    return _bare(some[0]) if get_origin(kind) in (Union, UnionType) and len(some) == 1 else kind


def _items(kind) -> tuple:
    """The types of a list's or tuple's items; empty for other types."""
    return get_args(_bare(kind)) if get_origin(_bare(kind)) in (list, tuple) else ()


def _is_word(kind) -> bool:
    return _bare(kind) in (str, int, float, bool, Path) or get_origin(_bare(kind)) is Literal


def _is_json(kind) -> bool:
    return not (_is_word(kind) or any(map(_is_word, _items(kind))))


def _number(parameter: inspect.Parameter) -> str | int | None:
    """How many words follow the option, in argparse's terms."""
    items = _items(parameter.annotation)
    if not items or _is_json(parameter.annotation):
        return None
    if len(items) > 1 and items[-1] is not Ellipsis:
        return len(items)
    return "*" if parameter.default == () else "+"


def _metavar(kind) -> str:
    word = _bare((_items(kind) or [kind])[0])
    if _is_json(kind):
        return "JSON"
    return "{" + ",".join(map(str, get_args(word))) + "}" if get_args(word) else word.__name__
