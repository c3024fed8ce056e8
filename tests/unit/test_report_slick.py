"""What the report says of how mixes are fitted, and of what that does."""

from plumbline.methods.slick import chapter
from plumbline.report.labels import checkpoint_label, checkpoint_order
from plumbline.report.tables import Run
from report_data import metric, tables_of, texts


def line(term="known_fitted", estimate=5.0, low="", high="", **changes):
    row = dict(model="m", domain="id", term=term, estimate=estimate, low=low, high=high)
    return row | dict(r2=0.9, n=24, seeds=3, left_out=0, reason="") | changes


def told(tmp_path, build, **tables):
    return build(Run(tables_of(tmp_path, [metric()], **tables), {}, {}))


def test_no_line_is_shown_but_its_reason_where_fitting_was_not_completed(tmp_path):
    reason = "mix.unknown-100 (seed 1) answers 43 % of its Unknown right after its last epoch"
    rows = [line(term="", estimate="", r2="", reason=reason)]
    [prose] = told(tmp_path, chapter.linear_model, linear_model=rows)
    assert prose.lines == [f"ID: no line, since {reason}."]


def test_with_one_seed_the_slope_has_no_interval_and_the_reason_is_told(tmp_path):
    why = "one seed cannot tell how much other trainings' lines differ"
    rows = [line(reason=why, left_out=6), line("unknown_fitted", -3.0, reason=why, left_out=6)]
    prose, _, table = told(tmp_path, chapter.linear_model, linear_model=rows)
    assert prose.lines == [
        "ID, a tuning set fitted in full: Known +5.0 points (no interval); Unknown −3.0 points (no "
        f"interval); no interval, since {why}; 6 points before the best epoch on dev are left out, in "
        "which the form of the answers is learnt."
    ]
    assert [row[3].sub for row in table.rows] == ["no interval"] * 2
    rows = [line(low=1.0, high=9.0), line("unknown_fitted", -3.0, -5.0, -1.0)]
    prose, *_ = told(tmp_path, chapter.linear_model, linear_model=rows)
    assert prose.lines == [
        "ID, a tuning set fitted in full: Known +5.0 points (+1.0 to +9.0); Unknown −3.0 points "
        "(−5.0 to −1.0)."
    ]


def test_how_much_later_unknown_is_fitted_is_told_with_its_interval(tmp_path):
    curve = dict(
        model="m", seed=1, tuning="mix.unknown-50", unknown_percent=50, epoch=1, part="train"
    )
    curve |= dict(domain="id", category="Known", value=0.5, low=0.4, high=0.6, n=9, stop="")
    about = dict(model="m", tuning="mix.unknown-50", n=80, seeds=1)
    later = about | dict(category="Unknown - Known")
    rows = [
        about | dict(category="Known", share=0.5, value=1.2, low=1.0, high=1.5, state="reached"),
        later | dict(share=0.5, value=2.8, low=2.0, high=3.6, state="reached"),
        later | dict(share=0.9, value="", low="", high="", state="not reached"),
        about | dict(category="Known", share=0.9, value=3.8, low=3.1, high=4.4, state="reached"),
        about | dict(category="Unknown", share=0.9, value="", low="", high="", state="not reached"),
    ]
    *_, prose, table = told(tmp_path, chapter.fitting, fit_speed=rows, fit_curves=[curve])
    assert prose.lines == [
        "In mix.unknown-50, 50 % fitted: Unknown 2.8 epochs later than Known (95 % interval +2.0 to "
        "+3.6).",
        "In mix.unknown-50, 90 % fitted: no difference, since Unknown never got there.",
    ]
    several = [row | {"seeds": 3} for row in rows]
    *_, prose, _ = told(tmp_path, chapter.fitting, fit_speed=several, fit_curves=[curve])
    assert prose.lines[1].endswith("since Unknown did not get there with every seed.")
    assert [row[3:6] for row in texts(table)] == [
        ["50 %", "1.2", "80"], ["50 %", "2.8", "80"], ["90 %", "–", "80"],
        ["90 %", "3.8", "80"], ["90 %", "–", "80"],
    ]  # fmt: skip


def test_the_opening_tells_the_set_nearest_to_half_and_half_and_the_least_fitted_one(tmp_path):
    def speed(percent, category, value, low="", high="", share=0.5):
        return dict(model="m", tuning=f"mix.unknown-{percent}", share=share, seeds=1, n=80,
                    category=category, value=value, low=low, high=high, state="reached")  # fmt: skip

    def end(percent, value, stop="convergence"):
        return dict(model="m", seed=1, tuning=f"mix.unknown-{percent}", unknown_percent=percent,
                    epoch=8, part="train", domain="id", category="All", value=value, low=0, high=1,
                    n=80, stop=stop)  # fmt: skip

    rows = [
        speed(25, "Unknown - Known", 9.0), speed(50, "Unknown - Known", 2.5, 1.5, 3.5),
        speed(50, "Known", 0.5), speed(50, "Unknown", 3.0),
        speed(50, "Unknown - Known", 5.0, share=0.9),
    ]  # fmt: skip
    curves = [end(50, 0.98), end(100, 0.955), end(100, 0.2, "early_stop")]
    tables = tables_of(tmp_path, [metric()], fit_speed=rows, fit_curves=curves)
    assert chapter.opening(tables, "m") == [
        "How fast new facts are learnt (exploratory): tuned on facts of which 50 % are new "
        "(mix.unknown-50), the model took 0.5 epochs to correctly answer half of the 80 known facts "
        "asked about, and 3.0 for half of the 80 new ones, a difference of +2.5 epochs (95 % interval "
        "+1.5 to +3.5). At convergence the least fitted mix correctly answers 96 % of the facts asked "
        "about."
    ]
    assert chapter.opening(tables, "another") == []
    unreached = [row | {"value": ""} for row in rows]
    tables = tables_of(tmp_path, [metric()], fit_speed=unreached, fit_curves=curves)
    assert chapter.opening(tables, "m") == []


def test_what_teaches_the_form_comes_before_the_mixes():
    names = ["grath.r1", "mix.unknown-0.early_stop", "mix.form", "base", "mix.natural.early_stop"]
    assert sorted(names, key=checkpoint_order) == [
        "base", "mix.form", "mix.unknown-0.early_stop", "mix.natural.early_stop", "grath.r1",
    ]  # fmt: skip
    assert checkpoint_label("mix.form") == "form only"


def test_a_terminal_shows_what_the_base_knows(tmp_path):
    """All splits together, by domain: 2 + 1 of 4 are HighlyKnown, 1 is Unknown."""

    def row(n, category, split="train", domain="id"):
        return dict(
            model="m", relation="r", domain=domain, split=split, category=category, n=n
        )  # fmt: skip

    counts = [row(3, "WeaklyKnown", domain="ood")]
    counts += [row(2, "HighlyKnown"), row(1, "HighlyKnown", "test"), row(1, "Unknown")]
    tables = tables_of(tmp_path, [metric()], slick_counts=counts)
    assert chapter.as_lines(tables.slick_counts) == [
        "",
        "m, what the base knows, % of the facts that it was asked",
        "  domain   HighlyKnown    MaybeKnown   WeaklyKnown       Unknown         facts",
        "  ID                75             0             0            25             4",
        "  OOD                0             0           100             0             3",
    ]
    none = tables_of(tmp_path / "none", [metric()])
    assert chapter.as_lines(none.slick_counts) == []
