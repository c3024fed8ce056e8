"""What rules need: input functions, and the parts of the configuration as parameters."""

# What is fetched, by <source> of results/sources/<source>. Whatever reads one adds it.
SOURCES = {}


def add_source(line, sha256):
    """Have a source fetched; nothing where there is none."""
    if line:
        source = Source.parse(line, sha256)
        SOURCES[slug(source)] = source


for model in CONFIG.models:
    add_source(model.source, model.sha256)
add_source(CONFIG.facts.path, CONFIG.facts.sha256)

# Files of choice questions, by their place below results/<run> without ending.
CHOICES = {}


def add_choices(place, choices):
    """Have a set of choice questions made."""
    CHOICES[place] = choices
    add_source(choices.source, choices.sha256)


for one in CONFIG.evaluation.choices:
    add_choices(f"choices/{one.name}", one)
# Told now, since these tasks run last of all.
for one in CONFIG.evaluation.harness:
    if not any(Path(Source.parse(one.folder).name).glob("*.yaml")):
        raise WorkflowError(
            f"evaluation.harness: {one.folder}: no task file (*.yaml) is there. Put the task's "
            f"files into this folder, or correct it."
        )
# What the harness's tasks are made from, so that a change of it counts.
TASK_FILES = {
    one.task: files_of(one.task, Path(Source.parse(one.folder).name))
    for one in CONFIG.evaluation.harness
}
# Relative, so that a folder that is moved with its results keeps them.
FACT_TABLES = Path(os.path.relpath(WORKFLOW / "resources/facts"))
# <work>: (checkpoint folder, marker of the checkpoint, request file), below <run>/<model>, and how
# an answer is told to be right, where that ends the asking. An engine
# that runs serves whatever else lies ready: all jobs read this, but no rule has it as a parameter,
# so that new work repeats no other.
WORKS = LISTS["works"] = {}
# Names of the training files by their folders, below results/<run>/<model>; some are shared.
TRAINING_FILES = {
    str(path.parent): path.name
    for tuning in LINEAGE.tunings.values()
    for path in (Path(tuning.examples.format(seed=seed)) for seed in CONFIG.seeds)
}


def marker_of(line, sha256):
    """The file that says where a source was put."""
    return f"results/sources/{slug(Source.parse(line, sha256))}/source.json"


def local_files(wildcards):
    """The files behind file:, so that a change of them counts; other sources have no input."""
    source = SOURCES[wildcards.source]
    path = Path(source.name)
    if source.kind != "file" or not path.exists():
        return []
    return sorted(map(str, path.rglob("*.*"))) if path.is_dir() else str(path)


def source_options(source):
    """A source as options of fetch_source.py."""
    checksum = ["--sha256", source.sha256] if source.sha256 else []
    return ["--source", source.text, *checksum]


def facts_inputs(wildcards):
    """The fact tables that come along, or the marker of what was fetched."""
    if CONFIG.facts.source == "embedded":
        return sorted(map(str, FACT_TABLES.glob("*.tsv")))
    return marker_of(CONFIG.facts.path, CONFIG.facts.sha256)


def facts_options():
    """The facts section as options of build_questions.py."""
    facts = CONFIG.facts
    options = ["--source", facts.source, "--seed", str(facts.seed)]
    if facts.path:
        options += ["--path", marker_of(facts.path, facts.sha256)]
    shares = facts.split
    options += ["--shares", f"{shares.train},{shares.dev},{shares.test}"]
    if facts.relations:
        options.append(f"--id-relations={','.join(facts.relations.id)}")
        options.append(f"--ood-relations={','.join(facts.relations.ood)}")
    options += ["--strict-dev"] * facts.strict_dev
    options += ["--merge-duplicates"] * facts.merge_duplicates
    return options


def model_of(wildcards):
    """The configuration of the model named by the wildcard."""
    return next(model for model in CONFIG.models if model.name == wildcards.model)


def model_source(wildcards):
    """The file that says where the model's source was put."""
    model = model_of(wildcards)
    return marker_of(model.source, model.sha256)


def add_work(work, checkpoint_folder, requests, match=""):
    """Have `requests` answered by a checkpoint into <work>/generations.jsonl."""
    name, seed = LINEAGE.at(checkpoint_folder)
    marker = LINEAGE.marker(name).format(seed=seed)
    WORKS[work] = (checkpoint_folder, marker, requests, match)


