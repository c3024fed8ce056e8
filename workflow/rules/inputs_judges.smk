"""Who judges responses, what for, and on which checkpoint that depends."""

# By what they are used for: the key that names the judge, its name, and the form of its prompts.
JUDGES = {}
if "win_rate" in INSTRUCTIONS:
    JUDGES["win_rate"] = "evaluation.long_form", LONG_FORM.judge, LONG_FORM.prompt
if "prompts" in INSTRUCTIONS:
    JUDGES["helpfulness"] = "flame", CONFIG.flame.judge, CONFIG.flame.prompt
for key, name, _ in JUDGES.values():
    if name != REFERENCE and name not in LINEAGE.checkpoints:
        raise WorkflowError(
            f"{key}.judge: {name} does not exist. Name {REFERENCE} or a checkpoint: "
            f"{', '.join(LINEAGE.checkpoints)}."
        )


def judge_place(purpose, near):
    """The judge's folder below the model's, with what is known of it; near: what it judges."""
    _, name, _ = JUDGES[purpose]
    return "judge" if name == REFERENCE else f"{checkpoint_folder(name, near)}/judge"


def judge_gpus(purpose):
    """How many GPUs the judge needs: a measure none."""
    return int(ON_GPU and purpose in JUDGES and JUDGES[purpose][1] != REFERENCE)


def judge_inputs(purpose):
    """An input function: the judge's calibration, and its checkpoint where it is one."""

    def find(wildcards):
        place = judge_place(purpose, wildcards.folder)
        calibration = f"{R}/{wildcards.model}/{place}/{purpose}.json"
        return {"calibration": calibration} | judge_checkpoint(wildcards.model, place)

    return find


def judge_folder(place):
    """The folder of the checkpoint that a judge's folder is in; empty for a measure."""
    return place.removesuffix("judge").removesuffix("/")


def judge_checkpoint(model, place):
    """The marker of that checkpoint; nothing for a measure."""
    folder = judge_folder(place)
    if not folder:
        return {}
    name, seed = LINEAGE.at(folder)
    return {"judge": f"{R}/{model}/{LINEAGE.marker(name).format(seed=seed)}"}


def judge_options(purpose, place, model):
    """The judge as options of the programs that have it judge."""
    _, name, form = JUDGES[purpose]
    folder = judge_folder(place)
    path = f"{R}/{model}/{folder}" if folder else ""
    return ["--judge", name, "--form", form, *optional("--checkpoint", path)]


def judged_with(purpose):
    """A parameter function: `judge_options` for what is judged in the wildcards' folder."""
    return lambda wildcards: judge_options(
        purpose, judge_place(purpose, wildcards.folder), wildcards.model
    )


def calibrations():
    """Every judge's calibration: model, seed (0: whatever depends on none) and file."""
    judged = {"win_rate": compared_folders(), "helpfulness": flame_parents()}
    places = {
        (purpose, judge_place(purpose, folder))
        for purpose in JUDGES
        for folder in judged[purpose]
    }
    rows = []
    for purpose, place in sorted(places):
        folder = judge_folder(place)
        seed = LINEAGE.at(folder)[1] if folder else "0"
        rows += [
            {
                "model": model,
                "seed": int(seed),
                "path": f"{R}/{model}/{place}/{purpose}.json",
            }
            for model in MODELS
        ]
    return rows
