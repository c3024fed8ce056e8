"""Whether vLLM computes the same as a model's own code, or as an adapter merged into its parent.

vLLM recognises a model by its architecture's name, or runs its layers with a head of vLLM's own;
whatever else the model's code does is silently ignored. So a few of vLLM's greedy answers are compared
with one forward pass of that code. This is done only if a model brings code, or if vLLM applies an
adapter: it needs a second copy of the weights in main memory for that time.
"""

from __future__ import annotations

from pathlib import Path

from plumbline.generation.engine import Engine, RenderedPrompt
from plumbline.models import checkpoints
from plumbline.records import Sampling
from plumbline.storage.files import InputError

TEXTS = ("The capital of France is", "1, 2, 3,", "Once upon a time")
TOKENS = 8
# How far a chosen token's logit may be below the largest one, in standard deviations of the logits:
# rounding changes near ties, while a different computation chooses arbitrary tokens.
SLACK = 0.5


def check_agreement(
    engine: Engine, checkpoint: Path, tokenizer, dtype: str, remedy: str = "engine to transformers"
) -> None:
    """InputError unless the engine's greedy answers are those of the checkpoint in `transformers`.

    remedy: the setting in `generation` to change.
    """
    import torch

    model = checkpoints.load_model(checkpoint, dtype).eval()
    prompts = [tuple(tokenizer(text)["input_ids"]) for text in TEXTS]
    asked = [RenderedPrompt(prompt, Sampling(max_tokens=TOKENS)) for prompt in prompts]
    for prompt, [answer] in zip(prompts, engine.complete(asked), strict=True):
        with torch.inference_mode():
            logits = model(torch.tensor([[*prompt, *answer.token_ids]])).logits[0].float()
        logits = logits[len(prompt) - 1 : -1]
        chosen = logits.gather(-1, torch.tensor(answer.token_ids)[:, None])[:, 0]
        behind = (logits.amax(-1) - chosen) / logits.std(-1)
        if not bool((behind <= SLACK).all()):
            raise InputError(
                f"{checkpoint}: vLLM does not compute what transformers computes with the model's own "
                f"code, or its adapter (it answers {answer.text!r}, {float(behind.max()):.1f} standard "
                f"deviations from the likeliest); "
                f"set generation.{remedy}."
            )