def work_part(position):
    """An input function: a part of the wildcards' piece of work."""

    def find(wildcards):
        return f"{R}/{wildcards.model}/{WORKS[wildcards.work][position]}"

    return find


def shard_markers(wildcards):
    """With more than one shard, each is a job of its own before the answers are collected."""
    shards = CONFIG.generation.shards
    names = range(shards) if shards > 1 else []
    return [
        f"{R}/{wildcards.model}/{wildcards.work}/shard-{i}-of-{shards}.json"
        for i in names
    ]


def tuning_of(wildcards):
    """The tuning named by the wildcard."""
    return LINEAGE.tunings[wildcards.tuning]


def parent_marker(wildcards):
    """The file that says that the parent is whole."""
    marker = LINEAGE.marker(tuning_of(wildcards).parent).format(seed=wildcards.seed)
    return f"{R}/{wildcards.model}/{marker}"


def training_file(wildcards):
    """The examples or pairs of the tuning."""
    path = tuning_of(wildcards).examples.format(seed=wildcards.seed)
    return f"{R}/{wildcards.model}/{path}"


def probes_file(wildcards):
    """The questions asked after every epoch, where there are any."""
    path = tuning_of(wildcards).probes
    return f"{R}/{wildcards.model}/{path.format(seed=wildcards.seed)}" if path else []


def probe_options(wildcards):
    """The same as options of train.py, and how answers to them are drawn and judged."""
    probes, slick = probes_file(wildcards), CONFIG.slick
    drawn = ["--max-tokens", str(slick.max_tokens), "--match", slick.match]
    return ["--probes", probes, *drawn] if probes else []


def recipe_of(wildcards):
    """The tuning's recipe; how often it saves is no reason to train again."""
    return section(tuning_of(wildcards).recipe, exclude={"save_steps"})


def reference_file(wildcards):
    """The log-probabilities of a fixed reference, where there is one."""
    path = tuning_of(wildcards).reference_file
    return f"{R}/{wildcards.model}/{path.format(seed=wildcards.seed)}" if path else []


def reference_options(wildcards):
    """The reference as options of train.py: its file and its checkpoint, below the model's folder."""
    tuning = tuning_of(wildcards)
    if not tuning.reference:
        return []
    paths = tuning.reference_file, LINEAGE.folder(tuning.reference)
    return ["--reference", *(path.format(seed=wildcards.seed) for path in paths)]


def checkpoint_folder(name, near):
    """The folder of a checkpoint, of the seed that the path `near` is of (or the first)."""
    seed = re.match(r"seed-(\d+)/", near)
    return LINEAGE.folder(name).format(seed=seed[1] if seed else CONFIG.seeds[0])


def checkpoint_marker(wildcards, name, near):
    """The file that says that this checkpoint is whole."""
    _, seed = LINEAGE.at(checkpoint_folder(name, near))
    return f"{R}/{wildcards.model}/{LINEAGE.marker(name).format(seed=seed)}"


def parent_folder(wildcards):
    """Where the parent lies, below results/<run>/<model>."""
    return LINEAGE.folder(tuning_of(wildcards).parent).format(seed=wildcards.seed)


def marker_at(wildcards):
    """The file that says that the checkpoint in the wildcards' folder is whole."""
    name, seed = LINEAGE.at(wildcards.folder)
    return f"{R}/{wildcards.model}/{LINEAGE.marker(name).format(seed=seed)}"


def choices_input(wildcards):
    """What a set of choice questions is made from: its source, or the facts."""
    one = CHOICES[wildcards.choices]
    return (
        marker_of(one.source, one.sha256)
        if one.source
        else f"{R}/facts/questions.jsonl"
    )


def choices_options(wildcards):
    """A set of choice questions as options of build_choices.py."""
    one = CHOICES[wildcards.choices]
    kind = "--source-marker" if one.source else "--facts"
    return ["--choices", section(one), kind, choices_input(wildcards)]


def choice_rows():
    """Every set of choice questions that is evaluated: name, path, whether letters are shown."""
    return [
        {
            "name": one.name,
            "path": f"{R}/choices/{one.name}.jsonl",
            "letters": one.prompt == "letters",
        }
        for one in CONFIG.evaluation.choices
    ]


