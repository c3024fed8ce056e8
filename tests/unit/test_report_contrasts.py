"""What the report says of the primary contrasts, and that it claims nothing else."""

import re

import pytest
import report_contrast_data as contrasts
from plumbline.report import contrast_sections, headline
from plumbline.report.blocks import Findings
from plumbline.report.figures import draw_figures
from plumbline.report.page import write_page
from plumbline.report.sections import build_sections
from plumbline.report.tables import Run, read_tables
from plumbline.storage.files import read_json
from report_check import figures, findings, unfounded
from report_contrast_data import contrast
from report_data import metric, tables_of, write_results

SEEDS = [metric("grath.r2", seed=1), metric("grath.r2", seed=2)]
# Words of a verdict, which only the primary contrasts' own sentences may use.
CLAIMS = re.compile(r"\b(clear|clearly|significant\w*|helped|harmed|held|helps|harms)\b|[▲▼≈✱]")


@pytest.fixture(scope="module")
def results_run(tmp_path_factory):
    """A run as it is read: two models, all sections filled."""
    folder = write_results(tmp_path_factory.mktemp("run") / "results")
    tables, plan = read_tables(folder / "tables"), read_json(folder / "plan.json")
    return Run(tables, plan, read_json(folder / "manifest.json"))


@pytest.fixture(scope="module")
def results_page(tmp_path_factory):
    """A page of two models' contrasts, and its run's folder."""
    folder = tmp_path_factory.mktemp("page")
    rows = [row for model in ("one", "two") for row in contrasts.tables(model)]
    tables = tables_of(folder / "tables", SEEDS, contrasts=rows)
    draw_figures(tables, folder / "figures")
    write_page(Run(tables, {}, {}), folder / "figures", "t", folder / "index.html")
    return (folder / "index.html").read_text(), folder


def told_of(folder, row, metrics=SEEDS):
    [one] = contrast_sections.told(tables_of(folder, metrics, contrasts=[row]), "m", row["role"])
    return one


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        (dict(verdict="higher", p_corrected=0.0123), "Higher (p corrected 0.012)."),
        (dict(verdict="lower", p_corrected=0.0001), "Lower (p corrected <0.001)."),
        (
            dict(kind="equivalence", verdict="held", margin=0.02, p_corrected=0.04),
            "Held within ±2.0 points (p corrected 0.040).",
        ),
        (
            dict(kind="equivalence", verdict="undecided", margin=0.02, p_corrected=0.4),
            "Not shown to be held within ±2.0 points (p corrected 0.400); within ±6.3 points it "
            "would have been in 80 of 100 such runs, if nothing differed.",
        ),
        (
            dict(),
            "No difference seen (p corrected 0.270); a difference of 6.3 points or more would have "
            "been seen in 80 of 100 such runs.",
        ),
        (dict(n=0, difference="", low="", high="", p_corrected=""), "No item has this measure"),
        (dict(n=4, low="", high="", p_corrected=""), "Too few items, or all of them equal: no int"),
        (
            dict(detectable=""),
            "No difference seen (p corrected 0.270); how large a one would have been is not known.",
        ),
    ],
)
def test_each_verdict_has_its_words(tmp_path, row, verdict):
    finding = told_of(tmp_path, contrast(**row)).finding
    assert finding.verdict.startswith(verdict)
    assert finding.tone == contrast(**row)["verdict"]
    assert finding.compared == "GRATH, last round"
    n = row.get("n", 80)
    assert finding.measure == (
        "GRATH, round 2 against GRATH, round 1: MC1 on truths, out of domain (OOD)"
        + (f", n = {n}, 2 seeds" if n else "")
    )
    missing = {0: "Not measured", 4: "−3.8 points"}
    whole = "−3.8 points (95 % interval −8.1 to +0.6)"
    assert finding.difference == missing.get(row.get("n"), whole)


