import re

import numpy as np
import pytest
from plumbline.evaluation.exact_answers import (
    TASKS,
    Answer,
    closed_book_request,
    judge,
    majority_answers,
)
from plumbline.evaluation.gains import gains
from plumbline.evaluation.grid import Gatherer
from plumbline.evaluation.items import item_metrics
from plumbline.methods.slick.config import Slick
from plumbline.methods.slick.probing import draw_exemplar_sets
from plumbline.records import Generation, Message, Request, Sampling
from plumbline.storage.files import InputError, read_rows, write_rows
from programs import program
from slick_data import question

SAMPLING = Sampling(max_tokens=8, stop=("\n",))


def answer(number, correct, domain="id", category="Unknown", task="closed_book", **changes):
    return Answer(
        id=f"{domain}/{number}/{task}", task=task, question=f"{domain}/{number}",
        relation="capital", cluster=f"s{number}", domain=domain, category=category, output="x",
        abstained=False, metrics={"em": float(correct), **changes},
    )  # fmt: skip


def metrics(answers, base, checkpoint="mix.unknown-50.convergence"):
    rows = item_metrics(
        [answers], base, model="m", seed=1, checkpoint=checkpoint, parent="base", confidence=0.95
    )
    return {(row.domain, row.category, row.metric): row for row in rows}


def generation(request, text):
    return Generation(
        request=request, purpose="closed_book", index=0, text=text, token_ids=[], finish="stop"
    )


def test_judging():
    questions = [question("capital", n, "test") for n in range(3)]
    about = {
        "categories": {one.id: "MaybeKnown" for one in questions},
        "commonest": {"capital": "capital answer 1"},
    }
    asked = [
        closed_book_request(one, "closed_book_plain", f"{one.question}\n", SAMPLING)
        for one in questions
    ]
    thought = "<think>I don't know</think>\n\nThe Capital answer 0.\n"
    texts = [thought, "I don't know", "<think>\ncapital answer 2"]
    given = [generation(r.id, t) for r, t in zip(asked, texts, strict=True)]
    found = judge(questions, asked, given, "squad", **about)
    assert [one.question for one in found] == [one.id for one in questions]
    assert [one.id for one in found] == [f"capital/test/{n}/closed_book_plain" for n in range(3)]
    assert {one.task for one in found} == {"closed_book_plain"}
    assert [one.correct for one in found] == [True, False, False]
    assert [one.abstained for one in found] == [False, True, False]
    assert [one.unfinished_thought for one in found] == [False, False, True]
    assert found[2].output == ""
    assert [one.metrics for one in found] == [
        {"em": 1, "majority_em": 0, "answered": 1, "em_answered": 1},
        {"em": 0, "majority_em": 1, "answered": 0},
        {"em": 0, "majority_em": 0, "answered": 1, "em_answered": 0},
    ]
    assert {one.category for one in found} == {"MaybeKnown"}
    assert [one.cluster for one in found] == [one.subject for one in questions]
    with pytest.raises(InputError, match="capital/test/2/closed_book_plain: 0 answers of 1"):
        judge(questions, asked, given[:2], "raw", **about)


def test_without_abstentions_and_categories_there_is_exact_match_alone():
    one = question("capital", 0, "test")
    asked = [closed_book_request(one, "closed_book", "Q\n", SAMPLING)]
    given = [generation(asked[0].id, "x")]
    (found,) = judge([one], asked, given, "squad", categories={}, commonest=None)
    assert found.metrics == {"em": 0} and found.category == "All"


def test_requests_are_text_or_messages():
    one = question("capital", 0, "test")
    plain = closed_book_request(one, "closed_book_plain", "Q\n", SAMPLING)
    assert (plain.prompt, plain.messages, plain.question) == ("Q\n", None, one.id)
    chat = closed_book_request(
        one, "closed_book_chat", [Message(role="user", content="Q")], SAMPLING
    )
    assert (chat.prompt, chat.messages[0].content) == (None, "Q")


