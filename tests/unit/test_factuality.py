import json
import math
from collections import defaultdict
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plumbline.claims.records import Claim, Splitting, Verdict
from plumbline.evaluation.factuality import (
    Counts,
    count_verdicts,
    f1_at_k,
    factscore,
    length_penalty,
    precision,
    recall_at_k,
    response_metrics,
)
from plumbline.storage.files import InputError
from real_data import published


@pytest.mark.parametrize(
    ("claims", "gamma", "penalty"),
    [
        (10, 10, 1.0),
        (11, 10, 1.0),
        (5, 10, math.exp(-1)),
        (1, 10, math.exp(-9)),
        (4, 5, math.exp(-0.25)),
        (1, 0, 1.0),
    ],
)
def test_length_penalty(claims, gamma, penalty):
    assert length_penalty(claims, gamma) == penalty


def test_precision_is_of_what_is_decided_and_undefined_where_nothing_is():
    assert precision(Counts(3, 1, 96)) == 0.75
    assert precision(Counts(0, 2)) == 0
    assert precision(Counts(0, 0, 5)) is precision(Counts(0)) is None


def test_factscore_counts_everything_not_supported_as_wrong():
    counts = Counts(supported=3, refuted=1, unverifiable=1)
    assert (counts.claims, counts.decided) == (5, 4)
    assert factscore(counts) == 0.6
    assert factscore(counts, gamma=10) == 0.6 * math.exp(-1)
    assert factscore(Counts(0, 2)) == 0
    assert factscore(Counts(0)) is None


@pytest.mark.parametrize(
    ("counts", "k", "expected"),
    [
        (Counts(32, 32), 64, 0.5),  # P = R = 1/2
        (Counts(64), 64, 1.0),
        (Counts(64), 178, 2 * 64 / (64 + 178)),
        (Counts(3, 1), 2, 6 / 7),  # P = 3/4, R capped at 1
        (Counts(3, 0, 1), 2, 1.0),  # what is left open is not against it
        (Counts(0, 5), 64, 0.0),
        (Counts(0), 64, 0.0),
    ],
)
def test_f1_at_k(counts, k, expected):
    assert f1_at_k(counts, k) == pytest.approx(expected, abs=1e-15)


any_counts = st.builds(Counts, *[st.integers(0, 300)] * 3)


@given(any_counts, st.integers(1, 200), st.integers(0, 50))
def test_scores_are_shares_and_another_supported_claim_never_lowers_them(counts, k, gamma):
    more = Counts(counts.supported + 1, counts.refuted, counts.unverifiable)
    assert 0 <= f1_at_k(counts, k) <= 1
    assert f1_at_k(counts, k) <= f1_at_k(more, k) + 1e-12
    assert recall_at_k(counts, k) <= recall_at_k(more, k)
    if counts.claims:
        assert 0 <= factscore(counts, gamma) <= factscore(counts) <= 1
        assert factscore(counts, gamma) <= factscore(more, gamma) + 1e-12


def mean_factscore(counts, gamma=0):
    """Over the responses that have claims."""
    return fmean(factscore(one, gamma) for one in counts if one.claims)


def split(state, response="r"):
    return Splitting(response=response, state=state)


def test_undefined_measures_are_left_out():
    answered = response_metrics(split("ok"), Counts(3, 1, 1), gamma=10, ks=[3, 6])
    assert answered == {
        "split_failed": 0,
        "responded": 1,
        "undecided": 0,
        "claims": 5,
        "decided": 4,
        "supported": 3,
        "refuted": 1,
        "unverifiable": 1,
        "coverage": 0.8,
        "precision": 0.75,
        "f1": pytest.approx(6 / 7),
        "recall_at_3": 1,
        "f1_at_3": pytest.approx(6 / 7),
        "recall_at_6": 0.5,
        "f1_at_6": pytest.approx(0.6),
        "factscore": 0.6,
        "factscore_penalised": 0.6 * math.exp(-1),
    }
    numbers = dict.fromkeys(("claims", "decided", "supported", "refuted", "unverifiable"), 0)
    nothing = numbers | {"f1": 0, "recall_at_3": 0, "f1_at_3": 0, "undecided": 1}
    for state in ("empty", "refused", "no_claims", "cut_off"):
        silent = response_metrics(split(state), Counts(0), gamma=10, ks=[3])
        assert silent == nothing | {"split_failed": 0, "responded": 0}
    open_ = response_metrics(split("ok"), Counts(0, 0, 2), gamma=0, ks=[3])
    assert "precision" not in open_ and (open_["undecided"], open_["coverage"]) == (1, 0)
    failed = response_metrics(split("unparsable"), Counts(0), gamma=10, ks=[3])
    assert failed == {"split_failed": 1}
    off = response_metrics(split("ok"), Counts(1), gamma=0, ks=[1])
    assert "factscore_penalised" not in off


def test_stopping_early_does_not_raise_the_score():
    """Every answer has ten claims, each decided with probability 0.4 and, if so, right with 0.3.

    Stopping after any number of them raises neither F1 nor precision on average; the old rule, an
    unfinished sentence that counts as wrong, made a finished shorter answer look better.
    """
    rng = np.random.default_rng(1)
    said = rng.choice([0, 1, 2], p=[0.12, 0.28, 0.6], size=(20_000, 10))

    def counts(claims):
        return [Counts(*np.bincount(row, minlength=3).tolist()) for row in claims]

    f1, precise = [], []
    for length in (2, 5, 10):
        found = counts(said[:, :length])
        f1.append(np.mean([f1_at_k(one, 4) for one in found]))
        precise.append(np.mean([p for one in found if (p := precision(one)) is not None]))
    assert f1[0] < f1[1] < f1[2]
    assert max(precise) - min(precise) < 0.02


