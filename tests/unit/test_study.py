"""The study: what is kept of a piece, how pieces come together, and what they decide."""

import csv
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from plumbline.config.closed_book import FACTS, closed_book_task
from plumbline.data.facts import load_embedded
from plumbline.experiment import config as experiment
from plumbline.experiment import lineage
from plumbline.experiment.closed_book import forms_of
from plumbline.methods.slick.fitting import AskedProbe
from plumbline.records import Fit
from plumbline.storage.files import InputError
from plumbline.study import collecting, decisions, figures, negation, page, pieces
from plumbline.study.contrasts import CLAIMS, FIT, Side, StudyContrast, contrasts
from plumbline.study.records import (
    ClaimRow,
    FitRow,
    MeasuredRow,
    MixAbout,
    PieceManifest,
    StageTime,
)
from plumbline.training.sets import Composition
from scripts import collect_piece, write_study_groups, write_study_responses
from snakemake.utils import update_config

ROOT = Path(__file__).parents[2]
STUDY = ROOT / "docs/study"
SHARED = StudyContrast("apeft", "primary", "x", Side("one"), Side("other"), "t", "em", "above")


def manifest(seed=1, **changed):
    about = dict(
        claim="apeft", seed=seed, model="m", commit="c", configuration="k", labels="l",
        versions={}, device="cpu", processor="p", cores=2, stages=[],
    )  # fmt: skip
    return PieceManifest(**about | changed)


def measured(checkpoint, values, task="t", metric="em", domain="id", category="All"):
    return [
        MeasuredRow(
            checkpoint=checkpoint,
            task=task,
            domain=domain,
            category=category,
            metric=metric,
            item=f"{category}{number}",
            cluster=f"{category}{number}",
            value=value,
        )
        for number, value in enumerate(values)
    ]


def with_gain(gain, seeds=3, items=300, **where):
    """Pieces in which `one` is right that much more often than `other`."""
    drawn, made = np.random.default_rng(0), []
    of_item = drawn.random(items)
    for seed in range(1, seeds + 1):
        noise = drawn.normal(0, 0.05, (2, items))
        sides = ("one", of_item + noise[0] < 0.5 + gain), ("other", of_item + noise[1] < 0.5)
        rows = [row for name, right in sides for row in measured(name, right, **where)]
        made.append(pieces.Piece(manifest(seed), rows, []))
    return made


@pytest.mark.parametrize(
    ("rule", "low", "high", "decision"),
    [
        ("above", 0.01, 0.2, "yes"),
        ("above", -0.01, 0.2, "undecided"),
        ("above", -0.1, 0.019, "no"),
        ("above", 0.001, 0.01, "yes"),
        ("below", -0.2, -0.01, "yes"),
        ("below", -0.019, 0.3, "no"),
        ("below", -0.2, 0.01, "undecided"),
        ("held", -0.04, 0.05, "yes"),
        ("held", -0.06, 0.01, "undecided"),
        ("held", -0.3, -0.06, "no"),
        ("zero", -0.01, 0.3, "yes"),
        ("zero", 0.01, 0.3, "no"),
        ("above", None, None, "undecided"),
    ],
)
def test_rules_are_the_plans(rule, low, high, decision):
    assert decisions.decide(rule, 0.5, low, high) == decision


def test_what_must_be_reached_is_or_is_not():
    assert decisions.decide("reached", 0.95, 0.9, 1.0) == "yes"
    assert decisions.decide("reached", 0.94, 0.9, 1.0) == "no"


def test_a_planted_gain_is_found_with_its_size():
    row = decisions.contrast_row(SHARED, with_gain(0.2))
    assert row.low < 0.2 < row.high and row.estimate == pytest.approx(0.2, abs=0.06)
    assert (row.decision, row.n, row.seeds) == ("yes", 300, 3) and 0 < row.detectable < 0.2


def test_no_gain_is_no_yes_and_fewer_seeds_decide_nothing():
    assert decisions.contrast_row(SHARED, with_gain(0.0)).decision != "yes"
    few = decisions.contrast_row(SHARED, with_gain(0.2, seeds=2))
    assert few.decision == "undecided" and few.reason == "2 of at least 3 seeds" and few.low > 0


