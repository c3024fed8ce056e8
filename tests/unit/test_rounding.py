"""The weights that are evaluated are those that were trained, on the parent they were trained on."""

from dataclasses import replace

import pytest
import torch
from plumbline.config.training import Recipe
from plumbline.models import checkpoints
from plumbline.models.importing import import_model
from plumbline.models.rounding import cosines
from plumbline.records import Message, Pair, Sampling
from plumbline.scoring.likelihood import TokenizedItem, score
from plumbline.storage.files import InputError, read_json, write_json, write_rows
from plumbline.training import callbacks, reference, trainers
from plumbline.training.data import load_pairs
from plumbline.training.run import TrainingRun, train

# Four steps at this rate change weights by about as much, beside their size, as the embedded
# experiment's GRATH does.
SMALL = 3e-5


@pytest.fixture(scope="module")
def base(tiny_base, tmp_path_factory):
    """Weights as they usually are: stored in bfloat16, and as large as a trained model's."""
    folder = tmp_path_factory.mktemp("rounding")
    model = checkpoints.load_model(tiny_base, "float32")
    with torch.no_grad():
        for weight in model.parameters():
            weight *= 4 if weight.dim() > 1 else 1
    model.save_pretrained(folder / "original")
    checkpoints.load_tokenizer(tiny_base).save_pretrained(folder / "original")
    import_model(folder / "original", folder / "base", "base", dtype="bfloat16")
    return folder / "base"


def preferences(root, parent, name="grath.r1", rate=SMALL, **recipe) -> TrainingRun:
    turns = [("user", "capital?"), ("assistant", "Paris"), ("assistant", "Oslo")]
    prompt, chosen, rejected = ([Message(role=role, content=text)] for role, text in turns)
    write_rows(root / "pairs.jsonl", [
        Pair(id=f"p{n}", prompt=prompt, chosen=chosen, rejected=rejected) for n in range(8)
    ])  # fmt: skip
    recipe = {
        "method": "dpo", "parameters": "lora", "learning_rate": rate, "max_steps": 4,
        "global_batch_size": 4, "micro_batch_size": 4, "max_length": 64, "dtype": "bfloat16",
        "lora": {"rank": 8, "alpha": 16, "dropout": 0}, **recipe,
    }  # fmt: skip
    return TrainingRun(
        name=name, examples=root / "pairs.jsonl", parent=parent, recipe=Recipe(**recipe),
        stops=("final",), probes=[], sampling=Sampling(max_tokens=4), match="squad", seed=1,
        device="cpu", out=root / name, work=root / name / "work",
    )  # fmt: skip


@pytest.fixture(scope="module")
def small(base, tmp_path_factory):
    """A first round of few steps: (run, summary)."""
    run = preferences(tmp_path_factory.mktemp("small"), base)
    return run, train(run)


def margin(model, run: TrainingRun) -> float:
    """How much further apart than under the base the sides of the first pair are, in nats."""
    pairs, _ = load_pairs(run.examples, checkpoints.load_tokenizer(run.parent), 64)
    item = TokenizedItem(tuple(pairs[0].prompt_ids), (tuple(pairs[0].chosen_ids),
                                             tuple(pairs[0].rejected_ids)))  # fmt: skip
    ((chosen, rejected),) = score(model.eval(), [item], 512)
    return chosen - rejected


def test_what_rounding_leaves_of_a_change():
    before = torch.full((64, 64), 0.1).to(torch.bfloat16).float()
    directions = torch.randn(64, 64, generator=torch.Generator().manual_seed(1))
    found = {size: cosines([(before, before + size * directions)]) for size in (1e-5, 1e-4, 1e-2)}
    assert found[1e-5]["bfloat16"] == 0 and found[1e-5]["float16"] < 0.7
    assert 0.1 < found[1e-4]["bfloat16"] < 0.8 and found[1e-4]["float16"] > 0.97
    assert found[1e-2]["bfloat16"] > 0.99
    # One figure for all weights together, and none for numbers that a type does not have.
    both = cosines([(before, before + 1e-2 * directions), (before, before + 1e-5 * directions)])
    assert both["bfloat16"] > 0.99
    assert cosines([(before, before + 1e6)]) == {"bfloat16": 1.0, "float16": 0.0}
    assert cosines([(before, before)]) == {"bfloat16": 0.0, "float16": 0.0}


def test_a_small_adapter_survives_evaluation(small, base):
    """In float32 its margin is the adapter's own; types that round it away are refused."""
    run, summary = small
    folder, entry = run.out / "final", summary["stops"]["final"]
    assert entry["rounding_cosine"]["bfloat16"] < 0.7  # or this test tests nothing
    assert read_json(folder / checkpoints.MARKER)["rounding_cosine"] == entry["rounding_cosine"]
    start = margin(checkpoints.load_model(base, "float32"), run)
    adapter = checkpoints.load_with_adapter(folder, "float32")
    gained = margin(adapter, run) - start
    merged = checkpoints.load_model(folder, "float32")
    assert abs(gained) > 0.01
    assert margin(merged, run) - start == pytest.approx(gained, rel=1e-3)
    assert {p.dtype for p in merged.parameters()} == {torch.float32}
    figure = f"bfloat16 .* cosine {entry['rounding_cosine']['bfloat16']:.2f}.*0.95.*to float32"
    with pytest.raises(InputError, match=figure):
        checkpoints.load_model(folder, "bfloat16")
    with pytest.raises(InputError, match=figure):
        checkpoints.load_with_adapter(folder, "bfloat16")
    with (
        pytest.raises(InputError, match=figure),
        checkpoints.full_weights(folder, "bfloat16", run.out / "merged"),
    ):
        pass


