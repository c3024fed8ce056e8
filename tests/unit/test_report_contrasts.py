"""What the report says of the primary contrasts, and that it claims nothing else."""

import re
from pathlib import Path

import pytest
import report_contrast_data as contrasts
import yaml
from method_overlays import with_all
from plumbline import names
from plumbline.experiment import config as experiment
from plumbline.experiment import lineage
from plumbline.experiment.contrasts import contrasts as contrasts_of
from plumbline.methods.registry import METHODS
from plumbline.report import contrast_sections, headline
from plumbline.report.blocks import Findings, Prose
from plumbline.report.chapters import question, spoken
from plumbline.report.figures import draw_figures
from plumbline.report.page import write_page
from plumbline.report.sections import build_sections
from plumbline.report.tables import Run, read_tables
from plumbline.storage.files import read_json
from report_check import figures, findings, unfounded
from report_contrast_data import contrast
from report_data import metric, tables_of, write_results

ROOT = Path(__file__).resolve().parents[2]
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


ONE, TWO = "the model after round 2 of GRATH", "the model after round 1 of GRATH"
MEASURE = (
    "probability of the true among the offered answers (MC2) on the task “truths”, out of the "
    "tuning domain (OOD)"
)
MEASURED = f": 31.2 % against 35.0 % in {MEASURE}, −3.8 points (95 % interval −8.1 to +0.6)"


@pytest.mark.parametrize(
    ("row", "word", "opening", "end"),
    [
        (dict(verdict="higher"), "Higher", "{one} scores higher than {two}", "."),
        (dict(verdict="lower"), "Lower", "{one} scores lower than {two}", "."),
        (
            dict(kind="equivalence", verdict="held", margin=0.02),
            "Held", "{one} is shown to stay within ±2.0 points of {two}", ".",
        ),
        (
            dict(kind="equivalence", verdict="undecided", margin=0.02),
            "Not shown", "{one} is not shown to stay within ±2.0 points of {two}",
            "; a margin of ±6.3 points would have been shown in 80 of 100 such runs if there were no "
            "difference.",
        ),
        (
            dict(),
            "Not seen", "No difference is seen between {one} and {two}",
            "; a difference of 6.3 points or more would have been seen in 80 of 100 such runs.",
        ),
        (
            dict(detectable=""),
            "Not seen", "No difference is seen between {one} and {two}",
            "; how large a difference would have been seen is not known.",
        ),
    ],
)  # fmt: skip
def test_each_verdict_is_one_sentence_with_its_word_and_mark(tmp_path, row, word, opening, end):
    finding = told_of(tmp_path, contrast(**{"metric": "mc2", "p_corrected": 0.27} | row)).finding
    said = opening.format(one=ONE, two=TWO)
    assert finding.sentence == f"{said[0].upper()}{said[1:]}{MEASURED}{end}"
    assert finding.names == ("grath.r2", "grath.r1")
    assert (finding.word, finding.tone) == (word, contrast(**row)["verdict"])
    assert finding.mark == contrast_sections.MARKS[finding.tone]
    assert finding.asked == "GRATH: last round"
    assert finding.basis == "n = 80, 2 seeds, p corrected 0.270"


@pytest.mark.parametrize(
    ("row", "word", "sentence", "basis"),
    [
        (
            dict(n=0, difference="", first_value="", second_value=""),
            "Not measured",
            f"P{MEASURE[1:]}: no item was measured for both {ONE} and {TWO}.",
            "",
        ),
        (
            dict(n=4),
            "No verdict",
            f"Nothing can be said about a difference between {ONE} and {TWO}: 31.2 % against 35.0 % "
            f"in {MEASURE}, −3.8 points; there are too few items, or all of them are equal.",
            "n = 4, 2 seeds",
        ),
    ],
)  # fmt: skip
def test_without_an_interval_nothing_is_said(tmp_path, row, word, sentence, basis):
    row = dict(metric="mc2", low="", high="", p_corrected="", detectable="") | row
    finding = told_of(tmp_path, contrast(**row)).finding
    assert (finding.word, finding.sentence) == (word, sentence)
    assert finding.basis == basis


def test_a_method_asks_in_its_own_words(tmp_path):
    row = contrast(method="grath-unknown-0", contrast="all rounds")
    asked = told_of(tmp_path, row).finding.asked
    assert asked.startswith("GRATH without Unknown: Do rounds on pairs") and asked.endswith("?")


def test_every_primary_contrast_of_a_method_is_asked_as_a_question():
    raw = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    config = experiment.load(with_all(raw))
    stated = [c for c in contrasts_of(config, lineage.build(config)) if c.role == "primary"]
    assert {names.parts(f"{c.method}.")[0] for c in stated} == {
        method.name for method in METHODS if list(method.contrasts(config, lineage.build(config)))
    }
    assert [c for c in stated if not question(c.method, c.name).endswith("?")] == []


