"""The papers' configurations, as they take effect, against the papers' settings written down here."""

import copy
import re
from pathlib import Path

import pytest
import yaml
from plumbline.data.entityquestions import DEFAULT_DOMAINS
from plumbline.evaluation.contrasts import EQUIVALENCE, PRIMARY
from plumbline.experiment import config as experiment
from plumbline.experiment import lineage
from plumbline.methods.flame.contrasts import contrasts as of_flame
from plumbline.methods.grath.contrasts import contrasts as of_grath
from plumbline.methods.registry import METHODS
from plumbline.responses.pairs import Pairing, by_instruction
from plumbline.responses.scores import Scored
from plumbline.sources.source import Source
from snakemake.utils import update_config

FOLDER = Path(__file__).parents[2] / "config"
PAPERS = sorted(path.stem for path in (FOLDER / "paper").glob("*.yaml"))


def read(name):
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


def merged(paper, *over):
    """What Snakemake makes of the default with the paper's file over it, and others over that."""
    raw = read("config.yaml")
    for name in (f"paper/{paper}.yaml", *over):
        update_config(raw, read(name))
    return raw


def leaves(node, path=()):
    if isinstance(node, dict):
        for key, value in node.items():
            yield from leaves(value, (*path, key))
    else:
        yield path


def states(node, path):
    """Whether a file has this key, or has put something else in a part of its way."""
    for key in path:
        if not isinstance(node, dict):
            return True
        if key not in node:
            return False
        node = node[key]
    return True


def matters(path, config):
    """Whether a key of the default has a say in a run of this configuration."""
    if path[0] == "mixes" and not config.mixes.names():
        return path[1] == "unknown_percent"
    if path[0] == "recipes":
        used = {name for method in METHODS for name in method.use(config).recipes}
        full = path[1] in used and config.recipes[path[1]].parameters == "full"
        return path[1] in used and not (full and path[2] == "lora")
    # What is off in the demo is off in a paper's run that does not name it.
    return path not in {(name,) for method in METHODS for name in method.sections}


@pytest.mark.parametrize("paper", PAPERS)
def test_a_paper_takes_nothing_from_the_demo_in_silence(paper):
    own, config = read(f"paper/{paper}.yaml"), experiment.load(merged(paper))
    taken = [
        ".".join(path)
        for path in leaves(read("config.yaml"))
        if matters(path, config) and not states(own, path)
    ]
    assert taken == []


