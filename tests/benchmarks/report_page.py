"""How soon the report is there in Chromium, and how long a reader waits for its questions.

The page of a made-up run with all tables and so many questions a model, two models; and a finished
run's own page, if there is one. Each time is the median of the turns, with a fresh tab.
"""

import json
import shutil
import sys
from pathlib import Path
from statistics import median

from measuring import ROOT, TURNS
from plumbline.report.answers import read_answers
from plumbline.report.figures import draw_figures
from plumbline.report.page import write_page
from plumbline.report.tables import Run, read_files, read_tables
from plumbline.storage.files import read_json
from selenium import webdriver

sys.path.insert(0, str(ROOT / "tests"))
from report_answer_data import sheets
from report_data import MODELS, write_results

QUESTIONS = (1_000, 10_000)
# Milliseconds from the beginning of navigation, then those that each step took.
PAINTED = """
    const done = arguments[0], seen = () => {
        const [one] = performance.getEntriesByName("first-contentful-paint");
        one ? done(one.startTime) : setTimeout(seen, 20);
    };
    seen();"""
OPENED = """
    const done = arguments[0], place = document.getElementById("browser"), start = performance.now();
    const seen = () => place.classList.contains("ready")
        ? done(performance.now() - start) : setTimeout(seen, 5);
    place.scrollIntoView();
    seen();"""
FILTERED = """
    const text = document.querySelector("#browser input"), start = performance.now();
    text.value = "land 7";
    text.dispatchEvent(new Event("input", { bubbles: true }));
    document.body.getBoundingClientRect();
    return performance.now() - start;"""


def measure(folder: Path, run: Path = ROOT / "results/demo") -> list[dict]:
    """Rows of milliseconds and MiB. FileNotFoundError without Chromium and its driver."""
    pages = {f"{n:,} questions": page_of(folder / str(n), n) for n in QUESTIONS}
    if (run / "report/index.html").is_file():
        pages[f"the run {run.name}"] = run / "report/index.html"
    return [row for variant, page in pages.items() for row in _rows(variant, page)]


def page_of(folder: Path, n: int) -> Path:
    """The report of a made-up run with n questions a model."""
    shutil.rmtree(folder, ignore_errors=True)
    write_results(folder)
    (folder / "tables/answers.json").write_text(json.dumps(sheets(MODELS, n)), encoding="utf-8")
    tables = read_tables(folder / "tables")
    draw_figures(tables, folder / "figures")
    run = Run(
        tables,
        read_json(folder / "plan.json"),
        read_json(folder / "manifest.json"),
        answers=read_answers(folder / "tables/answers.json"),
        files=read_files(folder / "tables"),
    )
    write_page(run, folder / "figures", "bench", folder / "index.html")
    return folder / "index.html"


def _rows(variant: str, page: Path) -> list[dict]:
    times: dict[str, list[float]] = {}
    for _ in range(TURNS):
        browser = _browser()
        try:
            browser.get(page.as_uri())
            times.setdefault("first paint", []).append(browser.execute_async_script(PAINTED))
            times.setdefault("questions are there", []).append(browser.execute_async_script(OPENED))
            times.setdefault("a search", []).append(browser.execute_script(FILTERED))
        finally:
            browser.quit()
    size = page.stat().st_size / 2**20
    return [
        *(_row(f"{variant}: {name}", median(turns), "ms") for name, turns in times.items()),
        _row(f"{variant}: page", size, "MiB"),
    ]


def _browser() -> webdriver.Chrome:
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        raise FileNotFoundError("no chromium and chromedriver: tests/install_browser.sh has them")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in ("--headless", "--no-sandbox", "--disable-gpu", "--window-size=1200,900"):
        options.add_argument(flag)
    return webdriver.Chrome(options, webdriver.chrome.service.Service(driver))


def _row(variant: str, value: float, unit: str) -> dict:
    return {"benchmark": "report_page", "variant": variant, "value": value, "unit": unit}
