"""What verifies claims, and what it reads."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from plumbline.config.verification import Endpoint
from plumbline.experiment.fetched import marker_of
from plumbline.experiment.layout import Layout, Wildcards, given


class VerifierFiles:
    """The inputs and options of the programs that verify."""

    def __init__(self, layout: Layout, labelled: Path):
        """labelled: claims whose truth is known, which the verifier is put to the test on."""
        self._layout, self._settings = layout, layout.config.verification
        self.labelled = str(labelled)
        # What decides verdicts; how a server is reached and paid decides none.
        self.settings = self._settings.model_dump_json(exclude=Endpoint.HOW)
        # The wildcards of the first model, whose judge the verifier's test uses.
        self.first_model = SimpleNamespace(model=layout.models[0])

    @property
    def is_light(self) -> bool:
        """Whether it needs no node of a cluster."""
        return self._settings.kind == "table"

    @property
    def judges_here(self) -> bool:
        """Whether a checkpoint of this run judges claims."""
        return self._settings.kind == "retrieval"

    def sources(self) -> list:
        """The sections whose sources it reads."""
        sections = (getattr(self._settings, name, None) for name in ("passages", "embeddings"))
        return [section for section in sections if section]

    def inputs(self, wildcards: Wildcards) -> dict[str, str]:
        """Facts, passages, an embedding model, a judge."""
        verifier, files = self._settings, {"facts": self._layout.facts}
        if self.is_light:
            return files
        if verifier.passages.source:
            files["passages"] = marker_of(verifier.passages)
        if verifier.embeddings:
            files["embeddings"] = marker_of(verifier.embeddings)
        if self.judges_here:
            files["judge"] = self._layout.marker(wildcards.model, self._judge)
        return files

    def options(self, wildcards: Wildcards) -> list[str]:
        """The same as options of verify_claims."""
        files = self.inputs(wildcards)
        judge = "judge" in files and self._layout.path(wildcards.model, self._judge)
        return [
            *given("--passages", files.get("passages")),
            *given("--embeddings", files.get("embeddings")),
            *given("--judge", judge),
        ]

    def training_option(self, wildcards: Wildcards) -> str:
        """Claims that decide what is trained on are judged without the facts of the test split."""
        return "" if Path(wildcards.place).match("long_form") else "--training"

    @property
    def _judge(self) -> str:
        return self._layout.folder(self._settings.judge)