# Gekhman et al. 2024: section 3 and appendices A, C and E.
GEKHMAN = {
    "facts.source": "entityquestions",
    "facts.relations": None,  # the paper's, see below
    "facts.strict_dev": False,
    "facts.merge_duplicates": False,
    "slick.exemplar_sets": 10,
    "slick.shots": 4,
    "slick.samples": 16,
    "slick.temperature": 0.5,
    "slick.top_k": 40,
    "slick.mode": "full",
    "slick.limit": {"train": None, "dev": None, "test": None},
    "mixes.unknown_percent": [0, 25, 50, 75, 100],
    "mixes.known_only": [25, 50, 75],
    "mixes.single_category": ["HighlyKnown", "MaybeKnown", "WeaklyKnown"],
    "mixes.natural": True,
    "mixes.idk": [50],
    "mixes.on_empty": "error",
    "mixes.prompt": "plain",
    "mixes.parent": "base",
    "mixes.overrides": {},
    "mixes.monitor": {"train": None, "dev": None, "test_id": None, "test_ood": None},
    "recipes.sft.method": "sft",
    "recipes.sft.parameters": "full",
    "recipes.sft.learning_rate": 1e-5,
    "recipes.sft.epochs": 50,
    "recipes.sft.global_batch_size": 128,
    "recipes.sft.scheduler": "constant",
    "recipes.sft.dropout": 0.05,
    "grath": None,
    "flame": None,
    "apeft": None,
    "evaluation.questions": None,
    "evaluation.choices": [],
}
# Lin et al. 2024: sections 4 and 5, appendix.
FLAME = {
    "flame.instructions.format": "oasst",
    "flame.instructions.part": "all",
    "flame.instructions.limit": None,
    "flame.entities": 0,
    "flame.sft": ["sft", "sft-fact", "sft-star"],
    "flame.dpo": ["sft.dpo", "sft.dpo-fact", "sft.dpo-star", "sft-star.dpo", "sft-star.dpo-star"],
    "flame.fact_based": "sft",
    "flame.shots": 5,
    "flame.own_answers": 10,
    "flame.responses": 4,
    "flame.judge": "flame.sft-star",
    "flame.temperature": 0.7,
    "flame.top_p": 0.9,
    "verification.kind": "retrieval",
    "verification.k": 10,
    "recipes.flame_sft.parameters": "full",
    "recipes.flame_sft.learning_rate": 1e-6,
    "recipes.flame_sft.global_batch_size": 32,
    "recipes.flame_sft.max_length": 2048,
    "recipes.flame_dpo.method": "dpo",
    "recipes.flame_dpo.parameters": "full",
    "recipes.flame_dpo.learning_rate": 1e-6,
    "recipes.flame_dpo.max_steps": 500,
    "recipes.flame_dpo.global_batch_size": 64,
    "recipes.flame_dpo.max_length": 2048,
    "recipes.flame_dpo.loss": "sigmoid",
    "recipes.flame_dpo.beta": 0.1,
    "recipes.flame_dpo.reference": "moving",
    "recipes.flame_dpo.order": "file",  # half of each step from either source
    "mixes.unknown_percent": [],
    "grath": None,
    "apeft": None,
    "evaluation.choices": [],
    "evaluation.long_form.entities": 0,  # biographies, AlpacaEval's and FAVA's prompts instead
    "evaluation.long_form.relations": [],
    "evaluation.long_form.instructions.limit": None,
    "evaluation.long_form.instructions.part": "all",
    "evaluation.long_form.gamma": 0,
    "evaluation.token_shift": None,
}
# Chen et al. 2024: the authors' scripts for Llama 2.
GRATH = {
    "models": [("hub:Qwen/Qwen3-8B@b968826d9c46dd6066d109eabc6255188de91218", "float16")],
    "grath.questions.format": "ai2",
    "grath.questions.limit": None,
    "grath.rounds": 2,
    "grath.parent": "base",
    "grath.keep_unknown": [100],
    "grath.use_ground_truth": False,
    "grath.max_tokens": 100,
    "recipes.grath.method": "dpo",
    "recipes.grath.parameters": "qlora",
    "recipes.grath.learning_rate": 5e-4,
    "recipes.grath.max_steps": 1000,
    "recipes.grath.global_batch_size": 16,
    "recipes.grath.micro_batch_size": 4,
    "recipes.grath.scheduler": "cosine",
    "recipes.grath.warmup_steps": 100,
    "recipes.grath.weight_decay": 0.0,
    "recipes.grath.max_length": 1024,
    "recipes.grath.dtype": "bfloat16",
    "recipes.grath.loss": "sigmoid",
    "recipes.grath.beta": 0.1,
    "recipes.grath.reference": "moving",
    "recipes.grath.lora": {
        "rank": 8, "alpha": 16, "dropout": 0.05, "target_modules": ["q_proj", "k_proj", "v_proj"]
    },
    "mixes.unknown_percent": [],
    "flame": None,
    "apeft": None,
    "evaluation.choices": [("truthfulqa", "truthfulqa", "truthfulqa", None)],
    "evaluation.harness": [("arc_challenge", 25), ("hellaswag", 10), ("mmlu", 0)],
    "evaluation.harness_compat": True,
    "evaluation.long_form": None,
}  # fmt: skip
# Yuan et al. 2024 give none that is known; those of Tian et al. 2024 where there are some.
APEFT = {
    "apeft.parent": "base",
    "apeft.prompts": [("entities", [], 500)],
    "apeft.responses": 10,
    "apeft.temperature": 1.0,
    "apeft.questions": "model",
    "apeft.samples": 20,
    "apeft.atomic_percent": [0, 25, 50, 75, 100],
    "apeft.losses": ["sigmoid", "ipo", "hinge", "robust", "apo_zero", "kto"],
    "recipes.apeft.method": "dpo",
    "recipes.apeft.beta": 0.1,
    "recipes.apeft.reference": "moving",
    "verification.kind": "retrieval",
    "verification.k": 5,
    "claims.splitter": "model",
    "mixes.unknown_percent": [],
    "grath": None,
    "flame": None,
    "evaluation.choices": [],
    "evaluation.long_form.entities": 183,
    "evaluation.long_form.relations": [],
    "evaluation.long_form.checkpoints": ["base", "apeft*"],
    "evaluation.long_form.instructions": None,
}
# Of what is a list of sections, the keys that a paper says something of.
SHORT = {
    "models": ("source", "dtype"),
    "evaluation.choices": ("name", "format", "prompt", "limit"),
    "evaluation.harness": ("task", "shots"),
    "apeft.prompts": ("format", "relations", "limit"),
}
SETTINGS = {"gekhman": GEKHMAN, "flame": FLAME, "grath": GRATH, "apeft": APEFT}


