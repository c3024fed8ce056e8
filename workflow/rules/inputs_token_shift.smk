"""What the rules of token distribution shift need: which checkpoints are compared, and where."""

SHIFT = CONFIG.evaluation.token_shift


def shift_rows():
    """Every pair of every model and seed: names, the ranks, measured long answers of both."""
    rows = []
    for model in MODELS:
        for tuned, reference in SHIFT_PAIRS:
            for folder in LINEAGE.folders(tuned, CONFIG.seeds):
                other = checkpoint_folder(reference, folder)
                rows.append(
                    {
                        "model": model,
                        "seed": int(LINEAGE.at(folder)[1]),
                        "tuned": tuned,
                        "reference": reference,
                        "shift": f"{R}/{model}/{folder}/token_shift/{reference}.jsonl",
                        "items": f"{R}/{model}/{folder}/long_form/items.jsonl",
                        "reference_items": f"{R}/{model}/{other}/long_form/items.jsonl",
                    }
                )
    return rows


def shift_files():
    """The files that shift_rows names."""
    keys = ("shift", "items", "reference_items")
    return sorted({row[key] for row in shift_rows() for key in keys})


def shift_reference(wildcards):
    """The file that says that the reference is whole."""
    return checkpoint_marker(wildcards, wildcards.reference, wildcards.folder)


def shift_tables(wildcards):
    """The tables, if there is a pair to compare."""
    if not SHIFT_PAIRS:
        raise WorkflowError(
            "evaluation.token_shift names no checkpoint of this run; name a pair."
        )
    return rules.tabulate_token_shift.output
