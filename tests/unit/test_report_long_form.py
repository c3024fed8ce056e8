"""The report's section on long answers: what is claimed of them, and claims to read."""

import html
import json

import pytest
import report_long_form_data as data
from plumbline.report import (
    claim_sections,
    headline,
    judge_sections,
    long_form_sections,
    task_sections,
)
from plumbline.report.blocks import Answers, Picture, Prose, Table
from plumbline.report.figures import draw_figures
from plumbline.report.labels import checkpoint_label, checkpoint_order
from plumbline.report.page import write_page
from plumbline.report.responses import Sample, read_responses
from plumbline.report.tables import Run, scale_of
from plumbline.storage.files import InputError
from report_data import metric, tables_of, texts

TUNED = "flame.sft-star"
BASE = dict(words=40, responded=0.9, f1=0.3, precision=0.25, coverage=0.2)
COUNTS = dict(claims=8, decided=1.6, supported=0.4, refuted=1.2, unverifiable=6.4)
SETTINGS = {"config": {"evaluation": {"long_form": {"baseline": "base", "judge": "grath.r1"}}}}


def scored(checkpoint="base", domain="id", differences=None, n=20, **values):
    """Rows of long_form; a difference is (value, low, high)."""
    about = dict(checkpoint=checkpoint, task="long_form", domain=domain, n=n)
    values = BASE | COUNTS | values
    rows = [
        metric(metric=name, value=v, low=0.9 * v, high=1.1 * v, **about)
        for name, v in values.items()
    ]
    for name, (value, low, high) in (differences or {}).items():
        about["n"] = 13
        rows.append(metric(metric=f"{name}_vs_base", value=value, low=low, high=high, **about))
    return rows


def won(checkpoint, *intervals, consistent=0.75):
    """Rows of win_rate, one interval a seed."""
    rows = []
    for seed, (value, low, high) in enumerate(intervals, start=1):
        about = dict(checkpoint=checkpoint, task="win_rate", domain="ood", seed=seed)
        rows.append(metric(metric="win", value=value, low=low, high=high, n=18, **about))
        rows.append(metric(metric="consistent", value=consistent, n=20, **about))
    return rows


def blocks_of(folder, rows, manifest=None, responses=(), **tables):
    return long_form_sections.long_answers(
        Run(tables_of(folder, rows, **tables), {}, manifest or {}, responses)
    )


UP, DOWN, EVEN = (0.1, 0.05, 0.15), (-0.1, -0.15, -0.05), (0.0, -0.1, 0.1)
MORE, FEWER, SAME = (2.0, 1.0, 3.0), (-2.0, -3.0, -1.0), (0.1, -0.5, 0.7)


def test_of_the_base_it_is_told_how_many_claims_are_right_of_others_nothing_is_claimed(tmp_path):
    found = dict(f1=UP, claims=FEWER, supported=SAME, responded=EVEN)
    prose, table, picture, *_ = blocks_of(tmp_path, scored() + scored(TUNED, differences=found))
    assert prose.lines == [
        "In domain (ID): the base's 20 responses have 8.0 claims each, of which the verifier "
        "decides 20.0 % on average. 8 of 32 decided ones are supported; in the 20 responses with "
        "decided ones, 25.0 % (22.5–27.5) of them. F1: 30.0 % (27.0–33.0)."
    ]
    assert isinstance(table, Table) and picture.name == "factuality"
    assert "stopping early does not raise it" in table.caption


def test_a_checkpoint_without_claims_is_not_called_factual(tmp_path):
    silent = dict(checkpoint=TUNED, task="long_form", domain="id", n=20)
    rows = [
        *scored(),
        metric(metric="words", value=3, **silent),
        metric(metric="words_vs_base", value=-37, low=-40, high=-34, **silent),
        metric(metric="responded", value=0, low=0, high=0.1, **silent),
    ]
    tables = tables_of(tmp_path, rows)
    prose, table, *_ = long_form_sections.long_answers(Run(tables, {}, {}))
    assert len(prose.lines) == 1
    assert texts(table)[1] == ["FLAME: SFT★", "0", *["–"] * 7, "3.0", "0.0"]
    assert "–        –" in headline.as_text(tables).splitlines()[-1].split("SFT★")[1]
    draw_figures(tables, tmp_path / "figures")
    assert (tmp_path / "figures" / "factuality.svg").read_text().count('class="mark"') == 1