def in_effect(values, key):
    for part in key.split("."):
        values = values[part]
    return [tuple(one[k] for k in SHORT[key]) for one in values] if key in SHORT else values


@pytest.mark.parametrize("paper", PAPERS)
def test_what_takes_effect_is_what_the_paper_says(paper):
    values = experiment.load(merged(paper)).model_dump(mode="json")
    assert {key: in_effect(values, key) for key in SETTINGS[paper]} == SETTINGS[paper]


@pytest.mark.parametrize("paper", PAPERS)
def test_on_one_card_adapters_are_trained_and_all_else_stays(paper):
    whole, card = (
        experiment.load(merged(paper, *over)).model_dump(mode="json")
        for over in ([], ["paper/hardware/one-card.yaml"])
    )
    adapted = [card["recipes"][name] for name in ("sft", "flame_sft", "flame_dpo")]
    assert {recipe["parameters"] for recipe in adapted} == {"lora"}
    assert (card["training"]["processes"], card["training"]["strategy"]) == (1, "ddp")
    assert card["generation"]["shards"] == 1
    for config in (whole, card):
        del config["training"], config["generation"]["shards"]
        for name in ("sft", "flame_sft", "flame_dpo"):
            for key in ("parameters", "learning_rate", "lora"):
                del config["recipes"][name][key]
    assert whole == card


@pytest.mark.parametrize("paper", PAPERS)
def test_a_papers_model_is_pinned_by_a_commit_that_needs_no_check_of_the_day(paper):
    for model in read(f"paper/{paper}.yaml")["models"]:
        source = Source.parse(model["source"])
        assert source.kind == "hub" and re.fullmatch("[0-9a-f]{40}", source.version)


def test_the_papers_relations_are_the_sources_own_choice():
    counts = [list(DEFAULT_DOMAINS.values()).count(domain) for domain in ("id", "ood")]
    assert counts == [12, 7]


def test_five_passes_of_flames_first_stage_are_the_papers_steps():
    """500 steps of 32 are five passes over 3,200 instructions."""
    recipe = experiment.load(merged("flame")).recipes["flame_sft"]
    assert recipe.epochs * 3200 / recipe.global_batch_size == 500


def test_every_two_of_a_prompts_ten_responses_are_a_pair():
    """FLAME's pilot and FactTune: 45 a person; 500 people have 22,500 that APEFT draws from."""
    apeft = experiment.load(merged("apeft")).apeft
    rows = [
        Scored(id=f"{n}", instruction="i", index=n, prompt="p", text=f"t{n}", factual=n / 10)
        for n in range(apeft.responses)
    ]
    pairing = Pairing("plain")
    pairing.every("general", by_instruction(rows), lambda row: row.factual)
    assert len(pairing.pairs["general"]) == 45 > apeft.general_per_entity


def test_what_a_paper_is_about_is_tested_in_its_run():
    """Where a configuration has no prompts of the domain, nothing of it can be the primary one."""
    grath = experiment.load(merged("grath"))
    made = list(of_grath(grath, lineage.build(grath)))
    (primary,) = [one for one in made if one.role == PRIMARY]
    assert (primary.task, primary.metric) == ("truthfulqa", "mc2")
    held = {one.task for one in made if one.kind == EQUIVALENCE}
    assert held >= {"arc_challenge", "hellaswag", "mmlu"}
    flame = experiment.load(merged("flame"))
    (primary,) = [one for one in of_flame(flame, lineage.build(flame)) if one.role == PRIMARY]
    assert primary.domain == "ood"
    demo = experiment.load(copy.deepcopy(read("config.yaml")))
    (primary,) = [one for one in of_flame(demo, lineage.build(demo)) if one.role == PRIMARY]
    assert primary.domain == "id"
