"""Batches laid out anew: what a loss reads is what TRL's own rows give, whatever the model."""

import logging

import pytest
import torch
from architectures import BY_NAME, build
from plumbline.config.training import Recipe, Training
from plumbline.models import checkpoints
from plumbline.models.importing import import_model
from plumbline.training import packed
from plumbline.training.data import IGNORED, TokenPair
from plumbline.training.packed import in_rows, trees
from plumbline.training.trainers import dpo_trainer, kto_trainer, sft_trainer

RECIPE = {
    "parameters": "lora", "learning_rate": 0.01, "epochs": 1, "global_batch_size": 6,
    "micro_batch_size": 6, "dtype": "float32", "lora": {"rank": 4, "alpha": 8, "dropout": 0},
}  # fmt: skip
FIELDS = ("log_probs", "entropy", "mean_logits", "is_top1", "label_mask")


def ids(seed: int, count: int) -> list[int]:
    return torch.randint(5, 60, (count,), generator=torch.Generator().manual_seed(seed)).tolist()


PAIRS = [  # two of the same prompt, one with a prompt that begins another's, one of single tokens
    TokenPair("a", ids(1, 9), ids(2, 5), ids(3, 2)),
    TokenPair("b", ids(1, 9), ids(4, 1), ids(5, 7)),
    TokenPair("c", ids(1, 9)[:4], ids(6, 3), ids(7, 3)),
    TokenPair("d", ids(8, 30), ids(9, 12), ids(10, 20)),
    TokenPair("e", [7], [8], [9]),
    TokenPair("f", [], [8, 9], [9, 8, 7]),
]
EXAMPLES = [
    {"input_ids": p.prompt_ids + p.chosen_ids, "labels": [IGNORED] * len(p.prompt_ids) + p.chosen_ids}
    for p in PAIRS
]  # fmt: skip
MAKERS = {"sft": (sft_trainer, EXAMPLES), "dpo": (dpo_trainer, PAIRS), "kto": (kto_trainer, PAIRS)}


def trainer_of(method, parent, work, **recipe):
    make, rows = MAKERS[method]
    made = Recipe(**{**RECIPE, "method": method, **recipe})
    where = {"parent": parent, "seed": 1, "device": "cpu", "work": work, "micro": 6}
    tokenizer = checkpoints.load_tokenizer(parent)
    return make(made, rows, tokenizer, settings=Training(), **where)


def chain(monkeypatch):
    """Lay batches out as for attention without masks of blocks; torch's reads them, too."""
    install = packed.install
    monkeypatch.setattr(packed, "install", lambda trainer, chains: install(trainer, True))


def batch_of(trainer) -> dict:
    batch = trainer.data_collator([trainer.train_dataset[n] for n in range(6)])
    labels = batch.get("labels")
    if labels is None:
        labels = batch["input_ids"].masked_fill(batch["completion_mask"] == 0, IGNORED)
    return {
        "input_ids": batch["input_ids"],
        "attention_mask": batch["attention_mask"],
        "labels": labels,
    }


def found(model, batch):
    """The outputs with TRL's head, and the gradients of a loss over all of them."""
    model.zero_grad()
    output = model(**batch, fused_lm_head=True)
    scale = torch.arange(output.log_probs.numel()).view(output.log_probs.shape)
    (output.log_probs * scale.cos()).sum().backward()
    gradients = {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}
    return output, gradients


def test_a_tree_is_a_prompt_with_what_follows_it():
    rows = [[1, 2, 3, 4], [1, 2, 5], [1, 9], [6, 7, 8]]
    labels = [[IGNORED, IGNORED, 3, 4], [IGNORED, IGNORED, 5], [IGNORED, 9], [IGNORED] * 3]
    shared, alone, unread = trees(rows, labels)
    assert shared.prompt == [1] and shared.size == 4
    assert [(b.tokens, b.targets, b.row, b.first) for b in shared.branches] == [
        ([2, 3], [3, 4], 0, 2), ([2], [5], 1, 2),
    ]  # fmt: skip
    assert (alone.prompt, alone.branches[0].tokens) == ([], [1])
    assert unread.prompt == [6, 7] and unread.branches[0].targets == []


