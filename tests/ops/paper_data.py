"""A small EntityQuestions folder of the real one's shape, and a tiny model that knows a part of it.

All relations ask about the same few subjects, and a subject's answer is the same in each. The model
gives it always, after some examples, now and then, or never: SliCK's four categories, in every
relation.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from plumbline.data.entityquestions import TEMPLATES
from tiny import special_ids, tiny_tokenizer

WRONG = "Nowhere"
_names = iter(a + b for a in ("Ba", "Do", "Fu", "Ga", "Ko", "Lu", "Ma", "No") for b in "bdkmrt")
KINDS = {
    "train": ["high"] * 2 + ["maybe"] * 3 + ["weak"] * 3 + ["never"] * 2,
    "dev": ["high"] * 8,
    "test": ["high", "maybe", "maybe", "maybe", "weak", "weak", "never"],
}
# Of each split (name, kind); the subject is called <name>ia, the answer <name>ton.
PEOPLED = {split: [(next(_names), kind) for kind in kinds] for split, kinds in KINDS.items()}
EVERYONE = [one for split in PEOPLED.values() for one in split]
TRAINED, SHOWN = PEOPLED["train"][0][0], PEOPLED["dev"][0][0]


def question(relation: str, name: str) -> str:
    return TEMPLATES[relation].replace("[X]", f"{name}ia")


def row(relation: str, name: str, *answers: str) -> dict:
    return {"question": question(relation, name), "answers": [*(answers or [f"{name}ton"])]}


def write_dataset(folder: Path) -> Path:
    """All 72 files; each relation has what the real ones have somewhere, and returns `folder`.

    Questions in train and dev, in dev and test, in a split twice with the same or another answer,
    with several answers, and train questions about a subject of a test question.
    """
    never, other = PEOPLED["train"][-1][0], PEOPLED["train"][-2][0]
    asked_in_test = PEOPLED["test"][0][0]
    for relation in TEMPLATES:
        rows = {split: [row(relation, name) for name, _ in PEOPLED[split]] for split in PEOPLED}
        rows["train"] += [row(relation, never), row(relation, other, "Elsewhere")]
        rows["train"] += [row(relation, "Twofold", "One", "Two"), row(relation, asked_in_test)]
        rows["dev"] += [row(relation, TRAINED)]
        rows["test"] += [row(relation, SHOWN), row(relation, asked_in_test, "Elsewhere")]
        for split, of_split in rows.items():
            path = folder / split / f"{relation}.{split}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(of_split))
    return folder


def write_model(folder: Path) -> Path:
    """A Llama that knows this by construction, without training; returns `folder`.

    Tokens are embedded one-hot. Wherever it stands, one head looks at the last subject before and
    the other at the last answer (a slow rotation of RoPE makes the nearest one win), and each
    copies what it finds into dimensions of its own, from which the output layer reads.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    words = re.findall(r"\w+", " ".join(TEMPLATES.values()))
    names = [f"{name}{ending}" for name, _ in EVERYONE for ending in ("ia", "ton")]
    tokenizer = tiny_tokenizer(sorted({*words, *names, "Answer", "following", "question", WRONG}))

    def token(text: str) -> int:
        (found,) = tokenizer(text)["input_ids"]
        return found

    vocabulary, head, slow = len(tokenizer), 32, 7
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=vocabulary + 2 * head,
        head_dim=head,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=512,
        tie_word_embeddings=False,
        **special_ids(tokenizer),
    )
    model = LlamaForCausalLM(config)
    for matrix in (parameter for parameter in model.parameters() if parameter.dim() == 2):
        matrix.data.zero_()
    model.model.embed_tokens.weight.data[:, :vocabulary] = torch.eye(vocabulary)
    attention, output = model.model.layers[0].self_attn, model.lm_head.weight.data
    scale = config.hidden_size**0.5  # of a one-hot vector that is normalised
    near = (200 * head**0.5) ** 0.5 / scale  # 200: of the softmax of scores one wins
    for which, ending in enumerate(("ia", "ton")):
        attention.q_proj.weight.data[which * head + slow, :vocabulary] = near
        for number, (name, _) in enumerate(EVERYONE):
            found = token(f" {name}{ending}")
            attention.k_proj.weight.data[which * head + slow, found] = near
            attention.v_proj.weight.data[which * head + number, found] = 1 / scale
    attention.o_proj.weight.data[vocabulary:] = torch.eye(2 * head)
    wrong, newline = token(f" {WRONG}"), token("\n")
    for number, (name, kind) in enumerate(EVERYONE):
        right = token(f" {name}ton")
        output[newline, [right, wrong]] = 200
        output[wrong, vocabulary + number] = 40
        # By how much, in nats, the right answer is the likelier one.
        output[right, vocabulary + number] = (
            40 + {"high": 3, "maybe": 0, "weak": -0.4, "never": -30}[kind]
        )
        if kind == "maybe":  # the answer shown last decides; for each of three another half of them
            tips = torch.tensor([2 * (last >> number % 3 & 1) - 1 for last in range(len(EVERYONE))])
            output[right, vocabulary + head :][: len(tips)] = tips
    output *= 3**0.5 / scale  # what is read: a token, a subject and an answer, normalised
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
