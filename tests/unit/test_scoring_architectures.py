"""Log-likelihoods and ranks of many architectures, with and without a cache that can be branched."""

import math
import random

import pytest
import torch
from architectures import WORDS, parameters, random_model
from plumbline.scoring.forward import has_branches
from plumbline.scoring.likelihood import TokenizedItem, score
from plumbline.scoring.ranks import TokenizedAnswer, token_ranks


def drawn():
    source = random.Random(0)

    def some(low, high):
        return tuple(source.randrange(WORDS) for _ in range(source.randint(low, high)))

    start = some(5, 5)
    return [
        TokenizedItem(start + some(1, 20), tuple(some(1, 6) for _ in range(source.randint(1, 4))))
        for _ in range(4)
    ]


@pytest.mark.parametrize("architecture", parameters())
def test_equal_to_plain_forward_passes(architecture):
    model = random_model(architecture)
    assert has_branches(model) == architecture.branches
    items = drawn()
    answers = [
        TokenizedAnswer(item.prompt, tokens) for item in items for tokens in item.continuations
    ]
    sums, ranks = [], []
    with torch.no_grad():
        for prompt, tokens in answers:
            logits = model(torch.tensor([prompt + tokens]), use_cache=False).logits[0]
            logp = torch.log_softmax(logits.float(), -1)[len(prompt) - 1 : -1]
            own = logp[range(len(tokens)), tokens]
            sums.append(float(own.sum()))
            ranks.append((1 + (logp > own[:, None]).sum(-1)).tolist())
    for batch_tokens in (60, 4096):
        found = score(model, items, batch_tokens)
        assert [len(one) for one in found] == [len(one.continuations) for one in items]
        assert [s for one in found for s in one] == pytest.approx(sums, abs=1e-4)
        assert token_ranks(model, answers, batch_tokens) == ranks
    assert len({round(one, 3) for one in sums}) == len(sums)
    assert all(math.isfinite(one) for one in sums)
