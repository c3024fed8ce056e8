"""A batch in few full rows: no padding, shared prompts read once, logits only where they count.

TRL passes a model a batch whose rows are padded to the longest, with the prompt of a pair in both of
its rows, and on a CPU it projects every position onto the vocabulary. The results that its losses need
can be computed from a denser batch: each row contains several trees, a tree is a prompt with its
answers, and every token attends to the tokens on its own path through its tree (prefix sharing: Wang
and Hegde 2024, arXiv 2410.20305, sec. 3). The results are put back where TRL expects them, so its
losses, their logs and the sharing of work among processes remain TRL's own.
"""

from __future__ import annotations

import functools
import inspect
import logging
import types
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plumbline.models.caches import attends_only, without_adapter
from plumbline.scoring.forward import fills
from plumbline.training.data import IGNORED
from plumbline.training.head import TOLERANCE

if TYPE_CHECKING:
    import torch

log = logging.getLogger("plumbline")
WIDTH = 128  # tokens of a row, unless one tree is longer: attention over so few costs little
PROMPT = 0  # the part of a tree that all its branches see; branches are numbered from 1
FILLING = -1  # the tree of padding in a row
COMPARED = 4  # how many longest and shortest examples both layouts are compared on


@dataclass(frozen=True)
class Branch:
    """What is read after a shared prompt: `tokens` predict `targets`, which belong to row `row`.

    first: the first target's position in TRL's own row.
    """

    tokens: list[int]
    targets: list[int]
    row: int
    first: int


@dataclass(frozen=True)
class PromptTree:
    """A prompt without its last token, and the branches that begin with that token."""

    prompt: list[int]
    branches: list[Branch]

    @property
    def size(self) -> int:
        """Tokens that are read."""
        return len(self.prompt) + sum(len(branch.tokens) for branch in self.branches)


def trees(rows: Sequence[list[int]], labels: Sequence[list[int]]) -> list[PromptTree]:
    """Rows of tokens, with one label per token, grouped by the prompts that they share.

    A prompt ends before the first label that counts. The first token of a row is never predicted.
    """
    found: dict[object, PromptTree] = {}
    for number, (ids, wanted) in enumerate(zip(rows, labels, strict=True)):
        counted = (place for place in range(1, len(ids)) if wanted[place] != IGNORED)
        first = next(counted, len(ids))
        branch = Branch(ids[first - 1 : -1], wanted[first:], number, first)
        prompt = ids[: first - 1]
        key = tuple(prompt) or number  # an empty prompt is not shared
        found.setdefault(key, PromptTree(prompt, [])).branches.append(branch)
    return list(found.values())