def harness_task(wildcards):
    """The harness task named by the wildcard."""
    return next(one for one in CONFIG.evaluation.harness if one.task == wildcards.task)


def harness_files(wildcards):
    """The files that the task is made from."""
    return TASK_FILES[wildcards.task]


def harness_options(wildcards):
    """A harness task as options of the programs that load it."""
    one = harness_task(wildcards)
    return [
        *("--task", one.task, "--folder", Source.parse(one.folder).name),
        *("--shots", str(one.shots), "--limit", str(one.limit or 0)),
    ]


def scored(folder):
    """Files of scored items in a checkpoint's folder."""
    choices = ["choices/scores.jsonl"] if CONFIG.evaluation.choices else []
    long_form = ["long_form/items.jsonl"] if folder in long_form_folders() else []
    compared = ["win_rate/items.jsonl"] if folder in compared_folders() else []
    harness = [f"harness/{one.task}.jsonl" for one in CONFIG.evaluation.harness]
    return [*choices, *long_form, *compared, *harness]


def scored_files():
    """All of them, of every checkpoint."""
    return [
        f"{R}/{row['folder']}/{name}"
        for row in checkpoint_rows()
        for name in row["scored"]
    ]


def compositions():
    """What each training file was made of."""
    return sorted(
        f"{R}/{model}/{data}/composition.json"
        for model in MODELS
        for data in TRAINING_FILES
    )


def mix_rows():
    """The rows of tuning_rows that are mixes of known and new facts, with their parents."""
    mixes = {f"mix.{name}" for name in CONFIG.mixes.names()}
    return [
        {**row, "parent": LINEAGE.tunings[row["tuning"]].parent}
        for row in tuning_rows()
        if row["tuning"] in mixes
    ]


def tuning_rows():
    """Every training run: model, seed, tuning, folder (below results/<run>)."""
    return [
        {
            "model": model,
            "seed": seed,
            "tuning": tuning.name,
            "folder": f"{model}/{tuning.folder.format(seed=seed)}",
        }
        for model in MODELS
        for seed in CONFIG.seeds
        for tuning in LINEAGE.tunings.values()
    ]


def mixed(name):
    """A file of every mix."""
    return [f"{R}/{row['folder']}/{name}" for row in mix_rows()]


def questions_dropped():
    """What was left out of sets of choice questions."""
    return [
        *(f"{R}/{place}.dropped.json" for place in CHOICES),
        *grath_dropped(),
        *responses_dropped(),
        *flame_dropped(),
        *apeft_dropped(),
    ]


def reports_of_dropped():
    """Files that say what was left out and why, by their kind."""
    return {
        "facts": f"{R}/tables/fact_counts.csv",
        "probes": [f"{R}/{model}/slick/dropped.json" for model in MODELS],
        "compositions": compositions(),
        "trainings": tuned("training.json"),
        "questions": questions_dropped(),
        "harness": [
            path for path in scored_files() if Path(path).parent.name == "harness"
        ],
    }


def tuned(name):
    """A file of every training run."""
    return [f"{R}/{row['folder']}/{name}" for row in tuning_rows()]


def checkpoint_rows():
    """Every checkpoint: model, seed, name, parent, folder (below results/<run>), scored files."""
    return [
        {
            "model": model,
            "seed": int(LINEAGE.at(folder)[1]),
            "checkpoint": checkpoint,
            "parent": LINEAGE.parent(checkpoint),
            "folder": f"{model}/{folder}",
            "scored": scored(folder),
        }
        for model in MODELS
        for checkpoint in LINEAGE.checkpoints
        for folder in LINEAGE.folders(checkpoint, CONFIG.seeds)
    ]


def mix_checkpoints():
    """The rows of checkpoint_rows that are tuned on mixes."""
    mixes = {
        name
        for row in mix_rows()
        for name in LINEAGE.tunings[row["tuning"]].checkpoints
    }
    return [
        {key: row[key] for key in ("model", "seed", "checkpoint", "folder")}
        for row in checkpoint_rows()
        if row["checkpoint"] in mixes
    ]


def evaluated(name):
    """A file of every checkpoint's evaluation."""
    return [f"{R}/{row['folder']}/{name}" for row in checkpoint_rows()]