def test_the_majority_answer_is_of_train_or_else_of_dev_and_never_of_test():
    questions = [
        *(question("a", n, answers=[x]) for n, x in enumerate(["rare", "often", "often"])),
        *(question("a", n, "dev", answers=["dev only"]) for n in range(5)),
        *(question("b", n, "dev", "ood", answers=["of dev"]) for n in range(2)),
        *(question("b", n, "test", "ood", answers=["of test"]) for n in range(9)),
        question("c", 0, "test", "ood", answers=["of test"]),
        question("d", 0, answers=["zebra"]), question("d", 1, answers=["ant"]),
    ]  # fmt: skip
    assert majority_answers(questions) == {"a": "often", "b": "of dev", "c": "", "d": "ant"}


def test_the_table_of_a_tuned_checkpoint_counted_by_hand():
    base = [answer(n, n < 2) for n in range(4)]
    base += [answer(n, True, category="MaybeKnown") for n in range(4, 6)]
    base += [answer(0, False, domain="ood")]
    tuned = [answer(n, n < 1) for n in range(4)]
    tuned += [answer(n, n == 4, category="MaybeKnown") for n in range(4, 6)]
    tuned += [answer(0, True, domain="ood")]
    found = metrics(tuned, base)
    assert {key: (row.value, row.n) for key, row in found.items()} == {
        ("id", "All", "em"): (2 / 6, 6),
        ("id", "All", "em_vs_base"): (pytest.approx(-2 / 6), 6),
        ("id", "Unknown", "em"): (1 / 4, 4),
        ("id", "Unknown", "em_vs_base"): (-1 / 4, 4),
        ("id", "MaybeKnown", "em"): (1 / 2, 2),
        ("id", "MaybeKnown", "em_vs_base"): (-1 / 2, 2),
        ("ood", "All", "em"): (1, 1),
        ("ood", "All", "em_vs_base"): (1, 1),
        ("ood", "Unknown", "em"): (1, 1),
        ("ood", "Unknown", "em_vs_base"): (1, 1),
    }
    for row in found.values():
        assert row.low is None or row.low <= row.value <= row.high
        assert (row.model, row.seed, row.task, row.split) == ("m", 1, "closed_book", "test")


def test_only_answers_in_the_same_form_are_compared():
    """A base that answers in a word only after examples loses nothing to a mix that never needs any."""
    few_shot, plain = ([answer(n, right, task=task) for n, right in enumerate(given)]
                       for task, given in (("closed_book", (1, 1, 0, 0)),
                                           ("closed_book_plain", (0, 0, 0, 0))))  # fmt: skip
    tuned = [answer(n, n < 1) for n in range(4)]
    tuned += [answer(n, n < 3, task="closed_book_plain") for n in range(4)]
    rows = item_metrics(
        [tuned], few_shot + plain, model="m", seed=1, checkpoint="mix.x", parent="base",
        confidence=0.95,
    )  # fmt: skip
    found = {(row.task, row.metric): row.value for row in rows if row.category == "All"}
    assert found == {
        ("closed_book", "em"): 1 / 4,
        ("closed_book", "em_vs_base"): -1 / 4,
        ("closed_book_plain", "em"): 3 / 4,
        ("closed_book_plain", "em_vs_base"): 3 / 4,
    }
    gatherer = Gatherer()
    gatherer.add("mix.x", 1, tuned)
    gatherer.add("base", 0, few_shot + plain)
    grids = gatherer.grids(None, [])
    differences = {
        place.task: np.subtract(*grid.pair("mix.x", "base")).mean() for place, grid in grids.items()
    }
    assert differences == {"closed_book": -1 / 4, "closed_book_plain": 3 / 4}
    # Which form is learnt is no gain in truth.
    (gain,) = gains(grids, [("mix.x", "base")]).values()
    found = gain.figures([0], 0.95)
    assert (found["tasks"], found["value"]) == ("closed_book", -1 / 4)


