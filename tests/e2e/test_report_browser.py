"""The report in a real browser: drawn, quiet, self-contained, readable on a phone, sortable."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from plumbline.report.figures import draw_figures
from plumbline.report.names import FIGURES
from plumbline.report.page import write_page
from plumbline.report.responses import read_responses
from plumbline.report.tables import Run, read_tables
from plumbline.storage.files import read_json
from reach import find
from report_data import write_results

webdriver = pytest.importorskip("selenium.webdriver")

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-prefers-reduced-motion",
    "--no-first-run",
]


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = write_results(tmp_path_factory.mktemp("run") / "results")
    tables = read_tables(folder / "tables")
    draw_figures(tables, folder / "figures")
    plan, manifest = read_json(folder / "plan.json"), read_json(folder / "manifest.json")
    run = Run(tables, plan, manifest, read_responses(folder / "tables" / "responses.json"))
    write_page(run, folder / "figures", "demo", folder / "report" / "index.html")
    return folder / "report" / "index.html", tables


@pytest.fixture
def browser(report, tmp_path):
    chromium, driver = find("chromium", "chromedriver", brought_by="`make test` as root, on Debian")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in [*FLAGS, f"--user-data-dir={tmp_path}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.chrome.service.Service(driver)
    browser = webdriver.Chrome(options=options, service=service)
    yield browser
    browser.quit()


def show(browser, page: Path, width: int) -> None:
    metrics = dict(width=width, height=900, deviceScaleFactor=1, mobile=width < 500)
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(page.as_uri())


@pytest.mark.parametrize("width", [390, 1200])
def test_every_figure_is_drawn(browser, report, width):
    page, tables = report
    show(browser, page, width)
    drawn = browser.execute_script("""
        const big = (e) => {
            const b = e.getBoundingClientRect();
            return b.width > 0 || b.height > 0;
        };
        return Object.fromEntries([...document.querySelectorAll("figure")].map((figure) => {
            const svg = figure.querySelector("svg"), box = svg.getBoundingClientRect();
            const marks = [...svg.querySelectorAll(".mark")];
            return [figure.id.replace("figure-", ""), {
                width: box.width, height: box.height, marks: marks.length,
                seen: marks.filter(big).length,
                paths: [...svg.querySelectorAll("path, use")].filter(big).length,
                spilt: [...svg.querySelectorAll("text")].filter((t) => {
                    const b = t.getBoundingClientRect();
                    return b.left < box.left - 1 || b.right > box.right + 1;
                }).map((t) => t.textContent),
            }];
        }));""")
    assert set(drawn) == set(FIGURES)
    for name, figure in drawn.items():
        assert figure["width"] > 100 and figure["height"] > 100, name
        assert figure["paths"] > 20, name
        assert figure["marks"] == figure["seen"], name
        assert not figure["spilt"], name
    counts = tables.slick_counts.groupby(["model", "relation", "category"]).n.sum()
    assert drawn["slick_categories"]["marks"] == (counts > 0).sum()
    points = tables.metrics.groupby(["model", "task", "checkpoint", "domain"])
    assert drawn["id_ood"]["marks"] == len(points)
    placed = tables.metrics[tables.metrics.metric == "f1"]
    points = placed.groupby(["model", "checkpoint", "domain"])
    assert drawn["factuality"]["marks"] == len(points)
    lines = tables.preference_curves.groupby(["model", "tuning"])
    assert drawn["preference_curves"]["marks"] == 3 * len(lines)


@pytest.mark.parametrize("width", [390, 1200])
def test_quiet_self_contained_and_no_wider_than_the_screen(browser, report, width):
    page, _ = report
    show(browser, page, width)
    browser.execute_script("document.querySelectorAll('details').forEach((d) => (d.open = true))")
    assert browser.get_log("browser") == []
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0
    wide = browser.execute_script("return document.documentElement.scrollWidth")
    assert wide <= width


def test_tables_sort_by_number_both_ways(browser, report):
    page, _ = report
    show(browser, page, 1200)
    column = """return [...document.querySelectorAll("#closed_book table")[0].tBodies[0].rows]
        .map((row) => parseFloat(row.cells[1].firstChild.textContent))"""
    before = browser.execute_script(column)
    button = browser.find_elements("css selector", "#closed_book table th button")[1]
    for order in (sorted(before), sorted(before, reverse=True)):
        assert before != order
        button.click()
        assert browser.execute_script(column) == order


@pytest.mark.parametrize("width", [390, 1200])
def test_claims_are_opened_and_told_apart(browser, report, width):
    page, _ = report
    show(browser, page, width)
    prompt = "//summary[contains(., 'tiny-135m: Tell me about Ostrava')]"
    answers = browser.find_element("xpath", f"{prompt}/following-sibling::div")
    assert not answers.is_displayed()
    browser.find_element("xpath", prompt).click()
    assert answers.is_displayed()
    cards = answers.find_elements("css selector", "article")
    assert [card.find_element("css selector", "h4").text.split("\n")[0] for card in cards] == [
        *("base", "FLAME: SFT", "FLAME: SFT★", "FLAME: SFT, DPO", "FLAME: SFT★, DPO★")
    ]
    beside = cards[0].rect["y"] == cards[1].rect["y"]
    assert beside == (width > 1000)
    claims = cards[0].find_elements("css selector", "ul.claims > li")
    assert [claim.text[0] for claim in claims] == ["✓", "✗", "?"]
    assert len({claim.value_of_css_property("color") for claim in claims}) == 3
    evidence = claims[0].find_element("css selector", "details")
    assert "subject" not in evidence.text
    evidence.find_element("css selector", "summary").click()
    assert "subject Ostrava" in evidence.text.replace("\n", " ")
