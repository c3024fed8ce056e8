"""The report in a real browser: drawn, quiet, self-contained, readable on a phone, sortable."""

import csv
import json
import re
import struct
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from plumbline.report.answers import read_answers
from plumbline.report.drawing import PALETTE
from plumbline.report.figures import draw_figures
from plumbline.report.names import FIGURES
from plumbline.report.page import write_page
from plumbline.report.responses import read_responses
from plumbline.report.tables import Run, read_files, read_tables
from plumbline.storage.files import read_json
from reach import find
from report_answer_data import HOSTILE
from report_data import write_results

webdriver = pytest.importorskip("selenium.webdriver")
Keys = pytest.importorskip("selenium.webdriver.common.keys").Keys

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
    run = Run(
        *(tables, plan, manifest, read_responses(folder / "tables/responses.json")),
        *(read_answers(folder / "tables/answers.json"), read_files(folder / "tables")),
    )
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


def test_every_link_leads_somewhere(browser, report):
    page, _ = report
    show(browser, page, 1200)
    links = browser.execute_script("""
        return [...document.querySelectorAll("a[href]")].map((a) => a.getAttribute("href"))""")
    assert len(links) > 10
    for link in links:
        assert link.startswith("#"), link
        assert browser.find_elements("id", link[1:]), link


@pytest.mark.parametrize("width", [390, 1200])
def test_the_first_screen_is_what_was_found(browser, report, width):
    """Four findings on a desktop, one on a phone, without scrolling."""
    page, _ = report
    show(browser, page, width)
    shown = browser.execute_script("""
        return [...document.querySelector("ol.findings").children].filter(
            (li) => li.getBoundingClientRect().bottom <= 900).map((li) => li.textContent)""")
    assert len(shown) >= (4 if width > 1000 else 1)
    assert "Lower" in shown[0] and "80 of 100" not in shown[0]


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


LOOKED_AT = """
    const cells = (tr) => [...tr.cells].slice(2).map((td) => td.querySelector(".mark").textContent);
    return {
        told: document.querySelector("#browser .told").textContent,
        place: document.querySelector("#browser .place").textContent,
        rows: [...document.querySelectorAll("#browser tbody tr")].map(cells),
        images: document.querySelectorAll("#browser img").length,
    };"""


def open_answers(browser, page, width):
    """The part with all questions, and its fields by name."""
    show(browser, page, width)
    place = browser.find_element("id", "browser")
    browser.execute_script("arguments[0].scrollIntoView()", place)
    wait(lambda: "ready" in place.get_attribute("class"))
    return {
        field.get_attribute("name"): field
        for field in place.find_elements("css selector", "select, input")
    }


def wait(ready, seconds=20):
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "nothing came of it"
        time.sleep(0.05)


def choose(field, text):
    [option] = [o for o in field.find_elements("css selector", "option") if o.text == text]
    option.click()


def counted(report, keep=lambda question: True):
    """Questions of the first model by whether the base and the last checkpoint are right."""
    page, _ = report
    sheets = json.loads((page.parents[1] / "tables/answers.json").read_text())
    sheet = sheets["sheets"][0]
    sides = [sheet["columns"][0]["right"], sheet["columns"][-1]["right"]]
    kept = [k for k, question in enumerate(sheet["questions"]) if keep(question)]
    pairs = [(sides[0][k], sides[1][k]) for k in kept]
    right = [100 * sum(pair[side] == "1" for pair in pairs) / len(pairs) for side in (0, 1)]
    return {
        "n": len(pairs), "lost": pairs.count(("1", "0")), "gained": pairs.count(("0", "1")),
        "right": right,
    }  # fmt: skip


def sentence(shown, c):
    return (
        f"{shown:,} shown. Of {c['n']:,} questions right: base {c['right'][0]:.1f} %, "
        f"FLAME: SFT, seed 1 {c['right'][1]:.1f} %; right to wrong {c['lost']}, "
        f"wrong to right {c['gained']}."
    )


