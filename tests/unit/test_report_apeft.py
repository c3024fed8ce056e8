"""The report's section on APEFT's facts and pairs."""

from plumbline.methods.apeft.chapter import by_knowledge, facts_and_pairs
from plumbline.report.labels import checkpoint_label, checkpoint_order
from plumbline.report.tables import Run
from report_data import metric, tables_of, texts


def rows(seed, percent, atomic, general, right=(5, 2, 1, 3)):
    states = [("facts", "asked about", sum(right)), ("facts", "said before", 4)]
    states += [("right answers", str(k), n) for k, n in enumerate(right)]
    states += [("pairs to be had", "atomic", 3), ("pairs to be had", "general", 9)]
    states += [("pairs", "atomic", atomic), ("pairs", "general", general)]
    states += [("general pairs", "tie", 7)]
    about = dict(model="m", seed=seed, set=f"apeft.atomic-{percent}")
    return [about | dict(item=item, state=state, n=n) for item, state, n in states]


def test_facts_fall_into_three_groups():
    assert by_knowledge({0: 5, 1: 2, 2: 1, 3: 3}) == (5, 3, 3)
    assert by_knowledge({0: 0, 1: 0, 2: 0}) == (0, 0, 0)


def test_facts_and_pairs_are_counted_and_sources_named(tmp_path):
    found = [*rows(1, 0, 0, 6), *rows(1, 50, 3, 3)]
    tables = tables_of(tmp_path, [metric()], apeft_pairs=found)
    told, facts, pairs, spread, reasons, sources = facts_and_pairs(Run(tables, {}, {}))
    assert told.lines == [
        "11 facts were asked about, 3 times each: 5 are unknown and 3 known throughout, which "
        "leaves 3 that the model potentially knows."
    ]
    assert texts(facts) == [["m", "1", "3", "11", "5", "3", "3"]]
    assert texts(pairs) == [
        ["m", "APEFT: 0 % atomic", "1", "3", "0", "9", "6"],
        ["m", "APEFT: 50 % atomic", "1", "3", "3", "9", "3"],
    ]
    assert texts(spread) == [["m", "1", str(k), str(n)] for k, n in enumerate((5, 2, 1, 3))]
    assert [row[3:] for row in texts(reasons)] == [
        ["facts", "said before", "4"],
        ["general pairs", "tie", "7"],
    ] * 2
    assert sources.lines[0].startswith("From the paper") and sources.lines[1].startswith("Ours")


def test_several_seeds_are_told_apart(tmp_path):
    tables = tables_of(tmp_path, [metric()], apeft_pairs=[*rows(1, 0, 0, 6), *rows(2, 0, 0, 5)])
    told, facts, *_ = facts_and_pairs(Run(tables, {}, {}))
    assert [line[:7] for line in told.lines] == ["Seed 1:", "Seed 2:"] and len(facts.rows) == 2


def test_without_apeft_there_is_no_section(tmp_path):
    assert facts_and_pairs(Run(tables_of(tmp_path, [metric()]), {}, {})) == []


def test_checkpoints_have_readable_names_in_order():
    names = ["apeft.atomic-100.ipo", "apeft-unknown-0.atomic-12.5.kto", "apeft.atomic-25.ipo"]
    assert [checkpoint_label(name) for name in names] == [
        "APEFT: 100 % atomic, ipo",
        "APEFT without Unknown: 12.5 % atomic, kto",
        "APEFT: 25 % atomic, ipo",
    ]
    assert sorted([*names, "flame.sft", "zz"], key=checkpoint_order) == [
        "flame.sft", names[2], names[0], names[1], "zz"
    ]  # fmt: skip
