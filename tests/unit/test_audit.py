"""An audit: who is probed with what, what moved, what is tested, what the report says."""

import pytest
from experiment_data import TWO_MODELS, experiment, wildcards
from plumbline.evaluation.contrasts import PRIMARY
from plumbline.experiment.contrasts import contrasts
from plumbline.experiment.plan import make_plan
from plumbline.methods.audit import chapter
from plumbline.methods.audit.transitions import (
    ALL,
    ProbedFact,
    first_answers,
    moved,
    paired,
    relation_changes,
    transitions,
)
from plumbline.methods.slick.config import Slick
from plumbline.methods.slick.probing import GREEDY, draw_exemplar_sets, requests
from plumbline.names import BASE
from plumbline.records import Annotation, Category, Generation, Request
from plumbline.report.labels import checkpoint_label
from plumbline.report.sections import build_sections
from plumbline.report.tables import Run, read_tables
from plumbline.storage.files import InputError, read_rows, write_rows
from programs import csv_rows, listed, program
from report_data import metric, write_csv
from slick_data import annotation, question

H, M, W, U = Category
ONE = {"name": "one", "source": "file:one"}
ON = {"audit": {"checkpoints": [ONE, {"name": "two", "source": "file:two"}]}}


def facts(*moves, relation="capital", domain="id"):
    """Facts by (category before, category after, how many)."""
    kinds = [(before, after) for before, after, n in moves for _ in range(n)]
    asked = [question(relation, number, domain=domain) for number in range(len(kinds))]
    return [
        ProbedFact(one, annotation(one, before), annotation(one, after))
        for one, (before, after) in zip(asked, kinds, strict=True)
    ]


# What the rules see.


def test_left_out_it_brings_nothing():
    made = experiment()
    assert made.lists["audited"] == [] and not any("audit" in work for work in made.works)
    with pytest.raises(InputError, match="audit is null"):
        made.methods["audit"].results(wildcards())


def test_audited_models_are_checkpoints_of_the_base_that_all_seeds_share():
    made = experiment(seeds=[1, 2], **ON)
    lineage, layout = made.layout.lineage, made.layout
    assert lineage.imported == ["base", "audit.one", "audit.two"]
    assert lineage.parent("audit.one") == "base" and lineage.parent("base") == ""
    assert lineage.at("audit/one") == ("audit.one", "0")
    assert layout.folders("audit.one") == ["audit/one"]
    assert layout.marker("m", "audit/one") == "results/demo/m/audit/one/checkpoint.json"
    assert layout.imported() == [
        f"results/demo/smollm2-135m/{folder}/checkpoint.json"
        for folder in ("base", "audit/one", "audit/two")
    ]
    rows = {row["checkpoint"]: row for row in made.evaluated.rows()}
    assert (rows["audit.one"]["seed"], rows["audit.one"]["parent"]) == (0, "base")
    assert "audit/one/closed_book" in made.works and checkpoint_label("audit.one") == "one"


def test_all_are_probed_with_the_bases_requests_and_the_base_with_others_once_more():
    made = experiment(**ON)
    works = {name: work for name, work in made.works.items() if "slick" in name}
    assert {name: (work.folder, work.requests) for name, work in works.items()} == {
        "slick": ("base", "slick/requests.jsonl"),
        "audit/one/slick": ("audit/one", "slick/requests.jsonl"),
        "audit/two/slick": ("audit/two", "slick/requests.jsonl"),
        "slick/again": ("base", "slick/again/requests.jsonl"),
    }
    assert len({work.match for work in works.values()}) == 1
    files = made.methods["audit"]
    asked = files.requests(wildcards(probed="audit/two/slick"))
    assert asked == "results/demo/smollm2-135m/slick/requests.jsonl"
    assert files.source(wildcards(tuned="two")).startswith("results/sources/two-")
    assert {"file:one", "file:two"} <= {s.text for s in made.fetched.by_slug.values()}


def test_something_can_be_tuned_from_an_audited_model():
    made = experiment(**ON, mixes={"parent": "audit.one"})
    parents = {one.parent for one in made.layout.lineage.tunings.values() if "mix" in one.name}
    assert parents == {"audit.one"}
    markers = made.trainings.parent_marker(wildcards(tuning="mix.unknown-0", seed="1"))
    assert markers.endswith("smollm2-135m/audit/one/checkpoint.json")


