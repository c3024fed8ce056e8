"""Sets of instructions, and places where responses to them are collected.

Whatever asks for responses adds its own: FLAME, APEFT, long-form evaluation.
"""

from typing import NamedTuple


class InstructionSet(NamedTuple):
    """What a set is made from: sources, the split and domains of the facts' subjects, its key."""

    sources: list
    split: str
    domains: str
    key: str


class Place(NamedTuple):
    """Where responses to a set are collected."""

    set: str
    stage: str  # that what is dropped counts for
    unfinished: str  # option of collect_responses.py for those that were cut off; empty: dropped
    decider: str = (
        ""  # the checkpoint that says what asks for facts, if claims are of that only
    )


# By name, and by the end of the path below results/<run>/<model>.
INSTRUCTIONS = {}
PLACES = {}


def add_instructions(name, sources, split, domains, key):
    """Have a set of instructions made, its sources fetched before."""
    INSTRUCTIONS[name] = InstructionSet(sources, split, domains, key)
    for one in sources:
        add_source(one.source, one.sha256)


def instruction_markers(wildcards):
    """The markers of a set's fetched sources."""
    sources = INSTRUCTIONS[wildcards.set].sources
    return [marker_of(one.source, one.sha256) for one in sources if one.source]


def instruction_options(wildcards):
    """A set of instructions as options of build_instructions.py."""
    sources, split, domains, key = INSTRUCTIONS[wildcards.set]
    listed = json.dumps([one.model_dump() for one in sources])
    tuned = CONFIG.tuned_relations() if wildcards.set == "long_form" else {}
    return [
        *("--sources", listed, "--key", key, "--tuned", json.dumps(tuned)),
        *("--entities-split", split, "--entities-domains", domains),
    ]


def place_of(path):
    """The place with responses that a path is; None: it is none."""
    return next((one for end, one in PLACES.items() if Path(path).match(end)), None)


def place_pattern():
    """A wildcard's constraint to paths of places."""
    return ".+/(" + ("|".join(PLACES) or "none") + ")"


def responses_dropped():
    """What was left out of instructions, and of responses wherever they are collected."""
    return [
        *(f"{R}/instructions/{name}.dropped.json" for name in INSTRUCTIONS),
        *(
            f"{R}/{model}/{work}/dropped.json"
            for model in MODELS
            for work in WORKS
            if place_of(work)
        ),
    ]


def claim_works(place):
    """The claims of a place's responses, where a model splits them."""
    if CONFIG.claims.splitter == "rule":
        return []
    splitter = checkpoint_folder(CONFIG.claims.model, place)
    return [(f"{place}/claims", splitter, f"{place}/claims/requests.jsonl")]


def optional(option, path):
    """An option with its file, where there is one."""
    return [option, str(path)] if path else []
