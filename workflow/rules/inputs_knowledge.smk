"""What the knowledge filter needs: the variants of a method, and annotations for those that filter."""

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
    """What the filter reads; without one, annotations are no input of the training data."""
    if variants(method)[wildcards.variant] == 100:
        return {}
    model = f"{R}/{wildcards.model}/slick"
    return {
        "annotated": f"{model}/questions.jsonl",
        "annotations": f"{model}/annotations.jsonl",
    }


def knowledge_options(method, wildcards):
    """The same as options of a program that builds training data."""
    percent = variants(method)[wildcards.variant]
    files = knowledge_inputs(method, wildcards)
    if not files:
        return []
    return [
        *("--annotated-questions", files["annotated"]),
        *("--annotations", files["annotations"]),
        *("--keep-unknown", str(percent)),
    ]
