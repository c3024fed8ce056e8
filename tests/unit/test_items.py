"""Table rows from measured items."""

import numpy as np
import pytest
from plumbline.evaluation.estimation import difference
from plumbline.evaluation.items import item_metrics
from plumbline.evaluation.statistics import share
from plumbline.records import Item
from plumbline.storage.files import InputError


def items(values, metric="m", task="t", domain="id", **more):
    return [
        Item(**{
            "id": f"{task}/{domain}/{i}", "task": task, "domain": domain, "cluster": str(i),
            "metrics": {metric: value}, **more,
        })
        for i, value in enumerate(values)
    ]  # fmt: skip


def table(mine, base=(), checkpoint="tuned"):
    rows = item_metrics(
        [mine], base, model="model", seed=3, checkpoint=checkpoint, parent="base",
        confidence=0.95,
    )  # fmt: skip
    return {(r.task, r.domain, r.category, r.metric): r for r in rows}


def test_a_share_has_wilsons_interval_and_the_base_no_difference():
    (row,) = table(items([1, 0, 1, 1]), checkpoint="base").values()
    expected = share(3, 4)
    assert (row.value, row.low, row.high, row.n) == (0.75, expected.low, expected.high, 4)
    assert (row.model, row.seed, row.checkpoint, row.parent) == ("model", 3, "base", "base")
    assert (row.task, row.domain, row.split, row.category, row.metric) == (
        "t", "id", "test", "All", "m",
    )  # fmt: skip


def test_a_mean_has_an_interval_as_wide_as_theory_has_it():
    values = np.random.default_rng(0).normal(0.4, 0.1, 400)
    (row,) = table(items(values), checkpoint="base").values()
    half = 1.966 * values.std(ddof=1) / 20
    assert row.value == pytest.approx(values.mean())
    assert (row.low, row.high) == pytest.approx(
        (values.mean() - half, values.mean() + half), abs=0.01 * half
    )


def test_the_mean_of_counts_has_no_bound_below_nothing():
    (row,) = table(items([0, 0, 0, 0, 0, 1, 3]), checkpoint="base").values()
    assert row.low == 0 and 1 < row.high < 3
    (row,) = table(items([0, 0, 0, 0, 0, 1.5, -0.1]), checkpoint="base").values()
    assert row.low < 0


