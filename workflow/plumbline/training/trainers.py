"""TRL's trainers, all set up from a recipe: one function for each row of `config.trainers`.

Each takes the recipe, the rows of `training.data` and the tokenizer, and in `where`: parent, seed,
device, work, micro (examples of a forward pass) and settings (the section `training`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from plumbline.config.training import Recipe
from plumbline.models import checkpoints
from plumbline.models.caches import without_adapter
from plumbline.storage.files import InputError
from plumbline.training import options, packed, processes
from plumbline.training.adapters import adapter
from plumbline.training.data import TokenPair, unpaired
from plumbline.training.dropout import evaluate_without_gradient, set_dropout
from plumbline.training.head import check_head, name_soft_cap
from plumbline.training.reference import Reference


def sft_trainer(recipe: Recipe, rows: list[dict], tokenizer, **where):
    """Supervised fine-tuning on rows of input_ids and labels."""
    from trl import SFTConfig, SFTTrainer

    config = SFTConfig(
        **_arguments(recipe, where),
        packing=False,
        logging_strategy="epoch",
        save_strategy="epoch",
    )
    return _made(SFTTrainer, config, rows, recipe, where, tokenizer)


def dpo_trainer(
    recipe: Recipe,
    pairs: list[TokenPair],
    tokenizer,
    references: Sequence[Reference] | None = None,
    **where,
):
    """Preference training on tokenised pairs with TRL's paired losses.

    references: stored log-probabilities of the pairs, in their order; None: the reference is the
    parent, which is the trained model with its adapter off.
    """
    from trl import DPOConfig, DPOTrainer

    class Trainer(DPOTrainer):
        """TRL's, for pairs that are already tokenised and have their reference's log-probabilities."""

        def _prepare_dataset(self, dataset, *_):
            return dataset

        def _precompute_ref_logps(self, dataset, *_):
            return dataset

    rows = [
        {"prompt_ids": p.prompt_ids, "chosen_ids": p.chosen_ids, "rejected_ids": p.rejected_ids}
        for p in pairs
    ]
    if references is not None:
        for row, reference in zip(rows, references, strict=True):
            row["ref_chosen_logps"] = reference.chosen
            row["ref_rejected_logps"] = reference.rejected
    config = DPOConfig(
        **_arguments(recipe, where),
        **_stepwise(recipe),
        loss_type=list(recipe.losses),
        loss_weights=list(recipe.losses.values()),
        beta=recipe.beta,
        label_smoothing=recipe.label_smoothing,
        precompute_ref_log_probs=references is not None,
        disable_dropout=False,
    )
    return _made(Trainer, config, rows, recipe, where, tokenizer)


def kto_trainer(recipe: Recipe, pairs: list[TokenPair], tokenizer, **where):
    """Preference training on single answers, preferred and rejected; the reference is the parent.

    The pairs are split, in an order drawn with the seed. The KL term is computed from answers to other
    prompts: within each forward pass, every prompt gets the answer of the one before it (Ethayarajh et
    al. 2024, sec. 4.2).
    """
    from trl import KTOConfig, KTOTrainer

    class Trainer(KTOTrainer):
        """TRL's, for answers that are already tokenised."""

        def _prepare_dataset(self, dataset, *_):
            return dataset

    micro, rows = where["micro"], unpaired(pairs, where["seed"])
    batches = [rows[start : start + micro] for start in range(0, len(rows), micro)]
    others = [row["completion_ids"] for one in batches for row in (one[-1], *one[:-1])]
    rows = [row | {"KL_completion_ids": other} for row, other in zip(rows, others, strict=True)]
    arguments = {**_arguments(recipe, where), **_stepwise(recipe)}
    arguments["train_sampling_strategy"] = "sequential"  # KTO compares neighbours
    config = KTOConfig(**arguments, beta=recipe.beta, disable_dropout=False)
    reference = None  # then it is the trained model with its adapter off
    if recipe.parameters == "full":
        # TRL would load it from the weights' origin: an adapter's base without the adapter.
        reference = checkpoints.load_model(where["parent"], "float32").eval()
    return _made(Trainer, config, rows, recipe, where, tokenizer, ref_model=reference)


