"""A method's variants, which differ in how much of what is Unknown to the base they train on."""

from __future__ import annotations

from collections.abc import Iterable

from plumbline import names
from plumbline.experiment.layout import Layout, Wildcards, alternatives


class Variants:
    """The variants of a method, and the inputs of the filter of their training data."""

    def __init__(self, layout: Layout, method: str, percents: Iterable[float]):
        """percents: per cent of Unknown kept, one per variant; empty if the method is left out."""
        self._layout, self._method = layout, method
        self.percents = {names.variant(method, percent): percent for percent in percents}

    @property
    def pattern(self) -> str:
        """A wildcard's constraint to the variants."""
        return alternatives(self.percents)

    def own(self, tuning: str) -> bool:
        """Whether a tuning or checkpoint belongs to a variant of this method."""
        return names.parts(tuning)[0] == self._method

    def filter_inputs(self, wildcards: Wildcards) -> dict[str, str]:
        """The filter's inputs: test facts and, unless all Unknown is kept, annotations."""
        files = {"test_facts": self._layout.facts}
        if self.percents[wildcards.variant] == 100:
            return files
        return files | {
            "annotated": self._layout.path(wildcards.model, "slick/questions.jsonl"),
            "annotations": self._layout.path(wildcards.model, "slick/annotations.jsonl"),
        }

    def filter_options(self, wildcards: Wildcards) -> list[str]:
        """The same as options of a program that builds training data."""
        files = self.filter_inputs(wildcards)
        options = ["--test-facts", files["test_facts"]]
        if "annotations" in files:
            options += ["--annotated-questions", files["annotated"]]
            options += ["--annotations", files["annotations"]]
            options += ["--keep-unknown", str(self.percents[wildcards.variant])]
        return options
