"""The report's section on closed-book questions: form by form, the base in each."""

from plumbline.report import closed_book_sections, headline
from plumbline.report.tables import Run
from report_data import metric, tables_of, texts

MIX = "mix.unknown-0.convergence"
PLAIN = dict(task="closed_book_plain")
ROWS = [
    metric(value=0.35, low=0.3, high=0.4),
    metric(value=0.2, low=0.15, high=0.25, domain="ood"),
    metric(value=0.03, low=0.01, high=0.06, **PLAIN),
    metric(metric="majority_em", value=0.061),
    metric(MIX, value=0.36, low=0.31, high=0.41),
    metric(MIX, metric="em_vs_base", value=0.01, low=-0.04, high=0.06),
    metric(MIX, value=0.25, low=0.2, high=0.3, **PLAIN),
    metric(MIX, metric="em_vs_base", value=0.22, low=0.15, high=0.29, **PLAIN),
    metric(MIX, value=0.9, low=0.8, high=1, category="Unknown"),  # of a part of the questions
]


def test_each_form_is_a_table_of_its_own_and_the_base_is_in_every_one(tmp_path):
    told, examples, plain = closed_book_sections.closed_book(Run(tables_of(tmp_path, ROWS), {}, {}))
    assert told.lines == [
        "In domain (ID), 100 questions, answered exactly right by the base: with few-shot examples "
        "35.0 % (30.0–40.0); with an instruction only 3.0 % (1.0–6.0). Always giving a relation's "
        "commonest train answer would score 6.1 %.",
        "Out of domain (OOD), 100 questions, answered exactly right by the base: with few-shot "
        "examples 20.0 % (15.0–25.0).",
    ]
    assert texts(examples) == [
        ["base", "35.0", "–", "20.0", "–"],
        ["unknown-0", "36.0", "+1.0", "–", "–"],
    ]
    assert texts(plain) == [["base", "3.0", "–"], ["unknown-0", "25.0", "+22.0"]]
    assert (examples.folded, plain.folded) == (False, True)
    assert "to the base asked alike" in plain.caption
    assert not any(cell.tone for table in (examples, plain) for row in table.rows for cell in row)


def test_forms_are_printed_apart_and_aligned(tmp_path):
    lines = headline.as_text(tables_of(tmp_path, ROWS)).splitlines()
    start = lines.index("m, closed-book questions with few-shot examples, EM")
    assert lines[start + 1 :] == [
        "  checkpoint                      ID %  95 %           OOD %  95 %",
        "  base                            35.0  30.0–40.0       20.0  15.0–25.0",
        "  unknown-0, convergence          36.0  31.0–41.0          –",
        "",
        "m, closed-book questions with an instruction only, EM",
        "  checkpoint                      ID %  95 %           OOD %  95 %",
        "  base                             3.0  1.0–6.0            –",
        "  unknown-0, convergence          25.0  20.0–30.0          –",
    ]