def test_groups_of_other_items_are_compared_as_groups():
    groups = StudyContrast(
        "gekhman",
        "primary",
        "x",
        Side("m", "id", ("A",)),
        Side("m", "id", ("B",)),
        "t",
        "em",
        "above",
    )
    drawn, made = np.random.default_rng(1), []
    for seed in (1, 2, 3):
        rows = measured("m", drawn.random(80) < 0.9, category="A")
        rows += measured("m", drawn.random(60) < 0.4, category="B")
        made.append(pieces.Piece(manifest(seed), rows, []))
    row = decisions.contrast_row(groups, made)
    assert row.n == 140 and row.low < 0.5 < row.high and row.decision == "yes"


def test_a_control_that_fails_takes_a_yes_away():
    def row(role, decision):
        return ClaimRow(claim="grath", role=role, contrast="c", measure="mc2", decision=decision)

    sure = [row("primary", "yes"), row("primary", "yes"), row("control", "yes")]
    assert decisions.verdict("grath", sure).decision == "yes"
    moved = decisions.verdict("grath", [*sure, row("control", "no")])
    assert moved.decision == "undecided" and moved.reason.startswith("control: c, mc2")
    assert decisions.verdict("grath", [*sure, row("primary", "no")]).decision == "no"
    assert decisions.verdict("grath", [*sure, row("primary", "undecided")]).decision == "undecided"


def test_a_claim_without_a_piece_has_no_rows():
    assert list(decisions.claim_rows({}, contrasts())) == []


def fitted(seed=1):
    """Of one mix: two training questions and a test question over three epochs."""
    rows = [
        FitRow(tuning="mix.unknown-50", part=part, domain="id", category=category, item=item,
               subject=item, right=right)
        for part, category, item, right in (
            ("train", "MaybeKnown", "a", "0111"),
            ("train", "Unknown", "b", "0001"),
            ("test", "MaybeKnown", "c", "0101"),
        )
    ]  # fmt: skip
    made_of = Composition(
        name="unknown-50", rows=2, parts={"MaybeKnown": 1, "Unknown": 1},
        counted={"full_size": 2}, dropped=[],
    )  # fmt: skip
    about = MixAbout(parent="mix.form", composition=made_of, stops={"convergence": 3})
    return pieces.Piece(manifest(seed, mixes={"mix.unknown-50": about}), [], rows)


def test_fit_curves_become_areas_and_ends():
    values = {
        metric: fitted().values(Side("mix.unknown-50"), FIT, metric).by_item
        for metric in ("area", "last")
    }
    assert values == {"area": {"a": 1.0, "b": pytest.approx(1 / 3)}, "last": {"a": 1.0, "b": 1.0}}


def test_a_mix_is_what_it_was_before_it_was_packed(tmp_path):
    fits = [
        Fit(epoch=epoch, part=part, domain="id", category=category, right=right, n=1)
        for part, category, item, epochs in (
            ("train", "MaybeKnown", "a", (1, 2, 3)),
            ("train", "Unknown", "b", (3,)),
            ("test", "MaybeKnown", "c", (1, 3)),
        )
        for epoch in range(4)
        for right in [[item] if epoch in epochs else []]
    ]
    [run] = fitted().mix_runs()
    key = lambda fit: (fit.part, fit.category, fit.epoch)  # noqa: E731
    assert sorted(run.fits, key=key) == sorted(fits, key=key)
    assert run.right.sum() == 6 and run.epochs == [0, 1, 2, 3] and run.stops == {"convergence": 3}


def test_pieces_are_read_as_they_were_written_and_packed_alike(tmp_path):
    for folder in (tmp_path / "one", tmp_path / "two"):
        for seed in (2, 1):
            pieces.write_piece(folder, fitted(seed))
    first, second = pieces.read_pieces(tmp_path / "one", "apeft")
    assert (first.about.seed, second.about.seed) == (1, 2)
    assert (first.about, first.fits, first.items) == (fitted().about, fitted().fits, [])
    same = [sorted((tmp_path / name / "apeft").iterdir()) for name in ("one", "two")]
    assert [p.read_bytes() for p in same[0]] == [p.read_bytes() for p in same[1]]