def test_each_is_compared_with_the_base_and_there_is_one_base():
    layout = experiment(**ON).layout
    stated = [one for one in contrasts(layout.config, layout.lineage) if one.method == "audit"]
    assert [(one.first, one.second, one.domain) for one in stated if one.role == PRIMARY] == [
        ("audit.one", "base", "id"),
        ("audit.two", "base", "id"),
    ]
    with pytest.raises(InputError, match=r"audit\.checkpoints.*models names 2; keep that one"):
        experiment(**ON, models=TWO_MODELS)
    with pytest.raises(InputError, match="one is named twice"):
        experiment(audit={"checkpoints": [ONE, ONE]})


def test_the_plan_counts_each_once_for_all_seeds():
    questions = [question("capital", n, split) for split in ("dev", "test") for n in range(20)]

    def stages(**overlay):
        layout = experiment(
            seeds=[1, 2, 3], mixes={"unknown_percent": []}, grath=None, flame=None, apeft=None,
            evaluation={"long_form": None, "token_shift": None}, **overlay,
        ).layout  # fmt: skip
        plan = make_plan(layout.config, layout.lineage, questions, [], {}, {}, {"m": 1e8}, cores=2)
        return {stage["stage"]: stage for stage in plan["stages"]}

    without, with_two = stages(), stages(**ON)
    assert with_two["import"]["jobs"] == without["import"]["jobs"] + 2
    # Probing of two and of the base once more, closed-book questions of two.
    assert with_two["generate"]["jobs"] == without["generate"]["jobs"] + 3 + 2


# What moved, and what is tested.


def test_a_probing_of_other_questions_is_told():
    asked = [question("capital", number) for number in range(3)]
    rows = [annotation(one, H) for one in asked]
    assert [fact.steps for fact in paired(asked, rows, reversed(rows))] == [0, 0, 0]
    for before, after in ((rows[:2], rows), (rows, rows[:2])):
        with pytest.raises(InputError, match=r"capital/train/2.*Probe again"):
            paired(asked, before, after)


def test_transitions_add_up_to_the_facts():
    here = facts((H, H, 3), (H, U, 1), (U, W, 2))
    there = facts((H, H, 5), relation="mouth", domain="ood")
    rows = list(transitions("m", "audit.one", [*here, *there]))
    counts = {(r.domain, r.relation, r.before, r.after): (r.n, r.share) for r in rows}
    assert counts["id", ALL, H, U] == (1, 1 / 4) and counts["id", "capital", U, W] == (2, 1)
    assert counts["id", ALL, H, W] == (0, 0) and ("id", "capital", H, W) not in counts
    assert counts["ood", ALL, H, H] == counts["ood", "mouth", H, H] == (5, 1)
    for place in (ALL, "capital"):
        assert sum(r.n for r in rows if (r.domain, r.relation) == ("id", place)) == 6


def test_a_relation_that_lost_much_is_damaged_and_one_that_gained_improved():
    lost, won = facts((H, U, 20), (H, H, 10)), facts((U, H, 20), (U, U, 10), relation="mouth")
    same = facts((M, M, 30), relation="same")
    rows = relation_changes("m", {"audit.one": [*lost, *won, *same]}, confidence=0.95)
    by_relation = {row.relation: row for row in rows}
    damaged, improved = by_relation["capital"], by_relation["mouth"]
    assert (damaged.verdict, improved.verdict) == ("damaged", "improved")
    assert (damaged.n, damaged.fell, damaged.rose) == (30, 20, 0)
    assert damaged.difference == pytest.approx(-2 / 3) and damaged.high < 0 < improved.low
    assert damaged.p_corrected == pytest.approx(3 * damaged.p)  # of three, the smaller of two alike
    assert by_relation["same"].verdict == "undecided" and by_relation["same"].detectable > 0
    # Over all relations it is told and not tested: they are the same facts.
    assert (by_relation[ALL].verdict, by_relation[ALL].p_corrected) == ("", None)


def test_the_bases_second_probing_is_no_finding_and_no_test_more():
    lost = facts((H, U, 20), (H, H, 10))
    alone = relation_changes("m", {"audit.one": lost}, confidence=0.95)
    both = relation_changes("m", {"audit.one": lost, BASE: lost}, confidence=0.95)
    assert both[: len(alone)] == alone
    assert {row.verdict for row in both if row.checkpoint == BASE} == {""}


