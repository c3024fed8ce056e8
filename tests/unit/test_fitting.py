import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from plumbline.methods.slick.fit_speed import fit_speed_rows
from plumbline.methods.slick.fitting import FITTED, MixRun, fit_curve_rows, linear_model_rows
from plumbline.records import Fit, Probe
from plumbline.storage.files import InputError, write_json, write_rows
from plumbline.training.sets import Composition
from programs import csv_rows, listed, program


@cache
def probe(name, part="train", domain="id", category="MaybeKnown"):
    return Probe(id=f"{part}/{name}", prompt="?", answers=["!"], part=part, domain=domain,
                 category=category, subject=str(name))  # fmt: skip


def mix_run(tuning, probes, right, parent="mix.form", model="m", seed=1, size=None, stops=None):
    """A run from epochs × probes of right answers, the first row before training."""
    groups = {}
    for number, one in enumerate(probes):
        groups.setdefault((one.part, one.domain, one.category), []).append(number)
    fits = [
        Fit(epoch=epoch, part=part, domain=domain, category=category, n=len(own),
            right=[probes[number].id for number in own if row[number]])
        for epoch, row in enumerate(np.asarray(right, bool))
        for (part, domain, category), own in groups.items()
    ]  # fmt: skip
    categories = {}
    for one in probes:
        if one.part == "train":
            categories[one.category] = categories.get(one.category, 0) + 1
    full = size or sum(categories.values())
    return MixRun(
        model=model, seed=seed, tuning=tuning, parent=parent, fits=fits, probes=probes,
        composition=Composition(
            name=tuning, rows=full, parts=categories, counted={"full_size": full}, dropped=[]
        ),
        stops=stops or {"early_stop": 2, "convergence": len(right) - 1},
    )  # fmt: skip


PLANTED = {"intercept": 45.0, "known_fitted": 7.3, "unknown_fitted": -8.3}
GRID, SIZE, EPOCHS = (0, 50, 100), 40, 8


def planted_runs(
    seeds, rng, *, asked=200, spread=(0.0, 0.0), ramp=0.0, parent="mix.form", last=1.0
):
    """The mixes of a run whose accuracy follows PLANTED.

    spread: of the slopes between trainings (mix and seed), and of test questions' own slopes, in
    points. ramp: points that learning the form adds until the third epoch, whatever is fitted, and
    dev peaks. last: the share fitted at the end.
    """
    items = rng.normal(0, spread[1], (2, asked))  # a question's own slopes
    ease = rng.normal(0, 0.25, asked)
    runs = []
    for seed in range(1, seeds + 1):
        for unknown in GRID:
            probes = [
                probe(f"{unknown}-{n}", category="Unknown" if n < SIZE * unknown // 100 else
                      "MaybeKnown") for n in range(SIZE)
            ]  # fmt: skip
            probes += [probe(n, "test") for n in range(asked)]
            slopes = rng.normal(0, spread[0], 2)[:, None] + items
            right = np.zeros((EPOCHS + 1, len(probes)), bool)
            for epoch in range(EPOCHS + 1):
                share = {"MaybeKnown": 1 - 0.4**epoch, "Unknown": min(1, (epoch / 7) ** 1.5)}
                fitted = np.zeros(2)
                for group, category in enumerate(("MaybeKnown", "Unknown")):
                    own = [n for n in range(SIZE) if probes[n].category == category]
                    number = round(len(own) * share[category] * last)
                    right[epoch, own[:number]] = True
                    fitted[group] = number / SIZE
                points = PLANTED["intercept"] + ramp * min(epoch, 3) / 3
                points += (PLANTED["known_fitted"] + slopes[0]) * fitted[0]
                points += (PLANTED["unknown_fitted"] + slopes[1]) * fitted[1]
                right[epoch, SIZE:] = rng.random(asked) < np.clip(points / 100 + ease, 0, 1)
            runs.append(mix_run(f"mix.unknown-{unknown}", probes, right, parent, seed=seed,
                                stops={"early_stop": 3, "convergence": EPOCHS}))  # fmt: skip
    return runs


def lines(runs):
    return {row["term"]: row for row in linear_model_rows(runs, 0.95) if row["domain"] == "id"}