@pytest.mark.parametrize("key", ["labels", "configuration", "model"])
def test_seeds_of_different_experiments_are_not_put_together(tmp_path, key):
    pieces.write_piece(tmp_path, pieces.Piece(manifest(1), [], []))
    pieces.write_piece(tmp_path, pieces.Piece(manifest(2, **{key: "other"}), [], []))
    with pytest.raises(InputError, match="seeds 1 and 2 differ in"):
        pieces.read_pieces(tmp_path, "apeft")


def test_a_piece_that_is_damaged_is_told(tmp_path):
    path = pieces.write_piece(tmp_path, fitted())
    path.with_suffix(".fits.csv.gz").write_bytes(b"no archive")
    with pytest.raises(InputError, match=r"seed-1\.fits\.csv\.gz: cannot be read"):
        pieces.read_pieces(tmp_path, "apeft")
    with pytest.raises(InputError, match="line 2: value"):
        header = ",".join(MeasuredRow.model_fields)
        pieces.table_rows(Path("x.csv"), MeasuredRow, [header, "a,b,id,d,e,f,g,"])


def test_a_run_without_what_decides_is_refused(tmp_path):
    row = {"checkpoint": "one", "folder": "m/one", "scored": [], "parent": "base"}
    with pytest.raises(InputError, match="one has no em of t, which the contrast 'x' needs"):
        collecting.measured_rows(tmp_path, [row], [SHARED])


def test_labels_have_a_digest_of_their_own(tmp_path):
    def digest(*labels):
        path = tmp_path / "annotations.jsonl"
        path.write_text("".join(
            f'{{"id": "{name}", "relation": "r", "domain": "id", "split": "test", '
            f'"category": "{category}", "p_greedy": 0, "greedy_correct": 0, "greedy_total": 1, '
            f'"sampled_correct": 0, "sampled_total": 1, "exemplar_sets": [0]}}\n'
            for name, category in labels
        ))  # fmt: skip
        return collecting.labels_digest(path)

    one, other = ("a", "Unknown"), ("b", "MaybeKnown")
    assert digest(one, other) == digest(other, one) != digest(one, ("b", "Unknown"))


def test_stages_take_what_their_jobs_took_at_this_seed(tmp_path):
    for place, cells in (
        ("train/m/seed-1/mix.form", "10\t9"),
        ("train/m/seed-2/mix.form", "99\t99"),
        ("facts/build", "0.5\tNA"),
    ):
        path = tmp_path / f"{place}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"s\tcpu_time\n{cells}\n")
    rows = [tuple(row.model_dump().values()) for row in collecting.stage_times(tmp_path, 1)]
    assert rows == [("facts", 1, 0.5, 0.0), ("train", 1, 10.0, 9.0)]


def test_a_run_is_kept_item_by_item(tmp_path):
    """Scored items, ranks of tokens and fit curves; what no contrast needs is left out."""
    folder, mix = tmp_path / "m/one", tmp_path / "m/seed-1/mix.form"
    (folder / "token_shift").mkdir(parents=True)
    mix.mkdir(parents=True)
    (mix / "fit.jsonl").write_text("")  # what only teaches the form is asked nothing
    (folder / "scores.jsonl").write_text(
        '{"id": "a", "task": "t", "domain": "id", "cluster": "s", "metrics": {"em": 1, "f1": 0.5}}\n'
    )
    (folder / "token_shift/base.jsonl").write_text(
        '{"id": "p", "domain": "ood", "cluster": "p", "tokens": ["x", "y"], "ranks": [1, 9], '
        '"own_ranks": [1, 1], "truncated": false}\n'
    )
    rows = [
        {"checkpoint": "one", "folder": "m/one", "scored": ["scores.jsonl"], "parent": "base"},
        {"checkpoint": "mix.form", "folder": "m/seed-1/mix.form/final", "scored": [], "parent": ""},
    ]
    shift = StudyContrast(
        "apeft", "secondary", "x", Side("one", "ood"), Side("one"), "token_shift", "shifted"
    )
    alone = StudyContrast("apeft", "primary", "x", Side("one"), None, "t", "em")
    kept = collecting.measured_rows(tmp_path, rows, [alone, shift])
    assert [(row.task, row.metric, row.item, row.value) for row in kept] == [
        ("t", "em", "a", 1.0),
        ("token_shift", "shifted", "p", 0.5),
    ]
    assert collecting.mixes(tmp_path, rows) == ([], {})