@pytest.mark.parametrize(
    ("checkpoint", "words"),
    [
        ("base", "the base model"),
        ("mix.unknown-100.convergence", "the model tuned to convergence on new facts only"),
        ("mix.unknown-0.early_stop", "the model tuned with early stopping on known facts only"),
        ("mix.unknown-25.convergence",
         "the model tuned to convergence on facts of which 25 % are new"),
        ("mix.known-50.convergence",
         "the model tuned to convergence on the known facts of the mix with 50 % new ones"),
        ("mix.only-WeaklyKnown.convergence",
         "the model tuned to convergence on WeaklyKnown facts only"),
        ("mix.natural.convergence", "the model tuned to convergence on facts in their natural mix"),
        ("mix.form", "the model tuned on the form of answers only"),
        ("grath-unknown-0.r10", "the model after round 10 of GRATH without Unknown"),
        ("grath.r2.placebo", "the placebo of the model after round 2 of GRATH"),
        ("flame.sft-star.dpo-star",
         "the model after factuality-aware SFT★ and factuality-aware DPO★ (FLAME)"),
        ("flame.sft.dpo", "the model after SFT and DPO (FLAME)"),
        ("apeft.atomic-50.sigmoid", "the model tuned by APEFT on 50 % atomic pairs (sigmoid)"),
        ("apeft.atomic-0.ipo", "the model tuned by APEFT on general pairs only (ipo)"),
        ("consistency.dpo", "the model tuned by self-consistency"),
        ("audit.my-chat", "the tuned model “my-chat”"),
        ("grath.other", "the checkpoint grath.other"),
        ("no-method.r1", "the checkpoint no-method.r1"),
    ],
)  # fmt: skip
def test_a_sentence_names_checkpoints_in_words(checkpoint, words):
    assert spoken(checkpoint) == words


def test_every_checkpoint_is_named_in_words_of_its_own():
    raw = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    checkpoints = lineage.build(experiment.load(with_all(raw))).checkpoints
    told = [spoken(checkpoint) for checkpoint in checkpoints]
    assert len(set(told)) == len(told)
    assert [words for words in told if words.startswith("the checkpoint")] == []


def test_the_exact_names_stand_behind_each_sentence(results_page):
    page, _ = results_page
    names = ("mix.unknown-100.convergence", "mix.unknown-0.convergence")
    assert " against ".join(f"<code>{name}</code>" for name in names) in page


def test_a_measure_that_is_no_share_has_no_points(tmp_path):
    metrics = [*SEEDS, metric(metric="words", value=40)]
    row = contrast(
        metric="words",
        first_value=0.3,
        second_value=0.3,
        difference=-3.04,
        low=-5,
        high=1,
        detectable=2.5,
    )
    finding = told_of(tmp_path, row, metrics).finding
    assert finding.difference == "−3.0 (95 % interval −5.0 to +1.0)"
    assert "a difference of 2.5 or more" in finding.seen and "words" in finding.said
    assert ": 0.3 against 0.3 in words on" in finding.sentence


@pytest.mark.parametrize(
    ("seeds", "said"),
    [(1, "Each setting was trained once: "), (3, "Each setting was trained 3 times: ")],
)
def test_how_many_trainings_there_are_stands_below_the_findings(tmp_path, seeds, said):
    metrics = [metric("grath.r2", seed=seed) for seed in range(1, seeds + 1)]
    run = Run(tables_of(tmp_path, metrics, contrasts=[contrast(seeds=seeds)]), {}, {})
    first = build_sections(run)[0]
    assert isinstance(first.blocks[0], Findings)
    notes = [block.lines[0] for block in first.blocks if isinstance(block, Prose)]
    assert notes[-1].startswith(said)
    assert f"\n{said}" in headline.as_text(run.tables)


def test_without_contrasts_nothing_is_claimed(tmp_path):
    run = Run(tables_of(tmp_path, [metric()]), {}, {})
    assert contrast_sections.findings(run)[0].lines == [contrast_sections.NOTHING]
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
    said = page.replace("No difference is seen", "Higher: No difference is seen")
    assert len(unfounded(said.replace(" Held</p>", " Higher</p>"), folder / "tables")) == 4


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
    assert contrast_sections.summary(told[:1]).startswith("Of 1 primary contrast, named")
    for one in (row.finding for row in told):
        names = " against ".join(one.names)
        text = f"{one.mark} {one.word}. {one.asked} {one.sentence} {names}, {one.basis}"
        assert text in printed
    assert not re.search("[≈✱]", printed)


def test_several_models_are_corrected_apart_and_told_apart(results_run):
    blocks = contrast_sections.findings(results_run)
    heads = [block.heading for block in blocks if getattr(block, "heading", "")]
    assert heads == 2 * ["tiny-135m", "small-360m"]
    assert [len(block.found) for block in blocks[:2]] == [5, 5]
    assert (
        "Of 5 primary contrasts, named by the methods before the run: 1 higher, 1 lower, 1 held"
        in blocks[2].lines[0]
    )
