"""Made-up inputs of FLAME's programs, and the two programs that build training files."""

from flame_data import answered
from plumbline.claims.records import Verdict
from plumbline.data.instruction_sets import Prompt
from plumbline.records import Category, Example, Pair, Question
from plumbline.responses.decisions import FactBased
from plumbline.storage.files import read_unique_rows
from plumbline.training.sets import Composition
from programs import program
from slick_data import annotation


def question(relation, subject, answer, split="test", domain="id"):
    return Question(
        id=f"{relation}/{subject}", relation=relation, subject=subject, question="What?",
        answers=[answer], split=split, domain=domain,
    )  # fmt: skip


CAPITALS = {"Norway": "Oslo", "Chile": "Santiago", "Kenya": "Nairobi", "Peru": "Lima"}
FACTS = [
    *(question("country_capital", name, city) for name, city in CAPITALS.items()),
    question("country_capital", "Egypt", "Cairo", split="train"),
    question("person_profession", "Ada Lovelace", "mathematician"),
    question("person_country", "Ada Lovelace", "England"),
    question("country_continent", "Egypt", "Africa", domain="ood"),
    question("deity_mythology", "Njord", "Norse mythology", domain="ood"),
]


def decision(name, fact_based, **more):
    return FactBased(id=name, fact_based=fact_based, probability=float(fact_based), **more)


def generated(requests, texts):
    """Generations of all requests; texts by request id, one or a list of several each."""
    found = []
    for request in requests:
        said = texts[request.id]
        found += answered(request, *([said] if isinstance(said, str) else said))
    return found


ASKED = [
    Prompt(id="a", instruction="Who was Ada?", source="t", fact_based=True, responses=["A queen."]),
    Prompt(id="b", instruction="Sing a song.", source="t", fact_based=False, responses=["La."]),
    Prompt(id="c", instruction="Where is Peru?", source="t", responses=["In the Andes.", "South."]),
    Prompt(id="d", instruction="Add 2 and 3.", source="t", fact_based=False),
]
DECISIONS = [decision("a", True), decision("b", False), decision("c", True), decision("d", False)]


def build_sft(files, monkeypatch, name, decided=True, **more):
    if decided:
        more["decisions"] = files("decisions.jsonl")
    program(
        monkeypatch, "build_flame_sft", name=f"flame.{name}", set=name,
        instructions=files("instructions.jsonl"), form="plain", seed=4, passes=1,
        examples=files("examples.jsonl"), composition=files("composition.json"), **more,
    )  # fmt: skip
    examples = read_unique_rows(files("examples.jsonl"), Example)
    found = {one.instruction: (one.completion, one.response_from) for one in examples}
    return found, Composition.read(files("composition.json"))


def knowing(files, subject, answer, percent=0):
    """The knowledge filter's options where one fact is Unknown."""
    asked = question("country_capital", subject, answer, split="train")
    return {
        "annotated_questions": files("asked.jsonl", [asked]),
        "annotations": files("annotations.jsonl", [annotation(asked, Category.UNKNOWN)]),
        "keep_unknown": percent,
    }


def verified(name, *verdicts):
    words = {"s": "supported", "r": "refuted", "u": "unverifiable"}
    return [
        Verdict(claim=f"{name}.{i}", response=name, verdict=words[one], verifier="table")
        for i, one in enumerate(verdicts)
    ]


def build_pairs(
    files, monkeypatch, name="dpo-star", steps=3, min_pairs=1, max_repeats=9, **factual
):
    factual = factual or {"verdicts": files("verdicts.jsonl")}
    program(
        monkeypatch, "build_flame_pairs", name=f"flame.sft.{name}", set=name,
        responses=files("responses.jsonl"), helpful=files("helpful.jsonl"),
        calibration=files("calibration.json"), splittings=files("splittings.jsonl"),
        decisions=files("decisions.jsonl"), batch=2, steps=steps, seed=1, form="plain",
        min_pairs=min_pairs, max_repeats=max_repeats, pairs=files("pairs.jsonl"),
        composition=files("composition.json"), **factual,
    )  # fmt: skip
    return read_unique_rows(files("pairs.jsonl"), Pair), Composition.read(files("composition.json"))
