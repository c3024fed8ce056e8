from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plumbline.methods.slick.config import Mixes, Monitor
from plumbline.methods.slick.mixes import (
    build_mix,
    largest_size,
    relation_sizes,
    unknown_sizes,
)
from plumbline.methods.slick.probes import build_probes
from plumbline.records import KNOWN, Category
from plumbline.responses.prompting import closed_book_prompt
from plumbline.storage.files import InputError
from slick_data import annotation, question

GRID = (0, 12.5, 25, 50, 75, 100)
# Gekhman et al. 2024, Table 3: the smallest category of each tuning relation's training questions.
PAPER = {
    "P131": 553, "P136": 236, "P17": 364, "P19": 369, "P26": 1087, "P264": 206,
    "P36": 449, "P40": 692, "P495": 408, "P69": 233, "P740": 1323, "P800": 222,
}  # fmt: skip


# With a set of each category alone, every relation gives as many as its smallest category has.
PAPERS = Mixes(unknown_percent=[0, 100], single_category=[*KNOWN], natural=True).demands()


def build(name, questions, annotations, demands=PAPERS, **how):
    return build_mix(name, questions, annotations, demands, **how)


def dataset(counts: dict[str, dict[Category, int]], others: int = 2):
    """Training questions with these category counts, and a few of other splits and domains."""
    questions, annotations = [], []
    for relation, categories in counts.items():
        number = 0
        for category, count in categories.items():
            for _ in range(count):
                questions.append(question(relation, number))
                annotations.append(annotation(questions[-1], category))
                number += 1
        for split in ("dev", "test"):
            for other in range(others):
                questions.append(question(relation, other, split))
                annotations.append(annotation(questions[-1], Category.UNKNOWN))
    for split in ("train", "dev", "test"):
        questions.append(question("elsewhere", 0, split, "ood"))
        annotations.append(annotation(questions[-1], Category.HIGHLY_KNOWN))
    return questions, annotations


def ids(mix) -> set[str]:
    return {example.id for example in mix.rows}


counts = st.dictionaries(
    st.sampled_from(["capital", "color", "currency", "river"]),
    st.fixed_dictionaries({category: st.integers(1, 9) for category in Category}),
    min_size=1,
)
sizes = st.dictionaries(st.text("abcdef", min_size=1), st.integers(1, 60), min_size=1, max_size=9)
percents = st.one_of(st.integers(0, 100), st.floats(0, 100))


@given(counts, st.integers(0, 99))
def test_every_set_takes_the_same_number_of_each_relation(counts, seed):
    questions, annotations = dataset(counts)
    smallest = {relation: min(found.values()) for relation, found in counts.items()}
    trainable = {one.id for one in questions if (one.split, one.domain) == ("train", "id")}
    names = [f"{kind}-{x:g}" for kind in ("unknown", "idk") for x in GRID]
    names += [f"only-{category}" for category in Category] + ["natural"]
    for name in names:
        mix = build(name, questions, annotations, seed=seed)
        assert mix.counted["relation_sizes"] == smallest
        assert Counter(example.relation for example in mix.rows) == smallest
        assert len(ids(mix)) == len(mix.rows)
        assert ids(mix) <= trainable
    for category in Category:
        mix = build(f"only-{category}", questions, annotations, seed=seed)
        assert {example.category for example in mix.rows} == {category}


@given(counts, st.integers(0, 99))
def test_sets_are_nested_so_that_the_draw_does_not_differ_between_them(counts, seed):
    questions, annotations = dataset(counts)
    whole = sum(min(found.values()) for found in counts.values())
    unknown_before, known_before = set(), None
    for x in GRID:
        mix = build(f"unknown-{x:g}", questions, annotations, seed=seed)
        unknown = {one.id for one in mix.rows if one.category == Category.UNKNOWN}
        known = ids(mix) - unknown
        assert len(unknown) == round(whole * x / 100)
        assert unknown_before <= unknown
        assert known_before is None or known <= known_before
        unknown_before, known_before = unknown, known
        assert ids(build(f"known-{x:g}", questions, annotations, seed=seed)) == known
        abstaining = build(f"idk-{x:g}", questions, annotations, seed=seed)
        assert ids(abstaining) == ids(mix)
        for one, plain in zip(abstaining.rows, mix.rows, strict=True):
            if one.id in unknown:
                assert (one.completion, one.answers) == ("I don't know", ["I don't know"])
            else:
                assert one == plain
    assert known_before == set()
    only = build("only-Unknown", questions, annotations, seed=seed)
    assert ids(only) == unknown_before