def test_of_too_few_facts_nothing_is_concluded():
    [_, row] = relation_changes("m", {"audit.one": facts((H, U, 5))}, confidence=0.95)
    assert (row.fell, row.difference, row.low, row.p, row.verdict) == (5, -1, None, None, "")


def test_what_samples_alone_move_is_no_damage():
    """Between WeaklyKnown and Unknown only samples decide, which the test leaves out."""
    rows = relation_changes("m", {"audit.one": facts((W, U, 60))}, confidence=0.95)
    assert {(row.fell, row.difference) for row in rows} == {(60, 0)}
    assert rows[-1].verdict == "undecided"


def test_moved_facts_come_with_both_answers_the_furthest_first():
    here = facts((M, W, 1), (H, U, 1), (H, H, 1), (U, M, 1), (U, H, 1))
    names = [fact.question.id for fact in here]
    before, after = {name: "old" for name in names}, {name: "new" for name in names}
    rows = list(moved("m", "audit.one", here, before, after))
    assert [(row.direction, row.before, row.after) for row in rows] == [
        ("fell", H, U), ("fell", M, W), ("rose", U, H), ("rose", U, M),
    ]  # fmt: skip
    assert {(row.base_answer, row.answer) for row in rows} == {("old", "new")}
    assert (rows[0].right_before, rows[0].right_after) == (1, 0)


# What the programs make.


