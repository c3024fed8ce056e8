"""Turns pydantic's errors into messages that a person can act on."""

from __future__ import annotations

import difflib
import types
import typing

from pydantic import BaseModel, ValidationError


def nearest(word: str, words: list[str]) -> str:
    """` Did you mean x?` for the closest of `words`, or nothing."""
    close = difflib.get_close_matches(str(word), words, n=1, cutoff=0.6)
    return f" Did you mean {close[0]}?" if close else ""


def explain(error: ValidationError, model: type[BaseModel], prefix: str = "") -> list[str]:
    """One line per mistake: the key, what was found, what is allowed, the nearest right spelling."""
    by_key: dict[str, list[dict]] = {}
    tagged = {name for name, field in model.model_fields.items() if field.discriminator}
    for item in error.errors(include_url=False):
        location = [
            part
            for before, part in zip((None, *item["loc"]), item["loc"], strict=False)
            if not (before in tagged or _is_type_tag(part))
        ]
        item["loc"] = tuple(location)
        by_key.setdefault(_key([*([prefix] if prefix else []), *location]), []).append(item)
    return [_line(key, items, model) for key, items in by_key.items()]


def _line(key: str, items: list[dict], model: type[BaseModel]) -> str:
    item = items[0]
    kind, value = item["type"], item["input"]
    if kind == "extra_forbidden":
        *location, word = item["loc"]
        section = _model_at(model, location)
        allowed = list(section.model_fields) if section else []
        return f"{key}: unknown key.{nearest(word, allowed)} Allowed: {', '.join(allowed)}."
    if kind == "missing":
        return f"{key}: missing; it has no default, so please set it."
    if kind == "value_error":
        message = str(item["ctx"]["error"]).rstrip(".")
        complete = not key or message.split(":", 1)[0].startswith(key)
        return f"{message}." if complete else f"{key}: {message}."
    # If a key has several errors, each is from one member of a union, which says what it expects.
    expected = " or ".join(_expected(item) for item in items)
    words = [word for item in items for word in _allowed_words(item)]
    if key.endswith("key_env"):  # people paste their key here, and messages end up in logs
        return f"{key}: expected the name of an environment variable: letters, digits and '_'."
    return f"{key or 'the configuration'}: found {_shown(value)}; expected {expected}." + (
        nearest(value, words) if isinstance(value, str) else ""
    )


def _expected(item: dict) -> str:
    context = item.get("ctx", {})
    match item["type"]:
        case "literal_error" | "enum":
            words = _allowed_words(item)
            return words[0] if len(words) == 1 else f"one of {', '.join(words)}"
        case "model_type" | "dict_type":
            return "a mapping (lines of `key: value`)"
        case "list_type" | "tuple_type":
            return "a list, e.g. [a, b]"
        case "too_short":
            return f"at least {context['min_length']} item"
        case "string_type":
            return "text"
        case "bool_type" | "bool_parsing":
            return "true or false"
        case "int_type" | "int_parsing" | "int_from_float":
            return "a whole number"
        case "float_type" | "float_parsing":
            return "a number"
        case "greater_than_equal":
            return f"{context['ge']:g} or more"
        case "greater_than":
            return f"more than {context['gt']:g}"
        case "less_than_equal":
            return f"at most {context['le']:g}"
        case "less_than":
            return f"less than {context['lt']:.10g}"
        case "finite_number":
            return "a finite number"
        case "string_too_long":
            return f"at most {context['max_length']} characters"
        case "union_tag_invalid":
            return f"{context['discriminator']} to be one of {context['expected_tags']}"
        case "union_tag_not_found":
            return f"the key {context['discriminator']}"
        case "string_pattern_mismatch" if "a-f" in context["pattern"]:
            return "a sha256, 64 lower-case hexadecimal digits"
        case "string_pattern_mismatch":
            return (
                "letters, digits, '-', '_', '+', and single dots inside, since it becomes a "
                "file name"
            )
    return item["msg"]


def _allowed_words(item: dict) -> list[str]:
    if item["type"] not in ("literal_error", "enum"):
        return []
    return item["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")


def _shown(value: object) -> str:
    """A value as in YAML, cut if it is long."""
    if value is None or isinstance(value, bool):
        return "nothing (null)" if value is None else str(value).lower()
    try:
        text = repr(value)
    except RecursionError:
        return "something nested too deeply"
    return text if len(text) <= 60 else text[:57] + "..."


def _key(location: list) -> str:
    key = ""
    for part in location:
        key += f"[{part}]" if isinstance(part, int) else f".{part}" if key else str(part)
    return key


def _is_type_tag(part: object) -> bool:
    """Pydantic adds the name of the union member it tried, which is not a key of the file."""
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
