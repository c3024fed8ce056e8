"""No stage holds what it is given millions of: seen on as many rows as make no difference."""

from collections.abc import Iterator

import pytest
from in_flight import InFlight
from plumbline.evaluation.exact_answers import judge
from plumbline.evaluation.grid import Gatherer
from plumbline.generation import serve
from plumbline.generation.answered import answered
from plumbline.generation.engine import Completion, Engine
from plumbline.generation.serve import Server
from plumbline.generation.store import Store
from plumbline.methods.slick.annotation import annotate
from plumbline.methods.slick.config import Slick
from plumbline.methods.slick.fitting import MixRun
from plumbline.methods.slick.probing import draw_exemplar_sets, requests
from plumbline.records import Fit, Generation, Item, Probe, Question, Request
from plumbline.storage.files import DifferentRuns, InputError, write_json, write_rows
from plumbline.training.sets import Composition
from tiny import Bytes

MANY, FEW = 600, 40
SETTINGS = Slick(exemplar_sets=3, shots=2, samples=4)


def question(number: int, split: str = "train") -> Question:
    name = f"{split}/{number}"
    return Question(id=name, relation="capital", subject=f"Land {name}", question=f"Of {name}?",
                    answers=["Rome"], split=split, domain="id")  # fmt: skip


ASKED = [question(number) for number in range(MANY // 6)]
SETS = draw_exemplar_sets([question(number, "dev") for number in range(12)], SETTINGS)


def probing() -> Iterator[Request]:
    return requests(ASKED, SETS, SETTINGS)


def generation(request: Request, index: int = 0, text: str = "Rome") -> Generation:
    return Generation(request=request.id, purpose=request.purpose, index=index, text=text,
                      token_ids=[1], finish="stop")  # fmt: skip


def generations(asked: Iterator[Request]) -> Iterator[Generation]:
    for request in asked:
        for index in range(request.sampling.n):
            yield generation(request, index)


def test_probing_requests_are_made_as_they_are_written(tmp_path):
    seen = InFlight()
    assert write_rows(tmp_path / "requests.jsonl", seen.through(probing())) == MANY
    assert seen.most < FEW


def test_annotating_holds_neither_requests_nor_generations():
    asked, given = InFlight(), InFlight()
    found = annotate(ASKED, asked.through(probing()), given.through(generations(probing())))
    assert {one.category for one in found} == {"HighlyKnown"}
    assert (asked.given, given.given) == (MANY, MANY // 2 * (1 + SETTINGS.samples))
    assert asked.most < FEW and given.most < FEW


def test_judging_holds_neither_requests_nor_generations():
    greedy = lambda: (one for one in probing() if one.sampling.n == 1)  # noqa: E731
    asked, given = InFlight(), InFlight()
    found = judge(
        ASKED, asked.through(greedy()), given.through(generations(greedy())), "squad",
        categories={}, commonest=None,
    )  # fmt: skip
    assert len(found) == MANY // 2 and all(one.correct for one in found)
    assert asked.most < FEW and given.most < FEW


def test_generations_that_do_not_follow_the_requests_are_refused():
    first, second = asked = list(probing())[:3:2]
    pairs = list(answered(asked, [generation(first), generation(second)]))
    assert [request.id for request, _ in pairs] == [first.id, second.id]
    with pytest.raises(DifferentRuns, match="not among the requests, or not in their order"):
        list(answered(asked, [generation(second), generation(first)]))
    with pytest.raises(InputError, match=f"request {first.id}: 0 answers of 1; generate again"):
        list(answered(asked, [generation(second)]))
    with pytest.raises(InputError, match=f"request {second.id}: 2 answers of 1"):
        list(answered(asked, [generation(first), generation(second), generation(second, 1)]))


class Requests:
    """Probing requests that are made anew each time they are gone through."""

    def __init__(self, seen: InFlight):
        self.seen = seen

    def __iter__(self) -> Iterator[Request]:
        return self.seen.through(probing())


class Parrot(Engine):
    """Holds one prompt at a time."""

    def stream(self, prompts):
        for name, prompt in prompts:
            yield name, [Completion("Rome", [1], "stop")] * prompt.sampling.n


class Noting(Bytes):
    """A tokenizer that notes what it is given."""

    def __init__(self):
        self.read = []

    def __call__(self, text):
        self.read += text
        return super().__call__(text)


def test_generating_holds_a_window_of_requests(tmp_path, monkeypatch):
    monkeypatch.setattr(serve, "WINDOW", FEW // 4)
    asked, given, tokenizer = InFlight(), InFlight(), Noting()
    server = Server(Store(tmp_path), tokenizer, Parrot, max_model_len=2048)
    served = server.serve(Requests(asked))
    assert write_rows(tmp_path / "out", given.through(served)) == len(served)
    assert given.given == MANY // 2 * (1 + SETTINGS.samples)
    assert asked.most < FEW and given.most < FEW
    # Greedy and sampled prompts are one text, read once when keys are made and once for the engine.
    assert len(tokenizer.read) == MANY and len(set(tokenizer.read)) == MANY // 2


def test_ids_of_a_share_are_held_while_it_is_first_gone_through(tmp_path, monkeypatch):
    write_rows(tmp_path / "requests.jsonl", probing())
    share = serve.Share(tmp_path / "requests.jsonl", 0, 1)
    first = [one.id for one in share]
    monkeypatch.setattr(serve, "each_once", None)
    assert [one.id for one in share] == first and len(first) == MANY
    twice = tmp_path / "twice.jsonl"
    twice.write_text((tmp_path / "requests.jsonl").read_text().splitlines(True)[0] * 2)
    monkeypatch.undo()
    with pytest.raises(InputError, match="rows 1 and 2 have the same id"):
        list(serve.Share(twice, 0, 1))


def test_the_scores_of_many_checkpoints_are_held_in_columns():
    def items(right: int) -> Iterator[Item]:
        for number in range(MANY):
            metrics = {"em": float(number < right)} | ({"answered": 1.0} if number % 2 else {})
            yield Item(id=f"q{number}", task="closed_book", domain="id", cluster=f"s{number}",
                       metrics=metrics)  # fmt: skip

    gatherer, seen = Gatherer(), InFlight()
    for seed in range(3):
        gatherer.add("mix", seed, seen.through(items(100 * seed)))
    assert (seen.given, seen.now) == (3 * MANY, 0)
    [grid] = gatherer.grids(None, []).values()
    assert [column.sum() for column in grid.measured["em"]["mix"].values()] == [0, 100, 200]
    of_odd = grid.measured["answered"]["mix"][1]
    assert of_odd[grid.ids.index("q3")] == 1 and of_odd[grid.ids.index("q4")] != of_odd[0]
    assert {grid.clusters[grid.ids.index(f"q{n}")] for n in (7, 500)} == {"s7", "s500"}


def test_what_is_right_after_every_epoch_of_every_mix_is_one_id(tmp_path):
    names = [f"train/{number}" for number in range(30)]
    write_rows(
        tmp_path / "probes.jsonl",
        (Probe(id=name, prompt="?", answers=["!"], part="train", domain="id", category="Unknown")
         for name in names),
    )  # fmt: skip
    write_rows(
        tmp_path / "fit.jsonl",
        (Fit(epoch=epoch, part="train", domain="id", category="Unknown", right=names, n=30)
         for epoch in range(4)),
    )  # fmt: skip
    write_json(tmp_path / "training.json", {"stops": {"early_stop": {"epoch": 2}}})
    Composition(name="x", rows=30, parts={}, counted={}, dropped=[]).write(
        tmp_path / "composition.json"
    )
    about = {"model": "m", "seed": 1, "tuning": "mix.x", "parent": "base"}
    runs = [MixRun.read(tmp_path, **about) for _ in range(2)]
    held = {id(name) for run in runs for fit in run.fits for name in fit.right}
    assert held == {id(probe.id) for run in runs for probe in run.probes} and len(held) == 30
    assert runs[0].right.all() and runs[0].stops == {"early_stop": 2}
