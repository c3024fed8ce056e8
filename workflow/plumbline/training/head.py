"""TRL computes log-probabilities from a model's last hidden states itself, to save memory.

If a model changes its logits after its head, TRL must know, by names of the configuration.
"""

from __future__ import annotations

from plumbline.storage.files import InputError

TOKENS = 16
# In nats, by the bits of the precision: how far rounding of logits may change a log-probability.
TOLERANCE = {32: 1e-3, 16: 0.25}
_SOFT_CAPS = ("logits_soft_cap", "output_logit_soft_cap")  # RecurrentGemma's, xLSTM's


def name_soft_cap(config) -> None:
    """Copy a soft cap of logits to the name that TRL looks for, in place."""
    config = config.get_text_config()
    for name in _SOFT_CAPS:
        if cap := getattr(config, name, None):
            config.final_logit_softcapping = cap


def check_head(model) -> None:
    """InputError unless TRL's log-probabilities are those of the model's own forward pass.

    model: with TRL's head (`add_fused_lm_head`), with or without an adapter. A few arbitrary tokens are
    read twice.
    """
    import torch

    words = model.config.get_text_config().vocab_size
    ids = torch.arange(1, TOKENS + 1, device=model.device)[None] % words
    training = model.training
    model.eval()
    with torch.no_grad():
        logits = model(input_ids=ids, use_cache=False).logits[0, :-1].float()
        fused = model(input_ids=ids, labels=ids, fused_lm_head=True).log_probs.flatten()
    model.train(training)
    plain = torch.log_softmax(logits, -1).gather(-1, ids[0, 1:, None])[:, 0]
    worst = float((fused.float() - plain).abs().max())
    if not worst <= TOLERANCE[torch.finfo(model.dtype).bits]:
        raise InputError(
            f"{model.config.model_type}: this model changes its logits after its head in a way that "
            f"TRL does not compute (log-probabilities differ by {worst:.2g} nats); it cannot be "
            f"trained with this version of TRL."
        )
