"""The report's grand table, its picture, the study over losses and the crossing."""

import xml.etree.ElementTree as ET

import pytest
from plumbline.methods.apeft import study_section
from plumbline.report import grand_sections
from plumbline.report.blocks import Picture, Table
from plumbline.report.figures import draw_figures
from plumbline.report.sections import build_sections
from plumbline.report.tables import Run
from report_data import metric, tables_of, texts


def comparison(checkpoint, difference, **more):
    row = dict(model="m", checkpoint=checkpoint, against="base", other="base", seeds=1, n=80)
    row |= dict(task="closed_book", domain="id", metric="em", value=0.5 + difference)
    row |= dict(other_value=0.5, difference=difference, low=difference - 0.02)
    row |= dict(high=difference + 0.02, p=0.01)
    return row | more


def gain(checkpoint, domain, value, **more):
    row = dict(model="m", checkpoint=checkpoint, against="base", other="base", domain=domain)
    row |= dict(tasks="closed_book facts", value=value, low=value - 0.03, high=value + 0.02, n=160)
    return row | more


def study(percent, loss, against, domain, value, **more):
    row = dict(model="m", method="apeft", percent=percent, loss=loss, against=against)
    row |= dict(domain=domain, tasks="closed_book", value=value, low=value - 0.01)
    return row | dict(high=value + 0.01, n=90) | more


METRICS = [
    metric(),
    metric("grath.r1", value=0.45, parent="base"),
    metric("grath.r2", value=0.6, parent="grath.r1"),
    metric("grath.r1", task="facts", metric="mc1", value=0.3, domain="ood"),
    metric("grath.r2", task="facts", metric="mc1", value=0.35, domain="ood"),
]
COMPARED = [
    comparison("grath.r2", 0.1),
    comparison("grath.r2", 0.15, against="parent", other="grath.r1", p=0.0004),
    comparison("grath.r1", -0.05),
    comparison("grath.r1", 0.01, task="facts", domain="ood", metric="mc1", n=60),
    comparison("grath.r2", -0.06, task="facts", domain="ood", metric="mc1"),
]
# Of too few items for an interval.
UNKNOWN = dict(low="", high="", p="")
GAINS = [
    gain("grath.r1", "id", 0.04),
    gain("grath.r1", "ood", -0.02),
    gain("grath.r2", "id", 0.05),
    gain("grath.r2", "ood", 0.01),
    gain("mix.idk.early_stop", "id", 0.01),  # only one domain: cannot be placed
]


def run_of(folder, **tables):
    return Run(tables_of(folder, METRICS, **tables), {}, {})


def test_the_grand_table_by_hand(tmp_path):
    run = run_of(tmp_path, comparisons=COMPARED, gains=GAINS)
    picture, table, every = grand_sections.grand(run)
    assert isinstance(picture, Picture) and picture.name == "gains"
    assert table.groups == [("", 2), ("closed_book, ID", 3), ("facts, OOD", 2)]
    heads = [head if isinstance(head, str) else (head.text, head.sub) for head in table.columns]
    assert heads == [
        "checkpoint", "trained from", ("EM %", "n 80"), "to base", "to parent", ("MC1 %", "n 80"),
        "to base",
    ]  # fmt: skip
    assert texts(table) == [
        ["base", "–", "50.0", "–", "–", "–", "–"],
        ["GRATH", "base", "45.0", "−5.0", "–", "30.0", "+1.0"],
        ["GRATH", "GRATH", "60.0", "+10.0", "+15.0", "35.0", "−6.0"],
    ]
    last = table.rows[2]
    assert not any(cell.tone for row in table.rows for cell in row)
    assert last[3].sub == "+8.0 to +12.0" and last[3].sort == 0.1
    assert [table.is_text(column) for column in range(7)] == [True, True, *[False] * 5]
    assert every.folded and [row[6:] for row in texts(every)][:1] == [["<0.001", "80"]]
    assert "not corrected: among 5 comparisons in which nothing differs, about 1" in every.caption
    assert len(every.rows) == 5


def test_without_comparisons_there_is_no_section(tmp_path):
    run = run_of(tmp_path)
    assert grand_sections.grand(run) == study_section.study(run) == []
    sections = {section.id: section for section in build_sections(run)}
    assert sections["grand"].left_out == "Left out: comparisons.csv has no rows for it."
    assert sections["study"].left_out == "Left out: study.csv has no rows for it."


