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
        "vllm",
        description="transformers is slower but runs anywhere; it is used only if you choose it.",
    )
    dtype: Dtype = Field(
        "float32",
        description="Precision of generation, the same for all checkpoints; a precision that would "
        "round away what a training changed is refused.",
    )
    shards: int = Field(
        1,
        ge=1,
        description="Jobs that a request file is split over (GPUs, nodes). A later change generates "
        "nothing again, but repeats the stages after it.",
    )
    max_num_seqs: Annotated[int, Field(ge=1)] | Literal["auto"] = Field(
        "auto",
        description="Sequences that an engine runs at once; auto: vLLM's default for the GPU's memory, "
        "and 128 without a GPU.",
    )
    max_model_len: int = Field(
        2048,
        ge=16,
        description="Longest prompt with its answer, in tokens; a lower limit of the model holds.",
    )
    kv_cache_gib: float = Field(2, gt=0, description="Key-value cache on a CPU, in GiB (vllm).")
    gpu_memory_utilization: float = Field(
        0.9, gt=0, le=1, description="Share of a GPU's memory (vllm)."
    )
    tensor_parallel: int = Field(1, ge=1, description="GPUs that share one model (vllm).")
    eager: bool = Field(
        False,
        description="On a GPU, do not compile or capture graphs: starts sooner, then runs slower, so "
        "use it for few requests (vllm; always so on a CPU).",
    )
    adapters: Literal["merged", "served"] = Field(
        "merged",
        description="How an adapter's checkpoint answers: merged into full weights of its own, or "
        "served by one engine for all adapters of the same parent (vllm, on a GPU).",
    )
    seed: Seed = Field(1, description="Seed of the engine's sampling.")


class Scoring(Section):
    """The engine that computes log-probabilities of given answers."""

    dtype: Dtype = Field(
        "float32",
        description="Precision of the model, like generation.dtype; sums are at least in float32.",
    )
    batch_tokens: int = Field(
        8192,
        ge=64,
        description="Tokens per forward pass, padding included. Changes results only by rounding.",
    )
    harness_batch: int = Field(
        16, ge=1, description="Sequences per forward pass in the LM evaluation harness."
    )


class Evaluation(Section):
    """What every checkpoint is measured on, and how certain the reported numbers are."""

    confidence: float = Field(0.95, gt=0.5, lt=1, description="Level of every interval.")
    resamples: int = Field(
        2000, ge=100, description="Bootstrap draws for how many epochs it takes to fit a share."
    )
    margin: float = Field(
        0.02,
        gt=0,
        lt=1,
        description="The largest difference that counts as none when something should be held (an "
        "equivalence test), as a fraction: 0.02 is two points.",
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
        description="Score MC1 and MC2 like the LM evaluation harness before version 3 of its task, as "
        "in older publications (see docs/data.md).",
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
                "evaluation.token_shift: needs the answers of long_form and their factuality, but "
                "long_form is null; set evaluation.long_form, or token_shift to null"
            )
        return self