@pytest.mark.parametrize(
    ("parent", "ramp"), [("mix.form", 0), ("base", 20)], ids=["knows the form", "learns the form"]
)
def test_slopes_that_differ_between_trainings_are_covered(parent, ramp):
    """A line over all points as if each were a repetition covers 36 % with many epochs."""
    rng, covered = np.random.default_rng(5), {term: 0 for term in PLANTED}
    tries = 80
    for _ in range(tries):
        runs = planted_runs(3, rng, asked=60, spread=(8, 10), ramp=ramp, parent=parent)
        rows = lines(runs)
        for term, true in PLANTED.items():
            true += ramp * (term == "intercept")
            covered[term] += rows[term]["low"] <= true <= rows[term]["high"]
    for term in ("known_fitted", "unknown_fitted"):
        assert 0.90 <= covered[term] / tries <= 1.0, covered


def test_coefficients_are_recovered_and_points_before_the_peak_left_out():
    rng = np.random.default_rng(1)
    rows = lines(planted_runs(4, rng, asked=1500, ramp=20, parent="base"))
    assert rows["unknown_fitted"]["estimate"] == pytest.approx(-8.3, abs=2.5)
    assert rows["known_fitted"]["estimate"] == pytest.approx(7.3, abs=4)
    points = 4 * len(GRID)
    assert {(r["n"], r["left_out"], r["seeds"]) for r in rows.values()} == {
        (points * 6, points * 2, 4)
    }
    # With the ramp in it, all that is fitted seems to help.
    whole = [replace(run, parent="mix.form") for run in planted_runs(
        4, rng, asked=1500, ramp=20, parent="base")]  # fmt: skip
    assert lines(whole)["unknown_fitted"]["estimate"] > 0
    assert lines(whole)["intercept"]["left_out"] == 0


def test_a_coefficient_is_that_of_least_squares_over_a_seeds_points():
    import statsmodels.api as sm

    runs = planted_runs(1, np.random.default_rng(2))
    points = []
    for run in runs:
        for epoch in range(1, EPOCHS + 1):
            rows = [fit for fit in run.fits if fit.epoch == epoch]
            fitted = {fit.category: len(fit.right) / SIZE for fit in rows if fit.part == "train"}
            test = sum(len(fit.right) for fit in rows if fit.part == "test")
            points.append((test / 2, fitted.get("MaybeKnown", 0), fitted.get("Unknown", 0)))
    points = np.array(points)
    expected = sm.OLS(points[:, 0], sm.add_constant(points[:, 1:])).fit()
    rows = lines(runs)
    assert [rows[term]["estimate"] for term in PLANTED] == pytest.approx(list(expected.params))
    assert rows["intercept"]["r2"] == pytest.approx(expected.rsquared)
    # Of one seed there is no interval, and the reason is told.
    assert all("low" not in row and "one seed" in row["reason"] for row in rows.values())


def test_no_line_is_drawn_where_fitting_was_not_completed():
    rng = np.random.default_rng(3)
    (row,) = lines(planted_runs(2, rng, last=FITTED - 0.1)).values()
    assert row["term"] == "" and "estimate" not in row
    assert re.match(r"mix.unknown-\d+ \(seed 1\) answers 80 % of its \w+ right after its last epoch, "
                    r"and 90 % are needed", row["reason"])  # fmt: skip
    assert len(lines(planted_runs(2, rng, last=FITTED + 0.01))) == 3
    # A set that abstains by design has not to be fitted, nor is it a point.
    idk = [replace(run, tuning="mix.idk-50") for run in planted_runs(2, rng, last=0.2)]
    assert len(lines([*planted_runs(2, rng), *idk])) == 3


def test_what_does_not_determine_the_line_says_so():
    rng = np.random.default_rng(4)
    only_known = [run for run in planted_runs(2, rng) if run.unknown_percent == 0]
    (row,) = lines(only_known).values()
    assert row["term"] == "" and "do not tell Known's effect from Unknown's" in row["reason"]
    assert list(linear_model_rows([], 0.95)) == []
    assert not [row for row in linear_model_rows(only_known, 0.95) if row["domain"] == "ood"]


def test_each_model_has_its_own_line():
    rng = np.random.default_rng(6)
    first, second = planted_runs(2, rng), planted_runs(2, rng, last=0.3)
    rows = list(linear_model_rows([*first, *(replace(run, model="other") for run in second)], 0.95))
    assert [(row["model"], row["term"]) for row in rows] == [
        *(("m", term) for term in PLANTED), ("other", ""),
    ]  # fmt: skip


