"""Token distribution shift: from ranks to shares with intervals, and the verdict."""

import random

import numpy as np
import pytest
from plumbline.evaluation import rank_shift as shift
from plumbline.evaluation.alignment import Alignment, judge, verdict_row
from plumbline.evaluation.estimation import mean
from plumbline.evaluation.statistics import Estimate
from plumbline.records import Item
from plumbline.storage.files import InputError, write_rows
from programs import csv_rows, listed, program

HOW = dict(confidence=0.95)

# Shares


def row(name, ranks, domain="id", own=None, end=None, cluster=None):
    return shift.TokenShift(
        id=name, domain=domain, cluster=cluster or name, tokens=[f"w{r}" for r in ranks],
        ranks=ranks, own_ranks=own or [1] * len(ranks), end_rank=end, truncated=end is None,
    )  # fmt: skip


def test_classes_and_positions():
    assert [shift.shift_class(rank) for rank in (1, 2, 3, 4, 900)] == [
        "unshifted", "marginal", "marginal", "shifted", "shifted",
    ]  # fmt: skip
    places = (1, 2, 5, 6, 20, 21, 50, 51, 4000)
    assert [shift.position_of(place) for place in places] == [
        "1", "2-5", "2-5", "6-20", "6-20", "21-50", "21-50", "51+", "51+",
    ]  # fmt: skip


def test_shares_by_hand():
    rows = [
        row("a", [1, 1, 1, 1, 1, 9], end=1),
        row("b", [4, 2], own=[1, 3]),
        row("c", [], end=7),
        row("d", [1], domain="ood"),
    ]
    found = {
        (m.domain, m.position, m.metric): m.estimate for m in shift.shift_measures(rows, **HOW)
    }

    def value(*key):
        estimate = found[key]
        return estimate.value, estimate.n

    assert value("id", "All", "unshifted") == (5 / 8, 8)
    assert value("id", "All", "marginal") == (1 / 8, 8)
    assert value("id", "All", "shifted") == (2 / 8, 8)
    assert value("id", "All", "shifted_macro") == (pytest.approx((1 / 6 + 1 / 2) / 2), 2)
    assert value("id", "All", "own_first") == (7 / 8, 8)
    assert value("id", "1", "shifted") == (1 / 2, 2)
    assert value("id", "2-5", "marginal") == (1 / 5, 5)
    assert value("id", "6-20", "shifted") == (1, 1)
    assert value("id", "All", "ended") == (pytest.approx(2 / 3), 3)
    assert value("id", "All", "end_shifted") == (1 / 2, 2)
    assert ("id", "21-50", "shifted") not in found
    # One prompt alone has no interval.
    (alone,) = (
        one.row()
        for one in shift.shift_measures(rows, **HOW)
        if (one.domain, one.position, one.metric) == ("ood", "All", "unshifted")
    )
    assert alone == dict(domain="ood", position="All", metric="unshifted", value=1.0, n=1)


def test_an_interval_is_over_prompts_and_not_over_tokens():
    """Half of the prompts are wholly shifted; that each has 40 tokens makes it no surer."""
    rows = [row(str(n), [9 if n % 2 else 1] * 40) for n in range(20)]
    (found,) = (
        m.estimate
        for m in shift.shift_measures(rows, **HOW)
        if (m.position, m.metric) == ("All", "shifted")
    )
    once = mean(np.tile([0.0, 1.0], 10), [str(n) for n in range(20)])
    assert (found.low, found.high) == pytest.approx(once.interval(0.95))
    assert (found.value, found.n) == (0.5, 800)
    same = [row(one.id, one.ranks, cluster="x") for one in rows]
    assert all(m.estimate.low is None for m in shift.shift_measures(same, **HOW))


def test_tokens_that_are_shifted_most():
    rows = [row("a", [4, 4, 1, 5]), row("b", [5, 2])]
    assert shift.top_tokens(rows, top=1) == [{"token": "w4", "shifted": 2, "n": 2}]
    assert [one["token"] for one in shift.top_tokens(rows)] == ["w4", "w5"]


def item(name, value, domain="ood"):
    metrics = {} if value is None else {"f1": value}
    return Item(id=name, task="long_form", domain=domain, cluster=name, metrics=metrics)


def test_factuality_is_compared_prompt_by_prompt():
    tuned = [item("a", 0.5), item("b", 0.2), item("c", None), item("d", 0.9), item("e", 1, "id")]
    before = [item("d", None), item("c", 0.4), item("b", 0.6), item("a", 0.7), item("e", 0, "id")]
    inside, outside = shift.change_measures(tuned, before, **HOW)
    assert (inside.domain, inside.estimate.value, inside.estimate.n) == ("id", 1, 1)
    assert outside.estimate.value == pytest.approx(-0.3) and outside.estimate.n == 2
    assert outside.estimate.low is None  # too few prompts


# The verdict


def about(value, half, n=20):
    return Estimate(value, value - half, value + half, n)


UNKNOWN = Estimate(0.2, None, None, 1)