def test_items_of_a_claim_are_grouped_by_their_negated_options(tmp_path):
    options = {"a": ["It flies", "It swims"], "b": ["It does not", "It swims"],
               "c": ["It flies", "It can't"], "d": ["Nothing", "It is none"]}  # fmt: skip
    questions = [dict(id=name, question="What?", choices=two, labels=[1, 0])
                 for name, two in options.items()]  # fmt: skip
    asked = tmp_path / "t.jsonl"
    asked.write_text("".join(f"{json.dumps(question)}\n" for question in questions))
    (tmp_path / "apeft").mkdir()
    write_study_groups.main(questions=asked, groups_path=tmp_path / "apeft/groups.csv")
    scores = {"t/a": 0.5, "t/b": 0.25, "t/c": 1.0, "t/d": 0.75, "other/a": 0.0}
    rows = [
        measured("one", [score])[0].model_copy(update=dict(item=item, cluster=item))
        for item, score in scores.items()
    ]
    pieces.write_piece(tmp_path, pieces.Piece(manifest(), rows, []))
    [piece] = pieces.read_pieces(tmp_path, "apeft")
    groups = [*negation.GROUPS.values(), "All"]
    assert groups[1] == "only true options negated"
    found = [piece.values(Side("one", "id", (group,)), "t", "em").by_item for group in groups]
    assert found == [{"t/a": 0.5}, {"t/b": 0.25}, {"t/c": 1.0}, {"t/d": 0.75}, {"other/a": 0.0}]


def test_what_was_thought_of_afterwards_decides_nothing_and_may_be_missing(tmp_path):
    later = [one for one in contrasts() if one.role == "exploratory"]
    assert len(later) == len(negation.GROUPS) and not any(one.rule for one in later)
    assert collecting.measured_rows(tmp_path, [], later) == []
    row = decisions.contrast_row(later[0], with_gain(0.1))
    assert (row.role, row.decision, row.reason) == ("exploratory", "", "nothing was measured")


def test_a_finished_run_becomes_a_piece(tmp_path, monkeypatch):
    root = tmp_path / "run"
    scored = {"id": "a", "task": "t", "domain": "id", "cluster": "s", "metrics": {"em": 1}}
    label = dict(id="a", relation="r", domain="id", split="test", category="Unknown", p_greedy=0,
                 greedy_correct=0, greedy_total=1, sampled_correct=0, sampled_total=1,
                 exemplar_sets=[0])  # fmt: skip
    of_one_seed = {"seeds": [3], "device": "cpu", "models": [{"name": "m", "source": "file:m"}]}
    config = read("study/apeft.yaml") | of_one_seed
    checkpoints = [
        {"checkpoint": name, "folder": f"m/{name}", "scored": ["items.jsonl"], "parent": ""}
        for name in ("one", "other")
    ]
    for place, content in {
        "manifest.json": {"config": config, "versions": {"torch": "1"}, "python": "3"},
        "lists/checkpoints.json": checkpoints,
        "m/slick/annotations.jsonl": label,
        "m/one/items.jsonl": scored,
        "m/other/items.jsonl": scored,
    }.items():
        path = root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
    monkeypatch.setattr(collect_piece, "contrasts", lambda: [SHARED])
    monkeypatch.chdir(ROOT)
    collect_piece.main(claim="apeft", seed=3, root=root, data=tmp_path / "data")
    [piece] = pieces.read_pieces(tmp_path / "data", "apeft")
    assert [(row.checkpoint, row.value) for row in piece.items] == [("one", 1.0), ("other", 1.0)]
    assert piece.about.versions == {"torch": "1", "python": "3"} and piece.about.seed == 3
    assert piece.about.configuration == collect_piece._settings_digest(config)
    assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?", piece.about.commit)
    with pytest.raises(InputError, match=r"was run with seeds \[3\]; expected \[1\]"):
        collect_piece.main(claim="apeft", seed=1, root=root, data=tmp_path / "data")


