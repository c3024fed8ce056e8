"""The report's section on GRATH's rounds."""

from plumbline.methods.grath import chapter as grath_chapter
from plumbline.report import headline
from plumbline.report.figures import draw_figures
from plumbline.report.tables import Run
from report_contrast_data import contrast
from report_data import metric, tables_of, texts


def score(round_, metric, value, low, high, **more):
    row = dict(model="m", seed=1, round=round_, checkpoint=f"grath.r{round_}" if round_ else "base")
    row |= dict(variant="grath", task="trivia", domain="ood", metric=metric)
    return row | dict(value=value, low=low, high=high, n=80) | more


def pairs(round_, **values):
    """Rows of task pairs; a tuple is a value with its interval."""
    rows = []
    for name, value in values.items():
        value, low, high = value if isinstance(value, tuple) else (value, "", "")
        rows.append(score(round_, name, value, low, high, task="pairs", domain="", n=200))
    return rows


ROUNDS = [
    score(0, "mc1", 0.25, 0.2, 0.3),
    score(0, "mc2", 0.4, 0.35, 0.45),
    score(0, "acc", 0.5, 0.45, 0.55),
    score(1, "mc1", 0.3, 0.25, 0.35),
    score(1, "mc1_vs_base", 0.05, 0.01, 0.09),
    score(1, "mc2", 0.38, 0.33, 0.43),
    score(1, "mc2_vs_base", -0.02, -0.05, 0.01),
    score(1, "acc", 0.45, 0.4, 0.5),
    score(1, "acc_vs_base", -0.05, -0.08, -0.02),
    *pairs(
        1,
        asked=200,
        parsed=120,
        unparsed=80,
        identical=15,
        empty=5,
        kept_first=0,
        changed=0,
        pairs=100,
        similarity=(0.25, 0.2, 0.3),
        chosen_words=(6.5, 6, 7),
        rejected_words=(7.25, 7, 7.5),
        chosen_right=(0.23, 0.15, 0.33),
        rejected_right=(0.15, 0.09, 0.24),
        right_difference=(0.08, -0.01, 0.17),
        chosen_negated=(0.06, 0.03, 0.13),
        rejected_negated=(0.2, 0.13, 0.29),
    ),
]


def test_rounds_are_shown_without_verdicts_with_tables_and_pairs(tmp_path):
    tables = tables_of(tmp_path, [metric()], grath_rounds=ROUNDS)
    told, picture, scores, about_pairs, similarity, counts = grath_chapter.rounds(
        Run(tables, {}, {})
    )
    assert told.lines == []
    assert (picture.name, similarity.name) == ("grath_rounds", "grath_similarity")
    assert texts(scores) == [
        ["m", "trivia", "OOD", "0", "80", "25.0", "–", "40.0", "–", "50.0", "–"],
        ["m", "trivia", "OOD", "1", "80", "30.0", "+5.0", "38.0", "−2.0", "45.0", "−5.0"],
    ]
    assert not any(cell.tone for row in scores.rows for cell in row)
    assert about_pairs.lines == [
        "Pairs: round 1, 120 of 200 outputs (60 %) had a pair and 100 pairs were trained on. "
        "Similarity of the two answers: 0.25 in round 1 (0.20–0.30).",
        "Truth of the pairs: in round 1, 23.0 % of the answers taken as correct name a right option "
        "of their question and 15.0 % of those taken as incorrect (difference +8.0 points, −1.0 to "
        "+17.0).",
    ]
    [row] = texts(counts)
    assert row[:10] == ["m", "1", "200", "120", "80", "5", "15", "100", "0", "0"]
    assert row[10:] == ["0.25", "6.5", "7.2", "23.0", "15.0", "8.0", "6.0", "20.0"]
    assert [cell.sub for cell in counts.rows[0][-8:]] == [
        "0.20–0.30", "6.0–7.0", "7.0–7.5", "15.0–33.0", "9.0–24.0", "−1.0 to 17.0", "3.0–13.0",
        "13.0–29.0",
    ]  # fmt: skip


def test_truth_without_an_interval_is_told_so(tmp_path):
    rows = [
        row | dict(low="", high="") if row["metric"] == "right_difference" else row
        for row in ROUNDS
    ]
    tables = tables_of(tmp_path, [metric()], grath_rounds=rows)
    lines = grath_chapter.rounds(Run(tables, {}, {}))[3].lines
    assert lines[1].endswith("(difference +8.0 points, too few for an interval).")


def test_a_first_round_that_starts_elsewhere_is_named(tmp_path):
    start = score(0, "mc1", 0.25, 0.2, 0.3, checkpoint="mix.idk.convergence")
    tables = tables_of(tmp_path, [metric()], grath_rounds=[start, *ROUNDS[3:5]])
    lines = grath_chapter.rounds(Run(tables, {}, {}))[0].lines
    assert lines == ["Round 0 is idk, convergence."]


def test_variants_are_told_and_drawn_apart(tmp_path):
    filtered = [row | dict(variant="grath-unknown-0") for row in ROUNDS]
    for row in filtered:
        row["value"] = 0 if row["metric"] == "pairs" else row["value"]
    tables = tables_of(tmp_path, [metric()], grath_rounds=ROUNDS + filtered)
    told, _, scores, about_pairs, _, counts = grath_chapter.rounds(Run(tables, {}, {}))
    assert told.lines == []
    assert [row[0].sub for row in scores.rows] == ["GRATH"] * 2 + ["GRATH without Unknown"] * 2
    assert [row[7].text for row in counts.rows] == ["100", "0"]
    assert "100 pairs were" in about_pairs.lines[0] and "and 0 pairs" in about_pairs.lines[2]
    printed = headline.as_text(tables)
    assert "m, GRATH by round" in printed and "m, GRATH without Unknown by round" in printed
    draw_figures(tables, tmp_path)
    for name in ("grath_rounds", "grath_similarity"):
        assert "GRATH without Unknown" in (tmp_path / f"{name}.svg").read_text()


def test_rounds_are_printed_aligned(tmp_path):
    long = [row | dict(task="a_task_with_a_name_that_goes_on") for row in ROUNDS[:9]]
    lines = headline.as_text(tables_of(tmp_path, [metric()], grath_rounds=ROUNDS + long))
    lines = lines.splitlines()
    start = lines.index("m, GRATH by round")
    assert lines[start + 1 : start + 6] == [
        "  task                   domain  round    MC1 %   to base    MC2 %   to base",
        "  trivia                 OOD         0     25.0               40.0",
        "  trivia                 OOD         1     30.0      +5.0     38.0      −2.0",
        "  a_task_with_a_name_th… OOD         0     25.0               40.0",
        "  a_task_with_a_name_th… OOD         1     30.0      +5.0     38.0      −2.0",
    ]
    assert max(map(len, lines)) < 80


def test_the_opening_says_that_no_placebo_was_trained_where_none_was(tmp_path):
    def against(second):
        return contrast(method="grath", first="grath.r2", second=second)

    (said,) = grath_chapter.opening(
        tables_of(tmp_path, [metric()], contrasts=[against("base")]), "m"
    )
    assert "No placebo" in said
    both = [against("base"), against("grath.r2.placebo")]
    assert grath_chapter.opening(tables_of(tmp_path, [metric()], contrasts=both), "m") == []
    other = [contrast(method="flame")]
    assert grath_chapter.opening(tables_of(tmp_path, [metric()], contrasts=other), "m") == []