def _made(kind, config, rows: list[dict], recipe: Recipe, where: dict, tokenizer, **more):
    """A trainer of this kind. InputError if PEFT cannot give the model such an adapter."""
    from datasets import Dataset

    settings, model = where["settings"], _model(recipe, where, tokenizer)
    config.gradient_checkpointing = options.recomputes(model["model"], settings)
    try:
        trainer = kind(args=config, train_dataset=Dataset.from_list(rows), **model, **more)
    except ValueError as error:
        if "lora_dropout" not in str(error):
            raise
        raise InputError(
            "lora.dropout: this model's experts are one tensor, and an adapter on it cannot have "
            "dropout; set lora.dropout: 0, or name other layers in lora.target_modules."
        ) from error
    options.share_in_two_precisions(trainer, recipe)
    check_head(trainer.model)
    packed.install(trainer, chains=settings.attention == options.FLASH)
    options.use_kernels(without_adapter(trainer.model), recipe, settings)
    # Only if there is dropout: some models (RWKV) scale their weights when they change modes.
    if recipe.trainer.reference and (recipe.dropout or recipe.lora.dropout):
        evaluate_without_gradient(trainer.model)
    return trainer


def _arguments(recipe: Recipe, where: dict) -> dict:
    """The arguments that all of TRL's configurations share."""
    warmup = recipe.warmup_steps and recipe.scheduler == "constant"
    return {
        "output_dir": str(where["work"] / "trainer"),
        "per_device_train_batch_size": where["micro"],
        "gradient_accumulation_steps": recipe.global_batch_size
        // (where["micro"] * processes.count()),
        "num_train_epochs": recipe.epochs or 1,
        "max_steps": recipe.max_steps or -1,
        "learning_rate": recipe.learning_rate,
        "lr_scheduler_type": "constant_with_warmup" if warmup else recipe.scheduler,
        "warmup_steps": recipe.warmup_steps,
        "weight_decay": recipe.weight_decay,
        "max_grad_norm": recipe.max_grad_norm,
        "seed": where["seed"],
        "data_seed": where["seed"],
        "bf16": recipe.precision == "mixed",
        "fp16": False,
        "use_cpu": where["device"] == "cpu",
        "gradient_checkpointing": False,  # until the model's size is known
        "optim": options.optimizer(recipe, where["settings"]),
        "router_aux_loss_coef": 0.0,  # only the recipe's loss counts, for experts too
        "train_sampling_strategy": "sequential" if recipe.order == "file" else "random",
        "max_length": None,  # longer examples have already been left out and counted
        "dataloader_pin_memory": False,
        "dataset_num_proc": None,
        "ddp_find_unused_parameters": False,
        "save_total_limit": 2,
        "logging_nan_inf_filter": False,  # it would hide a loss that is not a number
        **options.tracking(where["settings"], where["work"].parent),
        "disable_tqdm": True,
        "trust_remote_code": checkpoints.trusts_code(where["parent"]),
    }


def _stepwise(recipe: Recipe) -> dict:
    return {
        "logging_strategy": "steps",
        "logging_steps": 1,
        "save_strategy": "steps",
        "save_steps": recipe.save_steps,
    }


def _model(recipe: Recipe, where: dict, tokenizer) -> dict:
    """The model to train, its adapter's configuration, and the tokenizer."""
    model = _load(recipe, where["parent"], where["work"])
    set_dropout(model, recipe.dropout)
    name_soft_cap(model.config)
    return {
        "model": model,
        "processing_class": tokenizer,
        "peft_config": None if recipe.parameters == "full" else adapter(recipe, model),
    }


def _load(recipe: Recipe, parent: Path, work: Path):
    if recipe.parameters == "qlora":
        return _load_in_4_bit(recipe, parent, work)
    if recipe.parameters == "full":  # updates are smaller than bfloat16 can add up
        return checkpoints.load_model(parent, "float32")
    return checkpoints.load_parent(parent, recipe.dtype)


def _load_in_4_bit(recipe: Recipe, parent: Path, work: Path):
    import torch
    from transformers import BitsAndBytesConfig

    dtype = getattr(torch, recipe.dtype)
    quantization = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype
    )
    with checkpoints.full_weights(parent, "float32", work) as folder:
        return checkpoints.load_full(folder, recipe.dtype, quantization_config=quantization)