def test_seeds_are_of_one_configuration_whatever_keys_came_between():
    config = read("study/apeft.yaml")
    digest = collect_piece._settings_digest(config)
    later = experiment.load(config).model_dump(mode="json")  # every key, as if some were new
    assert collect_piece._settings_digest(later | {"run": "x", "seeds": [9]}) == digest
    assert collect_piece._settings_digest(config | {"claims": {"splitter": "model"}}) != digest


def test_the_pages_and_figures_are_what_make_study_tables_writes():
    with (STUDY / "data/claims.csv").open(encoding="utf-8", newline="") as stream:
        rows = pieces.table_rows(STUDY / "data/claims.csv", ClaimRow, stream)
    found = {claim: pieces.read_pieces(STUDY / "data", claim) for claim in CLAIMS}
    shown = {name: title for name, title, _ in figures.drawings(found, rows)}
    for path, part, text in (
        (STUDY / "README.md", "claims", page.claims(rows, shown)),
        (STUDY / "README.md", "costs", page.costs(found)),
        (ROOT / "README.md", "study", page.headline(rows)),
    ):
        assert page.with_part(path, part, text) == path.read_text(encoding="utf-8")
    assert {path.stem for path in STUDY.glob("figures/*.svg")} == shown.keys()


def test_the_table_is_what_the_pieces_come_to():
    found = {claim: pieces.read_pieces(STUDY / "data", claim) for claim in CLAIMS}
    rows = decisions.claim_rows(found, contrasts())
    with (STUDY / "data/claims.csv").open(encoding="utf-8", newline="") as stream:
        kept = list(csv.DictReader(stream))
    assert [(r.claim, r.role, r.contrast, r.decision) for r in rows] == [
        (r["claim"], r["role"], r["contrast"], r["decision"]) for r in kept
    ]


def test_a_page_shows_shares_in_points_and_counts_as_they_are(tmp_path):
    row = ClaimRow(claim="flame", role="secondary", contrast="c", task="long_form", domain="id",
                   measure="em", estimate=0.1234, low=0.1, high=0.15, n=1200, seeds=3)  # fmt: skip
    text = page.claims([row, row.model_copy(update={"measure": "words"})], {"flame": "A title"})
    assert "| 12.3 | 10.0 to 15.0 | 1,200 | 3 |" in text and "| 0.1 | 0.1 to 0.1 |" in text
    assert text.endswith("![A title](figures/flame.svg)")
    drawing = figures.contrasts_drawn([row])
    assert drawing and "c: EM (long_form, id): 12.3, 10.0 to 15.0" in drawing.svg("x", "t")
    assert figures.contrasts_drawn([]) is None
    (tmp_path / "page.md").write_text("no marks")
    with pytest.raises(InputError, match=r"page\.md: lacks the lines"):
        page.with_part(tmp_path / "page.md", "claims", text)


def test_the_headline_names_each_verdict_and_what_decided_it():
    verdict = ClaimRow(claim="flame", role="claim", contrast="all", decision="no", seeds=3)
    primary = ClaimRow(
        claim="flame", role="primary", contrast="c", measure="em", task="t", domain="id",
        estimate=-0.1234, low=-0.2, high=0.01, seeds=3, decision="no",
    )  # fmt: skip
    why = "no piece has been run"
    lacking = primary.model_copy(update={"estimate": None, "task": "", "reason": why})
    other = primary.model_copy(update={"role": "secondary", "contrast": "not shown"})
    last = page.headline([verdict, primary, lacking, other]).splitlines()[-1]
    assert last == (
        f"| {CLAIMS['flame']} | **no** | c: EM of t in the domain, −12.3 (−20.0 to +1.0); "
        f"c: EM, no piece has been run | 3 |"
    )
    assert page.headline([]) == page.NOTHING


