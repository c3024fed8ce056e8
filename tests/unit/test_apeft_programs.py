"""APEFT's programs, from instructions to training files, on made-up answers and real verdicts."""

from types import SimpleNamespace

import pytest
from flame_data import answered, instruction
from plumbline.methods.apeft.answers import Answered
from plumbline.methods.apeft.questions import AtomicQuestion
from plumbline.records import Category, Pair, Question, Request
from plumbline.storage.files import InputError, read_json, read_rows, write_rows
from plumbline.training.sets import Composition
from programs import csv_rows, listed, program
from slick_data import annotation

CAPITALS = {"Norway": "Oslo", "Chile": "Santiago", "Kenya": "Nairobi", "Peru": "Lima"}
QUESTIONS = [
    Question(
        id=f"country_capital/{name}", relation="country_capital", subject=name,
        question=f"What is the capital of {name}?", answers=[city], split="train", domain="id",
    )
    for name, city in CAPITALS.items()
]  # fmt: skip
# What the model says of a country, right or wrong, and answers to the question about it.
SAYS = {
    "Norway": ("The capital of Norway is Oslo.", "The capital of Norway is Lima."),
    "Chile": ("The capital of Chile is Santiago.", "It is a land. It has"),
    "Kenya": ("The capital of Kenya is Nairobi.", "The capital of Kenya is Oslo."),
    "Peru": ("The capital of Peru is Lima.", "The capital of Peru is Oslo."),
}
ANSWERS = {
    "Norway": ("Oslo", "oslo.", "Lima", "no idea"),  # k = 2, contradicted
    "Chile": ("Lima", "Oslo", "Lima", "Nairobi"),  # k = 0
    "Kenya": ("Nairobi",) * 4,  # k = S
    "Peru": ("Lima", "Nairobi", "Oslo", "Nairobi"),  # k = 1, contradicted
}


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Everything up to the verified answers, as files by name; `build` makes a training file."""

    def path(name, rows=None):
        if rows is not None:
            write_rows(tmp_path / name, rows)
        return tmp_path / name

    def run(name, /, **arguments):
        program(monkeypatch, name, **arguments)

    def verify(name):
        run("verify_claims", claims=path(f"{name}.claims"), facts=path("facts"),
            verifier='{"kind": "table"}', store=path("store"),
            verdicts=path(f"{name}.verdicts"))  # fmt: skip

    path("facts", QUESTIONS)
    path("instructions", [instruction(name, topic=name) for name in SAYS])
    run("write_responses", instructions=path("instructions"), form="plain", samples=2,
        temperature=1, top_p=1, max_tokens=64, requests=path("requests"))  # fmt: skip
    generations = []
    for request in read_rows(path("requests"), Request):
        first, second = answered(request, *SAYS[request.instruction])
        cut = {"finish": "stop" if second.text.endswith(".") else "length"}
        generations += [first, second.model_copy(update=cut)]
    run("collect_responses", instructions=path("instructions"), requests=path("requests"),
        generations=path("generations", generations), whole_sentences=True, stage="apeft",
        name="base/apeft", responses=path("responses"),
        dropped=path("responses.dropped"))  # fmt: skip
    run("split_claims", responses=path("responses"), claims=path("r.claims"),
        splittings=path("splittings"))  # fmt: skip
    verify("r")
    run("write_apeft_answers", claims=path("r.claims"), verdicts=path("r.verdicts"),
        facts=path("facts"), samples=4, temperature=1, name="base/apeft",
        questions=path("questions"), requests=path("answer.requests"),
        dropped=path("questions.dropped"))  # fmt: skip
    topics = {one.id: one.topic for one in read_rows(path("questions"), AtomicQuestion)}
    sampled = [
        one
        for request in read_rows(path("answer.requests"), Request)
        for one in answered(request, *ANSWERS[topics[request.claim]])
    ]
    run("collect_apeft_answers", questions=path("questions"), requests=path("answer.requests"),
        generations=path("answer.generations", sampled), name="base/apeft",
        claims=path("a.claims"), dropped=path("answers.dropped"))  # fmt: skip
    verify("a")

    def build(percent, **more):
        size = {} if "size" in more else {"percents": [0, 50, 100]}
        run("build_apeft_pairs", name=f"apeft.atomic-{percent}", responses=path("responses"),
            verdicts=path("r.verdicts"), questions=path("questions"), answers=path("a.claims"),
            answer_verdicts=path("a.verdicts"), samples=4, form="plain", max_length_gap=2,
            percent=percent, seed=1, pairs=path("pairs"),
            composition=path(f"composition-{percent}"), **size, **more)  # fmt: skip
        return list(read_rows(path("pairs"), Pair)), Composition.read(
            path(f"composition-{percent}")
        )

    return SimpleNamespace(path=path, run=run, build=build)


def test_from_responses_to_questions_and_answers(made):
    questions = list(read_rows(made.path("questions"), AtomicQuestion))
    assert [(one.topic, one.question) for one in questions] == [
        (name, f"What is the capital of {name}?") for name in SAYS
    ]
    dropped = read_json(made.path("questions.dropped"))
    assert dropped["kept"] == 4 and dropped["dropped"] == [
        {"stage": "apeft", "item": "facts to ask about", "reason": reason, "n": n}
        for reason, n in (("asked before", 3), ("no fact recognised", 1))
    ]
    (request,) = [
        one
        for one in read_rows(made.path("answer.requests"), Request)
        if one.prompt.endswith("Q: What is the capital of Peru?\nA:")
    ]
    assert (request.sampling.n, request.sampling.temperature) == (4, 1)
    stated = {one.text: one.n for one in read_rows(made.path("a.claims"), Answered)}
    assert stated["The capital of Norway is Oslo."] == 2
    assert stated["The capital of Peru is Nairobi."] == 2


def test_training_files_of_every_share_have_one_size(made):
    pairs, composition = made.build(0)
    assert [pair.source for pair in pairs] == ["general"] * 2
    pairs, composition = made.build(100)
    assert {(pair.chosen, pair.rejected) for pair in pairs} == {
        ("The capital of Norway is Oslo.", "The capital of Norway is Lima."),
        ("The capital of Peru is Lima.", "The capital of Peru is Nairobi."),
    }
    assert composition.counted["right"] == {"0": 1, "1": 1, "2": 1, "3": 0, "4": 1}
    assert composition.counted["available"] == {"atomic": 2, "general": 4}
    assert composition.parts == {"atomic": 2, "general": 0} and composition.rows == 2
    reasons = {(row["item"], row["reason"]): row["n"] for row in composition.dropped}
    assert reasons == {
        ("atomic pairs", "unknown: no answer right"): 1,
        ("atomic pairs", "known: every answer right"): 1,
        ("general pairs", "not needed for the mix"): 4,
    }
    pairs, _ = made.build(50, size=3)
    assert sorted(pair.source for pair in pairs) == ["atomic", "atomic", "general"]
    with pytest.raises(InputError, match="50 % atomic of 8 pairs needs 4 atomic pairs, but there"):
        made.build(50, size=8)


def test_the_filter_comes_before_the_mix(made):
    annotations = [
        annotation(one, Category.UNKNOWN if one.subject == "Peru" else Category.MAYBE_KNOWN)
        for one in QUESTIONS
    ]
    options = {
        "annotated_questions": made.path("facts"),
        "annotations": made.path("annotations", annotations),
        "keep_unknown": 0,
    }
    pairs, composition = made.build(50, **options)
    # One atomic pair is left, so that every file has one pair; its share is rounded up.
    assert [pair.chosen for pair in pairs] == ["The capital of Norway is Oslo."]
    assert composition.counted["available"] == {"atomic": 1, "general": 3}
    assert composition.counted["knowledge"]["atomic"]["unknown_dropped"] == 1
    assert {"stage": "apeft", "item": "general pairs", "reason": "Unknown to the base", "n": 1} in (
        composition.dropped
    )


def test_all_counts_reach_the_table(made):
    made.build(0), made.build(100)
    rows = [
        {"model": "m", "seed": 1, "set": f"apeft.atomic-{percent}",
         "composition": str(made.path(f"composition-{percent}")),
         "questions": str(made.path("questions.dropped"))}
        for percent in (0, 100)
    ]  # fmt: skip
    made.run("tabulate_apeft", rows=listed(made.path("."), rows), table=made.path("table.csv"))
    found = {
        (row["set"][13:], row["item"], row["state"]): int(row["n"])
        for row in csv_rows(made.path("table.csv"))
    }
    assert found["0", "pairs", "atomic"] == 0 and found["100", "pairs", "atomic"] == 2
    assert found["0", "right answers", "1"] == found["100", "right answers", "1"] == 1
    assert found["0", "facts", "asked about"] == 4 and found["0", "facts", "asked before"] == 3
    assert found["100", "general pairs", "not needed for the mix"] == 4


def test_questions_by_a_model_go_through_the_same_program(made):
    made.run("write_apeft_questions", claims=made.path("r.claims"),
             requests=made.path("q.requests"))  # fmt: skip
    requests = list(read_rows(made.path("q.requests"), Request))
    said = " What is the capital of Norway?\nAnswer: Oslo"
    generations = [
        one for request in requests
        for one in answered(request, said if "Norway is Oslo" in request.prompt else "")
    ]  # fmt: skip
    options = dict(claims=made.path("r.claims"), verdicts=made.path("r.verdicts"), samples=4,
                   temperature=1, name="n", questions=made.path("q"), requests=made.path("r"),
                   dropped=made.path("d"))  # fmt: skip
    made.run("write_apeft_answers", question_requests=made.path("q.requests"), **options,
             question_generations=made.path("q.generations", generations))  # fmt: skip
    (question,) = read_rows(made.path("q"), AtomicQuestion)
    assert question.statement == "The capital of Norway is {answer}."
    assert (question.asked.relation, question.asked.subject) == ("country_capital", "Norway")
    with pytest.raises(InputError, match="give --facts"):
        made.run("write_apeft_answers", **options)
