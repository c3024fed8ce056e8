"""The engines, and how certain the reported numbers are."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from plumbline.config.base import Dtype, Limit, Section, Seed
from plumbline.config.choices import ChoiceSet, HarnessTask
from plumbline.config.closed_book import ENDINGS, FACTS, ClosedBookSet, closed_book_task
from plumbline.config.token_shift import TokenShiftSettings
from plumbline.config.verification import LongFormSettings


class GenerationSettings(Section):
    """The engine that generates answers in bulk."""

    engine: Literal["vllm", "transformers"] = Field(
        "vllm", description="transformers: slower, runs anywhere; never chosen for you."
    )
    dtype: Dtype = Field(
        "float32",
        description="Precision of generation, for all checkpoints alike; one that would round a "
        "training away is refused.",
    )
    shards: int = Field(
        1,
        ge=1,
        description="Jobs a request file is split over (GPUs, nodes). A later change generates "
        "nothing again, but repeats what follows.",
    )
    max_num_seqs: Annotated[int, Field(ge=1)] | Literal["auto"] = Field(
        "auto",
        description="Sequences an engine runs at once; auto: as many as vLLM takes for a GPU's memory, "
        "and 128 otherwise.",
    )
    max_model_len: int = Field(
        2048,
        ge=16,
        description="Longest prompt with its answer, in tokens; where the model reads less, its limit.",
    )
    kv_cache_gib: float = Field(2, gt=0, description="Key-value cache on a CPU, in GiB (vllm).")
    gpu_memory_utilization: float = Field(
        0.9, gt=0, le=1, description="Share of a GPU's memory (vllm)."
    )
    tensor_parallel: int = Field(1, ge=1, description="GPUs that share one model (vllm).")
    eager: bool = Field(
        False,
        description="Start on a GPU without compiling and capturing graphs: starts sooner, then runs "
        "slower; for few requests (vllm; on a CPU always so).",
    )
    adapters: Literal["merged", "served"] = Field(
        "merged",
        description="How a checkpoint that is an adapter answers: merged into weights of its own, or "
        "served on its parent's, in an engine that all adapters of that parent share (vllm, on a GPU).",
    )
    seed: Seed = Field(1, description="Seed of the engine's sampling.")


class Scoring(Section):
    """The engine that computes log-probabilities of given answers."""

    dtype: Dtype = Field(
        "float32",
        description="Precision of the model, as generation.dtype; sums are in float32 at least.",
    )
    batch_tokens: int = Field(
        8192,
        ge=64,
        description="Tokens of a forward pass, padding included. Changes results by rounding only.",
    )
    harness_batch: int = Field(
        16, ge=1, description="Sequences of a forward pass in the LM evaluation harness."
    )


class Evaluation(Section):
    """How certain the reported numbers are, and how much is asked for them."""

    confidence: float = Field(0.95, gt=0.5, lt=1, description="Level of every interval.")
    resamples: int = Field(
        2000, ge=100, description="Bootstrap draws for the epochs that it takes to fit a share."
    )
    margin: float = Field(
        0.02,
        gt=0,
        lt=1,
        description="The largest difference that counts as none, where something is to be held "
        "(an equivalence test); as a fraction: 0.02 is two points.",
    )
    questions: Limit = Field(
        None,
        description="Test questions per relation for every checkpoint, probed or not; null: all.",
    )
    closed_book: list[ClosedBookSet] = Field(
        [], description="Further closed-book questions, asked like those about the facts."
    )
    choices: list[ChoiceSet] = Field(
        [], description="Choice questions every checkpoint is scored on."
    )
    long_form: LongFormSettings | None = Field(
        None, description="Long responses and their claims; null: none."
    )
    token_shift: TokenShiftSettings | None = Field(
        None, description="How tuning shifts the distribution of tokens; null: not measured."
    )
    harness: list[HarnessTask] = Field(
        [], description="Tasks of the LM evaluation harness, from local task files."
    )
    harness_compat: bool = Field(
        False,
        description="Score MC1 and MC2 as the LM evaluation harness did before version 3 of its "
        "task, as older figures were made (see docs/data.md).",
    )

    @model_validator(mode="after")
    def _once(self):
        names = [closed_book_task(FACTS, form) for form in ENDINGS]
        names += [task for evaluated in self.closed_book for task in evaluated.tasks()]
        names += [choices.name for choices in self.choices] + [task.task for task in self.harness]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} names two evaluation tasks; rename one")
        if self.token_shift and self.long_form is None:
            raise ValueError(
                "evaluation.token_shift: needs the answers and the factuality of long_form, which "
                "is null; set evaluation.long_form, or token_shift to null"
            )
        return self
