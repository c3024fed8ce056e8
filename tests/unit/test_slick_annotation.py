import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plumbline.generation.engine import Completion, Engine
from plumbline.generation.serve import Server
from plumbline.methods.slick.annotation import annotate, slick_category
from plumbline.methods.slick.config import Slick
from plumbline.methods.slick.probing import GREEDY, SAMPLED, draw_exemplar_sets, requests
from plumbline.records import Category, Generation
from plumbline.storage.files import InputError
from slick_data import question
from tiny import Bytes

DATA = [
    question("capital", number, split)
    for split, count in (("train", 12), ("dev", 9), ("test", 4))
    for number in range(count)
]


@pytest.mark.parametrize(
    ("p_greedy", "p_sampled", "expected"),
    [
        (1.0, 1.0, "HighlyKnown"),
        (1.0, 0.0, "HighlyKnown"),  # samples do not matter where a greedy answer is right
        (0.9, 0.0, "MaybeKnown"),
        (0.1, 1.0, "MaybeKnown"),
        (0.0, 1.0, "WeaklyKnown"),
        (0.0, 1 / 160, "WeaklyKnown"),
        (0.0, 0.0, "Unknown"),
    ],
)
def test_the_papers_table_of_categories(p_greedy, p_sampled, expected):
    assert slick_category(p_greedy, p_sampled) == expected


@given(st.floats(0, 1), st.floats(0, 1))
def test_every_question_has_exactly_one_category(p_greedy, p_sampled):
    rules = {
        Category.HIGHLY_KNOWN: p_greedy == 1,
        Category.MAYBE_KNOWN: 0 < p_greedy < 1,
        Category.WEAKLY_KNOWN: p_greedy == 0 and p_sampled > 0,
        Category.UNKNOWN: p_greedy == 0 and p_sampled == 0,
    }
    assert [category for category, holds in rules.items() if holds] == [
        slick_category(p_greedy, p_sampled)
    ]


class Scripted(Engine):
    """An engine that answers each (prompt, sampling) from a table fixed by a seed.

    Each question has its own chance of a right answer, so that all categories occur.
    """

    def __init__(self, seed: int):
        self.seed = seed
        self.asked = []

    def stream(self, prompts):
        for name, one in prompts:
            text = bytes(one.token_ids).decode()
            self.asked.append((text, one.sampling))
            yield name, [Completion(said, [1], "stop") for said in self.answers(text, one.sampling)]

    def answers(self, prompt, sampling):
        about = next(one for one in DATA if prompt.endswith(f"Q: {one.question}\nA:"))
        chance = random.Random(f"{self.seed} {about.id}").choice([0, 0.05, 0.2, 0.6, 1])
        table = random.Random(f"{self.seed} {prompt} {sampling}")
        scale = 1 if sampling.temperature == 0 else 0.7
        right = f" the {about.answers[0].upper()}."  # right only after normalisation
        return [
            right if table.random() < chance * scale else " something else"
            for _ in range(sampling.n)
        ]


def probe(folder, engine, **settings):
    """Requests and generations of the whole of DATA."""
    from plumbline.generation.store import Store

    settings = Slick(**{"exemplar_sets": 3, "shots": 2, "samples": 3, "max_tokens": 8, **settings})
    asked = list(requests(DATA, draw_exemplar_sets(DATA, settings), settings))
    server = Server(Store(folder), Bytes(), lambda: engine, max_model_len=4096)
    return asked, list(server.serve(asked))


