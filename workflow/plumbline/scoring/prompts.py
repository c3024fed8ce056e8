"""Choice questions as token ids: the prompt that a model is shown, and what is scored."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from itertools import takewhile
from pathlib import Path
from string import ascii_uppercase

from plumbline.models.chat import parts, turn_end
from plumbline.models.tokenizing import usable_positions
from plumbline.records import ChoiceQuestion
from plumbline.scoring.likelihood import TokenizedItem
from plumbline.storage.files import InputError

PRIMER = "tasks/truthfulqa/truthfulqa_mc1.yaml"  # in lm_eval: the benchmark's six example pairs


def texts(question: ChoiceQuestion, style: str) -> tuple[str, list[str]]:
    """(prompt, continuations) in a plain-text style: any of ChoiceSet.prompt but chat.

    InputError if there are more choices than letters, or for truthfulqa without lm_eval.
    """
    spaced = [f" {choice}" for choice in question.choices]
    match style:
        case "qa":
            return f"Question: {question.question}\nAnswer:", spaced
        case "truthfulqa":
            return _primer().render(question=question.question), spaced
        case "continuation":
            return question.question, spaced
        case "letters":
            letters = ascii_uppercase[: len(question.choices)]
            if len(letters) < len(question.choices):
                raise InputError(
                    f"question {question.id}: {len(question.choices)} choices, but only "
                    f"{len(letters)} letters; use prompt: qa."
                )
            lines = [
                question.question,
                *(f"{a}. {b}" for a, b in zip(letters, question.choices, strict=True)),
            ]
            return "\n".join([*lines, "Answer:"]), [f" {letter}" for letter in letters]
    raise ValueError(f"no such style of prompt: {style}")


@cache
def _primer():
    """The template of TruthfulQA's prompt, read from the installed harness so that it is the same."""
    import yaml
    from jinja2 import Environment, StrictUndefined

    spec = find_spec("lm_eval")
    path = Path(spec.submodule_search_locations[0]) / PRIMER if spec else Path("lm_eval") / PRIMER
    try:
        text = yaml.safe_load(path.read_text(encoding="utf-8"))["doc_to_text"]
    except (OSError, KeyError, TypeError, yaml.YAMLError) as error:
        raise InputError(
            f"{path}: cannot be read ({error}). prompt: truthfulqa takes the six example pairs "
            f"from lm_eval; install lm-eval as in requirements/base.in, or use prompt: qa."
        ) from error
    return Environment(undefined=StrictUndefined, keep_trailing_newline=True).from_string(text)


def encode(
    tokenizer, question: ChoiceQuestion, style: str, longest: int | None = None
) -> TokenizedItem:
    """A question as token ids, tokenised as in the LM evaluation harness, except as `_split` says.

    `longest`: how many tokens the model can read, see `context_length`. InputError names the
    question if it does not fit, if a continuation has no token, or if there is no chat template.
    """
    if style == "chat":
        asked = [{"role": "user", "content": question.question}]
        prompt, continuations = encode_chat(tokenizer, question.id, asked, question.choices)
    else:
        prompt, continuations = _split(tokenizer, question, *texts(question, style))
    if not prompt:
        raise InputError(f"question {question.id}: its prompt has no token of its own.")
    for choice, tokens in zip(question.choices, continuations, strict=True):
        # The last token of a continuation is predicted but never read.
        if longest is not None and len(prompt) + len(tokens) - 1 > longest:
            raise InputError(
                f"question {question.id}: {len(prompt):,} tokens of prompt and {len(tokens):,} of "
                f"choice {choice!r}, but the model reads at most {longest:,}; remove the question."
            )
    return TokenizedItem(tuple(prompt), tuple(map(tuple, continuations)))


def _split(
    tokenizer, question: ChoiceQuestion, prompt: str, continuations: Sequence[str]
) -> tuple[list[int], list[list[int]]]:
    """Ids of the prompt, and of what each continuation adds to it.

    Prompt and continuation are tokenised as one text. Spaces at the end of the prompt are moved to the
    continuations, since tokens begin with spaces and rarely end with one. The prompt is whatever all of
    these texts and the prompt alone start with. So if one token spans the end of the prompt and the
    start of a choice (": C"), all choices are scored from before that token, so that the same text
    counts for each. The harness cuts off as many tokens as the prompt alone has, which leaves less
    than the choice.
    """
    bare = prompt.rstrip()
    wholes = [prompt + continuation for continuation in continuations]
    return _apart(tokenizer, question.id, question.choices, bare, wholes)


def encode_chat(
    tokenizer, name: str, messages: list[dict], choices: Sequence[str]
) -> tuple[list[int], list[list[int]]]:
    """Ids of a conversation that `choices` answer, and of each choice, as the template writes it.

    Each choice is a turn of the assistant. The space or empty thought that the template puts before it
    counts as prompt, unless it shares a token with a choice. `name` is the question's, for messages.
    InputError if there is no chat template or a choice has no token.
    """
    if not tokenizer.chat_template:
        raise InputError(
            "prompt: chat: the model's tokenizer has no chat template; use prompt: qa."
        )
    end, wholes = turn_end(tokenizer), []
    for choice in choices:
        answer = [{"role": "assistant", "content": choice}]
        asked, before, words, _ = parts(tokenizer, messages, answer, end)
        wholes.append(asked + before + words)
    return _apart(tokenizer, name, choices, asked + before, wholes, add_special_tokens=False)


def _apart(
    tokenizer, name: str, choices: Sequence[str], prompt: str, wholes: Sequence[str], **options
) -> tuple[list[int], list[list[int]]]:
    """The common start of the prompt and all texts that continue it, and the rest of each, as ids."""
    alone, *rows = (tokenizer(text, **options)["input_ids"] for text in (prompt, *wholes))
    places = zip(alone, *rows, strict=False)
    shared = len([*takewhile(lambda tokens: len(set(tokens)) == 1, places)])
    for choice, row in zip(choices, rows, strict=True):
        if row == alone or len(row) == shared:
            raise InputError(
                f"question {name}: choice {choice!r} has no token of its own after the prompt; "
                f"correct or remove it."
            )
    return alone[:shared], [row[shared:] for row in rows]


def context_length(model) -> int | None:
    """How many tokens the model can read at once; None if its configuration sets no limit."""
    return usable_positions(model.config)
