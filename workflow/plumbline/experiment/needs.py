"""What a configuration needs of its models: where chat templates are used, and how long texts are.

The one place that knows; models are held against it by `suitability.check`.
"""

from __future__ import annotations

from plumbline.experiment.config import Config
from plumbline.files import InputError
from plumbline.suitability import Chat, Length, Needs


def needs(config: Config) -> Needs:
    """What `config` needs. InputError when an answer cannot fit generation.max_model_len."""
    found = Needs(
        chat=_chats(config),
        lengths=[*_answers(config), *_trainings(config)],
        max_model_len=config.generation.max_model_len,
    )
    for length in found.lengths:
        if length.answer and length.tokens >= found.max_model_len:
            raise InputError(
                f"{length.key}: {length.tokens} tokens and a prompt do not fit "
                f"generation.max_model_len: {found.max_model_len}; lower the first or raise the second."
            )
    return found


def _chats(config: Config) -> list[Chat]:
    long_form = config.evaluation.long_form
    judged = long_form is not None and long_form.instructions is not None
    sections = [
        ("mixes", config.mixes, {"answered": True}),
        ("flame", config.flame, {"shown": True, "answered": True}),
        ("apeft", config.apeft, {"answered": True}),
        ("evaluation.long_form", long_form, {"shown": judged}),
    ]
    found = [
        Chat(key=f"{name}.prompt: chat", instead=f"{name}.prompt: plain", **use)
        for name, section, use in sections
        if section and section.prompt == "chat"
    ]
    if config.grath and config.grath.legacy_prompt is None:
        key, instead = "grath.legacy_prompt: null", "grath.legacy_prompt: llama2 or zephyr"
        found.append(Chat(key=key, instead=instead, shown=True, answered=True))
    for number, choices in enumerate(config.evaluation.choices):
        if choices.prompt == "chat":
            key = f"evaluation.choices[{number}].prompt"
            found.append(Chat(key=f"{key}: chat", instead=f"{key}: qa", answered=True))
    return found


def _answers(config: Config) -> list[Length]:
    """The longest answer of each kind that is generated."""
    flame, long_form = config.flame, config.evaluation.long_form
    limits = {"slick.max_tokens": config.slick.max_tokens}
    if config.grath:
        limits["grath.max_tokens"] = config.grath.max_tokens
    if flame:
        limits["flame.max_tokens"] = flame.max_tokens
    if config.apeft:
        limits["apeft.max_tokens"] = config.apeft.max_tokens
    if long_form:
        limits["evaluation.long_form.max_tokens"] = long_form.max_tokens
    if config.claims.splitter == "model" and (flame or config.apeft or long_form):
        limits["claims.max_tokens"] = config.claims.max_tokens
    return [Length(key=key, tokens=tokens, answer=True) for key, tokens in limits.items()]


def _trainings(config: Config) -> list[Length]:
    """The longest example of each recipe that trains something, and of what is changed in it."""
    mixes, grath, flame, apeft = config.mixes, config.grath, config.flame, config.apeft
    used = [mixes.recipe] if mixes.names() else []
    used += [grath.recipe] if grath else []
    used += [flame.sft_recipe] + [flame.dpo_recipe] * bool(flame.dpo) if flame else []
    used += [apeft.recipe] if apeft else []
    limits = {f"recipes.{name}.max_length": config.recipes[name].max_length for name in used}
    for key, overrides in (("mixes", mixes.overrides), ("apeft", apeft.overrides if apeft else {})):
        for name, changes in overrides.items():
            if "max_length" in changes:
                limits[f"{key}.overrides.{name}.max_length"] = changes["max_length"]
    return [Length(key=key, tokens=tokens) for key, tokens in limits.items()]
