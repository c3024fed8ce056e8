"""What a configuration requires of its models: where it uses chat templates, and how long texts are.

Methods state the requirements of their own parts; `suitability.check` checks models against them all.
"""

from __future__ import annotations

from plumbline.experiment.config import Config
from plumbline.methods.method import Use
from plumbline.methods.registry import METHODS
from plumbline.models.suitability import Chat, Length, Needs
from plumbline.storage.files import InputError


def needs(config: Config) -> Needs:
    """The requirements of `config`. InputError if an answer cannot fit generation.max_model_len."""
    uses = [method.use(config) for method in METHODS]
    needed = Needs(
        chat=[*(chat for use in uses for chat in use.chats), *_chats(config)],
        lengths=[*_answers(config, uses), *_trainings(config, uses)],
        max_model_len=config.generation.max_model_len,
    )
    for length in needed.lengths:
        if length.answer and length.tokens >= needed.max_model_len:
            raise InputError(
                f"{length.key}: {length.tokens} tokens and a prompt do not fit "
                f"generation.max_model_len: {needed.max_model_len}; lower the first or raise the "
                f"second."
            )
    return needed


def _chats(config: Config) -> list[Chat]:
    """Where the evaluation uses a chat template."""
    chats = []
    long_form = config.evaluation.long_form
    if long_form and long_form.prompt == "chat":
        key = "evaluation.long_form.prompt"
        judged = long_form.instructions is not None
        chats.append(Chat(key=f"{key}: chat", instead=f"{key}: plain", shown=judged))
    for number, choices in enumerate(config.evaluation.choices):
        if choices.prompt == "chat":
            key = f"evaluation.choices[{number}].prompt"
            chats.append(Chat(key=f"{key}: chat", instead=f"{key}: qa", answered=True))
    return chats


def _answers(config: Config, uses: list[Use]) -> list[Length]:
    """The longest generated answer of each kind."""
    limits = {key: tokens for use in uses for key, tokens in use.max_tokens.items()}
    long_form = config.evaluation.long_form
    if long_form:
        limits["evaluation.long_form.max_tokens"] = long_form.max_tokens
    split = long_form is not None or any(use.writes_claims for use in uses)
    if config.claims.splitter == "model" and split:
        limits["claims.max_tokens"] = config.claims.max_tokens
    return [Length(key=key, tokens=tokens, answer=True) for key, tokens in limits.items()]


def _trainings(config: Config, uses: list[Use]) -> list[Length]:
    """The longest example of each recipe that trains something, and of its changed versions."""
    limits = {
        f"recipes.{name}.max_length": config.recipes[name].max_length
        for use in uses
        for name in use.recipes
    }
    for use in uses:
        for key, changes in use.overrides.items():
            if "max_length" in changes:
                limits[f"{key}.max_length"] = changes["max_length"]
    return [Length(key=key, tokens=tokens) for key, tokens in limits.items()]
