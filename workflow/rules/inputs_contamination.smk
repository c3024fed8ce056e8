"""What the contamination gate needs: every training file, and what it is compared with."""


def evaluation_sets(model):
    """All that checkpoints are asked in evaluation, by name."""
    return {
        "closed_book": f"{R}/{model}/slick/questions.jsonl",
        **{
            one.name: f"{R}/choices/{one.name}.jsonl"
            for one in CONFIG.evaluation.choices
        },
        **{
            one.task: f"{R}/harness/{one.task}.jsonl"
            for one in CONFIG.evaluation.harness
        },
        **{
            name: f"{R}/instructions/{name}.jsonl"
            for name in ("long_form", "win_rate")
            if name in INSTRUCTIONS
        },
    }


# What a training is compared with just before it starts. No parameter, so that another evaluation
# set repeats no training.
LISTS["evaluated"] = {model: evaluation_sets(model) for model in MODELS}


def found_contamination(wildcards):
    """What was measured of a tuning's training file, so that all evaluation sets are there first.

    Once it exists, the training does not wait for it nor follow from it (`before_update` names no
    producer). `ancient` alone would not do: behind a job that is to run, Snakemake looks for no
    other reason to train, such as another recipe.
    """
    path = Path(tuning_of(wildcards).examples.format(seed=wildcards.seed))
    found = f"{R}/{wildcards.model}/{path.parent}/contamination.json"
    return before_update(ancient(found)) if Path(found).exists() else found


def found_everywhere():
    """What was measured of every training file."""
    return [
        f"{R}/{model}/{data}/contamination.json"
        for model in MODELS
        for data in TRAINING_FILES
    ]