def test_the_picture_places_what_has_both_gains(tmp_path):
    run = run_of(tmp_path, comparisons=COMPARED, gains=GAINS)
    draw_figures(run.tables, tmp_path / "figures")
    root = ET.parse(tmp_path / "figures" / "gains.svg").getroot()
    marks = [g.findtext("{*}title") for g in root.iter() if g.get("class") == "mark"]
    assert marks == [
        "m, GRATH, round 1: ID +4.0 points, 95 % interval +1.0 to +6.0, n = 160; "
        "OOD -2.0 points, 95 % interval -5.0 to +0.0, n = 160",
        "m, GRATH, round 2: ID +5.0 points, 95 % interval +2.0 to +7.0, n = 160; "
        "OOD +1.0 points, 95 % interval -2.0 to +3.0, n = 160",
    ]
    written = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"1", "2", "1  GRATH, round 1", "2  GRATH, round 2"} <= set(written)
    caption = grand_sections.grand(run)[0].caption
    assert "ID: closed_book, facts; OOD: closed_book, facts" in caption


def test_the_crossing_stands_beside_its_full_siblings(tmp_path):
    filtered = dict(against="full", other="grath.r2")
    rows = [*COMPARED, comparison("grath-unknown-0.r2", 0.05, **filtered)]
    more = [gain("grath-unknown-0.r2", domain, value, **filtered)
            for domain, value in (("id", 0.05), ("ood", -0.04), ("both", 0.005))]  # fmt: skip
    run = run_of(tmp_path, comparisons=rows, gains=[*GAINS, *more])
    told, table = grand_sections.grand(run)[-2:]
    assert told.heading == "With and without what the base does not know"
    assert told.lines == [
        "GRATH without Unknown, round 2 over its full sibling: +0.5 points, mean of ID and OOD "
        "(−2.5 to +2.5)."
    ]
    assert [row[2:] for row in texts(table)] == [
        ["mean of tasks", "ID", "160", "–", "–", "+5.0", "–"],
        ["mean of tasks", "OOD", "160", "–", "–", "−4.0", "–"],
        ["closed_book", "ID", "80", "55.0", "50.0", "+5.0", "0.010"],
    ]
    # It is no column of the grand table, which compares with base and parent.
    assert len(grand_sections.grand(run)[1].columns) == 7


@pytest.mark.parametrize("several", [True, False])
def test_the_study_by_loss(tmp_path, several):
    gained = [(0, "parent", 0), (50, "parent", 0.03), (50, "general-only", 0.02)]
    rows = [
        study(percent, loss, against, domain, value)
        for percent, against, value in gained
        for loss in (["sigmoid", "ipo", "average"] if several else ["sigmoid"])
        for domain in ("id", "ood", "both")
    ]
    told, table = study_section.study(run_of(tmp_path, study=rows))
    mean = "mean of 2 losses" if several else "under the loss sigmoid"
    assert told.lines == [
        f"General only: 0.0 points over the parent (−1.0 to +1.0), mean of ID and OOD, {mean}.",
        f"50 % atomic: +2.0 points over general preferences alone (+1.0 to +3.0), mean of ID and "
        f"OOD, {mean}.",
    ]
    assert isinstance(table, Table) and len(table.rows) == (6 if several else 2)
    assert table.groups[1:] == [
        ("gain over the parent", 3),
        ("gain over general preferences alone", 3),
    ]
    assert texts(table)[0] == ["m", "general only", "sigmoid", *["0.0"] * 3, *["–"] * 3]
    last = ["m", "50 % atomic", "mean of 2 losses" if several else "sigmoid"]
    assert texts(table)[-1] == [*last, *["+3.0"] * 3, *["+2.0"] * 3]


def test_what_has_too_few_items_is_shown_without_an_interval(tmp_path):
    filtered = dict(against="full", other="grath.r2")
    rows = [*COMPARED, comparison("grath-unknown-0.r2", 0.05, **filtered, **UNKNOWN)]
    bare = dict(low="", high="")
    gained = [gain("grath.r1", domain, 0.1, **bare) for domain in ("id", "ood")]
    gained += [gain("grath-unknown-0.r2", "both", 0.1, **filtered, **bare)]
    studied = [study(50, "ipo", "parent", "both", 0.03, **bare)]
    run = run_of(tmp_path, comparisons=rows, gains=gained, study=studied)
    *_, every, told, crossing = grand_sections.grand(run)
    assert texts(every)[-1][5:7] == ["+5.0", "–"] and every.rows[-1][5].sub == ""
    assert told.lines[0].endswith("sibling: +10.0 points, mean of ID and OOD.")
    assert texts(crossing)[-1][-2:] == ["+5.0", "–"]
    assert "over the parent, mean of ID" in study_section.study(run)[0].lines[0]
    draw_figures(run.tables, tmp_path / "figures")
    drawn = (tmp_path / "figures/gains.svg").read_text()
    assert "ID +10.0 points, n = 160; OOD +10.0 points, n = 160" in drawn and "nan" not in drawn