def of(known: int, unknown: int) -> Counter:
    return Counter({Category.MAYBE_KNOWN: known, Category.UNKNOWN: unknown})


@pytest.mark.parametrize(
    ("changes", "sizes"),
    [
        ({"unknown_percent": [0, 50, 100]}, [10, 3]),  # all Known, and all Unknown
        ({"unknown_percent": [50]}, [20, 6]),
        ({"unknown_percent": [0, 50]}, [20, 3]),
        ({"unknown_percent": [25]}, [40, 4]),  # 10 and 30; of the second relation 1 and 3
        ({"unknown_percent": [100]}, [10, 12]),
        ({"unknown_percent": [], "known_only": [25]}, [40, 4]),
        ({"unknown_percent": [], "idk": [50]}, [20, 6]),
        ({"unknown_percent": [], "natural": True}, [40, 15]),
        ({"unknown_percent": [0, 100], "single_category": ["MaybeKnown"]}, [10, 3]),
        ({"unknown_percent": [0, 100], "single_category": ["HighlyKnown"]}, [0, 0]),
    ],
)
def test_sets_are_as_large_as_the_configured_ones_can_all_be(changes, sizes):
    """Most facts are of two categories here: the smallest of all four would be 0."""
    demands = Mixes(**changes).demands()
    assert [largest_size(count, demands) for count in (of(30, 10), of(3, 12))] == sizes


@given(counts, st.lists(st.sampled_from(GRID), min_size=1, max_size=3, unique=True))
def test_no_set_could_be_larger_while_all_are_filled(counts, grid):
    demands = Mixes(unknown_percent=grid).demands()
    questions, annotations = dataset(counts)
    made = [build(f"unknown-{x:g}", questions, annotations, demands, seed=1, on_empty="drop_relation")
            for x in grid] if any(
        largest_size(Counter(count), demands) for count in counts.values()
    ) else []  # fmt: skip
    for mix in made:
        assert mix.counted["relation_sizes"] == made[0].counted["relation_sizes"]
        assert Counter(one.relation for one in mix.rows) == made[0].counted["relation_sizes"]
    for count in counts.values():
        larger = largest_size(Counter(count), demands) + 1
        unknown = count[Category.UNKNOWN]
        known = sum(count.values()) - unknown
        assert any(
            larger * x / 100 > unknown or larger * (1 - x / 100) > known for x in grid
        ) or any(
            (larger * x) % 100
            for x in grid  # a share is rounded
        )


FORM = Mixes(unknown_percent=[0, 50, 100], parent="mix.form", form_facts=5).demands()
SPARE = {
    "capital": {"HighlyKnown": 9, "MaybeKnown": 4, "WeaklyKnown": 2, "Unknown": 6},  # 9 to spare
    "color": {"HighlyKnown": 3, "MaybeKnown": 1, "Unknown": 9},  # none
    "river": {"HighlyKnown": 4, "Unknown": 2},  # 2
    "currency": {"HighlyKnown": 1},  # no set holds one of these
}
SPARE = {one: {Category(name): n for name, n in count.items()} for one, count in SPARE.items()}


