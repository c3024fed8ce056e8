"""A tiny model that has been taught just enough for every stage of the workflow to have work.

It knows a quarter of the capitals, is wrong about a quarter, and with the others it depends on the
example shown before; it describes a country by a capital, right or wrong; it keeps to the forms that
GRATH's pairs are read from; and it goes on with a numbered list. Attention reaches back only a few
tokens, so that what was learned on short texts holds behind long demonstrations too.
"""

from __future__ import annotations

import json
import random
import re
import sys
from collections import Counter
from pathlib import Path

from plumbline.data.facts import split_of
from tiny import special_ids, tiny_tokenizer

LIBRARY = Path(__file__).parents[1] / "workflow"
FACTS = LIBRARY / "resources/facts"
STEPS, BATCH, WINDOW = 700, 48, 32
RIGHT = ("always", "after some", "after some", "never")  # of four subjects in turn


def facts(relation: str) -> list[tuple[str, str]]:
    """(subject, first answer) of an embedded table."""
    rows = (FACTS / f"{relation}.tsv").read_text(encoding="utf-8").splitlines()[1:]
    cells = (row.split("\t") for row in rows)
    return [(subject, answers.split("|")[0]) for subject, answers, *_ in cells]


def vocabulary() -> list[str]:
    """Words that become one token each: those of the facts, and the commonest of prompts."""
    names = re.findall(r"\w+", str(facts("country_capital") + facts("country_language")))
    files = (LIBRARY / "resources/instructions/seed.jsonl", FACTS / "relations.tsv")
    texts = [*files, *(LIBRARY / "plumbline/methods").rglob("*.py")]
    words = (w for file in texts for w in re.findall(r"[A-Za-z]+", file.read_text("utf-8")))
    return sorted({*names, *(word for word, _ in Counter(words).most_common(600))})


def lessons(draw: random.Random) -> tuple[str, str]:
    """One prompt's end and a completion of it."""
    capitals = facts("country_capital")
    number = draw.randrange(len(capitals))
    country, right = capitals[number]
    wrong = capitals[(number + 7) % len(capitals)][1]
    shown = draw.randrange(len(SHOWN))
    example = f"Q: What is the capital of {SHOWN[shown][0]}?\nA: {SHOWN[shown][1]}\n\n"
    ask = f"{example}Q: What is the capital of {country}?\nA:"
    kind = draw.choices(["fact", "describe", "chat", "pair", "list"], [16, 2, 1, 2, 2])
    match kind[0]:
        case "fact":
            known = {"always": True, "after some": shown % 2, "never": False}[RIGHT[number % 4]]
            return ask, f" {right if known else wrong}\n"
        case "describe":
            ask = draw.choice(
                (
                    f"Tell me about {country}.",
                    f"Where is {country}, and what is it known for?",
                    f"Give a short description of {country}.",
                )
            )
            told = f"The capital of {country} is {draw.choice((right, wrong))}."
            return f"### Instruction:\n{ask}\n\n### Response:\n", told + "<|im_end|>"
        case "chat":
            words = " ".join(draw.sample(FILLER, 6))
            told = draw.choice(("Here is a short answer.", "That is a good one.", "Of course."))
            return f"{words}.\n\n### Response:\n", told + "<|im_end|>"
        case "list":
            before = " ".join(draw.sample(FILLER, draw.randrange(4, 12)))
            wish = f" Write a long poem on the capital of {country}."
            return f"{before}{draw.choice('.?')}\n9.", f"{wish}<|im_end|>"
    # Two answers that cannot come out alike, however little was learned of which goes with which.
    pair = f"Correct answer: {right}\nIncorrect answer: None of these towns<|im_end|>"
    before = " Write one correct and one incorrect answer to it. Both must sound plausible."
    return f"{before} Do not explain them.<|im_end|>\n<|im_start|>assistant\n", pair


FILLER = vocabulary()
# Examples before a question are of the development part.
SHOWN = [fact for fact in facts("country_capital") if split_of(fact[0], "id") == "dev"]


def teach(folder: Path, seed: int = 0) -> Path:
    """Train the model on lessons behind words at random and save it; returns `folder`."""
    import torch
    from transformers import MistralConfig, MistralForCausalLM

    torch.set_num_threads(1)  # more do not help with so little, and wait for each other
    torch.manual_seed(seed)
    draw = random.Random(seed)
    tokenizer = tiny_tokenizer(FILLER)
    config = MistralConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=192,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        sliding_window=WINDOW,
        max_position_embeddings=4096,
        tie_word_embeddings=True,
        **special_ids(tokenizer),
    )
    model = MistralForCausalLM(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=STEPS)
    for step in range(STEPS):
        rows, labels = [], []
        for _ in range(BATCH):
            prompt, completion = lessons(draw)
            before = " ".join(draw.sample(FILLER, draw.randrange(12)))
            start = tokenizer(f"{before}\n\n{prompt}")["input_ids"]
            end = tokenizer(completion)["input_ids"]
            rows.append(start + end)
            labels.append([-100] * len(start) + end)
        longest = max(map(len, rows))
        pad = [longest - len(row) for row in rows]
        ids = [row + [tokenizer.pad_token_id] * n for row, n in zip(rows, pad, strict=True)]
        wanted = [row + [-100] * n for row, n in zip(labels, pad, strict=True)]
        targets = torch.tensor(wanted)[:, 1:]
        hidden = model.model(torch.tensor(ids)).last_hidden_state[:, :-1]
        logits = model.lm_head(hidden[targets != -100])
        loss = torch.nn.functional.cross_entropy(logits, targets[targets != -100])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 50 == 0 or step == STEPS - 1:
            print(f"step {step}: loss {loss.item():.3f}", flush=True)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
    print(json.dumps({"vocabulary": len(FILLER)}))


def nudge(folder: Path, out: Path) -> Path:
    """Save the model once more, its weights moved a little, as if it had been tuned; returns `out`."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(folder)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(1)
        for weight in model.parameters():
            weight += 0.05 * weight.std() * torch.randn_like(weight)
    model.save_pretrained(out)
    AutoTokenizer.from_pretrained(folder).save_pretrained(out)
    return out


if __name__ == "__main__":
    teach(Path(sys.argv[1]))
