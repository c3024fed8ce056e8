"""The tables of evaluation."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from plumbline.tables import (
    AnySeed,
    CheckpointName,
    Count,
    DomainName,
    High,
    Low,
    ModelName,
    TableRow,
    TaskName,
    TrainingSeed,
)

Against = Literal["base", "parent", "full"]


class Metric(TableRow):
    """The tidy table from which everything is reported: a row per measure, checkpoint and task.

    Measures ending in `_vs_base` and `_vs_parent` are differences over the same items.
    """

    model: ModelName
    seed: AnySeed
    checkpoint: CheckpointName
    parent: str = Field("", description="The checkpoint it was trained from.")
    task: TaskName
    domain: DomainName
    split: str = Field(description="Split of the items: `test`.")
    category: str = Field(description="SliCK's category of the items, or `All`.")
    metric: str = Field(description="What was measured, such as `em` or `mc2_vs_base`.")
    value: float = Field(description="Mean over the items.")
    low: Low = None
    high: High = None
    n: int = Field(description="Items that have the measure.")


class ContrastRow(TableRow):
    """The contrasts that the methods state in advance, with their results. A contrast for which nothing
    was measured has no numbers, and n is 0.
    """

    model: ModelName
    method: str = Field(description="The method that states it.")
    contrast: str = Field(description="What is contrasted, in words.")
    first: str = Field(description="A checkpoint.")
    second: str = Field(description="The checkpoint that it is compared with.")
    task: TaskName
    domain: DomainName
    metric: str = Field(description="The measure.")
    role: Literal["primary", "secondary"] = Field(
        description="`primary`: what conclusions rest on; `secondary`: exploratory."
    )
    kind: Literal["difference", "equivalence"] = Field(
        description="`difference`, or `equivalence`: a test that they differ by less than the margin."
    )
    first_value: float | None = Field(None, description="Mean of the first.")
    second_value: float | None = Field(None, description="Mean of the second.")
    difference: float | None = Field(None, description="First minus second.")
    low: Low = None
    high: High = None
    p: float | None = Field(
        None,
        description="p value for no difference; for equivalence, that of two one-sided tests, doubled, "
        "so that it is at most 1 - confidence if the interval lies within the margin.",
    )
    p_corrected: float | None = Field(
        None, description="For primary contrasts: p corrected over those of the model (Holm)."
    )
    verdict: Literal["", "higher", "lower", "held", "undecided"] = Field(
        "", description="For primary contrasts: `higher`, `lower`, `held` or `undecided`."
    )
    detectable: float | None = Field(
        None,
        description="The smallest true difference that would have been found with a probability of "
        "80 % at the corrected level (for primary contrasts, 1 - confidence divided by their number); "
        "for equivalence, the smallest margin that could have been confirmed if nothing differed.",
    )
    margin: float | None = Field(None, description="For equivalence, the margin that was tested.")
    n: int = Field(0, description="Items that were measured for both.")
    seeds: int = Field(0, description="Seeds.")


class Comparison(TableRow):
    """A checkpoint beside another one, by the main measure of the task; exploratory.

    Values are means over items, averaged over seeds.
    """

    model: ModelName
    checkpoint: CheckpointName
    against: Against = Field(
        description="`base`, `parent`, or `full`: the sibling trained on everything."
    )
    other: str = Field(description="The checkpoint that it is compared with.")
    task: TaskName
    domain: DomainName
    metric: str = Field(description="The measure.")
    value: float = Field(description="Mean of the checkpoint.")
    other_value: float = Field(description="Mean of the other.")
    difference: float = Field(description="`value` minus `other_value`.")
    low: Low
    high: High
    p: float | None = Field(description="p value for no difference, not corrected.")
    n: int = Field(description="Items that were measured for both.")
    seeds: int = Field(description="Seeds.")


class GainRow(TableRow):
    """The gain of a checkpoint over another: a mean over all tasks that both have, equally weighted."""

    model: ModelName
    checkpoint: CheckpointName
    against: str = Field(description="`base`, or `full`: the sibling trained on everything.")
    other: str = Field(description="The checkpoint that it is compared with.")
    domain: str = Field(description="`id`, `ood`, or `both`: the mean of the two.")
    tasks: str = Field(description="The tasks.")
    value: float = Field(description="Mean difference.")
    low: Low
    high: High
    n: int = Field(description="Items.")


class ClaimState(TableRow):
    """What became of instructions, responses, claims and pairs."""

    model: ModelName
    seed: TrainingSeed
    checkpoint: CheckpointName
    item: str = Field(description="What is counted: responses, claims, verdicts, …")
    state: str = Field(description="What became of it.")
    n: Count


class ShiftShare(TableRow):
    """Token distribution shift: how often a reference would not have chosen a tuned model's tokens."""

    model: ModelName
    seed: AnySeed
    tuned: str = Field(description="The checkpoint that wrote the tokens.")
    reference: str = Field(description="The checkpoint whose ranks they are.")
    domain: DomainName
    position: str = Field(description="Which tokens of the answer, such as `2-5`, or `All`.")
    metric: str = Field(
        description="Shares of tokens: `unshifted` (rank 1), `marginal` (rank 2 or 3), `shifted` (all "
        "others); the same as means over prompts (`_macro`), or for the ends of answers (`end_`); "
        "`own_first`: the share of tokens that are likeliest under the tuned model itself; `ended`: "
        "the share of answers that end by themselves; `f1_change`: the change of the claims' F1."
    )
    value: float = Field(description="The value of `metric`.")
    low: Low = None
    high: High = None
    n: int = Field(description="Tokens or prompts.")


