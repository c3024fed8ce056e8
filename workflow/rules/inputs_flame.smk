"""What the rules of FLAME need."""

from plumbline.config.flame_sets import SftSet

if CONFIG.flame:
    add_instructions(
        "flame", CONFIG.flame.sources(), "train", "id", "flame.instructions"
    )
    if CONFIG.flame.passages:
        add_source(CONFIG.flame.passages.source, CONFIG.flame.passages.sha256)
if CONFIG.flame and CONFIG.flame.dpo:
    add_instructions("prompts", CONFIG.flame.prompts, "train", "id", "flame.prompts")
    # Training on a response that was cut off teaches to stop in mid-sentence.
    PLACES["flame/responses"] = Place(
        "prompts", "flame", unfinished="", decider=CONFIG.flame.decider
    )
# Which of the base's answers a training set of the first stage holds.
ANSWERS = {"sft-fact": "own", "sft-star": "own", "sft-rag": "rag"}
FLAME_SETS = "|".join(SftSet.__args__)


def flame_key(key):
    """A value of the flame section."""
    return getattr(CONFIG.flame, key) if CONFIG.flame else ""


def flame_instructions():
    """All that is asked whether it asks for facts."""
    return [
        f"{R}/instructions/{name}.jsonl"
        for name in ("flame", "prompts")
        if name in INSTRUCTIONS
    ]


def flame_parents(pairs=None):
    """Folders of the first-stage checkpoints that responses are drawn from, for all seeds.

    pairs: only of those whose responses are made into pairs of this set.
    """
    sets = [name.split(".") for name in flame_key("dpo")]
    parents = {
        f"{variant}.{parent}"
        for variant in variants("flame")
        for parent, made in sets
        if pairs in (None, made)
    }
    return sorted(f for name in parents for f in LINEAGE.folders(name, CONFIG.seeds))


def flame_works():
    """What is generated for FLAME: work, checkpoint's folder, requests."""
    if CONFIG.flame is None:
        return []
    answers = {ANSWERS[name] for name in CONFIG.flame.sft if name in ANSWERS}
    asked = [*sorted(answers), *["augment"] * bool(CONFIG.flame.augment)]
    works = [
        (f"base/flame/{name}", lineage.BASE, f"flame/{name}/requests.jsonl")
        for name in asked
    ]
    for folder in flame_parents("facttune-mc"):
        for part in ("questions", "answers"):
            work = f"{folder}/flame/mc/{part}"
            works.append((work, lineage.BASE, f"{work}/requests.jsonl"))
    for folder in flame_parents():
        works += [
            (f"{folder}/flame/responses", folder, "flame/responses/requests.jsonl"),
            *claim_works(f"{folder}/flame/responses"),
        ]
    return works


def flame_draws(samples, max_tokens):
    """How FLAME draws, as options."""
    flame = CONFIG.flame
    return [
        *("--form", flame.prompt, "--samples", str(samples)),
        *("--temperature", str(flame.temperature), "--top-p", str(flame.top_p)),
        *("--max-tokens", str(max_tokens)),
    ]


def decisions_by(decider, model, near):
    """What a checkpoint decided: of the seed that the path `near` is of, below the model's folder."""
    return f"{model}/{checkpoint_folder(decider, near)}/flame/decisions.jsonl"


def flame_asked(kind):
    """An input function: what is decided by when own answers are asked for; nothing: all are."""
    flame = CONFIG.flame
    every = flame is None or flame.decider != lineage.BASE
    if every or (kind == "own" and "sft-fact" in flame.sft):
        return []
    return lambda wildcards: decisions_by(flame.decider, f"{R}/{wildcards.model}", "")


def flame_asked_options(kind):
    """A parameter function: the same as an option of the programs that write requests."""
    asked = flame_asked(kind)
    return lambda wildcards: optional("--decisions", asked and asked(wildcards))


def flame_answer_draws():
    """How the base's answers are drawn, as options."""
    if CONFIG.flame is None:
        return []
    draws = flame_draws(CONFIG.flame.own_answers, CONFIG.flame.max_tokens)[2:]
    return ["--shots", str(CONFIG.flame.shots), *draws]


def flame_rag_inputs():
    """The marker of the passages' file, where they have one."""
    passages = flame_key("passages")
    has_file = passages and passages.source
    return marker_of(passages.source, passages.sha256) if has_file else []


def flame_rag_options(wildcards):
    """Answers with passages as options of write_rag_answers.py."""
    flame = CONFIG.flame
    return [
        *(
            "--passages",
            section(flame.passages),
            *optional("--marker", flame_rag_inputs()),
        ),
        *("--k", str(flame.k), *flame_answer_draws()),
    ]