def test_answers_tied_to_each_other_are_no_independent_shares():
    alone = table(items([1, 0] * 20), checkpoint="base")["t", "id", "All", "m"]
    tied = items([1] * 20 + [0] * 20)
    for i, item in enumerate(tied):
        item.cluster = str(i // 2)
    pairs = table(tied, checkpoint="base")["t", "id", "All", "m"]
    assert alone.value == pairs.value == 0.5
    assert (pairs.high - pairs.low) / (alone.high - alone.low) == pytest.approx(2**0.5, rel=0.1)


def test_rows_over_all_seeds_hold_the_spread_between_them():
    rng = np.random.default_rng(2)
    base = items((rng.random(200) < 0.4) * 1.0)
    tuned = [items((rng.random(200) < share) * 1.0) for share in (0.3, 0.5, 0.7)]
    how = dict(model="m", checkpoint="x", parent="base", confidence=0.95)
    over_all = {r.metric: r for r in item_metrics(tuned, base, seed=None, **how)}
    single = [{r.metric: r for r in item_metrics([one], base, seed=1, **how)} for one in tuned]
    for name in ("m", "m_vs_base"):
        row, widths = over_all[name], [one[name].high - one[name].low for one in single]
        assert row.seed is None and row.n == 200
        assert row.value == pytest.approx(np.mean([one[name].value for one in single]))
        assert row.high - row.low > 2 * max(widths)
    with pytest.raises(InputError, match="was not; differences need the same items"):
        list(item_metrics([tuned[0], tuned[1][1:]], base, seed=None, **how))


def test_items_of_one_cluster_count_as_one():
    values = np.repeat(np.random.default_rng(1).random(30), 10)
    apart = table(items(values), checkpoint="base")["t", "id", "All", "m"]
    mine = items(values)
    for i, item in enumerate(mine):
        item.cluster = str(i // 10)
    together = table(mine, checkpoint="base")["t", "id", "All", "m"]
    assert together.high - together.low > 2 * (apart.high - apart.low)  # √10 expected


def test_differences_are_paired_by_id_whatever_the_order():
    mine, base = [1, 0.5, 0.25, 0] * 2, [0, 0.5, 0.5, 0.5] * 2
    row = table(items(mine), items(base)[::-1])["t", "id", "All", "m_vs_base"]
    expected = difference(mine, base, list("01234567")).interval(0.95)
    assert (row.value, (row.low, row.high), row.n) == (0.0625, expected, 8)


def test_every_task_domain_and_metric_has_its_rows():
    mine = [
        *items([1, 1]),
        *items([1, 0], domain="ood"),
        *items([0.5, 0.7], metric="other", task="u"),
    ]
    found = table(mine, mine)
    keys = [("t", "id", "All", "m"), ("t", "ood", "All", "m"), ("u", "id", "All", "other")]
    assert list(found) == [
        k for t, d, c, m in keys for k in ((t, d, c, m), (t, d, c, f"{m}_vs_base"))
    ]
    assert [found[key].value for key in keys] == [1, 0.5, pytest.approx(0.6)]
    for task, domain, category, metric in keys:
        row = found[task, domain, category, f"{metric}_vs_base"]
        assert (row.value, row.low) == (0, None)


def test_categories_are_told_apart_and_all_is_all_of_them():
    mine = items([1, 0], category="Known") + items([0, 0, 0, 1], domain="id", category="Unknown")
    for i, item in enumerate(mine):
        item.id = str(i)
    found = table(mine, checkpoint="base")
    assert {key[2]: (row.value, row.n) for key, row in found.items()} == {
        "All": (pytest.approx(2 / 6), 6),
        "Known": (0.5, 2),
        "Unknown": (0.25, 4),
    }


def test_a_metric_that_some_items_lack_is_over_the_others():
    mine = items([1, 0, 1])
    mine[0].metrics["extra"] = 0.25
    found = table(mine, mine)
    assert (found["t", "id", "All", "extra"].n, found["t", "id", "All", "m"].n) == (1, 3)
    assert found["t", "id", "All", "extra_vs_base"].value == 0


def test_what_one_side_lacks_is_left_out_of_the_difference_alone():
    mine, base = items([1, 0.5, 0.25]), items([0.5, 0.5, 0.5])
    mine[0].metrics = {"k": 1}
    base[1].metrics = {}
    found = table(mine, base)
    assert (found["t", "id", "All", "m"].value, found["t", "id", "All", "m"].n) == (0.375, 2)
    row = found["t", "id", "All", "m_vs_base"]
    assert (row.value, row.low, row.high, row.n) == (-0.25, None, None, 1)
    # The base has no k at all.
    assert list(found) == [("t", "id", "All", name) for name in ("k", "m", "m_vs_base")]


def test_a_parent_that_is_another_checkpoint_has_differences_of_its_own():
    def rows(checkpoint="tuned"):
        found = item_metrics(
            [items([1, 1, 0, 1] * 2)], items([0, 0, 0, 0] * 2), [items([1, 0, 0, 0] * 2)],
            model="model", seed=3, checkpoint=checkpoint, parent="first", confidence=0.95,
        )  # fmt: skip
        return {row.metric: row for row in found}

    assert {name: row.value for name, row in rows().items()} == {
        "m": 0.75,
        "m_vs_base": 0.75,
        "m_vs_parent": 0.5,
    }
    expected = difference([1, 1, 0, 1] * 2, [1, 0, 0, 0] * 2, list("01234567")).interval(0.95)
    row = rows()["m_vs_parent"]
    assert ((row.low, row.high), row.n) == (expected, 8)
    assert list(rows("base")) == ["m"]


def test_other_items_than_the_parents_are_an_error_that_names_it():
    with pytest.raises(InputError, match="first was measured on item t/id/1, tuned was not"):
        list(item_metrics(
            [items([1])], items([1]), [items([1, 0])], model="m", seed=1, checkpoint="tuned",
            parent="first", confidence=0.95,
        ))  # fmt: skip


@pytest.mark.parametrize(
    ("mine", "base", "message"),
    [
        (items([1, 0]), items([1]), "tuned was measured on item t/id/1, base was not"),
        (items([1]), items([1, 0]), "base was measured on item t/id/1, tuned was not"),
        (items([1]), [], "tuned was measured on item t/id/0, base was not"),
    ],
)
def test_other_items_than_the_bases_are_an_error(mine, base, message):
    with pytest.raises(InputError, match=message):
        table(mine, base)
