"""The whole configuration: typed, described, checked before anything runs.

`config/config.yaml` holds the defaults of the embedded experiment, `config/config.schema.json` is
generated from these models, and a test notices when they drift apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, model_validator

from plumbline.config.apeft import Apeft
from plumbline.config.base import Name, Section, Seed
from plumbline.config.contamination import Contamination
from plumbline.config.data import Facts, Model
from plumbline.config.engines import Evaluation, Generation, Scoring
from plumbline.config.errors import explain, nearest
from plumbline.config.flame import Flame
from plumbline.config.grath import Grath
from plumbline.config.slick import Mixes, Slick
from plumbline.config.training import Recipe, Training
from plumbline.config.verification import Claims, Table, Verifier
from plumbline.config.written import repeated_keys, unusable
from plumbline.files import InputError

# Names beside the models' folders in results/<run>.
RESERVED = (
    "benchmarks",
    "choices",
    "closed_book",
    "facts",
    "figures",
    "grath",
    "harness",
    "instructions",
    "lists",
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
    training: Training = Training()
    grath: Grath | None = Field(None, description="GRATH's rounds; null: none.")
    flame: Flame | None = Field(None, description="FLAME's trainings; null: none.")
    apeft: Apeft | None = Field(None, description="APEFT's trainings; null: none.")
    contamination: Contamination = Contamination()
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
        if self.apeft:
            self._check_apeft(self.apeft)
        for name, recipe in self.recipes.items():
            if recipe.parameters == "qlora" and self.device != "cuda":
                raise ValueError(
                    f"recipes.{name}.parameters: qlora needs device: cuda; use lora on a {self.device}"
                )
            self._check_training(f"recipes.{name}", recipe)
        known = self.mixes.trained()
        for name in self.mixes.overrides:
            if name not in known:
                raise ValueError(
                    f"mixes.overrides.{name}: no such mix.{nearest(name, known)} "
                    f"Mixes: {', '.join(known)}"
                )
            self._check_training(f"mixes.overrides.{name}", self.mix_recipe(name))
        return self

    def _check_training(self, key: str, recipe: Recipe) -> None:
        processes, strategy = self.training.processes, self.training.strategy
        if processes > 1 and self.device == "mps":
            raise ValueError(f"training.processes: {processes} need device: cuda or cpu; set 1")
        if strategy == "fsdp" and self.device != "cuda":
            raise ValueError("training.strategy: fsdp needs device: cuda; set ddp")
        if strategy == "fsdp" and recipe.parameters == "qlora":
            raise ValueError(
                f"{key}.parameters: qlora weights cannot be shared out; set training.strategy: ddp, "
                f"or parameters: lora"
            )
        try:
            recipe.micro_batch_sizes(processes)
        except ValueError as error:
            raise ValueError(f"{key}: {error}") from error

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

    def _check_apeft(self, apeft: Apeft) -> None:
        self._check_recipe("apeft.recipe", apeft.recipe, "dpo")
        if apeft.questions == "table" and self.verification.kind != "table":
            raise ValueError(
                f"apeft.questions: table needs what the table verifier reads a claim as, but "
                f"verification.kind is {self.verification.kind}; set apeft.questions: model"
            )
        for loss in apeft.losses:
            self.apeft_recipe(loss)

    @property
    def closed_book_forms(self) -> list[str]:
        """How closed-book questions are asked: few-shot, and in the forms that methods tune in."""
        tuned = [one.prompt for one in (self.flame, self.apeft) if one and one.prompt == "chat"]
        tuned += [self.mixes.prompt] if self.mixes.names() else []
        tuned += ["chat"] if self.grath and self.grath.legacy_prompt is None else []
        return ["few_shot", *(form for form in ("plain", "chat") if form in tuned)]

    @property
    def apeft_questions(self) -> str:
        """What makes questions of claims: table or model."""
        return self.apeft.questions or ("table" if self.verification.kind == "table" else "model")

    def tuned_relations(self) -> dict[str, list[str]]:
        """By key, the relations whose subjects a method is tuned to write about, where it names
        some; a method that names none is tuned on all, or on prompts of another kind.
        """
        sources = {"apeft.prompts": self.apeft.prompts if self.apeft else []}
        if self.flame:
            drawn = self.flame.prompts if self.flame.dpo else []
            sources["flame.prompts"] = [*self.flame.sources(), *drawn]
        asked = {
            key: [one.relations for one in found if one.format == "entities"]
            for key, found in sources.items()
        }
        return {
            key: sorted({name for relations in lists for name in relations})
            for key, lists in asked.items()
            if lists and all(lists)
        }

    def mix_recipe(self, name: str) -> Recipe:
        """The recipe of one mix, its overrides applied."""
        changes = self.mixes.overrides.get(name, {})
        return self._changed(self.mixes.recipe, changes, f"mixes.overrides.{name}")

    def apeft_recipe(self, loss: str) -> Recipe:
        """The recipe of APEFT with one loss, its overrides applied."""
        kind = {"method": "kto", "loss": "sigmoid"} if loss == "kto" else {"loss": loss}
        changes = {**kind, **self.apeft.overrides.get(loss, {})}
        return self._changed(self.apeft.recipe, changes, f"apeft.overrides.{loss}")

    def _changed(self, name: str, changes: dict, key: str) -> Recipe:
        """A recipe with some of its keys changed; ValueError names `key` where that cannot be."""
        recipe, changes = self.recipes[name].model_dump(), dict(changes)
        if isinstance(changes.get("lora"), dict):
            changes["lora"] = {**recipe["lora"], **changes["lora"]}
        try:
            return Recipe.model_validate({**recipe, **changes})
        except ValidationError as error:
            raise ValueError("; ".join(explain(error, Recipe, prefix=key))) from error


def load(raw: dict, files: Iterable[Path] = ()) -> Config:
    """Check a merged configuration and the files it came from.

    `InputError` has one line for each mistake.
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
