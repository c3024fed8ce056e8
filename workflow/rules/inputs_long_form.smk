"""What the rules of long-form evaluation need: who writes, who is compared, what is verified."""

from types import SimpleNamespace


def long_form_folders():
    """Folders of the checkpoints that write at length."""
    return [
        folder
        for name in long_form_checkpoints(CONFIG, LINEAGE)
        for folder in LINEAGE.folders(name, CONFIG.seeds)
    ]


def compared_folders():
    """Those of them that are compared with the baseline."""
    if "win_rate" not in INSTRUCTIONS:
        return []
    baseline = LINEAGE.folders(LONG_FORM.baseline, CONFIG.seeds)
    return [folder for folder in long_form_folders() if folder not in baseline]


def long_form_works():
    """What is generated for long-form evaluation: work, checkpoint's folder, requests."""
    works = []
    for folder in long_form_folders():
        place = f"{folder}/long_form"
        works += [
            (place, folder, "long_form/requests.jsonl"),
            *claim_works(place),
        ]
    compared = compared_folders()
    writers = {
        *compared,
        *(baseline_folder(folder) for folder in compared),
    }
    for folder in sorted(writers):
        works.append((f"{folder}/win_rate/own", folder, "win_rate/requests.jsonl"))
    for folder in compared:
        work = f"{folder}/win_rate/judge"
        judge = checkpoint_folder(LONG_FORM.judge, folder)
        works.append((work, judge, f"{work}/requests.jsonl"))
    return works


def baseline_folder(folder):
    """The folder of the checkpoint that this one is compared with."""
    return checkpoint_folder(LONG_FORM.baseline, folder)


def baseline_responses(wildcards):
    """What the baseline answered."""
    folder = baseline_folder(wildcards.folder)
    return f"{R}/{wildcards.model}/{folder}/win_rate/own/responses.jsonl"


def set_of(place):
    """The set of instructions that a place's responses are to."""
    return next(name for end, name in PLACES.items() if place.endswith(end))


def claim_inputs(wildcards):
    """Responses to be taken apart; FLAME's only where facts are asked for."""
    model = f"{R}/{wildcards.model}"
    found = {"responses": f"{model}/{wildcards.place}/responses.jsonl"}
    if wildcards.place.endswith("flame/responses"):
        found["decisions"] = f"{model}/flame/decisions.jsonl"
    return found


def split_inputs(wildcards):
    """The same, and a model's lists where a model splits."""
    found = claim_inputs(wildcards)
    if CONFIG.claims.splitter == "model":
        place = f"{R}/{wildcards.model}/{wildcards.place}"
        found["generations"] = f"{place}/claims/generations.jsonl"
    return found


def first_model():
    """The wildcards of the first model, whose judge the verifier's check uses."""
    return SimpleNamespace(model=MODELS[0])


def verifier_inputs(wildcards):
    """What the verifier reads: facts, passages, an embedding model, a judge."""
    verifier = CONFIG.verification
    found = {"facts": f"{R}/facts/questions.jsonl"}
    if verifier.kind == "table":
        return found
    if verifier.passages.source:
        found["passages"] = marker_of(
            verifier.passages.source, verifier.passages.sha256
        )
    if verifier.embeddings:
        found["embeddings"] = marker_of(
            verifier.embeddings.source, verifier.embeddings.sha256
        )
    if verifier.kind == "retrieval":
        found["judge"] = checkpoint_marker(wildcards, verifier.judge, "")
    return found


def verifier_options(wildcards, input):
    """The same as options of verify_claims.py."""
    options = [
        *optional("--passages", input.get("passages")),
        *optional("--embeddings", input.get("embeddings")),
    ]
    if input.get("judge"):
        folder = checkpoint_folder(CONFIG.verification.judge, "")
        options += ["--judge", f"{R}/{wildcards.model}/{folder}"]
    return options


def long_form_options():
    """How evaluated responses are asked for, as options of write_responses.py."""
    if LONG_FORM is None:
        return []
    return [
        *("--form", LONG_FORM.prompt, "--samples", "1", "--temperature", "0"),
        *("--top-p", "1", "--max-tokens", str(LONG_FORM.max_tokens)),
    ]


def long_form_measures():
    """FActScore's penalty and F1's K as options of measure_long_form.py."""
    if LONG_FORM is None:
        return []
    return ["--gamma", str(LONG_FORM.gamma), "--k", *map(str, LONG_FORM.k)]


def comparison_options():
    """Comparisons as options of write_comparisons.py."""
    if LONG_FORM is None:
        return []
    return ["--form", LONG_FORM.prompt, "--max-tokens", str(LONG_FORM.judgement_tokens)]


def state_rows():
    """What states are counted of: long-form responses, FLAME's training data, its classifier."""
    rows = []
    for model in MODELS:
        for folder in long_form_folders():
            name, seed = LINEAGE.at(folder)
            rows.append(
                {"model": model, "seed": seed, "checkpoint": name}
                | state_files(f"{R}/{model}/{folder}/long_form", "responses", "claims")
            )
        for folder in flame_parents():
            name, seed = LINEAGE.at(folder)
            rows.append(
                {"model": model, "seed": seed, "checkpoint": f"{name}, for training"}
                | state_files(f"{R}/{model}/{folder}/flame/responses")
            )
        if CONFIG.flame:
            decisions = f"{R}/{model}/flame/decisions.jsonl"
            rows.append(
                {
                    "model": model,
                    "seed": 0,
                    "checkpoint": lineage.BASE,
                    "decisions": decisions,
                }
            )
        for row in tuning_rows():
            if row["model"] == model and is_of("flame", row["tuning"]):
                rows.append(
                    {key: row[key] for key in ("model", "seed")}
                    | {
                        "checkpoint": row["tuning"],
                        "composition": f"{R}/{row['folder']}/composition.json",
                    }
                )
    return [*rows, *apeft_states()]


def state_files(place, *more):
    """The files of a place that states are counted in."""
    return {name: f"{place}/{name}.jsonl" for name in ("splittings", "verdicts", *more)}


def state_inputs():
    """All files that state_rows names."""
    about = ("model", "seed", "checkpoint")
    return sorted(
        {path for row in state_rows() for key, path in row.items() if key not in about}
    )


def responses_dropped():
    """What was left out of instructions and of responses."""
    sets = [f"{R}/instructions/{name}.dropped.json" for name in INSTRUCTIONS]
    return [
        *sets,
        *(
            f"{R}/{model}/{f}/flame/responses/dropped.json"
            for model in MODELS
            for f in flame_parents()
        ),
        *(
            f"{R}/{model}/{f}/flame/mc/dropped.json"
            for model in MODELS
            for f in flame_parents("facttune-mc")
        ),
        *apeft_dropped(),
    ]
