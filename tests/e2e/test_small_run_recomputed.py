"""The small run's findings, computed again from its raw files in other code."""

import json

import pytest
from recomputation import sentences, table, wrong_contrasts, wrong_gains, wrong_sheets
from report_check import findings, unfounded

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(4200)]


@pytest.fixture
def margin(run):
    return json.loads((run.root / "manifest.json").read_text())["config"]["evaluation"]["margin"]


def test_contrasts_gains_and_p_values_follow_from_the_raw_files(run, margin):
    assert sum(bool(row["p_corrected"]) for row in table(run.root, "contrasts")) >= 2
    assert wrong_contrasts(run.root, margin) == []
    assert table(run.root, "gains") and wrong_gains(run.root) == []


def test_the_report_tells_what_follows_from_the_raw_files(run, margin):
    page = (run.root / "report/index.html").read_text()
    told = findings(page)
    assert "Each setting was trained once: no interval here covers the spread" in page
    for said in sentences(run.root, margin):
        assert any(all(part in text for part in said) for text in told), said
    assert unfounded(page, run.root / "tables") == []


def test_every_answer_that_can_be_looked_through_is_counted_in_the_tables(run):
    sheets = json.loads((run.root / "tables/answers.json").read_text())["sheets"]
    tasks = {"closed_book", "closed_book_plain", "closed_book_chat", "facts", "openbookqa"}
    assert {sheet["task"] for sheet in sheets} == tasks
    assert wrong_sheets(run.root) == []


def test_every_stated_contrast_is_measured(run):
    """One on a task, domain or measure that nothing has would never be noticed in the report."""
    rows = table(run.root, "contrasts")
    # A judge that is not usable gives no win rates.
    assert [row for row in rows if not int(row["n"]) and row["task"] != "win_rate"] == []
