"""Where FLAME's files are, and what its rules wait for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from plumbline.experiment.layout import Wildcards
from plumbline.experiment.part import Fetchable, InstructionSet, JudgeRole, Part, Place, Work
from plumbline.experiment.responses import state_files
from plumbline.experiment.variants import Variants
from plumbline.methods.flame.sets import SftSet
from plumbline.names import BASE
from plumbline.storage.files import InputError

if TYPE_CHECKING:
    from plumbline.experiment.experiment import Experiment

# Which of the base's answers a training set of the first stage contains.
ANSWERS = {"sft-fact": "own", "sft-star": "own", "sft-rag": "rag"}
SET_PATTERN = "|".join(SftSet.__args__)


class FlameFiles(Part):
    """FLAME's trainings; contributes nothing if the configuration leaves FLAME out."""

    def __init__(self, experiment: Experiment):
        super().__init__(experiment)
        self.settings = self.config.flame
        percents = self.settings.keep_unknown if self.settings else []
        self.variants = Variants(self.layout, "flame", percents)

    def sources(self) -> Iterable[Fetchable]:
        return [self.settings.passages] if self.settings and self.settings.passages else []

    def instructions(self) -> Mapping[str, InstructionSet]:
        flame = self.settings
        if flame is None:
            return {}
        sets = {"flame": InstructionSet(flame.sources(), "train", "id", "flame.instructions")}
        if flame.dpo:
            sets["prompts"] = InstructionSet(flame.prompts, "train", "id", "flame.prompts")
        return sets

    def places(self) -> Mapping[str, Place]:
        if "prompts" not in self.instructions():
            return {}
        # Training on a response that was cut off would teach to stop in mid-sentence.
        place = Place("prompts", "flame", "", self.settings.decider, "flame/decisions.jsonl")
        return {"flame/responses": place}

    def judges(self) -> Mapping[str, JudgeRole]:
        if "prompts" not in self.instructions():
            return {}
        flame = self.settings
        return {"helpfulness": JudgeRole("flame", flame.judge, flame.prompt, self.parents())}

    def works(self) -> Iterable[Work]:
        flame = self.settings
        if flame is None:
            return
        asked = sorted({ANSWERS[name] for name in flame.sft if name in ANSWERS})
        for name in [*asked, *["augment"] * bool(flame.augment)]:
            yield Work(f"base/flame/{name}", BASE, f"flame/{name}/requests.jsonl", leads=True)
        for folder in self.parents("facttune-mc"):
            for part in ("questions", "answers"):
                work = f"{folder}/flame/mc/{part}"
                yield Work(work, BASE, f"{work}/requests.jsonl", leads=True)
        for folder in self.parents():
            place = f"{folder}/flame/responses"
            yield Work(place, folder, "flame/responses/requests.jsonl", leads=True)
            yield from self.experiment.responses.claim_works(place)

    def lost(self) -> Iterable[str]:
        return [
            self.layout.path(model, f"{folder}/flame/mc/dropped.json")
            for model in self.layout.models
            for folder in self.parents("facttune-mc")
        ]

    def states(self) -> Iterable[dict[str, Any]]:
        """Responses that are trained on, decisions about instructions, training files."""
        if self.settings is None:
            return
        for model in self.layout.models:
            for folder in self.parents():
                checkpoint, seed = self.lineage.at(folder)
                row = {"model": model, "seed": seed, "checkpoint": f"{checkpoint}, for training"}
                yield row | state_files(self.layout.path(model, f"{folder}/flame/responses"))
        for model in self.layout.models:
            for folder in self.layout.folders(self.settings.decider):
                checkpoint, seed = self.lineage.at(folder)
                row = {"model": model, "seed": seed, "checkpoint": checkpoint}
                yield row | {"decisions": self.decisions(model, folder)}
        for training in self._trainings():
            yield {
                "model": training["model"],
                "seed": training["seed"],
                "checkpoint": training["tuning"],
                "composition": f"{self.layout.root}/{training['folder']}/composition.json",
            }

    def parents(self, pairs: str = "") -> list[str]:
        """Folders of the first-stage checkpoints that responses are drawn from, for all seeds.

        pairs: only those whose responses become pairs of this set.
        """
        sets = [name.split(".") for name in self.settings.dpo] if self.settings else []
        parents = {
            f"{variant}.{parent}"
            for variant in self.variants.percents
            for parent, made in sets
            if pairs in ("", made)
        }
        return sorted(folder for name in parents for folder in self.layout.folders(name))

    def decisions(self, model: str, near: str = "") -> str:
        """The decider's decisions, for the seed of the path `near`."""
        folder = self.layout.folder(self.settings.decider, near)
        return self.layout.path(model, f"{folder}/flame/decisions.jsonl")

    def answers(self, wildcards: Wildcards) -> dict[str, str]:
        """The files that a training set of the first stage is made from."""
        model, folder = wildcards.model, ANSWERS.get(wildcards.set)
        files = {"instructions": f"{self.layout.root}/instructions/flame.jsonl"}
        # The checkpoint trained on this set may be the one that decides.
        if self.settings.decider == BASE or wildcards.set != "sft":
            files["decisions"] = self.decisions(model, f"seed-{wildcards.seed}/")
        if folder:
            files["requests"] = self.layout.path(model, f"flame/{folder}/requests.jsonl")
            files["generations"] = self.layout.path(model, f"base/flame/{folder}/generations.jsonl")
        return files | self.variants.filter_inputs(wildcards)

    def pairs(self, wildcards: Wildcards) -> dict[str, str]:
        """The parent's responses, the scores of these, and which prompts ask for facts."""
        model, name = wildcards.model, f"{wildcards.variant}.{wildcards.set}"
        parent = self.lineage.folder(name).format(seed=wildcards.seed)
        place = self.layout.path(model, f"{parent}/flame")
        if wildcards.pairs == "facttune-mc":
            scored = {"confidence": f"{place}/mc/confidence.jsonl"}
        else:
            scored = {"verdicts": f"{place}/responses/verdicts.jsonl"}
        return {
            **scored,
            **self.variants.filter_inputs(wildcards),
            "responses": f"{place}/responses/responses.jsonl",
            "splittings": f"{place}/responses/splittings.jsonl",
            "helpful": f"{place}/helpful.jsonl",
            "calibration": self.experiment.judges.calibration("helpfulness", model, parent),
            "decisions": self.decisions(model, parent),
        }

    def asked(self) -> list[str]:
        """All instructions for which it is decided whether they ask for facts."""
        return [self.experiment.responses.instruction_file(name) for name in self.instructions()]

    def not_new(self) -> list[str]:
        """What new instructions must differ from: seeds and evaluated prompts, but not training
        prompts, which the new ones may become.
        """
        names = [name for name in self.experiment.instructions if name != "prompts"]
        return [self.experiment.responses.instruction_file(name) for name in names]

    def augmented(self, wildcards: Wildcards) -> list[str]:
        """The new instructions of every model. InputError if none are requested."""
        if self.settings is None or not self.settings.augment:
            raise InputError(
                "flame.augment is null, so no new instructions are wanted; set how many."
            )
        return [self.layout.path(model, "flame/augmented.jsonl") for model in self.layout.models]

    def results(self) -> list[str]:
        """FLAME's trainings, and the measurements of their and the base's long answers."""
        root = self.layout.root
        trainings = self.experiment.trainings.each("training.json", self.variants.own)
        measured = [
            f"{root}/{row['folder']}/{name}"
            for row in self.experiment.evaluated.rows()
            if row["checkpoint"] == BASE or self.variants.own(row["checkpoint"])
            for name in row["scored"]
            if name.endswith("/items.jsonl")
        ]
        return [*trainings, *measured]

    def _trainings(self) -> list[dict[str, Any]]:
        rows = self.experiment.trainings.rows()
        return [row for row in rows if self.variants.own(row["tuning"])]
