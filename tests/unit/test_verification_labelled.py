"""The verifier on claims that models wrote, and how the labels of these agree."""

import re
from pathlib import Path

import pytest
from plumbline.claims.records import Verdict
from plumbline.data.facts import load_embedded
from plumbline.evaluation.labelled_claims import (
    FILE,
    LABELS,
    Labelled,
    agreement,
    read_labelled,
    shares,
)
from plumbline.storage.files import InputError
from plumbline.verification.table import TableVerifier

FACTS = Path(__file__).parents[2] / "workflow/resources/facts"


@pytest.fixture(scope="module")
def claims():
    return read_labelled()


def labelled(id, label, part="tuning", first=None):
    about = dict(response=id, topic="T", sentence=0, text="T is.", drawn="random", prompt="?")
    passes = dict(first=first or label, second=label, label=label)
    return Labelled(id=id, part=part, checkpoint="base", **about, **passes)


def test_what_the_table_verifier_decides_of_models_claims_is_right(claims):
    """Tuned on two thirds of the claims; the held-out third is looked at here alone."""
    relations = [
        line.split("\t")[0] for line in (FACTS / "relations.tsv").read_text().splitlines()[1:]
    ]
    verifier = TableVerifier(load_embedded(FACTS, relations, []).questions)
    rows = {
        (row["relation"], row["metric"]): row for row in shares(verifier.verify(claims), claims)
    }
    for row in rows.values():
        print(row)
    for metric in ("precision", "refuted_precision"):
        assert rows["All", metric]["value"] >= 0.95 and rows["All", metric]["low"] >= 0.9
        assert rows["held out", metric]["value"] >= 0.9 and rows["held out", metric]["n"] >= 20
    assert rows["All", "coverage"]["value"] >= 0.2


def test_the_page_says_how_the_passes_agree(claims):
    page = " ".join((FILE.parent / "README.md").read_text(encoding="utf-8").split())
    n, alike, kappa = re.search(
        r"contains (\d+) claims .* ([\d.]+) % alike, Cohen's κ ([\d.]+)", page
    ).groups()
    found = agreement(claims)
    assert (int(n), alike, kappa) == (len(claims), f"{100 * found[0]:.1f}", f"{found[1]:.2f}")
    assert len({claim.id for claim in claims}) == len(claims) >= 300
    held_out = sum(claim.part == "held_out" for claim in claims) / len(claims)
    assert 0.28 < held_out < 0.38
    for claim in claims:  # what holds is one of the two
        assert claim.label in (claim.first, claim.second)


def test_kappa_is_cohens():
    pairs = [("true", "true")] * 20 + [("true", "false")] * 5 + [("false", "true")] * 10
    pairs += [("false", "false")] * 15
    rows = [labelled(str(i), second, first=first) for i, (first, second) in enumerate(pairs)]
    assert agreement(rows) == (0.7, pytest.approx(0.4))


def test_shares_are_of_what_is_called_so():
    rows = [
        labelled("a", "true"), labelled("b", "partly"), labelled("c", "cannot say"),
        labelled("d", "false", "held_out"), labelled("e", "true", "held_out"),
    ]  # fmt: skip
    said = dict(a="supported", b="supported", c="refuted", d="refuted", e="unverifiable")
    verdicts = [
        Verdict(claim=name, response=name, verdict=verdict, verifier="v")
        for name, verdict in said.items()
    ]
    found = {(r["relation"], r["metric"]): (r["value"], r["n"]) for r in shares(verdicts, rows)}
    assert found == {
        ("All", "precision"): (0.5, 2),
        ("All", "refuted_precision"): (0.5, 2),
        ("All", "recall"): (0.5, 2),
        ("All", "coverage"): (0.8, 5),
        ("held out", "refuted_precision"): (1, 1),
        ("held out", "recall"): (0, 1),
        ("held out", "coverage"): (0.5, 2),
    }


def test_a_malformed_line_is_named(tmp_path):
    lines = FILE.read_text(encoding="utf-8").splitlines()[:3]
    path = tmp_path / "claims.tsv"
    path.write_text("\n".join([*lines[:2], lines[2].rpartition("\t")[0] + "\tmaybe"]))
    with pytest.raises(InputError, match=r"claims\.tsv, line 3: expected .*" + LABELS[3]):
        read_labelled(path)