def test_a_measure_that_is_no_share_has_no_points(tmp_path):
    metrics = [*SEEDS, metric(metric="words", value=40)]
    row = contrast(metric="words", difference=-3.04, low=-5, high=1, detectable=2.5)
    finding = told_of(tmp_path, row, metrics).finding
    assert finding.difference == "−3.0 (95 % interval −5.0 to +1.0)"
    assert "a difference of 2.5 or more" in finding.verdict


@pytest.mark.parametrize(
    ("seeds", "said"), [(1, "One training a setting: the spread"), (3, "3 trainings a setting: ")]
)
def test_the_first_line_says_how_many_trainings(tmp_path, seeds, said):
    metrics = [metric("grath.r2", seed=seed) for seed in range(1, seeds + 1)]
    run = Run(tables_of(tmp_path, metrics, contrasts=[contrast(seeds=seeds)]), {}, {})
    first = build_sections(run)[0]
    assert first.blocks[0].lines[0].startswith(said)
    assert headline.as_text(run.tables).startswith(said)


def test_without_contrasts_nothing_is_claimed(tmp_path):
    run = Run(tables_of(tmp_path, [metric()]), {}, {})
    assert contrast_sections.findings(run)[-1].lines == [contrast_sections.NOTHING]
    assert "so nothing is claimed" in " ".join(headline.as_text(run.tables).split())


def test_the_page_tells_each_primary_contrast_once_with_figures_of_its_row(results_page):
    page, folder = results_page
    assert len(findings(page)) == 2 * 5
    assert unfounded(page, folder / "tables") == []


def test_a_figure_that_stands_in_no_table_is_found(results_page):
    page, folder = results_page
    for right, wrong in (("+0.6", "+0.7"), ("0.270", "0.027"), ("6.3 points", "3.6 points")):
        complaints = unfounded(page.replace(right, wrong), folder / "tables")
        figure = wrong.strip("+").split()[0]
        assert complaints and all(one.startswith(f"{figure}: in no cell") for one in complaints)
    said = page.replace("No difference seen", "Higher: No difference seen").replace(
        "Held", "Higher"
    )
    assert len(unfounded(said, folder / "tables")) == 4


def test_figures_leave_out_what_is_no_result():
    text = "▼ GRATH, round 2: MC1, n = 1,200, 95 % interval −8.1 to +0.6; in 80 of 100 such runs."
    assert figures(text) == ["2", "1200", "8.1", "0.6"]


def test_no_other_sentence_claims_anything(results_run):
    """Verdicts are the primary contrasts' own; all else that compares is called exploratory."""
    for section in build_sections(results_run):
        if section.id in ("headline", "reading", "manifest"):
            continue
        for block in section.blocks:
            for line in [*getattr(block, "lines", ()), getattr(block, "caption", "")]:
                assert not CLAIMS.search(line), (section.id, line)
            for row in getattr(block, "rows", ()):
                assert not any(cell.tone for cell in row), (section.id, row)
        compares = any("to base" in str(getattr(b, "columns", "")) for b in section.blocks)
        assert section.exploratory or not compares


def test_the_terminal_tells_what_the_page_tells(results_run):
    lines = headline.as_text(results_run.tables).splitlines()
    printed = " ".join(" ".join(lines).split())
    told = contrast_sections.told(results_run.tables, "tiny-135m", "primary")
    assert len(told) == 5 and max(map(len, lines)) <= 80
    for one in (row.finding for row in told):
        text = f"{one.mark} {one.compared} {one.measure} {one.difference}. {one.verdict}"
        assert text in printed
    assert not re.search("[≈✱]", printed)


def test_several_models_are_corrected_apart_and_told_apart(results_run):
    blocks = contrast_sections.findings(results_run)
    heads = [block.heading for block in blocks if getattr(block, "heading", "")]
    assert heads == ["tiny-135m", "small-360m"]
    assert [len(block.found) for block in blocks if isinstance(block, Findings)] == [5, 5]
    assert (
        "Of 5 primary contrasts, which the methods name before the run: 1 higher, 1 lower, 1 held"
        in blocks[1].lines[0]
    )
