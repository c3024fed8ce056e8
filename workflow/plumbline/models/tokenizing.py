"""What every stage assumes of a tokenizer, settled and checked once, at import.

The rule for prompts: plain text is what the tokenizer puts before any text (BOS, if the model has one),
then the text's own tokens, and nothing after them; a conversation is what the chat template writes,
and nothing else. EOS and the ends of turns end answers, never prompts.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from plumbline.storage.files import InputError

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedTokenizerBase

# What no tokenizer may lose: line breaks, at which answers end, capitals, digits and full stops.
SAMPLE = "Question: Who wrote Emma?\nAnswer: Jane Austen, in 1815.\n\nQuestion: Is it a novel?"
# For models like RoBERTa, a text's first position follows that of the padding token.
_COUNTED_FROM_PADDING = (
    *("camembert", "data2vec-text", "esm", "ibert", "longformer", "luke", "mpnet", "roberta"),
    *("roberta-prelayernorm", "xlm-roberta", "xlm-roberta-xl", "xmod"),
)


def usable_positions(config: PretrainedConfig) -> int | None:
    """How many tokens a model reads at once; None if it has no limit.

    Scaled rotary positions are counted as in vLLM: `linear` and `dynamic` scaling multiply the
    positions in the config; for all other kinds, the config already includes the scaling.
    """
    config = config.get_text_config()
    # The latter is MPT's name; transformers maps other names to the former.
    positions = getattr(config, "max_position_embeddings", getattr(config, "max_seq_len", None))
    if positions is None or positions < 1:  # ALiBi, state spaces, XLNet's -1
        return None
    if config.model_type in _COUNTED_FROM_PADDING:
        return positions - (config.pad_token_id or 0) - 1
    rotary = getattr(config, "rope_parameters", None) or {}
    if rotary.get("rope_type") in ("linear", "dynamic"):
        positions *= rotary.get("factor") or 1
    return int(positions)


def settle_prompts(tokenizer: PreTrainedTokenizerBase, config: PretrainedConfig) -> None:
    """Let nothing follow a text, decode texts unchanged, and set how many tokens fit; in place."""
    from transformers.tokenization_utils_base import VERY_LARGE_INTEGER

    if tokenizer.is_fast and (processor := tokenizer.backend_tokenizer.post_processor):
        rules = json.loads(tokenizer.backend_tokenizer.to_str())["post_processor"]
        if (settled := _without_suffix(rules)) != rules:
            processor = _post_processor(settled)
            tokenizer.backend_tokenizer.post_processor = processor
    # " ." and " n't" stay as the model wrote them, in every engine.
    tokenizer.clean_up_tokenization_spaces = False
    tokenizer.init_kwargs["clean_up_tokenization_spaces"] = False
    tokenizer.model_max_length = usable_positions(config) or VERY_LARGE_INTEGER


def check_prompts(tokenizer: PreTrainedTokenizerBase, saved: PreTrainedTokenizerBase) -> None:
    """InputError unless `saved`, the tokenizer after saving and loading, follows the rule.

    Whatever `tokenizer` puts before a text must still be there, nothing may come after it, and decoding
    must give the text back.
    """
    name = f"tokenizer {tokenizer.name_or_path!r}"
    text, plain = (
        saved(SAMPLE, add_special_tokens=special)["input_ids"] for special in (True, False)
    )
    after = text[-len(plain) :]
    if after != plain:
        raise InputError(
            f"{name} puts {saved.convert_ids_to_tokens(text[-1])!r} after every text, so that every "
            f"prompt would end there. Save it as a tokenizer.json that adds nothing after a text."
        )
    decoded = saved.decode(plain)
    if decoded.strip(" ") != SAMPLE:
        raise InputError(
            f"{name} changes text: {SAMPLE!r} comes back from its tokens as {decoded!r}. Answers end "
            f"at line breaks, and capitals tell names; use a model whose tokenizer keeps them."
        )
    if text != tokenizer(SAMPLE)["input_ids"]:
        raise InputError(
            f"{name} gives other tokens once it is saved: {SAMPLE!r} begins with "
            f"{_beginning(tokenizer)}, then with {_beginning(saved)}. Save it as a tokenizer.json "
            f"with its makers' version of transformers, and import that."
        )


def _beginning(tokenizer: PreTrainedTokenizerBase) -> list[str]:
    return tokenizer.convert_ids_to_tokens(tokenizer(SAMPLE)["input_ids"][:3])


def _without_suffix(rules: dict) -> dict:
    """A post-processor's rules, as in tokenizer.json, without what it puts after or between texts."""
    if rules["type"] == "Sequence":
        return {
            **rules,
            "processors": [_without_suffix(processor) for processor in rules["processors"]],
        }
    if rules["type"] in ("BertProcessing", "RobertaProcessing"):
        token, number = rules["cls"]
        first = {"SpecialToken": {"id": token, "type_id": 0}}
        one, other = ({"Sequence": {"id": name, "type_id": 0}} for name in "AB")
        return {
            "type": "TemplateProcessing",
            "single": [first, one],
            "pair": [first, one, other],
            "special_tokens": {token: {"id": token, "ids": [number], "tokens": [token]}},
        }
    if rules["type"] == "TemplateProcessing":
        kept = {side: _up_to_text(rules[side]) for side in ("single", "pair")}
        return {**rules, **kept}
    return rules


def _up_to_text(pieces: list[dict]) -> list[dict]:
    """The pieces before the first text, and the texts."""
    texts = [place for place, piece in enumerate(pieces) if "Sequence" in piece]
    return pieces[: texts[0]] + [pieces[place] for place in texts]


def _post_processor(rules: dict):
    from tokenizers import Tokenizer

    nothing = {"type": "BPE", "vocab": {}, "merges": []}
    return Tokenizer.from_str(
        json.dumps({"model": nothing, "post_processor": rules})
    ).post_processor
