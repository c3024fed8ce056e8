"""Turns pydantic's findings into lines a person can act on."""

from __future__ import annotations

import difflib
import types
import typing

from pydantic import BaseModel, ValidationError


def nearest(word: str, words: list[str]) -> str:
    """` Did you mean x?` for the closest of `words`, or nothing."""
    found = difflib.get_close_matches(str(word), words, n=1, cutoff=0.6)
    return f" Did you mean {found[0]}?" if found else ""


def explain(error: ValidationError, model: type[BaseModel], prefix: str = "") -> list[str]:
    """One line a mistake: the key, what was found, what is allowed, the nearest right spelling."""
    return [_line(item, model, prefix) for item in error.errors(include_url=False)]


def _line(item: dict, model: type[BaseModel], prefix: str) -> str:
    location = [part for part in item["loc"] if not _is_type_tag(part)]
    key = _key([*([prefix] if prefix else []), *location])
    kind, found, context = item["type"], item["input"], item.get("ctx", {})
    if kind == "extra_forbidden":
        section = _model_at(model, location[:-1])
        allowed = list(section.model_fields) if section else []
        return f"{key}: unknown key.{nearest(location[-1], allowed)} Allowed: {', '.join(allowed)}."
    if kind == "missing":
        return f"{key}: missing; it has no default, so please set it."
    if kind == "value_error":
        message = str(context.get("error", item["msg"]))
        own_key = message.split(":", 1)[0]
        return message + "." if not key or own_key.startswith(key) else f"{key}: {message}."
    if kind in ("literal_error", "enum"):
        allowed = context["expected"].replace("'", "").replace(" or ", ", ").split(", ")
        return f"{key}: found {found!r}.{nearest(found, allowed)} Allowed: {', '.join(allowed)}."
    if kind == "model_type" or kind == "dict_type":
        return f"{key}: expected a mapping of keys, found {_shown(found)}."
    if kind == "string_pattern_mismatch":
        if "a-f" in context["pattern"]:
            return f"{key}: found {_shown(found)}; expected a sha256, 64 hexadecimal digits."
        return (
            f"{key}: found {_shown(found)}; expected letters, digits, '-', '_', '+', and single "
            f"dots inside, since it becomes a file name."
        )
    message = item["msg"].replace("Input should be", "expected").rstrip(".")
    return f"{key}: found {_shown(found)}; {message[0].lower()}{message[1:]}."


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _key(location: list) -> str:
    key = ""
    for part in location:
        key += f"[{part}]" if isinstance(part, int) else f".{part}" if key else str(part)
    return key


def _is_type_tag(part: object) -> bool:
    """Pydantic adds the name of the union member it tried; it is no key of the file."""
    return isinstance(part, str) and (
        part in ("int", "float", "str", "bool") or "[" in part or part.startswith("constrained")
    )


def _model_at(model: type[BaseModel], location: list) -> type[BaseModel] | None:
    """The section that a location leads to, through optional, list and dict types."""
    current: object = model
    for part in location:
        current = _unwrap(current)
        if isinstance(current, type) and issubclass(current, BaseModel):
            field = current.model_fields.get(part)
            if field is None:
                return None
            current = field.annotation
        elif typing.get_origin(current) in (list, dict):
            current = typing.get_args(current)[-1]
        else:
            return None
    current = _unwrap(current)
    return current if isinstance(current, type) and issubclass(current, BaseModel) else None


def _unwrap(annotation: object) -> object:
    while typing.get_origin(annotation) in (typing.Union, types.UnionType, typing.Annotated):
        options = [arg for arg in typing.get_args(annotation) if arg is not type(None)]
        annotation = options[0]
    return annotation
