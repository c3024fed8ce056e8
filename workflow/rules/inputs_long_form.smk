"""What the rules of long-form evaluation need: who writes, who is compared, what is verified."""

from functools import cache
from types import SimpleNamespace

from plumbline.config.verification import Endpoint

LONG_FORM = CONFIG.evaluation.long_form
if LONG_FORM:
    # What is evaluated is what the checkpoint said, cut off or not.
    add_instructions(
        "long_form", LONG_FORM.sources(), "test", "id,ood", "evaluation.long_form"
    )
    PLACES["long_form"] = Place("long_form", "long_form", unfinished="--unfinished")
if LONG_FORM and LONG_FORM.instructions:
    add_instructions(
        "win_rate",
        [LONG_FORM.instructions],
        "test",
        "id",
        "evaluation.long_form.instructions",
    )
    PLACES["win_rate/own"] = Place("win_rate", "long_form", unfinished="--unfinished")
for part in ("passages", "embeddings"):
    if one := getattr(CONFIG.verification, part, None):
        add_source(one.source, one.sha256)
# What models wrote, labelled: the verifier is put to the test on it.
LABELLED_CLAIMS = os.path.relpath(WORKFLOW / "resources/verifier/claims.tsv")
# What decides verdicts; how a server is reached and paid decides none.
VERIFIER = section(CONFIG.verification, exclude=Endpoint.HOW)


@cache
def long_form_folders():
    """Folders of the checkpoints that write at length."""
    return [
        folder
        for name in long_form_checkpoints(CONFIG, LINEAGE)
        for folder in LINEAGE.folders(name, CONFIG.seeds)
    ]


@cache
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
    return works


def baseline_folder(folder):
    """The folder of the checkpoint that this one is compared with."""
    return checkpoint_folder(LONG_FORM.baseline, folder)


def baseline_responses(wildcards):
    """What the baseline answered."""
    folder = baseline_folder(wildcards.folder)
    return f"{R}/{wildcards.model}/{folder}/win_rate/own/responses.jsonl"


def claim_inputs(wildcards):
    """Responses to be taken apart, and which of them were asked for facts."""
    model, decider = f"{R}/{wildcards.model}", place_of(wildcards.place).decider
    found = {"responses": f"{model}/{wildcards.place}/responses.jsonl"}
    if decider:
        found["decisions"] = decisions_by(decider, model, wildcards.place)
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


def is_trained_on(place):
    """Whether a place's claims decide what is trained on; all others are evaluated."""
    return not Path(place).match("long_form")


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


def verifier_options(wildcards):
    """The same as options of verify_claims.py."""
    files = verifier_inputs(wildcards)
    options = [
        *optional("--passages", files.get("passages")),
        *optional("--embeddings", files.get("embeddings")),
    ]
    if files.get("judge"):
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


@cache
def state_rows():
    """What states are counted of: long-form responses, and what methods make of others."""
    rows = []
    for model in MODELS:
        for folder in long_form_folders():
            name, seed = LINEAGE.at(folder)
            rows.append(
                {"model": model, "seed": seed, "checkpoint": name}
                | state_files(f"{R}/{model}/{folder}/long_form", "responses", "claims")
            )
    return [*rows, *flame_states(), *apeft_states()]


def state_files(place, *more):
    """The files of a place that states are counted in."""
    return {name: f"{place}/{name}.jsonl" for name in ("splittings", "verdicts", *more)}


def state_inputs():
    """All files that state_rows names."""
    about = ("model", "seed", "checkpoint")
    return sorted(
        {path for row in state_rows() for key, path in row.items() if key not in about}
    )
