"""What the filter of training data needs: test facts, the variants of a method, and annotations for
those that filter by them."""

from plumbline import names


def variants(method):
    """A method's variants: per cent of Unknown kept, by name; none if it is not configured."""
    settings = getattr(CONFIG, method)
    percents = settings.keep_unknown if settings else []
    return {names.variant(method, percent): percent for percent in percents}


def variant_pattern(method):
    """A wildcard's constraint to the variants of a method."""
    return "|".join(map(re.escape, variants(method))) or "none"


def is_of(method, tuning):
    """Whether a tuning is one of a variant of this method."""
    return names.parts(tuning)[0] == method


def knowledge_inputs(method, wildcards):
    """What the filter reads; where all Unknown is kept, annotations are no input."""
    found = {"test_facts": f"{R}/facts/questions.jsonl"}
    if variants(method)[wildcards.variant] == 100:
        return found
    model = f"{R}/{wildcards.model}/slick"
    return found | {
        "annotated": f"{model}/questions.jsonl",
        "annotations": f"{model}/annotations.jsonl",
    }


def knowledge_options(method, wildcards):
    """The same as options of a program that builds training data."""
    files = knowledge_inputs(method, wildcards)
    options = ["--test-facts", files["test_facts"]]
    if "annotations" not in files:
        return options
    return [
        *options,
        *("--annotated-questions", files["annotated"]),
        *("--annotations", files["annotations"]),
        *("--keep-unknown", str(variants(method)[wildcards.variant])),
    ]