def claim(id, response="a"):
    return Claim(id=id, response=response, topic="T", sentence=0, text="T is.")


def verdict(id, verdict, response="a"):
    return Verdict(claim=id, response=response, verdict=verdict, verifier="hand")


def test_verdicts_are_counted_by_response():
    splittings = [split("ok", "a"), split("refused", "b"), split("ok", "c")]
    claims = [claim("1"), claim("2"), claim("3"), claim("4", "c")]
    verdicts = [
        verdict("4", "unverifiable", "c"),
        verdict("2", "refuted"),
        verdict("1", "supported"),
        verdict("3", "supported"),
    ]
    assert count_verdicts(splittings, claims, verdicts) == {
        "a": Counts(2, 1, 0),
        "b": Counts(0),
        "c": Counts(0, 0, 1),
    }
    with pytest.raises(InputError, match=r"1 claim.s. have no verdict, the first is '3'"):
        count_verdicts(splittings, claims, verdicts[:3])
    with pytest.raises(InputError, match="'1', which is not among the claims or has"):
        count_verdicts(splittings, claims, [*verdicts, verdicts[2]])
    with pytest.raises(InputError, match="claim 9 is of response 'x', which was not split"):
        count_verdicts(splittings, [claim("9", "x")], [])


@pytest.fixture(scope="module")
def biographies():
    file = published("factscore") / "factscore/ChatGPT.jsonl"
    return [json.loads(line) for line in file.open(encoding="utf-8")]


DECISION = {"S": "supported", "NS": "refuted", "IR": "unverifiable"}


def human_counts(biographies):
    """The labels through the records, as a verifier's verdicts would come."""
    splittings, claims, verdicts = [], [], []
    for number, row in enumerate(biographies):
        response = f"{number}"
        refused = row["annotations"] is None
        splittings.append(split("refused" if refused else "ok", response))
        for index, sentence in enumerate(row["annotations"] or ()):
            for fact in sentence["human-atomic-facts"] or ():
                id = f"{response}#{len(claims)}"
                claims.append(
                    Claim(id=id, response=response, topic=row["topic"], sentence=index,
                          text=fact["text"])
                )  # fmt: skip
                verdicts.append(verdict(id, DECISION[fact["label"]], response))
    return count_verdicts(splittings, claims, verdicts)


def test_human_labels_give_the_published_figure_and_the_same_by_hand(biographies):
    counts = human_counts(biographies)
    by_hand, by_library = defaultdict(list), defaultdict(list)
    for number, row in enumerate(biographies):
        labels = [
            fact["label"]
            for sentence in row["annotations"] or ()
            for fact in sentence["human-atomic-facts"] or ()
        ]
        s, ns, ir = labels.count("S"), labels.count("NS"), labels.count("IR")
        one = counts[str(number)]
        assert (one.supported, one.refuted, one.unverifiable) == (s, ns, ir)
        relevant = Counts(one.supported, one.refuted)
        for group in ("All", *row["cat"]):
            by_library[group].append((one, relevant))
            by_hand[group].append((s, ns, ir))

    print("\ncategory                n  answered  S/all  S/(S+NS)  penalised  F1@31  right  wrong")
    for group, rows in by_hand.items():
        answered = [row for row in rows if sum(row)]
        n = len(answered)
        of_all = math.fsum(s / (s + ns + ir) for s, ns, ir in answered) / n
        of_relevant = math.fsum(s / (s + ns) for s, ns, ir in answered) / n
        penalised = math.fsum(
            s / sum((s, ns, ir)) * (1 if sum((s, ns, ir)) > 10 else math.exp(1 - 10 / sum((s, ns, ir))))
            for s, ns, ir in answered
        ) / n  # fmt: skip
        # 2PR/(P+R) with P = S/(S+N), R = S/K below K is 2S/(S+N+K).
        f1 = math.fsum(
            2 * s / (s + ns + 31) if s <= 31 else 2 * (s / (s + ns)) / (s / (s + ns) + 1)
            for s, ns, ir in rows
        ) / len(rows)  # fmt: skip

        everything, relevant = (list(column) for column in zip(*by_library[group], strict=True))
        assert mean_factscore(everything) == of_all
        assert mean_factscore(relevant) == of_relevant
        assert mean_factscore(everything, gamma=10) == pytest.approx(penalised, abs=1e-15)
        own_f1 = math.fsum(f1_at_k(one, 31) for one in relevant) / len(rows)
        assert own_f1 == pytest.approx(f1, abs=1e-15)
        right = sum(one.supported for one in everything) / n
        wrong = sum(one.claims - one.supported for one in everything) / n
        print(
            f"{group:22s}{len(rows):3d}{n / len(rows):10.3f}{of_all:7.3f}{of_relevant:10.3f}"
            f"{penalised:11.3f}{f1:7.3f}{right:7.2f}{wrong:7.2f}"
        )

    everything = [one for one, _ in by_library["All"]]
    # Min et al. 2023 report 58.3 % for ChatGPT: irrelevant claims are in the denominator.
    assert round(100 * mean_factscore(everything), 1) == 58.3
    assert (sum(one.claims > 0 for one in everything), len(biographies)) == (157, 183)
    assert len(by_library) == 1 + 5 + 4