@pytest.mark.parametrize(
    ("inside", "outside", "change", "verdict", "reason"),
    [
        (about(0.2, 0.03), about(0.05, 0.02), about(0.01, 0.03), Alignment.UNDER, "hardly changed"),
        (about(0.05, 0.02), about(0.2, 0.03), about(-0.1, 0.05), Alignment.OVER, "fell"),
        # overlapping and touching intervals
        (about(0.2, 0.1), about(0.15, 0.1), about(0, 0.01), Alignment.OPEN, "overlap"),
        (about(0.2, 0.1), about(0.25, 0.1), about(-0.2, 0.1), Alignment.OPEN, "overlap"),
        (about(0.25, 0.25), about(0.75, 0.25), about(-0.2, 0.1), Alignment.OPEN, "overlap"),
        (about(0, 0), about(0, 0), about(-0.2, 0.1), Alignment.OPEN, "overlap"),
        # the shares are clear, factuality is not
        (about(0.2, 0.03), about(0.05, 0.02), about(0.01, 0.2), Alignment.OPEN, "beyond the margin"),
        (about(0.2, 0.03), about(0.05, 0.02), about(0.2, 0.01), Alignment.OPEN, "beyond the margin"),
        (about(0.05, 0.02), about(0.2, 0.03), about(-0.1, 0.1), Alignment.OPEN, "not clearly fall"),
        (about(0.05, 0.02), about(0.2, 0.03), about(0.1, 0.05), Alignment.OPEN, "not clearly fall"),
        # nothing to judge by
        (about(0.2, 0.03), about(0.05, 0.02), None, Alignment.OPEN, "is not known"),
        (about(0.2, 0.03), about(0.05, 0.02), UNKNOWN, Alignment.OPEN, "is not known"),
        (None, about(0.05, 0.02), about(0, 0), Alignment.OPEN, "in domain, answers to fewer"),
        (about(0.2, 0.03), UNKNOWN, about(0, 0), Alignment.OPEN, "out of domain, answers to fewer"),
    ],
)  # fmt: skip
def test_verdicts(inside, outside, change, verdict, reason):
    found = judge(inside, outside, change, margin=0.05)
    assert found.verdict == verdict and reason in found.reason


def simulated(shifted, change, n=40):
    """Ranks and factuality of n prompts a domain, shifted by that share; change: of the OOD ones."""
    source = random.Random(2)
    rows = [
        row(
            f"{domain}{k}",
            [9 if source.random() < shifted[domain] else 1 for _ in range(60)],
            domain,
        )
        for domain in ("id", "ood")
        for k in range(n)
    ]
    before = [item(one.id, 0.5, one.domain) for one in rows]
    tuned = [
        item(one.id, 0.5 + change * (one.domain == "ood") + source.gauss(0, 0.05), one.domain)
        for one in rows
    ]
    return rows, tuned, before


@pytest.mark.parametrize(
    ("shifted", "change", "verdict"),
    [
        ({"id": 0.3, "ood": 0.03}, 0.0, "under-aligned"),
        ({"id": 0.1, "ood": 0.3}, -0.2, "over-aligned"),
        ({"id": 0.2, "ood": 0.2}, -0.2, "inconclusive"),
    ],
)
def test_the_rule_on_synthetic_shifts(tmp_path, monkeypatch, shifted, change, verdict):
    """Through the program: all three kinds from rows to tables."""
    rows, tuned, before = simulated(shifted, change)
    for name, found in (("shift", rows), ("items", tuned), ("reference_items", before)):
        write_rows(tmp_path / f"{name}.jsonl", found)
    pair = dict(model="m", seed=1, tuned="grath.r2", reference="base") | {
        name: f"{tmp_path / name}.jsonl" for name in ("shift", "items", "reference_items")
    }
    tabulate(monkeypatch, tmp_path, pair)
    (judged,) = csv_rows(tmp_path / "verdicts.csv")
    assert judged["verdict"] == verdict and judged["margin"] == "0.05"
    shares = {
        (r["domain"], r["position"], r["metric"]): r for r in csv_rows(tmp_path / "shares.csv")
    }
    for domain in ("id", "ood"):
        share = float(shares[domain, "All", "shifted"]["value"])
        assert share == pytest.approx(shifted[domain], abs=0.02)
        assert float(judged[f"{domain}_shifted"]) == share
    assert float(shares["ood", "All", "f1_change"]["value"]) == pytest.approx(change, abs=0.03)
    assert csv_rows(tmp_path / "tokens.csv")[0]["token"] == "w9"
    write_rows(tmp_path / "items.jsonl", tuned[1:])
    with pytest.raises(InputError, match="not the same prompts"):
        tabulate(monkeypatch, tmp_path, pair)


def tabulate(monkeypatch, folder, pair):
    program(
        monkeypatch, "tabulate_token_shift", pairs=listed(folder, [pair]), margin=5,
        evaluation='{"confidence": 0.95, "margin": 0.02}', shares=folder / "shares.csv",
        verdicts=folder / "verdicts.csv", tokens=folder / "tokens.csv",
    )  # fmt: skip


def test_a_row_with_its_numbers():
    found = verdict_row(about(0.2, 0.03), UNKNOWN, None, 0.05)
    assert found["verdict"] == "inconclusive" and found["ood_shifted"] == 0.2
    assert found["id_low"] == pytest.approx(0.17) and not {"ood_low", "change"} & set(found)