@given(seed=st.integers(0, 10**6), samples=st.integers(1, 4), sets=st.integers(2, 4))
def test_both_modes_give_the_same_categories_and_the_lazy_one_draws_no_needless_sample(
    tmp_path_factory, seed, samples, sets
):
    folder, size = tmp_path_factory.mktemp("stores"), {"samples": samples, "exemplar_sets": sets}
    full_engine, lazy_engine = Scripted(seed), Scripted(seed)
    full_asked, full = probe(folder / "full", full_engine, mode="full", **size)
    lazy_asked, lazy = probe(folder / "lazy", lazy_engine, mode="categories", **size)
    by_full = {one.id: one for one in annotate(DATA, full_asked, full)}
    by_lazy = {one.id: one for one in annotate(DATA, lazy_asked, lazy)}
    assert [one.id for one in DATA] == list(by_full) == list(by_lazy)

    texts = {}
    for one in full:
        texts.setdefault(one.request, []).append("ANSWER" in one.text)
    drawn = Counter(one.request for one in lazy)
    for one in DATA:
        used = by_full[one.id].exemplar_sets
        greedy = [texts[f"{one.id}/{GREEDY}#{number}"][0] for number in used]
        sampled = [texts[f"{one.id}/{SAMPLED}#{number}"] for number in used]
        flat = [right for right_ones in sampled for right in right_ones]
        # The paper's definition, computed here from the engine's answers themselves.
        category = (
            "HighlyKnown"
            if all(greedy)
            else "MaybeKnown"
            if any(greedy)
            else "WeaklyKnown"
            if any(flat)
            else "Unknown"
        )
        assert by_full[one.id].category == by_lazy[one.id].category == category
        assert by_full[one.id].p_greedy == by_lazy[one.id].p_greedy == sum(greedy) / len(greedy)
        assert by_full[one.id].p_sampled == sum(flat) / len(flat)
        # Samples of a set are drawn exactly when nothing before them was right.
        settled, expected = any(greedy), 0
        for number, right_ones in zip(used, sampled, strict=True):
            due = 0 if settled else samples
            assert drawn[f"{one.id}/{SAMPLED}#{number}"] == due
            expected += due
            settled = settled or any(right_ones)
        assert by_lazy[one.id].sampled_total == expected
        known = expected == len(flat)
        assert by_lazy[one.id].p_sampled == (sum(flat) / len(flat) if known else None)
    asked_lazily = sum(sampling.n for _, sampling in lazy_engine.asked)
    assert len(lazy) == asked_lazily <= len(full)


def test_a_lazy_probe_can_be_completed_from_the_same_store(tmp_path):
    engine = Scripted(5)
    probe(tmp_path, engine, mode="categories")
    first = len(engine.asked)
    _, full = probe(tmp_path, engine, mode="full")
    assert len(engine.asked) == len(set(engine.asked)) > first
    assert len(full) == sum(sampling.n for _, sampling in engine.asked)


def answered(asked, pairs):
    """Generations (request id, text) in the order of the requests, numbered within each."""
    counts, order = Counter(), [one.id for one in asked]
    for request, text in sorted(pairs, key=lambda pair: [*order, pair[0]].index(pair[0])):
        yield Generation(
            request=request,
            purpose="x",
            index=counts[request],
            text=text,
            token_ids=[],
            finish="stop",
        )
        counts[request] += 1


def one_question():
    """A question's requests in mode full: two sets, two samples each."""
    settings = Slick(exemplar_sets=2, shots=2, samples=2)
    asked = list(requests([DATA[0]], draw_exemplar_sets(DATA, settings), settings))
    greedy = [(one.id, "wrong") for one in asked if one.purpose == GREEDY]
    sampled = [(one.id, "wrong") for one in asked if one.purpose == SAMPLED for _ in range(2)]
    return asked, greedy, sampled


def test_missing_answers_are_errors_only_where_the_category_hangs_on_them():
    asked, greedy, sampled = one_question()
    right = DATA[0].answers[0]
    whole = annotate(DATA[:1], asked, answered(asked, greedy + sampled))[0]
    assert (whole.category, whole.p_sampled, whole.sampled_total) == ("Unknown", 0.0, 4)
    with pytest.raises(InputError, match=r"capital/train/0: 1 of 2 greedy answers"):
        annotate(DATA[:1], asked, answered(asked, greedy[:1] + sampled))
    with pytest.raises(InputError, match="no right answer in 3 of 4 samples"):
        annotate(DATA[:1], asked, answered(asked, greedy + sampled[:3]))
    with pytest.raises(InputError, match="0 of 0 greedy"):
        annotate(DATA[:2], asked, answered(asked, greedy + sampled))
    settled = [(greedy[0][0], right), greedy[1]]
    found = annotate(DATA[:1], asked, answered(asked, settled))[0]
    assert (found.category, found.p_sampled, found.p_greedy) == ("MaybeKnown", None, 0.5)
    found = annotate(DATA[:1], asked, answered(asked, [*greedy, (sampled[0][0], right)]))[0]
    assert (found.category, found.p_sampled) == ("WeaklyKnown", None)


def test_generations_of_another_run_are_refused():
    asked, greedy, sampled = one_question()
    with pytest.raises(InputError, match="'other/slick_greedy#0', which is not among the requests"):
        annotate(
            DATA[:1], asked, answered(asked, [*greedy, *sampled, ("other/slick_greedy#0", "x")])
        )


def test_the_match_mode_is_used():
    asked, greedy, sampled = one_question()
    shouted = [(name, DATA[0].answers[0].upper()) for name, _ in greedy]
    assert (
        annotate(DATA[:1], asked, answered(asked, shouted + sampled))[0].category == "HighlyKnown"
    )
    raw = annotate(DATA[:1], asked, answered(asked, shouted + sampled), "raw")[0]
    assert raw.category == "Unknown"
