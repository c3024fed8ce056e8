"""Every training file is TRL's as it stands: `load_dataset` reads it, a plain trainer takes it."""

import math

import pytest
from flame_data import instruction, scored
from grath_data import FIRST, FOUR, SECOND, build
from plumbline.methods.apeft.mix import mixed
from plumbline.methods.apeft.pairs import general
from plumbline.methods.flame.pairs import build_pairs, training_order
from plumbline.methods.flame.sft import build_sft
from plumbline.methods.slick.mixes import build_mix
from plumbline.models.checkpoints import load_model, load_tokenizer
from plumbline.records import Category
from plumbline.storage.files import write_rows
from plumbline.training.placebo import swapped
from test_apeft_pairs import atomic_pairs, response, verdicts
from test_consistency import voted
from test_slick_mixes import PAPERS, dataset


def mix(form):
    counts = {"capital": dict.fromkeys(Category, 3), "river": dict.fromkeys(Category, 2)}
    return build_mix("idk-50", *dataset(counts), PAPERS, seed=1, form=form).rows


def first_stage(form):
    asked = [instruction("a", "Say a.", "A."), instruction("b"), instruction("c", "", "C.", "Cc.")]
    return build_sft("sft-star", asked, {"b": ["B."]}, {"b"}, form=form, seed=1, passes=2).rows


def rounds(form):
    prompt = {"plain": "llama2", "chat": None}[form]
    return build(FIRST, SECOND, questions=FOUR, legacy_prompt=prompt).rows


def second_stage(form):
    """Without a judge of them, responses have no helpfulness; without claims, no factuality."""
    rows = [
        *scored("a", (1, 0.2), (1, 0.9), (3, None)),
        *scored("b", (None, 0.1), (None, 0.8)),
        *scored("c", (2, None), (4, None)),
    ]
    sources, _ = build_pairs("dpo-star", rows, {"a", "b"}, form=form)
    return training_order(sources, batch=4, steps=2, seed=1)


def facts_and_responses(form):
    atomic = atomic_pairs(form=form, q=[("a", 2, "+"), ("b", 2, "-")]).rows
    given = [*verdicts("a#0", "+"), *verdicts("a#1", "-")]
    drawn = [response("a", 0), response("a", 1)]
    whole = general(drawn, given, form=form, per_entity=None, seed=1).rows
    return mixed(atomic, whole, percent=50, size=2, seed=1, reasons={})


def votes(form):
    return voted("Rome", "Oslo", "Lima", "Oslo", "Rome", "Oslo", form=form).rows


def placebo(form):
    return swapped(second_stage(form), seed=1)


EXAMPLES, PAIRS = ("prompt", "completion"), ("prompt", "chosen", "rejected")


@pytest.mark.parametrize("form", ["plain", "chat"])
@pytest.mark.parametrize(
    ("trainer", "built", "sides"),
    [
        ("SFT", mix, EXAMPLES),
        ("SFT", first_stage, EXAMPLES),
        ("DPO", rounds, PAIRS),
        ("DPO", second_stage, PAIRS),
        ("DPO", facts_and_responses, PAIRS),
        ("KTO", facts_and_responses, PAIRS),
        ("DPO", votes, PAIRS),
        ("DPO", placebo, PAIRS),
    ],
)
def test_a_training_file_is_loaded_and_trained_on_as_it_stands(
    tiny_base, tmp_path, trainer, built, sides, form
):
    import trl
    from datasets import load_dataset

    rows = built(form)
    write_rows(tmp_path / "rows.jsonl", rows)
    data = load_dataset(
        "json",
        data_files=str(tmp_path / "rows.jsonl"),
        split="train",
        cache_dir=str(tmp_path / "cache"),
    )
    for side in sides:
        assert data[side] == [row.model_dump()[side] for row in rows]
    config = getattr(trl, f"{trainer}Config")(
        output_dir=str(tmp_path / "out"),
        use_cpu=True,
        bf16=False,
        max_steps=1,
        per_device_train_batch_size=2,
        logging_steps=1,
        report_to=[],
        disable_tqdm=True,
    )
    made = getattr(trl, f"{trainer}Trainer")(
        model=load_model(tiny_base, "float32"),
        args=config,
        train_dataset=data,
        processing_class=load_tokenizer(tiny_base),
    )
    assert math.isfinite(made.train().training_loss)
