"""What the rules of GRATH need."""

if CONFIG.grath:
    add_choices("grath/source", CONFIG.grath.questions)


def grath_parents():
    """Folders of the checkpoints that write pairs, for all seeds."""
    rounds = [t for name, t in LINEAGE.tunings.items() if is_of("grath", name)]
    return sorted(
        {f for tuning in rounds for f in LINEAGE.folders(tuning.parent, CONFIG.seeds)}
    )


def grath_generations(wildcards, number):
    """What the parent of a round wrote."""
    parent = LINEAGE.tunings[f"{wildcards.variant}.r{number}"].parent
    folder = checkpoint_folder(parent, wildcards.data)
    return f"{R}/{wildcards.model}/{folder}/grath/generations.jsonl"


def grath_pair_inputs(wildcards):
    """The questions, what was written about them first and now, and what the filter reads."""
    return {
        "questions": f"{R}/grath/questions.jsonl",
        "first": grath_generations(wildcards, 1),
        "now": grath_generations(wildcards, int(wildcards.round)),
        **knowledge_inputs("grath", wildcards),
    }


def grath_dropped():
    """What was left out of the questions."""
    return [f"{R}/grath/dropped.json"] if CONFIG.grath else []


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


def grath_pair_options(wildcards):
    """The grath section as options of build_grath_pairs.py."""
    # The base's pairs are the same for all seeds, so that what is kept of them is, too.
    seed = re.match(r"seed-(\d+)/", wildcards.data)
    return [
        *("--max-unparsed", str(CONFIG.grath.max_unparsed), *grath_prompt_options()),
        *knowledge_options("grath", wildcards),
        *("--seed", seed[1] if seed else "0"),
    ]


def grath_rows():
    """Every round of every model and seed: what was scored, and what it was trained on."""
    if CONFIG.grath is None:
        return []
    rows = []
    for model in MODELS:
        if CONFIG.grath.parent != lineage.BASE:
            rows.append(grath_row(model, 0, lineage.BASE) | {"round": None})
        rows += [
            row
            for variant in variants("grath")
            for seed in CONFIG.seeds
            for row in grath_rounds(model, variant, seed)
        ]
    return rows


def grath_rounds(model, variant, seed):
    """One variant's rounds, from the parent of the first on."""
    start = grath_row(model, seed, CONFIG.grath.parent) | {"round": 0}
    rows = [start | {"variant": variant}]
    for number in range(1, CONFIG.grath.rounds + 1):
        tuning = LINEAGE.tunings[f"{variant}.r{number}"]
        data = f"{R}/{model}/{Path(tuning.examples.format(seed=seed)).parent}"
        files = {
            "pairs": f"{data}/pairs.jsonl",
            "composition": f"{data}/composition.json",
        }
        about = {"round": number, "variant": variant}
        rows.append(grath_row(model, seed, tuning.name) | about | files)
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


def grath_scores():
    """What GRATH's checkpoints, the placebos among them, and the base score on questions."""
    if CONFIG.grath is None:
        return []
    return [
        f"{R}/{row['folder']}/{name}"
        for row in checkpoint_rows()
        if row["checkpoint"] == lineage.BASE or is_of("grath", row["checkpoint"])
        for name in row["scored"]
        if name.startswith(("choices/", "harness/"))
    ]


def grath_files(row):
    """The files that a row of grath_rows names."""
    return [row[key] for key in ("scores", "pairs", "composition") if key in row]