def in_rows(forest: Sequence[PromptTree], width: int) -> list[list[PromptTree]]:
    """The trees in about as few rows as `width` tokens each allow, filled evenly."""
    longest = max(tree.size for tree in forest)
    count = -(-sum(tree.size for tree in forest) // max(width, longest))
    rows: list[list[PromptTree]] = [[] for _ in range(count)]
    sizes = [0] * count
    for tree in sorted(forest, key=lambda tree: -tree.size):
        row = sizes.index(min(sizes))
        rows[row].append(tree)
        sizes[row] += tree.size
    return rows


@dataclass(frozen=True)
class DenseBatch:
    """A batch as the model reads it, and where its results belong.

    inputs: the model's. targets: the tokens that count, 1 x n. places: the positions in the
    flattened rows that predict them, n. homes: the positions of TRL's results, also flattened, n.
    """

    inputs: dict
    targets: torch.Tensor
    places: torch.Tensor
    homes: torch.Tensor


def packed(
    input_ids: torch.Tensor, lengths: list[int], labels: torch.Tensor, width: int
) -> DenseBatch:
    """TRL's batch (rows x tokens, padded on the right) in rows of trees."""
    import torch

    ids, wanted = (
        [row[:length] for row, length in zip(rows.tolist(), lengths, strict=True)]
        for rows in (input_ids, labels)
    )
    rows = in_rows(trees(ids, wanted), width)
    full = max(sum(tree.size for tree in row) for row in rows)
    read: list[tuple[int, int, int, int]] = []  # token, position, tree, part of the tree
    targets, places, homes = [], [], []
    for number, row in enumerate(rows, 1):
        for at, tree in enumerate(row):
            start = len(tree.prompt)
            read += [(token, n, at, PROMPT) for n, token in enumerate(tree.prompt)]
            for part, branch in enumerate(tree.branches, PROMPT + 1):
                home = branch.row * (input_ids.shape[1] - 1) + branch.first - 1
                counted = [n for n, target in enumerate(branch.targets) if target != IGNORED]
                targets += [branch.targets[n] for n in counted]
                places += [len(read) + n for n in counted]
                homes += [home + n for n in counted]
                read += [(token, start + n, at, part) for n, token in enumerate(branch.tokens)]
        read += [(0, 0, FILLING, PROMPT)] * (number * full - len(read))
    tensor = functools.partial(torch.tensor, device=input_ids.device)
    token, position, tree, part = tensor(read).view(len(rows), full, 4).unbind(-1)
    own_tree = tree[:, :, None] == tree[:, None, :]
    own_way = (part[:, None, :] == PROMPT) | (part[:, :, None] == part[:, None, :])
    mask = (own_tree & own_way).tril()[:, None]
    inputs = {"input_ids": token, "attention_mask": mask, "position_ids": position}
    return DenseBatch(inputs, tensor([targets]), tensor(places), tensor(homes))


def chained(input_ids: torch.Tensor, lengths: list[int], labels: torch.Tensor) -> DenseBatch:
    """TRL's batch in one row, one text after the other, separated by positions that start again.

    For attention without block masks; prompts of a pair are read twice.
    """
    import torch

    tensor = functools.partial(torch.tensor, device=input_ids.device)
    ids, positions, targets, places, homes = [], [], [], [], []
    for number, length in enumerate(lengths):
        text, wanted = input_ids[number, :length].tolist(), labels[number, :length].tolist()
        counted = [n for n in range(length - 1) if wanted[n + 1] != IGNORED]
        targets += [wanted[n + 1] for n in counted]
        places += [len(ids) + n for n in counted]
        homes += [number * (input_ids.shape[1] - 1) + n for n in counted]
        ids += text
        positions += range(length)
    inputs = {"input_ids": tensor([ids]), "position_ids": tensor([positions])}
    return DenseBatch(inputs, tensor([targets]), tensor(places), tensor(homes))


def as_it_is(input_ids: torch.Tensor, attention_mask, labels: torch.Tensor) -> DenseBatch:
    """TRL's batch unchanged; only the positions that count are projected."""
    import torch

    counted = labels[:, 1:] != IGNORED
    places, homes = (
        where.flatten().nonzero()[:, 0]
        for where in (torch.nn.functional.pad(counted, (0, 1)), counted)
    )
    inputs = {"input_ids": input_ids, "attention_mask": attention_mask}
    return DenseBatch(inputs, labels[:, 1:][counted][None], places, homes)


class Dense:
    """The forward pass with TRL's fused head, over dense batches; replaces a model's own.

    packs: whether rows are rearranged. chains: whether as in `chained`. width: see `in_rows`.
    """

    def __init__(self, model, packs: bool, chains: bool):
        self.packs, self.chains, self.width = packs, chains, WIDTH
        fused = model.forward

        @functools.wraps(type(model).forward)
        def forward(own, *args, fused_lm_head=False, **inputs):
            if not fused_lm_head:
                return fused(*args, **inputs)
            return self._forward(own, fused, *args, **inputs)

        model.forward = types.MethodType(forward, model)

    def _forward(self, model, fused, input_ids, labels, attention_mask=None, **inputs):
        if self.packs:
            lengths = [input_ids.shape[1]] * len(input_ids)
            if attention_mask is not None:
                lengths = attention_mask.sum(1).tolist()
            layout = (
                chained(input_ids, lengths, labels)
                if self.chains
                else packed(input_ids, lengths, labels, self.width)
            )
        else:
            layout = as_it_is(input_ids, attention_mask, labels)
        with _only_at(model.base_model, layout.places):
            found = fused(
                **inputs, **layout.inputs, shift_labels=layout.targets, fused_lm_head=True
            )
        shape = (len(input_ids), input_ids.shape[1] - 1)
        for name in ("log_probs", "entropy", "log_sum_sq_probs", "mean_logits", "is_top1"):
            value = getattr(found, name)
            if value is not None:
                empty = value.new_zeros(shape[0] * shape[1])
                setattr(found, name, empty.index_copy(0, layout.homes, value[0]).view(shape))
        found.label_mask = labels[:, 1:] != IGNORED
        return found


@contextmanager
def _only_at(backbone, places) -> Iterator[None]:
    """Reduce the last hidden states (rows x width x hidden) to some places: 1 x n x hidden."""

    def hook(module, inputs, output):
        output.last_hidden_state = output.last_hidden_state.flatten(0, 1)[places][None]
        return output

    handle = backbone.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()


def install(trainer, chains: bool = False) -> None:
    """Let a trainer's model, and its reference if it is another model, read dense batches.

    chains: for attention without block masks, which is put into the model afterwards.

    Rows are rearranged if the architecture says it allows this and, on the longest and shortest
    examples, really does: log-probabilities must equal those of TRL's own rows, except for rounding,
    which changes single ones a lot in 16 bits. Otherwise, only the projection is reduced.
    """
    base = without_adapter(trainer.model)
    dense = Dense(base, packs=True, chains=chains)
    reason = _obstacle(base) or _difference(trainer, dense)
    dense.packs = reason is None
    if reason:
        log.info(f"{base.config.model_type}: batches stay padded, since {reason}")
    if getattr(trainer, "ref_model", None) is not None:
        reference = without_adapter(trainer.accelerator.unwrap_model(trainer.ref_model))
        Dense(reference, dense.packs, chains)


def _obstacle(model) -> str | None:
    """Why rows of several texts are not read like single texts, according to the model's
    description.
    """
    config = model.config.get_text_config()
    if not attends_only(model):
        return "it keeps more of the past than keys and values"
    if "position_ids" not in inspect.signature(model.base_model.forward).parameters:
        return "it takes no positions"
    if not fills(model):
        return "its positions depend on the length of the batch"
    if config._attn_implementation != "sdpa":
        return f"its attention ({config._attn_implementation}) takes no mask of blocks"
    if getattr(config, "output_router_logits", False):
        return "its router's loss depends on the filling"
    return None


def _difference(trainer, dense: Dense) -> str | None:
    """Why not, according to a trial: the root mean square difference of log-probabilities, if
    too large.
    """
    import torch

    rows, model = trainer.train_dataset, trainer.accelerator.unwrap_model(trainer.model)
    order = sorted(range(len(rows)), key=lambda i: _longest(rows[i]))
    chosen = [rows[i] for i in dict.fromkeys([*order[:COMPARED], *order[-COMPARED:]])]
    batch = trainer.data_collator(chosen)
    labels = batch.get("labels")
    if labels is None:
        labels = batch["input_ids"].masked_fill(batch["completion_mask"] == 0, IGNORED)
    training, found = model.training, []
    model.eval()
    dense.width = batch["input_ids"].numel()  # all in one row, to check that no text sees another
    with torch.no_grad():
        for dense.packs in (True, False):
            output = model(
                input_ids=batch["input_ids"].to(model.device),
                attention_mask=batch["attention_mask"].to(model.device),
                labels=labels.to(model.device),
                fused_lm_head=True,
            )
            found.append(output.log_probs.float())
    dense.width = WIDTH
    model.train(training)
    counted = labels[:, 1:] != IGNORED
    apart = float((found[0] - found[1])[counted.to(model.device)].square().mean().sqrt())
    if apart <= TOLERANCE[torch.finfo(model.dtype).bits]:
        return None
    return f"log-probabilities from rows of several texts differ by {apart:.2g} nats"


def _longest(row: dict) -> int:
    """The number of tokens of a row of a training set, with the longer of its answers."""
    prompt = len(row.get("prompt_ids", ()))
    sides = (len(v) for k, v in row.items() if k != "prompt_ids" and isinstance(v, list))
    return prompt + max(sides)