def test_the_table_shows_intervals_and_marks_nothing(tmp_path):
    found = dict(f1=UP, supported=MORE, refuted=MORE, claims=FEWER, words=SAME, responded=UP)
    rows = scored() + scored(TUNED, differences=found, f1=0.4, n=17)
    rows += won(TUNED, (0.7, 0.55, 0.85)) + scored(domain="ood") + scored(TUNED, "ood")
    _, table, *_ = blocks_of(tmp_path, rows)
    heads = ["n", "F1 %", "to base", "precision %", "supported", "refuted", "claims"]
    heads += ["decided %", "words", "respond %"]
    assert table.columns == ["checkpoint", "win %", *heads * 2]
    assert table.groups == [
        ("", 1),
        ("20 comparisons", 1),
        ("in domain (ID), 20 prompts", 10),
        ("out of domain (OOD), 20 prompts", 10),
    ]
    base, tuned = table.rows
    shown = ["20", "30.0", "–", "25.0", "0.4", "1.2", "8.0", "20.0", "40.0", "90.0"]
    assert [cell.text for cell in base] == ["base", "–", *shown * 2]
    assert [cell.text for cell in tuned[:5]] == ["FLAME: SFT★", "70.0", "17", "40.0", "+10.0"]
    assert not any(cell.tone for cell in tuned)
    assert tuned[1].sub == "55.0–85.0" and tuned[6].sub == "0.4–0.4"


def test_win_rates_are_told_with_intervals(tmp_path):
    rows = scored() + scored(TUNED) + won(TUNED, (0.7, 0.55, 0.85)) + scored("flame.sft")
    prose, *_ = blocks_of(tmp_path, rows, SETTINGS)
    assert prose.lines[-1] == (
        "Win rates against the base, judged by GRATH, round 1: FLAME: SFT★ 70.0 % (55.0–85.0). Two "
        "that are equally good reach 50 %. In 75 % of a checkpoint's comparisons both orders had the "
        "same winner."
    )


def test_without_a_usable_judge_there_are_no_win_rates(tmp_path):
    rows = [row | {"use": "win_rate"} for row in data.judge_calibration("m")[4:]]
    prose, table, *_ = blocks_of(tmp_path, scored() + scored(TUNED), judge_calibration=rows)
    assert prose.lines[-1] == (
        "There are no win rates: the base is right about 50 % (40–55 %) of 60 pairs of known "
        "quality, and 75 % are needed."
    )
    assert table.columns[1] == "win %"
    assert {row[1].text for row in table.rows} == {"no usable judge"}
    tables = tables_of(tmp_path, scored() + scored(TUNED), judge_calibration=rows)
    lines = long_form_sections.as_lines(tables.metrics, tables.judge_calibration)
    assert lines[-1].endswith("none") and max(map(len, lines)) < 80


def test_judges_are_shown_with_what_they_are_used_for(tmp_path):
    tables = tables_of(tmp_path, scored(), judge_calibration=data.judge_calibration("m"))
    prose, table = judge_sections.judges(Run(tables, {}, {}))
    assert prose.lines == [
        "For win rates, the base is right about 90 % (80–95 %) of 60 pairs: it is used.",
        "For pairs by helpfulness, the base is right about 50 % (40–55 %) of 60 pairs: it is not "
        "used.",
    ]
    assert table.folded and len(table.rows) == 8
    assert texts(table)[0] == ["m", "0", "the base", "win rates", "All", "90.0", "60"]


def test_counts_below_one_are_no_percentages(tmp_path):
    tables = tables_of(tmp_path, scored() + scored(TUNED, differences=dict(supported=SAME)))
    assert (
        scale_of(tables.metrics, "supported") == 1 == scale_of(tables.metrics, "supported_vs_base")
    )
    assert scale_of(tables.metrics, "f1") == 100
    _, shown, *_ = task_sections.id_ood(Run(tables, {}, {}))
    assert [cell.text for cell in shown.columns[1:]] == ["F1 %", "to base"]


