"""The script that makes the embedded tables: its choices, and that the tables are its own."""

import sys
from pathlib import Path

import pytest

RESOURCES = Path(__file__).parents[2] / "workflow" / "resources"


@pytest.fixture(autouse=True)
def builders(monkeypatch):
    monkeypatch.syspath_prepend(str(RESOURCES))
    yield
    for name in [n for n in sys.modules if n.split(".")[0] in ("build_facts", "fact_builders")]:
        del sys.modules[name]


def test_the_tables_are_those_of_the_script():
    from build_facts import FACTS, RELATIONS
    from fact_builders.packages import NOTICES, PACKAGES

    rows = [line.split("\t") for line in (FACTS / "relations.tsv").read_text().splitlines()[1:]]
    assert [row[:4] for row in rows] == [
        [name, relation.template, relation.domain, relation.licence]
        for name, relation in RELATIONS.items()
    ]
    tables = {path.stem for path in FACTS.glob("*.tsv")} - {"relations", "errata", "ambiguous"}
    assert tables == set(RELATIONS)
    licences = (FACTS / "LICENCES.md").read_text()
    for package, (_, version, _, _) in PACKAGES.items():
        assert f"{package} {version}" in licences
        assert (FACTS / "licences" / f"{package}.txt").stat().st_size > 0
    assert set(NOTICES) == set(PACKAGES)
    assert all(relation.template.count("[X]") == 1 for relation in RELATIONS.values())


def test_no_answer_gets_more_than_its_share():
    from fact_builders.common import Fact, pick

    facts = [Fact(f"a{n}", ["A"]) for n in range(50)]
    facts += [Fact(f"{answer}{n}", [answer]) for answer in "BCDEFGHI" for n in range(6)]
    picked = pick(facts, 60)
    most = max(sum(f.answers == [answer] for f in picked) for answer in "ABCDEFGHI")
    assert most <= 0.15 * len(picked)
    assert len(picked) > 40
    assert picked == [fact for fact in facts if fact in picked]


def test_names_and_their_unaccented_forms_are_accepted_once():
    from fact_builders.common import accepted

    assert accepted("Malmö", "Łódź", "Malmo") == ["Malmö", "Malmo", "Łódź", "Lodz"]


@pytest.mark.parametrize(
    ("lemmas", "name"),
    [
        (["Masefield", "John Masefield"], "John Masefield"),
        (["Beethoven", "van Beethoven", "Ludwig van Beethoven"], "Ludwig van Beethoven"),
        (["Manson", "Sir Patrick Manson"], "Patrick Manson"),
        (["Xenophon"], "Xenophon"),
        (["Wellington", "Duke of Wellington", "First Duke of Wellington"], None),
    ],
)
def test_full_name(lemmas, name):
    from fact_builders.people import full_name

    assert full_name(lemmas) == name