def test_facts_that_teach_the_form_are_highly_known_and_in_no_other_set():
    questions, annotations = dataset(SPARE)
    how = {"demands": FORM, "on_empty": "drop_relation"}
    form = build("form", questions, annotations, seed=1, **how)
    assert {one.category for one in form.rows} == {Category.HIGHLY_KNOWN}
    assert {one.id.split("/")[1] for one in form.rows} == {"train"}
    # As evenly as relations can spare some.
    assert form.counted["relation_sizes"] == {"capital": 2, "river": 2, "currency": 1}
    for name in ("unknown-0", "unknown-50", "unknown-100"):
        mix = build(name, questions, annotations, seed=1, **how)
        assert mix.counted["relation_sizes"] == {
            "capital": 6,
            "color": 4,
            "river": 2,
        }  # as without a form's set
        assert not ids(mix) & ids(form)
    again = build("form", questions[::-1], annotations[::-1], seed=1, **how)
    assert again == form
    other = build("form", questions, annotations, seed=2, **how)
    assert (
        ids(other) != ids(form)
        and other.counted["relation_sizes"] == form.counted["relation_sizes"]
    )
    assert form.rows[0].prompt == closed_book_prompt(
        next(q.question for q in questions if q.id == form.rows[0].id), "plain"
    )


def test_where_no_relation_can_spare_a_fact_the_sets_become_smaller():
    questions, annotations = dataset({one: SPARE[one] for one in ("color", "river")})
    form = build("form", questions, annotations, FORM, seed=1)
    assert form.counted["relation_sizes"] == {
        "color": 1,
        "river": 2,
    }  # the two that river can spare, half of color's
    mix = build("unknown-0", questions, annotations, FORM, seed=1)
    assert mix.counted["relation_sizes"] == {"color": 3, "river": 2} and not ids(mix) & ids(form)
    questions, annotations = dataset({"color": {Category.MAYBE_KNOWN: 3, Category.UNKNOWN: 3}})
    with pytest.raises(
        InputError, match=r"too few training questions are HighlyKnown.*parent: base"
    ):
        build("unknown-0", questions, annotations, FORM, seed=1)
    assert build("unknown-0", questions, annotations, seed=1, on_empty="error", demands=Mixes(
        unknown_percent=[0]).demands()).counted["relation_sizes"] == {"color": 3}  # fmt: skip


@given(sizes, percents)
def test_the_number_of_unknown_is_exact_and_shared_fairly(sizes, percent):
    given_ = unknown_sizes(sizes, percent)
    whole = sum(sizes.values())
    assert abs(sum(given_.values()) - whole * percent / 100) <= 0.5
    for relation, number in given_.items():
        assert abs(number - sizes[relation] * percent / 100) < 1
        assert 0 <= number <= sizes[relation]


def test_the_largest_remainders_are_rounded_up():
    # Exact shares 0.75, 1.75, 2.5, 1.25: the whole is 6.25, and 4 + the two largest remainders.
    assert unknown_sizes({"a": 3, "b": 7, "c": 10, "d": 5}, 25) == {"a": 1, "b": 2, "c": 2, "d": 1}
    assert unknown_sizes({"a": 1, "b": 1}, 50) == {"a": 1, "b": 0}


@given(sizes)
def test_no_relation_gives_fewer_unknown_where_more_are_asked_for(sizes):
    grid = [unknown_sizes(sizes, percent) for percent in (0, 25, 50, 75, 100)]
    for low, high in pairwise(grid):
        assert all(low[relation] <= high[relation] for relation in sizes)


@pytest.mark.parametrize("smallest", range(4))
def test_the_papers_set_has_6142_examples(smallest):
    order = [*Category][smallest:] + [*Category][:smallest]
    counts = {
        relation: {category: size + extra for extra, category in enumerate(order)}
        for relation, size in PAPER.items()
    }
    questions, annotations = dataset(counts)
    found, dropped = relation_sizes({one: Counter(count) for one, count in counts.items()}, PAPERS)
    assert (found, dropped) == (PAPER, [])
    mix = build("unknown-50", questions, annotations, seed=1)
    assert len(mix.rows) == 6142
    categories = Counter(example.category for example in mix.rows)
    assert categories[Category.UNKNOWN] == 3071
    assert all(categories[category] > 700 for category in KNOWN)  # of each about a third


FULL = {"capital": dict.fromkeys(Category, 6), "color": dict.fromkeys(Category, 3)}