def flame_sft_inputs(wildcards):
    """Instructions, which of them ask for facts, and the base's answers if the set has any."""
    model = f"{R}/{wildcards.model}"
    found = {"instructions": f"{R}/instructions/flame.jsonl"}
    # The checkpoint of this set may be the one that decides.
    if CONFIG.flame.decider == lineage.BASE or wildcards.set != "sft":
        near = f"seed-{wildcards.seed}/"
        found["decisions"] = decisions_by(CONFIG.flame.decider, model, near)
    answers = ANSWERS.get(wildcards.set)
    if answers:
        found["requests"] = f"{model}/flame/{answers}/requests.jsonl"
        found["generations"] = f"{model}/base/flame/{answers}/generations.jsonl"
    return found | knowledge_inputs("flame", wildcards)


def flame_sft_options(wildcards):
    """The base's answers as options of build_flame_sft.py."""
    files = flame_sft_inputs(wildcards)
    return [
        *optional("--decisions", files.get("decisions")),
        *optional("--own-requests", files.get("requests")),
        *optional("--own-generations", files.get("generations")),
        *knowledge_options("flame", wildcards),
    ]


def augment_known():
    """What is not new: seeds and what is evaluated; not prompts, which new ones may become."""
    return [
        f"{R}/instructions/{name}.jsonl" for name in INSTRUCTIONS if name != "prompts"
    ]


def augmented_files(wildcards):
    """The new instructions of every model."""
    if not flame_key("augment"):
        raise WorkflowError(
            "flame.augment is null, so no new instructions are wanted; set how many."
        )
    return expand(f"{R}/{{model}}/flame/augmented.jsonl", model=MODELS)


def flame_response_options():
    """Responses as options of write_responses.py."""
    if CONFIG.flame is None:
        return []
    return flame_draws(CONFIG.flame.responses, CONFIG.flame.max_tokens)


def flame_pair_options(wildcards):
    """The second stage as options of build_flame_pairs.py."""
    recipe = CONFIG.recipes[CONFIG.flame.dpo_recipe]
    files = flame_pair_inputs(wildcards)
    return [
        *optional("--verdicts", files.get("verdicts")),
        *optional("--confidence", files.get("confidence")),
        *("--form", CONFIG.flame.prompt, "--batch", str(recipe.global_batch_size)),
        *("--steps", str(recipe.max_steps), "--min-pairs", str(recipe.min_pairs)),
        *("--max-repeats", str(recipe.max_repeats)),
        *knowledge_options("flame", wildcards),
    ]


def flame_pair_inputs(wildcards):
    """Responses of the parent, what was made of them, and which prompts ask for facts."""
    model = f"{R}/{wildcards.model}"
    parent = LINEAGE.folder(f"{wildcards.variant}.{wildcards.set}")
    parent = parent.format(seed=wildcards.seed)
    place = f"{model}/{parent}/flame"
    by_confidence = wildcards.pairs == "facttune-mc"
    factual = (
        {"confidence": f"{place}/mc/confidence.jsonl"}
        if by_confidence
        else {"verdicts": f"{place}/responses/verdicts.jsonl"}
    )
    return {
        **factual,
        **knowledge_inputs("flame", wildcards),
        "responses": f"{place}/responses/responses.jsonl",
        "splittings": f"{place}/responses/splittings.jsonl",
        "helpful": f"{place}/helpful.jsonl",
        "calibration": f"{model}/{judge_place('helpfulness', parent)}/helpfulness.json",
        "decisions": decisions_by(CONFIG.flame.decider, model, parent),
    }


def flame_dropped():
    """What was left out of claims to ask the base about."""
    return [
        f"{R}/{model}/{folder}/flame/mc/dropped.json"
        for model in MODELS
        for folder in flame_parents("facttune-mc")
    ]


def flame_states():
    """What states are counted of: responses trained on, the classifier, training files."""
    if CONFIG.flame is None:
        return []
    responses = [
        {"model": model, "seed": seed, "checkpoint": f"{name}, for training"}
        | state_files(f"{R}/{model}/{folder}/flame/responses")
        for model in MODELS
        for folder in flame_parents()
        for name, seed in [LINEAGE.at(folder)]
    ]
    decisions = [
        {"model": model, "seed": seed, "checkpoint": name}
        | {"decisions": decisions_by(name, f"{R}/{model}", folder)}
        for model in MODELS
        for folder in LINEAGE.folders(CONFIG.flame.decider, CONFIG.seeds)
        for name, seed in [LINEAGE.at(folder)]
    ]
    trainings = [
        {key: row[key] for key in ("model", "seed")}
        | {
            "checkpoint": row["tuning"],
            "composition": f"{R}/{row['folder']}/composition.json",
        }
        for row in tuning_rows()
        if is_of("flame", row["tuning"])
    ]
    return [*responses, *decisions, *trainings]


def flame_results():
    """FLAME's trainings, and what was measured on their and the base's long answers."""
    trainings = [
        f"{R}/{row['folder']}/training.json"
        for row in tuning_rows()
        if is_of("flame", row["tuning"])
    ]
    measured = [
        f"{R}/{row['folder']}/{name}"
        for row in checkpoint_rows()
        if row["checkpoint"] == lineage.BASE or is_of("flame", row["checkpoint"])
        for name in row["scored"]
        if Path(name).name == "items.jsonl"
    ]
    return [*trainings, *measured]