class ShiftVerdict(TableRow):
    """Whether tuning left the model under-aligned or over-aligned outside its domain."""

    model: ModelName
    seed: TrainingSeed
    tuned: str = Field(description="The checkpoint that wrote the tokens.")
    reference: str = Field(description="The checkpoint whose ranks they are.")
    verdict: str = Field(description="`under-aligned`, `over-aligned` or `inconclusive`.")
    reason: str = Field(description="The reason for the verdict.")
    id_shifted: float | None = Field(None, description="Share of shifted tokens in the domain.")
    id_low: Low = None
    id_high: High = None
    ood_shifted: float | None = Field(None, description="Share of shifted tokens outside it.")
    ood_low: Low = None
    ood_high: High = None
    change: float | None = Field(None, description="Change of the claims' F1 outside the domain.")
    change_low: Low = None
    change_high: High = None
    change_n: int | None = Field(None, description="Prompts behind that change.")
    margin: float = Field(description="The largest change that counts as small.")


class ShiftToken(TableRow):
    """The tokens that are most often shifted."""

    model: ModelName
    seed: TrainingSeed
    tuned: str = Field(description="The checkpoint that wrote the tokens.")
    reference: str = Field(description="The checkpoint whose ranks they are.")
    token: str = Field(description="The token as text.")
    shifted: int = Field(description="How often it is shifted.")
    n: int = Field(description="How often it was written.")


class OverlapRow(TableRow):
    """How much of an evaluation set is in a training file."""

    model: ModelName
    training: str = Field(description="The training file.")
    rows: int = Field(description="Its rows.")
    set: str = Field(description="The evaluation set.")
    n: int = Field(description="Its items.")
    equal: int = Field(description="Items whose question is a training question.")
    shared: int = Field(description="Items that share a run of words with a training row.")
    stated: int = Field(
        description="Items whose subject and right answer occur in one training row."
    )
    contaminated: int = Field(description="Items to which at least one of these applies.")
    percent: float = Field(description="Contaminated items in per cent.")
    examples: str = Field(description="Ids of some contaminated items.")


TABLES = {
    "metrics": Metric,
    "contrasts": ContrastRow,
    "comparisons": Comparison,
    "gains": GainRow,
    "claim_states": ClaimState,
    "token_shift": ShiftShare,
    "token_shift_verdicts": ShiftVerdict,
    "token_shift_tokens": ShiftToken,
    "contamination": OverlapRow,
}