@pytest.mark.parametrize("width", [390, 1200])
def test_thousands_of_questions_are_filtered_and_counted(browser, report, width):
    page, _ = report
    fields = open_answers(browser, page, width)
    looked_at = lambda: browser.execute_script(LOOKED_AT)  # noqa: E731
    everything = counted(report)
    assert looked_at()["told"] == sentence(3000, everything)
    assert looked_at()["place"] == "page 1 of 60" and len(looked_at()["rows"]) == 50
    choose(fields["change"], "right to wrong")
    seen = looked_at()
    assert seen["told"] == sentence(everything["lost"], everything)
    assert seen["rows"] and all(row == ["✓", "✗"] for row in seen["rows"])
    choose(fields["category"], "Unknown")
    choose(fields["relation"], "capital")
    here = counted(report, lambda q: (q["category"], q["relation"]) == ("Unknown", "capital"))
    assert looked_at()["told"] == sentence(here["lost"], here)
    for name, text in (("change", "all questions"), ("category", "all"), ("relation", "all")):
        choose(fields[name], text)
    fields["text"].send_keys("LAND 77?")
    one = counted(report, lambda q: q["text"].startswith("What is the capital of land 77?"))
    assert one["n"] == 1 and looked_at()["told"] == sentence(1, one)
    assert not fields["split"].is_displayed()  # all are of one
    assert browser.get_log("browser") == []
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_questions_are_looked_through_by_keyboard(browser, report):
    page, _ = report
    open_answers(browser, page, 1200)
    first = browser.find_element("css selector", "#browser tbody button")
    first.send_keys(Keys.ENTER)
    assert first.get_attribute("aria-expanded") == "true"
    everybody = browser.find_elements("css selector", "#browser ul.everybody li")
    assert [item.text.split("\n")[0] for item in everybody] == [
        "base", "GRATH, round 1, seed 1", "GRATH, round 1, seed 2", "FLAME: SFT, seed 1",
    ]  # fmt: skip
    first.send_keys(Keys.ENTER)
    assert browser.find_elements("css selector", "#browser ul.everybody") == []
    following = browser.find_elements("css selector", "#browser .pages button")[1]
    following.send_keys(Keys.ENTER)
    assert browser.execute_script(LOOKED_AT)["place"] == "page 2 of 60"
    asked = browser.find_elements("css selector", "#browser tbody button")
    assert "land 50?" in asked[0].text and HOSTILE.split("\n")[0] in asked[0].text
    assert browser.execute_script(LOOKED_AT)["images"] == 0


def saved(browser, folder, selector):
    """What a click on a button saves."""
    there = dict(behavior="allow", downloadPath=str(folder))
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", there)
    button = browser.find_element("css selector", selector)
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
    button.click()
    path = folder / button.get_attribute("data-file")
    wait(path.exists)
    return path


def test_tables_and_figures_are_saved(browser, report, tmp_path):
    page, _ = report
    show(browser, page, 1200)
    folder = tmp_path / "saved"
    folder.mkdir()
    path = saved(browser, folder, "#closed_book .files button")
    with path.open(encoding="utf-8-sig", newline="") as stream:
        head, *rows = csv.reader(stream)
    assert head[0] == "checkpoint" and "EM %" in head[2] and head[3].endswith("(below)")
    shown = browser.execute_script("""
        return [...document.querySelector("#closed_book table").tBodies[0].rows]
            .map((row) => row.cells[1].firstChild.textContent)""")
    assert [float(row[2]) for row in rows] == list(map(float, shown))
    path = saved(browser, folder, "#figure-gains [data-made=packed]")
    assert path.read_text() == (page.parents[1] / "tables/gains.csv").read_text()
    drawn = saved(browser, folder, "#figure-gains [data-made=svg]").read_text()
    assert "var(" not in drawn and PALETTE["fig-known"] in drawn
    image = saved(browser, folder, "#figure-gains [data-made=png]").read_bytes()
    wide, high = struct.unpack(">II", image[16:24])
    [box] = re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawn)
    assert image[1:4] == b"PNG" and len(image) > 10_000
    assert [wide, high] == [int(3 * float(side)) for side in box]
    assert browser.get_log("browser") == []