def test_rows_are_few_and_equally_full():
    forest = trees([[n] * (n + 2) for n in range(1, 40)], [[n] * (n + 2) for n in range(1, 40)])
    rows = in_rows(forest, 128)
    assert sorted(id(tree) for row in rows for tree in row) == sorted(map(id, forest))
    sizes = [sum(tree.size for tree in row) for row in rows]
    assert len(rows) == -(-sum(sizes) // 128) and max(sizes) - min(sizes) <= 4
    assert [len(row) for row in in_rows(forest[-1:], 8)] == [1], "a long one has its row"


@pytest.mark.parametrize(
    ("method", "parameters", "chains"),
    [
        *((method, "lora", chains) for method in MAKERS for chains in (False, True)),
        ("sft", "full", False),  # full DPO trains with stored log-probabilities alone
        ("kto", "full", True),
    ],
)
def test_results_and_gradients_are_those_of_trls_rows(
    tiny_base, tmp_path, monkeypatch, method, parameters, chains
):
    torch.set_num_threads(1)
    if chains:
        chain(monkeypatch)
    dense = trainer_of(method, tiny_base, tmp_path, parameters=parameters)
    monkeypatch.setattr(packed, "install", lambda trainer, chains: None)
    plain = trainer_of(method, tiny_base, tmp_path, parameters=parameters)
    if parameters == "lora":
        torch.manual_seed(3)
        for name, weight in dense.model.named_parameters():
            if "lora_B" in name:
                weight.data.normal_(0, 0.02)
    plain.model.load_state_dict(dense.model.state_dict())
    batch = batch_of(plain)
    read = []
    embeddings = dense.model.get_input_embeddings()
    embeddings.register_forward_hook(lambda module, args, out: read.append(args[0].numel()))
    (ours, our_gradients), (theirs, their_gradients) = (
        found(one.model, batch) for one in (dense, plain)
    )
    if chains:
        assert read[0] == batch["attention_mask"].sum(), "nothing is filled up"
    else:
        assert read[0] < 0.75 * batch["input_ids"].numel(), "it was laid out anew"
    for name in FIELDS:
        one, other = getattr(ours, name), getattr(theirs, name)
        assert (one is None) == (other is None), name
        if one is not None:
            torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)
    assert our_gradients.keys() == their_gradients.keys()
    for name, gradient in our_gradients.items():
        torch.testing.assert_close(gradient, their_gradients[name], atol=1e-4, rtol=1e-4)


# Those that say so themselves: positions in biases, a state, positions by the batch's length; and
# those whose window is shorter than the texts.
@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Llama", None),
        ("GPT2", None),
        ("Gemma3Text", "differ by"),
        ("Mistral", "differ by"),
        ("Mixtral", None),
        ("Bloom", "takes no positions"),
        ("Mamba2", "more of the past"),
    ],
)
def test_architectures_that_cannot_are_recognised(tmp_path, monkeypatch, caplog, name, why):
    torch.set_num_threads(1)
    import_model(
        build(BY_NAME[name], tmp_path / "made"), tmp_path / "base", "base", dtype="float32"
    )
    with caplog.at_level(logging.INFO, "plumbline"):
        dense = trainer_of("dpo", tmp_path / "base", tmp_path)
    told = [m for m in caplog.messages if "batches stay padded" in m]
    assert bool(told) == bool(why) and (why or "") in " ".join(told)
    monkeypatch.setattr(packed, "install", lambda trainer, chains: None)
    plain = trainer_of("dpo", tmp_path / "base", tmp_path)
    batch = batch_of(plain)
    with torch.no_grad():
        ours, theirs = (
            one.model.eval()(**batch, fused_lm_head=True).log_probs for one in (dense, plain)
        )
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)