def test_sets_without_their_unknown_count_against_the_full_size_and_a_sample_stands_for_all():
    # Half the set, all of it fitted: N_kn/|D| is 0.5, not 1. Of 20 Known ones 10 are asked.
    def run(name, n, size, share, category, accuracy):
        probes = [probe(i, category=category) for i in range(n)]
        probes += [probe(i, "test") for i in range(100)]
        right = [[False] * len(probes)]
        for epoch in range(1, 4):
            fitted = round(n * min(1, share * epoch))
            known = size / 20 * fitted / n
            right.append([i < fitted for i in range(n)]
                         + [i < round(30 + accuracy * known) for i in range(100)])  # fmt: skip
        made = mix_run(name, probes, right, size=20)
        composition = made.composition.model_copy(update={"parts": {category: size}})
        return replace(made, composition=composition)

    runs = [
        run("mix.known-50", 10, 10, 0.4, "HighlyKnown", 20),
        run("mix.unknown-0", 10, 20, 0.3, "HighlyKnown", 20),
        run("mix.unknown-100", 10, 20, 0.5, "Unknown", -10),
    ]
    runs += [replace(one, seed=2) for one in runs]
    rows = lines(runs)
    assert rows["known_fitted"]["estimate"] == pytest.approx(20, abs=0.5)
    assert rows["unknown_fitted"]["estimate"] == pytest.approx(-10, abs=0.5)


def test_files_of_different_runs_are_refused():
    runs = planted_runs(1, np.random.default_rng(7))
    with pytest.raises(
        InputError, match="train/0-0 was answered right but is not among the probes"
    ):
        lines([replace(runs[0], probes=runs[0].probes[1:]), *runs[1:]])
    with pytest.raises(InputError, match=r"was not asked test/9, as mix.unknown-0 was"):
        lines([runs[0], *(replace(run, probes=[p for p in run.probes if p.id != "test/9"],
                                  fits=[f.model_copy(update={"right": [
                                      one for one in f.right if one != "test/9"]})
                                        for f in run.fits]) for run in runs[1:])])  # fmt: skip


@pytest.mark.parametrize(
    ("tuning", "percent"),
    [("mix.unknown-12.5", 12.5), ("mix.unknown-0", 0), ("mix.known-25", None), ("mix.natural", None),
     ("mix.only-Unknown", None), ("mix.idk-50", None)],
)  # fmt: skip
def test_only_the_grid_has_a_share_of_unknown(tuning, percent):
    assert mix_run(tuning, [], [[]]).unknown_percent == percent


def test_fit_curves_sum_the_known_categories_and_mark_the_stops():
    groups = [("HighlyKnown", 10), ("WeaklyKnown", 5), ("Unknown", 5)]
    probes = [probe(f"{c}{n}", category=c) for c, size in groups for n in range(size)]
    probes += [probe(n, "dev", category="Unknown") for n in range(4)]
    right = [
        [n < 2 * epoch for n in range(10)] + [n < epoch for n in range(5)] + [False] * 5
        + [n < 1 for n in range(4)]
        for epoch in range(4)
    ]  # fmt: skip
    run = mix_run("mix.unknown-25", probes, right)
    rows = {(row["epoch"], row["part"], row["category"]): row for row in fit_curve_rows(run, 0.95)}
    assert len(rows) == 4 * (5 + 2)
    known = rows[3, "train", "Known"]
    assert (known["value"], known["n"]) == (pytest.approx(9 / 15), 15)
    assert (rows[3, "train", "All"]["value"], rows[3, "train", "All"]["n"]) == (9 / 20, 20)
    assert rows[3, "train", "Unknown"]["value"] == 0
    assert known["low"] < known["value"] < known["high"]
    assert (3, "dev", "Known") not in rows
    assert [rows[e, "dev", "All"]["stop"] for e in range(4)] == [
        "",
        "",
        "early_stop",
        "convergence",
    ]
    both = replace(run, stops={"early_stop": 3, "convergence": 3})
    at_end = [row for row in fit_curve_rows(both, 0.95) if row["epoch"] == 3]
    assert {row["stop"] for row in at_end} == {"early_stop+convergence"}


def learnt(rng, seeds=1, known=(2.0, 0.7), unknown=(4.0, 0.7), size=40, epochs=10, spread=0.0):
    """A half-known mix whose questions are each right from an epoch on, normal in each category;
    spread: of the categories' mean epochs between seeds.
    """
    runs = []
    for seed in range(1, seeds + 1):
        probes, at = [], []
        for category, (mean, sd) in (("MaybeKnown", known), ("Unknown", unknown)):
            probes += [probe(f"{category}{n}", category=category) for n in range(size)]
            at += list(rng.normal(mean + rng.normal(0, spread), sd, size))
        right = [[when <= epoch for when in at] for epoch in range(epochs + 1)]
        runs.append(mix_run("mix.unknown-50", probes, right, seed=seed))
    return runs


