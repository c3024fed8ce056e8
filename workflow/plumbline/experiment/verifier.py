"""The verifier of claims, and the files it reads."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from plumbline.experiment.fetched import marker_of
from plumbline.experiment.layout import Layout, Wildcards


class VerifierFiles:
    """The inputs and options of the programs that verify."""

    def __init__(self, layout: Layout, labelled: Path):
        """labelled: claims whose truth is known, on which the verifier is tested."""
        self._layout, self._settings = layout, layout.config.verification
        self.labelled = str(labelled)
        # The settings that affect verdicts; how a server is reached and paid for does not.
        self.settings = self._settings.model_dump_json(exclude=self._settings.HOW)
        # The wildcards of the first model, whose judge the verifier's test uses.
        self.first_model = SimpleNamespace(model=layout.models[0])

    @property
    def is_light(self) -> bool:
        """Whether it can run beside Snakemake instead of on a node of a cluster."""
        return self._settings.BY_TABLE

    @property
    def on_device(self) -> bool:
        """Whether it computes on the run's device."""
        return self._settings.on_device()

    def sources(self) -> list:
        """The sections whose sources it reads."""
        return list(self._settings.sources().values())

    def inputs(self, wildcards: Wildcards) -> dict[str, str]:
        """Facts, passages, an embedding model, a judge."""
        fetched = {name: marker_of(line) for name, line in self._settings.sources().items()}
        files = {"facts": self._layout.facts, **fetched}
        if checkpoint := self._settings.checkpoint():
            folder = self._layout.folder(checkpoint)
            files["judge"] = self._layout.marker(wildcards.model, folder)
        return files

    def options(self, wildcards: Wildcards) -> list[str]:
        """The same as options of verify_claims."""
        files, checkpoint = self.inputs(wildcards), self._settings.checkpoint()
        options = [part for name in self._settings.sources() for part in (f"--{name}", files[name])]
        if checkpoint:
            folder = self._layout.folder(checkpoint)
            options += ["--judge", self._layout.path(wildcards.model, folder)]
        return options

    def training_option(self, wildcards: Wildcards) -> str:
        """An option by which claims that decide what is trained on are judged without test facts."""
        return "" if Path(wildcards.place).match("long_form") else "--training"