def test_what_an_ancestor_would_lose_counts(small, base, tmp_path):
    """And what is not measured is not taken for kept; the base itself has nothing to lose."""
    first, _ = small
    run = preferences(tmp_path, first.out / "final", "grath.r2", rate=0.3)
    summary = train(run)
    assert summary["stops"]["final"]["rounding_cosine"]["bfloat16"] > 0.95
    with pytest.raises(InputError, match=r"grath\.r1/final: bfloat16"):
        checkpoints.load_model(run.out / "final", "bfloat16")
    checkpoints.load_model(base, "bfloat16")
    about = read_json(run.out / "final" / checkpoints.MARKER)
    del about["rounding_cosine"]
    write_json(run.out / "final" / checkpoints.MARKER, about)
    with pytest.raises(InputError, match="has no rounding_cosine"):
        checkpoints.load_model(run.out / "final", "bfloat16")


def test_the_parent_in_training_is_the_parent_in_evaluation(small, base, tmp_path):
    """Bit for bit, whatever precision the recipe names; stored in it, it is not made wider."""
    first, _ = small
    for parent, kept in ((base, torch.bfloat16), (first.out / "final", torch.float32)):
        run = preferences(tmp_path, parent, "grath.r2")
        pairs, _ = load_pairs(run.examples, checkpoints.load_tokenizer(parent), 64)
        tokenizer = checkpoints.load_tokenizer(parent)
        model = trainers.dpo_trainer(run.recipe, pairs, tokenizer, **run.where).model
        layers = checkpoints.adapted_layers(model)
        assert {checkpoints.frozen(layer).dtype for layer in layers} == {kept}
        evaluated = dict(checkpoints.load_model(parent, "float32").named_parameters())
        with model.disable_adapter():
            found = {
                name.removeprefix("base_model.model.").replace(".base_layer", ""): weight
                for name, weight in model.named_parameters()
                if "lora_" not in name
            }
        assert found.keys() == evaluated.keys()
        assert all(torch.equal(found[name].float(), evaluated[name]) for name in found)


def test_probes_are_asked_of_the_trained_weights(small, base):
    from peft import PeftModel

    run, _ = small
    wanted = dict(checkpoints.load_model(run.out / "final", "float32").named_parameters())
    model = PeftModel.from_pretrained(checkpoints.load_model(base, "bfloat16"), run.out / "final")
    with callbacks._merged(model):
        for layer, name in [(m, n) for n, m in model.named_modules() if hasattr(m, "lora_A")]:
            name = name.removeprefix("base_model.model.") + ".weight"
            torch.testing.assert_close(checkpoints.frozen(layer), wanted[name], rtol=0, atol=1e-7)
        model(torch.tensor([[5, 6, 7]]))  # one precision throughout
    assert {checkpoints.frozen(m).dtype for m in checkpoints.adapted_layers(model)} == {
        torch.bfloat16
    }


def test_full_weights_are_saved_as_trained(base, tmp_path):
    """In float32: in bfloat16 a step at a low rate would leave no trace."""
    run = preferences(tmp_path, base, "full", rate=1e-5, parameters="full")
    pairs, _ = load_pairs(run.examples, checkpoints.load_tokenizer(base), 64)
    rows = reference.compute(
        pairs, base, precision=run.recipe.precision, device="cpu", threads=1, batch_tokens=256
    )
    write_rows(tmp_path / "reference.jsonl", rows)
    summary = train(replace(run, reference=(tmp_path / "reference.jsonl", base)))
    saved = checkpoints.load_model(run.out / "final", "float32").state_dict()
    before = checkpoints.load_model(base, "float32").state_dict()
    moved = [float((saved[name] != before[name]).float().mean()) for name in saved]
    assert min(moved) > 0.5
    with pytest.raises(InputError, match="bfloat16 is too coarse"):
        checkpoints.load_model(run.out / "final", "bfloat16")
    # What is trained on it starts from it: the reference computes as the training does.
    again = preferences(tmp_path, run.out / "final", "again", parameters="full")
    rows = reference.compute(
        pairs,
        run.out / "final",
        precision=run.recipe.precision,
        device="cpu",
        threads=1,
        batch_tokens=256,
    )
    write_rows(tmp_path / "again.jsonl", rows)
    summary = train(replace(again, reference=(tmp_path / "again.jsonl", run.out / "final")))
    assert summary["curve"][0]["margin"] == pytest.approx(0, abs=1e-3)
