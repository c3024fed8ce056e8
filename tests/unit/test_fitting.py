from dataclasses import replace

import numpy as np
import pytest
from plumbline.evaluation.fitting import MixRun, fit_curve_rows, linear_model_rows
from plumbline.records import Fit


def fit(epoch, part, domain, category, correct, n):
    return Fit(epoch=epoch, part=part, domain=domain, category=category, correct=correct, n=n)


def mix_run(unknown, fits, tuning=None, model="m", seed=1, categories=None, stops=None):
    size = 1000
    composition = {
        "full_size": size,
        "categories": categories or {
            "Unknown": size * unknown // 100, "MaybeKnown": size - size * unknown // 100,
        },
    }  # fmt: skip
    return MixRun(
        model=model,
        seed=seed,
        tuning=tuning or f"mix.unknown-{unknown}",
        fits=fits,
        composition=composition,
        stops=stops or {"early_stop": 2, "convergence": 3},
    )


PLANTED = {"id": (36.9, 7.3, -8.3), "ood": (36.2, 3.2, -3.0)}


def planted(unknown, *, asked=10_000, noise=0.15, seed=1, tuning=None, model="m", base=0.0):
    """A run whose test accuracy follows PLANTED, with noise, while known is fitted first."""
    random = np.random.default_rng([seed, unknown, 7])
    sizes = {"Unknown": unknown * 10, "MaybeKnown": 1000 - unknown * 10}
    fits = []
    for epoch in range(11):
        share = {"MaybeKnown": 1 - 0.5**epoch, "Unknown": max(0, (epoch - 3) / 7) ** 1.5}
        fitted = {}
        for category, size in sizes.items():
            if size:
                right = round(size * share[category])
                fits.append(fit(epoch, "train", "id", category, right, size))
                fitted[category] = right / 1000
        for domain, (intercept, known, unknown_) in PLANTED.items():
            points = (
                base + intercept + known * fitted.get("MaybeKnown", 0)
                + unknown_ * fitted.get("Unknown", 0) + random.normal(0, noise)
            )  # fmt: skip
            right = round(asked * (points if epoch else 90) / 100)  # epoch 0 must not be used
            fits.append(fit(epoch, "test", domain, "MaybeKnown", right, asked))
    return mix_run(unknown, fits, tuning, model, seed)


GRID = (0, 25, 50, 75, 100)


def test_planted_coefficients_are_recovered_inside_and_outside_the_domain():
    runs = [planted(x, seed=seed) for x in GRID for seed in (1, 2)]
    rows = {(row["domain"], row["term"]): row for row in linear_model_rows(runs, 0.95)}
    assert len(rows) == 6
    for domain, coefficients in PLANTED.items():
        for term, true in zip(
            ("intercept", "known_fitted", "unknown_fitted"), coefficients, strict=True
        ):
            row = rows[domain, term]
            assert row["low"] < true < row["high"], (domain, term)
            assert row["high"] - row["low"] < 0.6
            assert row["estimate"] == pytest.approx(true, abs=0.3)
            assert row["n"] == 10 * len(runs)
    assert rows["id", "intercept"]["r2"] > 0.98


def test_a_sample_of_the_training_questions_stands_for_all():
    def sampled(run):
        fits = [
            row.model_copy(update={"correct": round(row.correct / 10), "n": row.n // 10})
            if row.part == "train" else row
            for row in run.fits
        ]  # fmt: skip
        return replace(run, fits=fits)

    rows = list(linear_model_rows([sampled(planted(x)) for x in GRID], 0.95))
    for row in rows:
        index = ("intercept", "known_fitted", "unknown_fitted").index(row["term"])
        assert row["estimate"] == pytest.approx(PLANTED[row["domain"]][index], abs=0.5)


def test_each_model_has_its_own_line_and_abstaining_sets_are_left_out():
    first = [planted(x) for x in GRID]
    second = [planted(x, model="other", base=20) for x in GRID]
    idk = [planted(x, tuning=f"mix.idk-{x}", base=-30) for x in GRID]
    rows = list(linear_model_rows([*first, *second, *idk], 0.95))
    values = {(r["model"], r["domain"], r["term"]): r["estimate"] for r in rows}
    assert len(values) == 12
    assert values["m", "id", "intercept"] == pytest.approx(36.9, abs=0.3)
    assert values["other", "id", "intercept"] == pytest.approx(56.9, abs=0.3)


def test_sets_without_their_unknown_count_against_the_full_size():
    # Half the set, all of it fitted: N_kn/|D| is 0.5, not 1.
    runs = []
    for x in (0, 50):
        for epoch_share in (0.2, 0.6, 1.0):
            size = 1000 - 10 * x
            right = round(size * epoch_share)
            accuracy = 30 + 20 * right / 1000
            runs.append(mix_run(
                x,
                [fit(1, "train", "id", "MaybeKnown", right, size),
                 fit(1, "test", "id", "MaybeKnown", round(accuracy * 1000), 100_000)],
                tuning=f"mix.known-{x}", categories={"MaybeKnown": size},
            ))  # fmt: skip
    unknown = mix_run(100, [
        fit(1, "train", "id", "Unknown", 500, 1000),
        fit(1, "test", "id", "MaybeKnown", 25_000, 100_000),
    ])  # fmt: skip
    rows = {row["term"]: row for row in linear_model_rows([*runs, unknown], 0.95)}
    assert rows["known_fitted"]["estimate"] == pytest.approx(20, abs=0.01)
    assert rows["unknown_fitted"]["estimate"] == pytest.approx(-10, abs=0.01)


def test_what_does_not_determine_the_line_gives_no_rows():
    assert list(linear_model_rows([planted(0)], 0.95)) == []  # Unknown was never fitted
    assert list(linear_model_rows([], 0.95)) == []
    none_asked = planted(50)
    none_asked.fits[:] = [row for row in none_asked.fits if row.domain == "id"]
    other = planted(100)
    other.fits[:] = [row for row in other.fits if row.domain == "id"]
    assert {row["domain"] for row in linear_model_rows([none_asked, other], 0.95)} == {"id"}


@pytest.mark.parametrize(
    ("tuning", "percent"),
    [("mix.unknown-12.5", 12.5), ("mix.unknown-0", 0), ("mix.known-25", None), ("mix.natural", None),
     ("mix.only-Unknown", None), ("mix.idk-50", None)],
)  # fmt: skip
def test_only_the_grid_has_a_share_of_unknown(tuning, percent):
    assert mix_run(50, [], tuning).unknown_percent == percent


def test_fit_curves_sum_the_known_categories_and_mark_the_stops():
    fits = []
    for epoch in (0, 1, 2, 3):
        fits += [
            fit(epoch, "train", "id", "HighlyKnown", 2 * epoch, 10),
            fit(epoch, "train", "id", "WeaklyKnown", epoch, 5),
            fit(epoch, "train", "id", "Unknown", 0, 5),
            fit(epoch, "dev", "id", "Unknown", 1, 4),
        ]
    run = mix_run(25, fits)
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
    both = mix_run(25, fits, stops={"early_stop": 3, "convergence": 3})
    at_end = [row for row in fit_curve_rows(both, 0.95) if row["epoch"] == 3]
    assert {row["stop"] for row in at_end} == {"early_stop+convergence"}
