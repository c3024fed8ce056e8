"""What the rules of GRATH need."""


def grath_parents():
    """Folders of the checkpoints that write pairs, for all seeds."""
    rounds = [t for name, t in LINEAGE.tunings.items() if name.startswith("grath.r")]
    return sorted(
        {f for tuning in rounds for f in LINEAGE.folders(tuning.parent, CONFIG.seeds)}
    )


def grath_generations(wildcards, number):
    """What the parent of a round wrote."""
    parent = LINEAGE.tunings[f"grath.r{number}"].parent
    folder = checkpoint_folder(parent, wildcards.data)
    return f"{R}/{wildcards.model}/{folder}/grath/generations.jsonl"


def grath_prompt_options():
    """How pairs are asked for and trained on."""
    legacy = CONFIG.grath and CONFIG.grath.legacy_prompt
    return ["--legacy-prompt", legacy] if legacy else []


def grath_request_options():
    """The grath section as options of write_grath_requests.py."""
    if CONFIG.grath is None:
        return []
    options = ["--max-tokens", str(CONFIG.grath.max_tokens), *grath_prompt_options()]
    return options + ["--use-ground-truth"] * CONFIG.grath.use_ground_truth


def grath_pair_options():
    """The grath section as options of build_grath_pairs.py."""
    if CONFIG.grath is None:
        return []
    return ["--max-unparsed", str(CONFIG.grath.max_unparsed), *grath_prompt_options()]


def grath_rows():
    """Every round of every model and seed: what was scored, and what it was trained on."""
    if CONFIG.grath is None:
        return []
    rows = []
    for model in MODELS:
        if CONFIG.grath.parent != lineage.BASE:
            rows.append(grath_row(model, 0, lineage.BASE) | {"round": None})
        for seed in CONFIG.seeds:
            rows.append(grath_row(model, seed, CONFIG.grath.parent) | {"round": 0})
            for number in range(1, CONFIG.grath.rounds + 1):
                tuning = LINEAGE.tunings[f"grath.r{number}"]
                data = f"{R}/{model}/{Path(tuning.examples.format(seed=seed)).parent}"
                files = {
                    "pairs": f"{data}/pairs.jsonl",
                    "composition": f"{data}/composition.json",
                }
                rows.append(
                    grath_row(model, seed, tuning.name) | {"round": number} | files
                )
    return rows


def grath_row(model, seed, checkpoint):
    """One checkpoint's row of grath_rows."""
    folder = LINEAGE.folder(checkpoint).format(seed=seed)
    return {
        "model": model,
        "seed": seed,
        "checkpoint": checkpoint,
        "parent": LINEAGE.parent(checkpoint),
        "scores": f"{R}/{model}/{folder}/choices/scores.jsonl",
    }


def grath_files(row):
    """The files that a row of grath_rows names."""
    return [row[key] for key in ("scores", "pairs", "composition") if key in row]
