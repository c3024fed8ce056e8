"""Where the questions about facts come from."""

from __future__ import annotations

from pathlib import Path

from plumbline.config.data import FactSettings
from plumbline.experiment.fetched import marker


class FactSource:
    """The inputs and options of the program that builds the questions."""

    def __init__(self, facts: FactSettings, tables: Path):
        """tables: the folder of the included fact tables."""
        self._facts, self._tables = facts, tables

    @property
    def inputs(self) -> list[str] | str:
        """The included fact tables, or the marker of what was fetched."""
        if self._facts.source == "embedded":
            return sorted(map(str, self._tables.glob("*.tsv")))
        return marker(self._facts.path, self._facts.sha256)

    @property
    def options(self) -> list[str]:
        """The facts section as options of build_questions."""
        facts, shares = self._facts, self._facts.split
        options = ["--source", facts.source, "--seed", str(facts.seed)]
        if facts.path:
            options += ["--path", marker(facts.path, facts.sha256)]
        options += ["--shares", f"{shares.train},{shares.dev},{shares.test}"]
        if facts.relations:
            options.append(f"--id-relations={','.join(facts.relations.id)}")
            options.append(f"--ood-relations={','.join(facts.relations.ood)}")
        options += ["--strict-dev"] * facts.strict_dev
        options += ["--merge-duplicates"] * facts.merge_duplicates
        return options