def test_costs_are_processor_minutes_by_stage():
    stages = [
        StageTime(stage=name, jobs=1, wall_seconds=1, processor_seconds=60 * minutes)
        for name, minutes in (("a", 0.5), ("b", 5), ("c", 2), ("d", 3.2))
    ]
    about = manifest(2, stages=stages, commit="0123456789")
    last = page.costs({"apeft": [pieces.Piece(about, [], [])], "flame": []}).splitlines()[-1]
    assert last == "| apeft | 2 | 11 | b 5, d 3, c 2 | p, 2 cores | 0123456 |"


def test_fit_curves_are_drawn_of_mixes_alone():
    [(name, title, drawing)] = figures.drawings({"gekhman": [fitted()], "apeft": []}, [])
    assert name == "gekhman-fit" and "after each epoch" in title
    assert "Unknown, train, 0.0 % at epoch 0" in drawing.svg("x", "t")


@pytest.fixture(params=CLAIMS)
def claim(request, monkeypatch):
    monkeypatch.setenv("PLUMBLINE_DATA", os.fspath(ROOT))
    return request.param


def read(name):
    return yaml.safe_load((ROOT / "config" / name).read_text(encoding="utf-8"))


def test_a_claims_configuration_takes_nothing_from_the_default(claim):
    """Whatever the embedded experiment becomes, the study stays what its plan says."""
    own, both = read(f"study/{claim}.yaml"), read("config.yaml")
    update_config(both, own)
    own, both = (experiment.load(raw).model_dump() for raw in (own, both))
    both["recipes"] = {name: both["recipes"][name] for name in own["recipes"]}
    for recipe in (*own["recipes"].values(), *both["recipes"].values()):
        if recipe["parameters"] == "full":
            recipe.pop("lora")
    assert both == own, f"state in config/study/{claim}.yaml what differs"


def test_what_is_contrasted_is_trained_and_asked(claim):
    config = experiment.load(read(f"study/{claim}.yaml"))
    line = lineage.build(config)
    choices = {one.name for one in config.evaluation.choices}
    asked = {
        checkpoint: {closed_book_task(FACTS, form) for form in forms}
        for checkpoint, forms in forms_of(config, line).items()
    }
    stated = [one for one in contrasts() if one.piece == claim]
    assert {one.role for one in stated if one.claim == claim} >= {"primary", "secondary"}
    for one in stated:
        sides = [side.checkpoint for side in (one.first, one.second) if side]
        assert set(sides) <= set(line.tunings if one.task == FIT else line.checkpoints)
        if one.task in ("long_form", "win_rate"):
            assert config.evaluation.long_form
        elif one.task == "token_shift":
            assert config.evaluation.token_shift
        elif one.task != FIT:
            assert all(one.task in choices | asked[name] for name in sides)


def test_the_human_side_is_what_the_tables_say(tmp_path):
    path = tmp_path / "responses.jsonl"
    write_study_responses.main(responses_path=path)
    shipped = ROOT / "config/study/responses.jsonl"
    assert path.read_bytes() == shipped.read_bytes(), "scripts.write_study_responses writes it anew"
    held_out = {
        question.subject
        for question in load_embedded(ROOT / "workflow/resources/facts").questions
        if question.split == "test"
    }
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    about = [row for row in rows if row["fact_based"]]
    assert len(about) == write_study_responses.ENTITIES and len(rows) > len(about)
    assert not held_out & {row["topic"] for row in about}
    assert all(row["topic"] in row["responses"][0] for row in about)


def test_probes_without_answers_are_enough_for_mixes():
    [run] = fitted().mix_runs()
    assert run.probes[0] == AskedProbe("a", "train", "id", "MaybeKnown", "a")