def test_seeds_change_the_draw_and_nothing_else_does():
    questions, annotations = dataset(FULL)
    first = build("unknown-50", questions, annotations, seed=1)
    assert build("unknown-50", questions[::-1], annotations[::-1], seed=1) == first
    other = build("unknown-50", questions, annotations, seed=2)
    assert ids(other) != ids(first)
    assert other.counted["relation_sizes"] == first.counted["relation_sizes"]


def test_natural_keeps_the_categories_as_they_are():
    skewed = {category: 40 for category in KNOWN} | {Category.UNKNOWN: 280}
    questions, annotations = dataset({"capital": skewed})
    mix = build("natural", questions, annotations, seed=3)
    assert len(mix.rows) == 40
    unknown = sum(one.category == Category.UNKNOWN for one in mix.rows)
    assert 20 <= unknown <= 36  # 28 expected


def test_an_empty_category_is_an_error_that_names_it_or_a_counted_drop():
    gap = {"capital": FULL["capital"], "color": {Category.UNKNOWN: 5, Category.MAYBE_KNOWN: 2}}
    questions, annotations = dataset(gap)
    with pytest.raises(InputError, match=r"color has 0 HighlyKnown, 2 MaybeKnown, 0 W.*drop_"):
        build("unknown-50", questions, annotations, seed=1)
    mix = build("unknown-50", questions, annotations, seed=1, on_empty="drop_relation")
    assert mix.counted["relation_sizes"] == {"capital": 6}
    assert mix.dropped == [
        {"stage": "mixes", "item": "color", "reason": "relation_lacks_a_category", "n": 7}
    ]
    questions, annotations = dataset({"color": gap["color"]})
    with pytest.raises(InputError, match="color has 0"):  # nothing would be left
        build("unknown-50", questions, annotations, seed=1, on_empty="drop_relation")


def test_the_two_forms_of_an_example():
    questions, annotations = dataset(FULL)
    text = "Answer the following question.\nWhat is the capital of train 0?"
    assert closed_book_prompt(questions[0].question, "plain") == text + "\n"
    plain = build("unknown-0", questions, annotations, seed=1).rows[0]
    chat = build("unknown-0", questions, annotations, seed=1, form="chat").rows[0]
    assert plain.id == chat.id
    assert plain.completion == chat.completion[0].content == plain.answers[0]
    assert [chat.prompt[0].role, chat.completion[0].role] == ["user", "assistant"]
    assert plain.prompt == f"Answer the following question.\n{chat.prompt[0].content}\n"


def test_probes_are_the_examples_and_the_asked_part_of_dev_and_test():
    questions, annotations = dataset(FULL, others=5)
    mix = build("idk-50", questions, annotations, seed=1)
    monitor = Monitor(train=4, dev=3, test_id=None, test_ood=1)
    probes = build_probes(mix.rows, questions, annotations, monitor, form="plain", seed=1)
    groups = Counter((one.part, one.domain) for one in probes)
    assert groups == {
        ("train", "id"): 4,
        ("dev", "id"): 3,
        ("test", "id"): 10,
        ("test", "ood"): 1,
    }
    assert len({one.id for one in probes}) == len(probes)
    trained = {one.id: one for one in mix.rows}
    subjects = {one.id: one.subject for one in questions}
    for one in probes:
        part, _, name = one.id.partition("/")
        assert one.subject == subjects[name]
        assert part == one.part
        if part == "train":  # asked as it was trained, and right when it says what it was taught
            assert (one.prompt, one.answers) == (trained[name].prompt, trained[name].answers)
    few = monitor.model_copy(update={"test_id": 0, "test_ood": 0})
    assert {one.part for one in build_probes(
        mix.rows, questions, annotations, few, form="plain", seed=1
    )} == {"train", "dev"}  # fmt: skip
    # Another set is asked the same dev and test questions.
    other = build("only-Unknown", questions, annotations, seed=1)
    again = build_probes(other.rows, questions, annotations, monitor, form="plain", seed=1)
    assert [one for one in again if one.part != "train"] == [
        one for one in probes if one.part != "train"
    ]
