"""The whole of config/paper/gekhman.yaml, from facts to report, on data of EntityQuestions' shape.

Shrunk by an overlay: the model, the device, the samples and the epochs, and without
PLUMBLINE_WHOLE=1 the number of mixes.
"""

import json
import os
import re
from collections import Counter, defaultdict

import pytest
from paper_data import EVERYONE, SHOWN, TRAINED, question, write_dataset, write_model
from plumbline.data.entityquestions import DEFAULT_DOMAINS
from programs import csv_rows
from project import Project

pytestmark = pytest.mark.timeout(1800)
WHOLE = os.environ.get("PLUMBLINE_WHOLE") == "1"
FEW = "mixes: {unknown_percent: [50], known_only: [], single_category: [], natural: false, idk: []}"
OVERLAY = """
device: cpu
models: [{name: base, source: "file:model", dtype: float32}]
slick: {exemplar_sets: 4, samples: 4, max_tokens: 8}
recipes: {sft: {epochs: 2, global_batch_size: 8, micro_batch_size: 8}}
training: {processes: 1, strategy: ddp}
generation: {engine: transformers, dtype: float32, shards: 1, max_model_len: 512}
"""
MIXES = 13 if WHOLE else 1
SIZES = {"train": 12, "dev": 9, "test": 9}  # a relation
IN_DOMAIN = [relation for relation, domain in DEFAULT_DOMAINS.items() if domain == "id"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of results of a finished run."""
    project = Project(tmp_path_factory.mktemp("gekhman"))
    write_model(project.folder / "model")
    write_dataset(project.folder / "entityquestions")
    (project.folder / "small.yaml").write_text(OVERLAY + ("" if WHOLE else FEW))
    project.snakemake("--configfile", "config/paper/gekhman.yaml", "small.yaml", timeout=1700)
    return project.folder / "results/gekhman"


def rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_question_is_kept_in_its_split_under_an_id_of_its_own(run):
    facts = rows(run / "facts/questions.jsonl")
    assert len({one["id"] for one in facts}) == len(facts)
    counts = Counter((one["relation"], one["split"]) for one in facts)
    assert counts == {
        (relation, split): SIZES[split]
        for relation, domain in DEFAULT_DOMAINS.items()
        for split in (SIZES if domain == "id" else ("dev", "test"))
    }
    splits = defaultdict(set)
    for one in facts:
        splits[one["question"]].add(one["split"])
    assert splits[question("P36", TRAINED)] == {"train", "dev"}
    assert splits[question("P36", SHOWN)] == {"dev", "test"}
    assert not [found for found in splits.values() if {"train", "test"} <= found]
    (lost,) = (
        row
        for row in csv_rows(run / "tables/fact_counts.csv")
        if (row["relation"], row["split"]) == ("P36", "train")
    )
    assert (lost["several_answers"], lost["test_subject_overlap"]) == ("1", "1")


def test_no_exemplar_is_about_what_is_asked(run):
    requests = rows(run / "base/slick/requests.jsonl")
    requests += [
        one
        for one in rows(run / "base/closed_book/few_shot+plain.jsonl")
        if one["purpose"] == "closed_book"
    ]
    for request in requests:
        *shown, asked = re.findall(r"^Q: (.*)$", request["prompt"], flags=re.MULTILINE)
        assert len(shown) == 4 and asked not in shown
        subjects = [re.findall(r"\w+ia\b", text) for text in [*shown, asked]]
        assert subjects[-1] not in subjects[:-1]
    sets = Counter(request["question"] for request in requests if "exemplar_set" in request)
    assert min(sets.values()) < max(sets.values())  # some sets were left out


def test_the_categories_are_what_the_model_knows(run):
    kinds = {f"{name}ia": kind for name, kind in EVERYONE}
    facts = {one["id"]: one for one in rows(run / "facts/questions.jsonl")}
    found = defaultdict(set)
    for row in rows(run / "base/slick/annotations.jsonl"):
        fact = facts[row["id"]]
        kind = kinds[fact["subject"]] if fact["answers"] != ["Elsewhere"] else "never"
        found[kind].add(row["category"])
    assert found["high"] == {"HighlyKnown"} and found["never"] == {"Unknown"}
    assert "MaybeKnown" in found["maybe"] and found["weak"] <= {"WeaklyKnown", "Unknown"}


def test_nothing_trained_on_is_asked_in_the_test(run):
    tested = {
        one["question"] for one in rows(run / "facts/questions.jsonl") if one["split"] == "test"
    }
    mixes = sorted((run / "base/seed-1").glob("mix.*"))
    assert len(mixes) == MIXES
    for mix in mixes:
        examples = rows(mix / "examples.jsonl")
        composition = json.loads((mix / "composition.json").read_text())
        assert set(composition["counted"]["relation_sizes"]) == set(IN_DOMAIN)
        assert len(examples) == composition["rows"] > 0
        assert not [one for one in examples if one["prompt"].splitlines()[1] in tested]
        probes = Counter((one["part"], one["domain"]) for one in rows(mix / "probes.jsonl"))
        assert probes == {
            ("train", "id"): len(examples),
            ("dev", "id"): 12 * SIZES["dev"],
            ("test", "id"): 12 * SIZES["test"],
            ("test", "ood"): 7 * SIZES["test"],
        }
    table = csv_rows(run / "tables/contamination.csv")
    assert len(table) == len(mixes) and not any(float(row["percent"]) for row in table)


def test_every_checkpoint_is_evaluated_on_every_test_question(run):
    metrics = [row for row in csv_rows(run / "tables/metrics.csv") if row["metric"] == "em"]
    names = {row["checkpoint"] for row in metrics}
    assert len(names) == 1 + 2 * MIXES
    n = {
        (row["domain"], row["checkpoint"]): row["n"] for row in metrics if row["category"] == "All"
    }
    assert n == {
        (domain, name): str(relations * SIZES["test"])
        for domain, relations in (("id", 12), ("ood", 7))
        for name in names
    }
    base = {
        row["category"]: float(row["value"])
        for row in metrics
        if (row["checkpoint"], row["task"]) == ("base", "closed_book")
    }
    # Other examples are shown than to the probe, so that what it calls known may be missed.
    assert 0.9 < base["HighlyKnown"] < 1 and base["Unknown"] == 0


def test_the_report_shows_the_run(run):
    page = (run / "report/index.html").read_text(encoding="utf-8")
    assert "mix.unknown-50" in page or "unknown-50" in page
    fits = csv_rows(run / "tables/fit_curves.csv")
    assert {(row["part"], row["domain"]) for row in fits} >= {("train", "id"), ("test", "ood")}