def test_the_figure_goes_by_wins_or_where_one_is_missing_by_words(tmp_path):
    rows = scored() + scored(TUNED) + scored("flame.sft") + won(TUNED, (0.7, 0.55, 0.85))
    rows += won("flame.sft", (0.4, 0.3, 0.5))

    def drawn(rows):
        draw_figures(tables_of(tmp_path, rows), tmp_path / "figures")
        return (tmp_path / "figures" / "factuality.svg").read_text()

    by_wins = drawn(rows)
    assert "m, base, in domain (ID): F1 30.0 %, 95 % interval 27.0 to 33.0 %" in by_wins
    assert "n = 20; what others are compared with" in by_wins
    assert "n = 20; win rate 70.0 %, 95 % interval 55.0 to 85.0 %, n = 18" in by_wins
    unread = [row for row in rows if (row["checkpoint"], row["metric"]) != ("flame.sft", "win")]
    by_words = drawn(unread)
    assert "n = 20; 40 words" in by_words and "win rate" not in by_words
    assert by_wins.count('class="mark"') == by_words.count('class="mark"') == 3


def test_the_verifier_is_told_with_its_caution(tmp_path):
    states = data.states("m")[:5]  # of the base: 300 verdicts, of which 140 decide nothing
    tables = tables_of(tmp_path, scored(), verifier=data.verifier(), claim_states=states)
    prose, table = claim_sections.verifier(Run(tables, {}, {}))
    read, decided, templates = prose.lines
    assert read == (
        "On 500 claims that small models wrote and that were labelled by reading them, it decides "
        "30.0 %; of the 90 called supported 94.0 % (92.0–95.0) is true; of the 80 called refuted "
        "95.0 % (93.0–96.0) is false in whole or in part. On the 250 of these to which no rule was "
        "adjusted, it decides 30.0 %; of the 45 called supported 94.0 % (92.0–95.0) is true; of the "
        "40 called refuted 95.0 % (93.0–96.0) is false in whole or in part."
    )
    assert templates == (
        "On 600 claims that this project made from the facts by its own templates, half of them "
        "false, it decides 90.0 % (88.0–91.0) and is right in 97.0 % (95.0–98.0) of what it "
        "decides; that only shows that it reads its own wordings."
    )
    assert decided == (
        "Of the 300 claims in this run's responses it decides 53.3 %; the others stay undecided."
    )
    assert table.folded
    assert texts(table)[:2] == [
        ["All", "600", "97.0", "98.0", "85.0", "90.0"],
        ["country capital", "300", "97.0", "98.0", "85.0", "90.0"],
    ]
    [counted] = claim_sections.states(Run(tables, {}, {}))
    assert counted.folded and len(counted.rows) == 5
    assert texts(counted)[4] == ["m", "base", "0", "verdicts", "unverifiable: no subject", "140"]


def test_a_verifier_that_was_not_tested_is_called_so(tmp_path):
    [prose] = claim_sections.verifier(Run(tables_of(tmp_path, scored()), {}, {}))
    assert prose.lines == ["It was not tested: verifier.csv has no rows."]


def test_responses_stand_together_by_prompt_in_order(tmp_path):
    responses = Sample(responses=data.responses("m")[::-1]).responses
    run = Run(tables_of(tmp_path, scored()), {}, {}, responses)
    prose, second, first = claim_sections.sample(run)
    assert isinstance(prose, Prose) and isinstance(first, Answers)
    assert (first.caption, second.caption) == ("Tell me about Ostrava. ", "Tell me about Tampere. ")
    assert [answer.label for answer in first.answers] == [
        *("base", "FLAME: SFT", "FLAME: SFT★", "FLAME: SFT, DPO", "FLAME: SFT★, DPO★")
    ]
    assert [answer.note for answer in second.answers[:2]] == [
        "the response is empty",
        "1 ✓ 1 ✗ 1 ?",
    ]