def test_the_program_asks_in_every_form_after_exemplars_that_the_probe_did_not_show(
    tmp_path, monkeypatch
):
    everything = [
        question("capital", n, split) for split, m in (("dev", 12), ("test", 3)) for n in range(m)
    ]
    settings = Slick(exemplar_sets=2, shots=3, max_tokens=8)
    sets = draw_exemplar_sets(everything, settings)
    files = {name: tmp_path / f"{name}.jsonl" for name in ("all", "asked", "labelling")}
    write_rows(files["all"], everything)
    write_rows(files["asked"], [one for one in everything if one.split == "test"])
    write_rows(files["labelling"], sets)
    program(
        monkeypatch, "write_closed_book", all_questions=files["all"], questions=files["asked"],
        labelling=files["labelling"], slick=settings.model_dump_json(),
        name="closed_book", forms=["few_shot+plain+chat", "few_shot"], limit=2,
        exemplars=tmp_path / "exemplars.jsonl",
        requests=[tmp_path / "requests.jsonl", tmp_path / "few_shot.jsonl"],
    )  # fmt: skip
    requests = list(read_rows(tmp_path / "requests.jsonl", Request))
    assert [one.purpose for one in requests] == [task for task in TASKS.values() for _ in range(2)]
    assert len({one.id for one in requests}) == 6 and len({one.question for one in requests}) == 2
    assert list(read_rows(tmp_path / "few_shot.jsonl", Request)) == requests[:2]
    few_shot, plain, chat = requests[::2]
    asked = next(one.question for one in everything if one.id == few_shot.question)
    shown = set(re.findall("Q: (.*)", few_shot.prompt)) - {asked}
    labelled = {q for one in sets for q in re.findall("Q: (.*)", one.prefix)}
    assert len(shown) == 3 and not shown & labelled
    assert plain.prompt == f"Answer the following question.\n{asked}\n"
    assert chat.messages == [Message(role="user", content=asked)] and chat.sampling.stop == ()


def test_answers_are_paired_by_question_and_not_by_place():
    base = [answer(n, n < 2) for n in range(4)]
    row = metrics(base[::-1], base)["id", "All", "em_vs_base"]
    assert (row.value, row.n) == (0, 4)


def test_the_base_has_the_majority_baseline_and_no_difference_to_itself():
    base = [answer(n, n == 0, majority_em=float(n < 3)) for n in range(4)]
    found = metrics(base, base, checkpoint="base")
    assert {key: row.value for key, row in found.items()} == {
        (domain, category, metric): value
        for domain, category in [("id", "All"), ("id", "Unknown")]
        for metric, value in [("em", 0.25), ("majority_em", 0.75)]
    }


def test_abstaining_is_told_by_category():
    base = [answer(n, n < 2) for n in range(5)]
    tuned = [
        answer(n, n < 2, answered=0.0) if n in (2, 3)
        else answer(n, n < 2, answered=1.0, em_answered=float(n < 2))
        for n in range(5)
    ]  # fmt: skip
    tuned += [answer(9, False, category="WeaklyKnown", answered=0.0)]
    found = metrics(tuned, [*base, answer(9, True, category="WeaklyKnown")])
    assert found["id", "All", "answered"].value == pytest.approx(3 / 6)
    assert found["id", "Unknown", "answered"].value == pytest.approx(3 / 5)
    answered = found["id", "All", "em_answered"]
    assert (answered.value, answered.n) == (pytest.approx(2 / 3), 3)
    assert found["id", "All", "em"].value == pytest.approx(2 / 6)
    assert found["id", "WeaklyKnown", "answered"].value == 0
    assert ("id", "WeaklyKnown", "em_answered") not in found  # nothing was answered
    assert not any(key[2].endswith("answered") for key in metrics(base, base))
