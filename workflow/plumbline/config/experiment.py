"""The whole configuration: typed, described, checked before anything runs.

`config/config.yaml` holds the defaults of the embedded experiment, `config/config.schema.json` is
generated from these models, and a test notices when they drift apart.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationError, model_validator

from plumbline.config.base import Name, Section, Seed
from plumbline.config.data import Facts, Model
from plumbline.config.engines import Evaluation, Generation, Scoring
from plumbline.config.errors import explain, nearest
from plumbline.config.flame import Flame
from plumbline.config.grath import Grath
from plumbline.config.slick import Mixes, Slick
from plumbline.config.training import Recipe
from plumbline.config.verification import Claims, Table, Verifier
from plumbline.files import InputError

# Names beside the models' folders in results/<run>.
RESERVED = (
    "benchmarks",
    "choices",
    "facts",
    "figures",
    "grath",
    "instructions",
    "logs",
    "manifest.json",
    "plan.json",
    "report",
    "tables",
)


class Config(Section):
    """One experiment."""

    run: Name = Field("demo", description="Results go to results/<run>.")
    device: Literal["cpu", "cuda", "mps"] = Field("cpu", description="Where models run.")
    seeds: list[Seed] = Field(
        [1], min_length=1, description="Each is one repetition of all tuning."
    )
    models: list[Model] = Field(
        min_length=1, description="Base models; each is a branch of its own."
    )
    facts: Facts = Facts()
    slick: Slick = Slick()
    mixes: Mixes = Mixes()
    recipes: dict[Name, Recipe] = Field(min_length=1, description="Named ways to train.")
    grath: Grath | None = Field(None, description="GRATH's rounds; null: none.")
    flame: Flame | None = Field(None, description="FLAME's trainings; null: none.")
    claims: Claims = Claims()
    verification: Verifier = Field(Table(), description="What decides whether a claim is right.")
    generation: Generation = Generation()
    scoring: Scoring = Scoring()
    evaluation: Evaluation = Evaluation()

    @model_validator(mode="after")
    def _consistent(self):
        if self.run == "sources":
            raise ValueError("run: sources is where fetched files are kept; choose another name")
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
        self._check_recipe("mixes.recipe", self.mixes.recipe, "sft")
        if self.grath:
            self._check_recipe("grath.recipe", self.grath.recipe, "dpo", "kto")
            if not self.evaluation.choices:
                raise ValueError(
                    "grath: its rounds are compared on choice questions, but evaluation.choices "
                    "is empty; name a set"
                )
        if self.flame:
            self._check_flame(self.flame)
        for name, recipe in self.recipes.items():
            if recipe.parameters == "qlora" and self.device != "cuda":
                raise ValueError(
                    f"recipes.{name}.parameters: qlora needs device: cuda; use lora on a {self.device}"
                )
        known = self.mixes.names()
        for name in self.mixes.overrides:
            if name not in known:
                raise ValueError(
                    f"mixes.overrides.{name}: no such mix.{nearest(name, known)} "
                    f"Mixes: {', '.join(known)}"
                )
            self.mix_recipe(name)
        return self

    def _check_recipe(self, key: str, name: str, *methods: str) -> None:
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

    def _check_flame(self, flame: Flame) -> None:
        self._check_recipe("flame.sft_recipe", flame.sft_recipe, "sft")
        self._check_recipe("flame.dpo_recipe", flame.dpo_recipe, "dpo")
        recipe = self.recipes[flame.dpo_recipe]
        if recipe.order != "file" or recipe.max_steps is None:
            raise ValueError(
                f"recipes.{flame.dpo_recipe}: FLAME lays out its pairs step by step, so that all "
                f"sources are drawn from evenly; set order: file and max_steps"
            )

    def mix_recipe(self, name: str) -> Recipe:
        """The recipe of one mix, its overrides applied."""
        recipe = self.recipes[self.mixes.recipe].model_dump()
        override = dict(self.mixes.overrides.get(name, {}))
        if isinstance(override.get("lora"), dict):
            override["lora"] = {**recipe["lora"], **override["lora"]}
        try:
            return Recipe.model_validate({**recipe, **override})
        except ValidationError as error:
            lines = explain(error, Recipe, prefix=f"mixes.overrides.{name}")
            raise ValueError("; ".join(lines)) from error


def load(raw: dict) -> Config:
    """Check a merged configuration. `InputError` has one line for each mistake."""
    try:
        return Config.model_validate(raw)
    except ValidationError as error:
        lines = explain(error, Config)
        raise InputError(
            f"The configuration has {len(lines)} mistake{'s' * (len(lines) > 1)}:\n"
            + "\n".join(f"  - {line}" for line in lines)
        ) from None
