"""The whole configuration: typed, described, and checked before anything runs.

`config/config.yaml` has the values of the default experiment; `config/config.schema.json` is generated
from these classes, and a test fails when it is out of date.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, create_model, model_validator

from plumbline.config.base import Name, Section, Seed
from plumbline.config.contamination import ContaminationSettings
from plumbline.config.data import FactSettings, Model
from plumbline.config.engines import Evaluation, GenerationSettings, Scoring
from plumbline.config.errors import explain, nearest
from plumbline.config.training import Recipe, Training
from plumbline.config.verification import Claims, FactTable, Verifier
from plumbline.config.written import repeated_keys, unusable
from plumbline.methods.registry import METHODS
from plumbline.storage.files import InputError

# Names that a model cannot have, since results/<run> has folders or files of these names.
RESERVED = (
    "benchmarks",
    "choices",
    "closed_book",
    "facts",
    "figures",
    "harness",
    "instructions",
    "lists",
    "lm_eval",
    "logs",
    "manifest.json",
    "plan.json",
    "report",
    "tables",
    *(method.name for method in METHODS),
)


class Ground(Section):
    """The keys that every experiment starts from."""

    run: Name = Field("demo", description="Results go to results/<run>.")
    device: Literal["cpu", "cuda", "mps"] = Field("cpu", description="Where models run.")
    price_per_device_hour: float | None = Field(
        None,
        gt=0,
        description="Price of one device for an hour, in any currency, from which `plan` computes what "
        "the run will cost. With cpu and mps, the device is the whole machine.",
    )
    seeds: list[Seed] = Field(
        [1], min_length=1, description="All tuning is repeated with each of these seeds."
    )
    models: list[Model] = Field(
        min_length=1, description="Base models; the experiment is repeated with each."
    )
    facts: FactSettings = FactSettings()
    recipes: dict[Name, Recipe] = Field(min_length=1, description="Named ways to train.")
    training: Training = Training()


class Tools(Section):
    """The keys of what all methods use and are measured with."""

    contamination: ContaminationSettings = ContaminationSettings()
    claims: Claims = Claims()
    verification: Verifier = Field(
        FactTable(), description="What decides whether a claim is right."
    )
    generation: GenerationSettings = GenerationSettings()
    scoring: Scoring = Scoring()
    evaluation: Evaluation = Evaluation()


SECTIONS = {key: field for method in METHODS for key, field in method.sections.items()}


# The keys' order: fields of the last base come first.
class Config(Tools, create_model("Methods", __base__=Section, **SECTIONS), Ground):
    """One experiment."""

    @model_validator(mode="after")
    def _consistent(self):
        if self.run == "sources":
            raise ValueError("run: sources is the folder of fetched files; choose another name")
        names = [model.name for model in self.models]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"models: two models are named {name}; give each its own name")
            if name in RESERVED:
                raise ValueError(f"models: {name} is the name of a results folder; choose another")
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"seeds: {self.seeds} names a seed twice; name each once")
        if self.device == "mps" and self.generation.engine == "vllm":
            raise ValueError(
                "generation.engine: vllm does not run on device mps; set engine: transformers"
            )
        if self.generation.tensor_parallel > 1 and (
            self.device != "cuda" or self.generation.engine != "vllm"
        ):
            raise ValueError(
                "generation.tensor_parallel: more than 1 needs device: cuda and engine: vllm"
            )
        if self.generation.adapters == "served" and (
            self.device != "cuda" or self.generation.engine != "vllm"
        ):
            raise ValueError(
                "generation.adapters: served needs device: cuda and engine: vllm; set merged"
            )
        for method in METHODS:
            method.check(self)
        for name, recipe in self.recipes.items():
            if recipe.parameters == "qlora" and self.device != "cuda":
                raise ValueError(
                    f"recipes.{name}.parameters: qlora needs device: cuda; use lora on a {self.device}"
                )
            self.check_training(f"recipes.{name}", recipe)
        return self

    def check_training(self, key: str, recipe: Recipe) -> None:
        """ValueError that names `key` if the section `training` does not allow a recipe."""
        training, processes = self.training, self.training.processes
        if processes > 1 and self.device == "mps":
            raise ValueError(f"training.processes: {processes} need device: cuda or cpu; set 1")
        for name, default in (
            ("strategy", "ddp"),
            ("attention", "sdpa"),
            ("liger", False),
            ("paged_optimizer", False),
        ):
            value = getattr(training, name)
            if value != default and self.device != "cuda":
                raise ValueError(
                    f"training.{name}: {str(value).lower()} needs device: cuda; set "
                    f"{str(default).lower()}"
                )
        if recipe.optimizer == "adamw_8bit" and self.device != "cuda":
            raise ValueError(f"{key}.optimizer: adamw_8bit needs device: cuda; set adamw")
        if training.shares and recipe.optimizer == "adamw_8bit":
            raise ValueError(
                f"{key}.optimizer: bitsandbytes does not support shared weights; set "
                f"training.strategy: ddp, or optimizer: adamw"
            )
        if training.shares and recipe.parameters == "qlora":
            raise ValueError(
                f"{key}.parameters: qlora weights cannot be shared; set training.strategy: ddp, "
                f"or parameters: lora"
            )
        if training.attention == "flash_attention_2" and recipe.dtype == "float32":
            raise ValueError(
                f"{key}.dtype: flash_attention_2 reads 16 bits only; set bfloat16, or "
                f"training.attention: sdpa"
            )
        try:
            recipe.micro_batch_sizes(processes)
        except ValueError as error:
            raise ValueError(f"{key}: {error}") from error

    def check_recipe(self, key: str, name: str, *methods: str) -> None:
        """ValueError that names `key` if no recipe of these methods has this name."""
        if name not in self.recipes:
            raise ValueError(
                f"{key}: {name} is not among recipes."
                f"{nearest(name, list(self.recipes))} Recipes: {', '.join(self.recipes)}"
            )
        if self.recipes[name].method not in methods:
            raise ValueError(
                f"{key}: {name} is of method {self.recipes[name].method}; "
                f"expected {' or '.join(methods)}"
            )

    def tuned_form(self, method: str) -> str | None:
        """The form of closed-book questions that the method of this name is tuned in, if any."""
        return next((known.use(self).form for known in METHODS if known.name == method), None)

    def tuned_relations(self) -> dict[str, list[str]]:
        """By key, the relations whose subjects a method is tuned to write about, if it names any.

        A method that names none is tuned on all, or on prompts of another kind.
        """
        asked = {
            key: [source.relations for source in prompts if source.format == "entities"]
            for method in METHODS
            for key, prompts in method.use(self).prompts.items()
        }
        return {
            key: sorted({name for relations in lists for name in relations})
            for key, lists in asked.items()
            if lists and all(lists)
        }

    def changed_recipe(self, name: str, changes: dict, key: str) -> Recipe:
        """A recipe with some of its keys changed; ValueError that names `key` if it is not valid."""
        recipe, changes = self.recipes[name].model_dump(), dict(changes)
        if isinstance(changes.get("lora"), dict):
            changes["lora"] = {**recipe["lora"], **changes["lora"]}
        try:
            return Recipe.model_validate({**recipe, **changes})
        except ValidationError as error:
            raise ValueError("; ".join(explain(error, Recipe, prefix=key))) from error


def load(raw: dict, files: Iterable[Path] = ()) -> Config:
    """Check a merged configuration and the files it came from.

    Raises `InputError` with one line per mistake.
    """
    lines = [line for path in files for line in repeated_keys(path)]
    try:
        config = Config.model_validate(raw)
        lines += unusable(raw)
    except ValidationError as error:
        lines += explain(error, Config)
    if lines:
        raise InputError(
            f"The configuration has {len(lines)} mistake{'s' * (len(lines) > 1)}:\n"
            + "\n".join(f"  - {line}" for line in lines)
        )
    return config