def speed(runs):
    rows = fit_speed_rows(runs, confidence=0.95, resamples=200)
    return {(row["category"], row["share"]): row for row in rows}


def test_epochs_to_a_share_are_read_off_the_curves():
    probes = [probe(f"k{n}", category="HighlyKnown") for n in range(10)]
    probes += [probe(f"w{n}", category="WeaklyKnown") for n in range(10)]
    probes += [probe(f"u{n}", category="Unknown") for n in range(10)]
    # Shares in tenths by epoch: half of Highly Known at once, of Unknown between epochs 2 and 3.
    curves = {"k": (6, 10, 10, 10, 10), "w": (0, 4, 8, 10, 10), "u": (0, 0, 4, 6, 8)}
    right = [[n < curves[kind][epoch] for kind in "kwu" for n in range(10)] for epoch in range(5)]
    rows = speed([mix_run("mix.unknown-33", probes, right)])
    values = {key: row["value"] for key, row in rows.items() if row["state"] == "reached"}
    assert values == pytest.approx({
        ("HighlyKnown", 0.5): 0, ("HighlyKnown", 0.9): 0.75, ("WeaklyKnown", 0.5): 1.25,
        ("WeaklyKnown", 0.9): 2.5, ("Known", 0.5): 0.5, ("Known", 0.9): 2, ("Unknown", 0.5): 2.5,
        ("Unknown - Known", 0.5): 2,
    })  # fmt: skip
    for key in (("Unknown", 0.9), ("Unknown - Known", 0.9)):
        assert rows[key]["state"] == "not reached" and "value" not in rows[key]
    assert rows["Unknown - Known", 0.5]["n"] == 30 and rows["Known", 0.5]["n"] == 20
    bounds = [row["low"] for (group, _), row in rows.items() if "low" in row and "-" not in group]
    assert 0 in bounds and min(bounds) == 0  # not before training


@pytest.mark.parametrize(("seeds", "spread"), [(1, 0.0), (3, 0.4)])
def test_the_interval_of_how_much_later_unknown_is_fitted_holds_the_truth(seeds, spread):
    rng, covered, tries = np.random.default_rng(11), 0, 80
    for _ in range(tries):
        row = speed(learnt(rng, seeds, spread=spread))["Unknown - Known", 0.5]
        covered += row["low"] <= 2.0 <= row["high"]
        assert row["seeds"] == seeds
    assert 0.90 <= covered / tries <= 1.0


def test_no_bound_is_given_that_lies_beyond_the_last_epoch():
    late = learnt(np.random.default_rng(1), unknown=(9.8, 1.5))
    row = speed(late)["Unknown", 0.5]
    assert row["state"] == "reached" and "high" not in row


def test_the_program_writes_curves_speed_and_lines(tmp_path, monkeypatch):
    rows = []
    for run in planted_runs(2, np.random.default_rng(8), asked=40):
        folder = tmp_path / f"m/seed-{run.seed}/{run.tuning}"
        write_rows(folder / "fit.jsonl", run.fits)
        write_rows(folder / "probes.jsonl", run.probes)
        run.composition.write(folder / "composition.json")
        stops = {name: {"epoch": epoch} for name, epoch in run.stops.items()}
        write_json(folder / "training.json", {"stops": stops})
        rows.append(dict(model="m", seed=run.seed, tuning=run.tuning, parent=run.parent,
                         folder=str(folder.relative_to(tmp_path))))  # fmt: skip
    files = {name: tmp_path / f"{name}.csv" for name in ("curves", "speed", "line")}
    program(
        monkeypatch, "tabulate_fits", root=tmp_path, tunings=listed(tmp_path, rows),
        evaluation='{"confidence": 0.95, "resamples": 200}', **files,
    )  # fmt: skip
    curves, fitted, line = (csv_rows(path) for path in files.values())
    assert {row["tuning"] for row in curves} == {f"mix.unknown-{x}" for x in GRID}
    assert {row["category"] for row in fitted} == {"Known", "Unknown", "Unknown - Known"}
    assert [row["term"] for row in line] == list(PLANTED) and {row["seeds"] for row in line} == {
        "2"
    }