def test_text_of_models_cannot_become_markup(tmp_path):
    evil = "<script>alert(1)</script></details>"
    (tmp_path / "responses.json").write_text(json.dumps({"responses": data.responses("m", evil)}))
    responses = read_responses(tmp_path / "responses.json")
    tables = tables_of(tmp_path, scored(), claim_states=[data.states("m")[0] | dict(state=evil)])
    draw_figures(tables, tmp_path / "figures")
    write_page(Run(tables, {}, {}, responses), tmp_path / "figures", "t", tmp_path / "i.html")
    page = (tmp_path / "i.html").read_text()
    assert "<script>alert" not in page
    # In prompt, response, claim and evidence, and in the table of states.
    prompts, answers, spoken = 2, len(responses), len([r for r in responses if r.text])
    assert page.count(html.escape(evil)) == prompts + spoken * 3 + 1
    assert page.count("<article>") == answers
    assert page.count("<details") == page.count("</details>")
    assert page.count('<li class="refuted"') == spoken


def test_responses_that_are_none_are_an_error(tmp_path):
    assert not read_responses(tmp_path / "responses.json")
    broken = data.responses("m")
    broken[3]["claims"][1]["verdict"] = "maybe"
    (tmp_path / "responses.json").write_text(json.dumps({"responses": broken}))
    with pytest.raises(InputError, match=r"responses\.json: responses\.3\.claims\.1\.verdict"):
        read_responses(tmp_path / "responses.json")


def test_flame_stands_after_grath_stage_by_stage():
    names = {
        "base": "base",
        "mix.natural.early_stop": "natural, early stop",
        "grath.r2": "GRATH, round 2",
        "flame.sft": "FLAME: SFT",
        "flame.sft-fact": "FLAME: SFT-fact",
        "flame.sft-star": "FLAME: SFT★",
        "flame.sft-star, for training": "FLAME: SFT★, for training",
        "flame.sft.dpo": "FLAME: SFT, DPO",
        "flame.sft.dpo-fact": "FLAME: SFT, DPO-fact",
        "flame.sft.facttune": "FLAME: SFT, FactTune",
        "flame.sft-star.dpo-star": "FLAME: SFT★, DPO★",
        "flame.sft-star.dpo-star-gaps": "FLAME: SFT★, DPO★-gaps",
    }
    assert sorted(reversed(names), key=checkpoint_order) == list(names)
    assert [checkpoint_label(name) for name in names] == list(names.values())


def test_long_answers_are_printed_aligned(tmp_path):
    found = dict(f1=UP, supported=MORE, refuted=MORE)
    rows = scored() + scored(TUNED, differences=found, f1=0.4)
    rows += scored("flame.sft-star.dpo-star-combined", "ood", supported=12.25, refuted=99.9)
    rows += won(TUNED, (1.0, 0.9, 1.0))
    lines = headline.as_text(tables_of(tmp_path, rows)).splitlines()
    start = lines.index("m, long answers: F1, supported/refuted claims (s/r), wins")
    assert lines[start + 1 : start + 5] == [
        "  checkpoint                      ID %        s/r   OOD %        s/r    win %",
        "  base                            30.0    0.4/1.2       –          –        –",
        "  FLAME: SFT★                     40.0    0.4/1.2       –          –    100.0",
        "  FLAME: SFT★, DPO★-combined         –          –    30.0  12.2/99.9        –",
    ]
    assert max(map(len, lines)) < 80


def test_without_long_answers_there_is_no_section(tmp_path):
    tables = tables_of(tmp_path, [metric()], verifier=data.verifier())
    assert long_form_sections.long_answers(Run(tables, {}, {})) == []
    assert "long answers" not in headline.as_text(tables)


def test_picture_comes_after_the_tables(tmp_path):
    rows = scored() + scored(TUNED)
    rows += [row | dict(model="m2") for row in rows]
    kinds = [type(block) for block in blocks_of(tmp_path, rows)[:5]]
    assert kinds == [Prose, Table, Prose, Table, Picture]