def answer(request: Request, text: str) -> Generation:
    return Generation(
        request=request.id,
        purpose=request.purpose,
        index=0,
        text=text,
        token_ids=[1],
        finish="stop",
    )


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Probings of 12 questions: to the audited model four capitals are lost; their tables."""
    dev = [question("capital", number, "dev") for number in range(6)]
    asked = [question("capital", number) for number in range(12)]
    slick = Slick(exemplar_sets=2, shots=2, samples=1, mode="categories")
    write_rows(tmp_path / "questions", [*dev, *asked])
    write_rows(tmp_path / "asked", asked)
    sets = draw_exemplar_sets([*dev, *asked], slick)
    write_rows(tmp_path / "requests", requests(asked, sets, slick))
    program(monkeypatch, "write_second_probe", slick=slick.model_dump_json(exclude={"match"}),
            all_questions=tmp_path / "questions", questions=tmp_path / "asked",
            requests=tmp_path / "requests_again")  # fmt: skip
    lost = {one.id for one in asked[:4]}
    right = {one.id: one.answers[0] for one in asked}
    for name, file in (("base", "requests"), ("tuned", "requests"), ("again", "requests_again")):
        drawn = [
            answer(
                row, "wrong" if name == "tuned" and row.question in lost else right[row.question]
            )
            for row in read_rows(tmp_path / file, Request)
        ]
        write_rows(tmp_path / f"{name}_generations", drawn)
        program(monkeypatch, "annotate", questions=tmp_path / "asked", requests=tmp_path / file,
                generations=tmp_path / f"{name}_generations", match="squad",
                annotations=tmp_path / f"{name}_annotations")  # fmt: skip

    def files(name, file):
        return {"requests": tmp_path / file, "generations": tmp_path / f"{name}_generations",
                "annotations": tmp_path / f"{name}_annotations"}  # fmt: skip

    row = {"model": "m", "questions": tmp_path / "asked", "base": files("base", "requests")}
    rows = [
        row | {"checkpoint": "audit.one", "probed": files("tuned", "requests")},
        row | {"checkpoint": "base", "probed": files("again", "requests_again")},
    ]
    program(monkeypatch, "tabulate_audit", probings=listed(tmp_path, rows), evaluation="{}",
            transitions=tmp_path / "audit_transitions.csv",
            relations=tmp_path / "audit_relations.csv",
            facts=tmp_path / "audit_facts.csv")  # fmt: skip
    categories = [
        metric(checkpoint, 0, name, value, category=H, n=12)
        for checkpoint, name, value in (
            ("base", "em", 0.9), ("audit.one", "em", 0.6), ("audit.one", "em_vs_base", -0.3),
        )
    ]  # fmt: skip
    write_csv(tmp_path / "metrics.csv", [metric(), metric("audit.one", 0), *categories])
    return tmp_path


def test_the_second_probing_asks_the_same_after_other_examples(made):
    first, again = (list(read_rows(made / f"requests{end}", Request)) for end in ("", "_again"))
    assert [row.id for row in first] == [row.id for row in again]
    assert {row.prompt for row in first}.isdisjoint({row.prompt for row in again})
    assert [row.sampling for row in first] == [row.sampling for row in again]


def test_the_tables_name_what_was_lost(made):
    rows = csv_rows(made / "audit_facts.csv")
    assert [row["id"] for row in rows] == [f"capital/train/{number}" for number in range(4)]
    assert {
        (row["before"], row["after"], row["base_answer"][:7], row["answer"]) for row in rows
    } == {("HighlyKnown", "Unknown", "capital", "wrong")}
    [one] = [
        row
        for row in csv_rows(made / "audit_relations.csv")
        if (row["checkpoint"], row["relation"]) == ("audit.one", "capital")
    ]
    # Recomputed from the annotations.
    shares = {
        name: [row.p_greedy for row in read_rows(made / f"{name}_annotations", Annotation)]
        for name in ("base", "tuned")
    }
    assert float(one["difference"]) == pytest.approx(
        sum(shares["tuned"]) / 12 - sum(shares["base"]) / 12
    )
    assert (one["fell"], one["rose"]) == ("4", "0")


def test_the_first_greedy_answer_is_the_one_that_is_told():
    sets = draw_exemplar_sets(
        [question("capital", number, "dev") for number in range(6)], Slick(exemplar_sets=3, shots=2)
    )
    rows = list(requests([question("capital", 0)], sets, Slick(samples=1)))
    drawn = [answer(row, f" {row.purpose} {row.exemplar_set}") for row in reversed(rows)]
    assert first_answers(rows, drawn) == {"capital/train/0": f"{GREEDY} 0"}


def test_the_report_tells_noise_moves_relations_and_examples(made):
    run = Run(read_tables(made), {}, {})
    noise, prose, moves, lost, relations, categories = chapter.audit(run)
    assert "0 % of its 12 facts change category" in noise.lines[0]
    assert prose.heading == "one"
    assert prose.lines[0].startswith(
        "33 % of 12 facts are in another category than to the base: 4 "
    )
    assert prose.lines[1].startswith(
        "Of 12 HighlyKnown facts 4 are Unknown now; of 0 Unknown ones 0"
    )
    assert "none found" in prose.lines[2]
    assert (moves.rows[0][4].text, moves.rows[0][4].sub) == ("4 (33 %)", "again 0 %")
    assert lost.caption.startswith("Forgotten: 4 of 4 facts that fell")
    assert [cell.text for cell in lost.rows[0]][2:] == ["capital answer 0", "wrong"]
    assert [cell.text for cell in relations.rows[0]][1:6] == ["one", "capital", "12", "4", "0"]
    assert relations.rows[0][8].text == "−33.3"
    assert [cell.text for cell in categories.rows[0]][3:7] == [
        "HighlyKnown",
        "90.0",
        "60.0",
        "−30.0",
    ]
    told, without = chapter.opening(run.tables, "m")
    assert "Improved relations: none" in told
    assert "33 % of 12 facts are in another category" in told
    assert "than to the base (0 % without any tuning): 4 fell, 0 rose." in told
    assert without.startswith("Without any tuning: when the base itself is probed a second time")
    assert chapter.TITLE in without and chapter.opening(run.tables, "another") == []


def test_a_run_that_trains_nothing_has_no_sections_about_trainings(made):
    tables = read_tables(made)
    told = {section.id for section in build_sections(Run(tables, {}, {"checkpoints": {}}))}
    assert "audit" in told and not {"fitting", "grath", "preferences", "contamination"} & told
    all_of_them = build_sections(Run(tables, {}, {"checkpoints": {"mix": {}}}))
    assert "Left out" in next(one for one in all_of_them if one.id == "fitting").left_out
    assert "Left out" in next(one for one in all_of_them if one.id == "grath").left_out
    off = {"checkpoints": {"mix": {}}, "config": {"grath": None, "slick": {}, "mixes": {}}}
    told = {section.id for section in build_sections(Run(tables, {}, off))}
    assert {"audit", "fitting"} <= told and "grath" not in told
