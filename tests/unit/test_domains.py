"""What counts as in the domain: facts of relations that were tuned on, which training never saw."""

from functools import cache
from pathlib import Path

import pytest
import yaml
from plumbline.claims.records import Claim, Verdict
from plumbline.data.facts import load_embedded
from plumbline.data.instruction_sets import check_tuned, gather
from plumbline.data.select import for_training
from plumbline.experiment.config import Config
from plumbline.records import Question
from plumbline.storage.files import read_rows, write_rows
from plumbline.texts.text import fold
from programs import program
from snakemake.utils import update_config

ROOT = Path(__file__).parents[2]


@cache
def embedded(id_relations=None, ood_relations=None):
    lists = (names and list(names) for names in (id_relations, ood_relations))
    return load_embedded(ROOT / "workflow/resources/facts", *lists).questions


def question(relation, subject, answer, split, domain="id"):
    return Question(
        id=subject, relation=relation, subject=subject, question="What?", answers=[answer],
        split=split, domain=domain,
    )  # fmt: skip


EVERYTHING = "tests/everything.yaml tests/e2e/everything_tiny.yaml"
SHIPPED = ["", "config/pilot.yaml", "config/paper/apeft.yaml", "config/paper/flame.yaml"]
SHIPPED += ["tests/e2e/small.yaml", "tests/ops/faults.yaml", EVERYTHING]


@pytest.mark.parametrize("overlays", SHIPPED)
def test_shipped_configurations_call_in_domain_what_they_tune_on(overlays, monkeypatch):
    monkeypatch.setenv("PLUMBLINE_TAUGHT_MODEL", "taught")
    raw: dict = {}
    for name in ("config/config.yaml", *overlays.split()):
        update_config(raw, yaml.safe_load((ROOT / name).read_text(encoding="utf-8")))
    config = Config.model_validate(raw)
    relations = config.facts.relations
    facts = embedded(*((relations and (tuple(relations.id), tuple(relations.ood))) or ()))
    asked = [one for one in config.evaluation.long_form.sources() if one.format == "entities"]
    rows, _ = gather(asked, [], facts, split="test", domains=["id", "ood"])
    check_tuned(rows, config.tuned_relations(), "evaluation.long_form")
    test = {fold(one.topic) for one in rows}
    for key in ("flame", "apeft"):
        drawn = getattr(config, key).prompts if getattr(config, key) else []
        for one in drawn:
            if one.format == "entities":
                tuned, _ = gather([one], [], facts, split="train", domains=["id"], key=key)
                assert not test & {fold(prompt.topic) for prompt in tuned}


def test_what_training_data_are_made_from_holds_no_test_fact_and_no_other_relation():
    facts = embedded()
    known = for_training(facts)
    assert len(known) > 1500 and {one.domain for one in known} == {"id"}
    assert {one.split for one in known} == {"train"}
    test = {
        (fold(one.subject), fold(a)) for one in facts if one.split == "test" for a in one.answers
    }
    pairs = {(fold(one.subject), fold(answer)) for one in known for answer in one.answers}
    assert not test & pairs and not {(b, a) for a, b in test} & pairs - {(a, a) for a, _ in test}


def test_claims_that_are_trained_on_are_verified_by_train_facts_alone(tmp_path, monkeypatch):
    facts = [question("country_capital", "Norway", "Oslo", split="train")]
    facts += [question("country_capital", "Chile", "Santiago", split="test")]
    facts += [question("us_state_capital", "Texas", "Austin", split="dev", domain="ood")]
    said = {
        "norway": "Oslo is the capital of Norway.",
        "chile": "Santiago is the capital of Chile.",
        "texas": "Austin is the capital of Texas.",
    }
    claims = [
        Claim(id=name, response=name, topic=name.title(), text=text, sentence=0)
        for name, text in said.items()
    ]
    write_rows(tmp_path / "claims", claims)
    write_rows(tmp_path / "facts", facts)

    def verdicts(**more):
        program(
            monkeypatch, "verify_claims", verifier='{"kind": "table"}', **more,
            **{name: tmp_path / name for name in ("claims", "facts", "store", "verdicts")},
        )  # fmt: skip
        return [one.verdict for one in read_rows(tmp_path / "verdicts", Verdict)]

    assert verdicts() == ["supported"] * 3
    assert verdicts(training=True) == ["supported", "unverifiable", "unverifiable"]
