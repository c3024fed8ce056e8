"""What a model's chat template writes: around a turn, at its end, and before an answer."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plumbline.storage.files import InputError
from plumbline.texts.thoughts import CLOSE, opened_by, without_thoughts

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_WORDS = "plumbline"


@dataclass(frozen=True)
class TurnEnd:
    """What follows an assistant's words: all of it as text, and the token that ends the turn.

    token: None if the template writes none, so that EOS has to end the answer.
    """

    text: str
    token: int | None


def turn_end(tokenizer: PreTrainedTokenizerBase) -> TurnEnd:
    """How the template ends an assistant's turn. Raises jinja2.TemplateError if it cannot."""
    messages = [{"role": "user", "content": "?"}, {"role": "assistant", "content": _WORDS}]
    text = tokenizer.apply_chat_template(messages, tokenize=False).rpartition(_WORDS)[2]
    marks = special_ids(tokenizer) | {
        i for i, token in tokenizer.added_tokens_decoder.items() if token.content.strip()
    }
    after = tokenizer(text, add_special_tokens=False)["input_ids"]
    return TurnEnd(text, next((token for token in after if token in marks), None))


def settle_template(
    tokenizer: PreTrainedTokenizerBase, options: Mapping[str, bool | int | float | str]
) -> None:
    """Write `options` into the chat template, in place, so that they apply wherever it is rendered.

    Raises InputError if there is no template, or if it does not use one of them.
    """
    named = tokenizer.chat_template if isinstance(tokenizer.chat_template, dict) else {}
    templates = list(named.values()) or [tokenizer.chat_template or ""]
    for name in options:
        if not any(re.search(rf"\b{re.escape(name)}\b", template) for template in templates):
            raise InputError(
                f"chat_template_kwargs: the chat template of {tokenizer.name_or_path!r} does not "
                f"read {name!r}; correct the name, or remove it."
            )
    if not options:
        return
    settings = "".join(
        f"{{% set {name} = {json.dumps(value)} %}}" for name, value in options.items()
    )
    opening = (
        settings + "{{ '' }}"
    )  # otherwise the template's own first line break would be removed
    if named:
        tokenizer.chat_template = {name: opening + template for name, template in named.items()}
    else:
        tokenizer.chat_template = opening + tokenizer.chat_template


def settle_thoughts(tokenizer: PreTrainedTokenizerBase) -> None:
    """Turn the marks of thoughts into ordinary text, in place.

    Decoding leaves special tokens out: a thought between two of them would become part of the answer.
    """
    from tokenizers import Tokenizer

    if not tokenizer.is_fast:
        return
    marks = {*CLOSE, *CLOSE.values()}
    rules = json.loads(tokenizer.backend_tokenizer.to_str())
    marked = [
        token for token in rules["added_tokens"] if token["special"] and token["content"] in marks
    ]
    if not marked:
        return
    for token in marked:
        token["special"] = False
    tokenizer._tokenizer = Tokenizer.from_str(json.dumps(rules))
    extra = [token for token in tokenizer.extra_special_tokens if str(token) not in marks]
    tokenizer.extra_special_tokens = extra


def special_ids(tokenizer: PreTrainedTokenizerBase) -> set[int]:
    """The tokens that do not stand for text."""
    added = tokenizer.added_tokens_decoder
    return {i for i, token in added.items() if token.special} | set(tokenizer.all_special_ids)


def prompt_text(tokenizer: PreTrainedTokenizerBase, messages: list[dict]) -> str:
    """A conversation up to where the assistant's answer begins."""
    return tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)


def answered(
    tokenizer: PreTrainedTokenizerBase, prompt: list[dict], answer: list[dict], end: TurnEnd
) -> tuple[str, str]:
    """(prompt, what follows it) as text, the token that ends the answer left out.

    Raises InputError if the answer's words are changed.
    """
    asked, before, words, after = parts(tokenizer, prompt, answer, end)
    return asked, before + words + after


def parts(
    tokenizer: PreTrainedTokenizerBase, prompt: list[dict], answer: list[dict], end: TurnEnd
) -> tuple[str, str, str, str]:
    """A conversation as text: the prompt, the text before the answer's words, these words, and the
    rest.

    The prompt is the one used for generation. What the template writes between it and the answer's
    words (an empty thought) is returned separately, as the model has to write it; a thought that
    only the prompt opens is closed. The token that ends the answer is left out. Raises InputError if
    the answer's words are changed.
    """
    asked = prompt_text(tokenizer, prompt)
    whole = tokenizer.apply_chat_template(prompt + answer, tokenize=False)
    words = without_thoughts(answer[-1]["content"]).strip()
    body = whole.removesuffix(end.text)
    said = body.rstrip()
    if not whole.endswith(end.text) or not said.endswith(words):
        raise InputError(
            f"the chat template does not write the answer {words[:40]!r} unchanged, so that what is "
            f"to be learnt cannot be told from the rest; correct the template."
        )
    before = said.removesuffix(words)
    if before.startswith(asked):
        before = before[len(asked) :]
    else:  # for prompts, the template opens the turn differently than in a finished conversation
        mark = opened_by(asked)
        before = f"\n{CLOSE[mark]}\n\n" if mark else ""
    after = body.removeprefix(said)  # spaces
    if end.token is not None:
        after += end.text.partition(tokenizer.convert_ids_to_tokens(end.token))[0]
    return asked, before, words, after
