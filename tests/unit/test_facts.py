import json
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from plumbline.data.facts import (
    REASONS,
    choose_relations,
    load_embedded,
    load_rows,
    question_ids,
    split_of,
)
from plumbline.data.select import select
from plumbline.evaluation.overlaps import EvaluatedText, Trained, measure
from plumbline.storage.files import InputError, write_csv
from plumbline.texts.text import fold
from programs import program

FACTS = Path(__file__).parents[2] / "workflow" / "resources" / "facts"


@pytest.fixture(scope="module")
def embedded():
    return load_embedded(FACTS)


def rows_file(folder, *rows):
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def row(subject="X", answers=("a",), relation="r", question=None, **more):
    question = question or f"What of {subject}?"
    return {
        "relation": relation,
        "subject": subject,
        "question": question,
        "answers": list(answers),
        **more,
    }


def cell(result, **where):
    return next(c for c in result.counts if all(c[k] == v for k, v in where.items()))


# --- the embedded tables ------------------------------------------------------------------------


def test_embedded_size_and_shape(embedded):
    relations = {q.relation: q.domain for q in embedded.questions}
    domains = Counter(relations.values())
    assert domains["id"] >= 8 and domains["ood"] >= 4
    assert len(embedded.questions) >= 3500
    assert len({q.id for q in embedded.questions}) == len(embedded.questions)
    assert sum(c["kept"] for c in embedded.counts) == len(embedded.questions)
    assert all(0 < path.stat().st_size < 300_000 for path in FACTS.glob("*.tsv"))


def test_the_tables_hold_nothing_that_would_be_dropped_but_tell_what_was(embedded):
    others = set(REASONS) - {"ambiguous_subject", "states_test_fact"}
    assert all(c[reason] == 0 for c in embedded.counts for reason in others)
    listed = (FACTS / "ambiguous.tsv").read_text(encoding="utf-8").splitlines()[1:]
    used = {c["relation"] for c in embedded.counts}
    counted = sum(c["ambiguous_subject"] for c in embedded.counts)
    assert counted == sum(line.split("\t")[0] in used for line in listed) > 1000
    asked = {(q.relation, fold(q.subject)) for q in embedded.questions}
    assert not any((r, fold(s)) in asked for r, s in (line.split("\t") for line in listed))


def test_no_train_subject_is_a_test_subject_of_any_relation():
    for seed in (1, 2):
        questions = load_embedded(FACTS, seed=seed).questions
        train = {fold(q.subject) for q in questions if q.split == "train"}
        test = {fold(q.subject) for q in questions if q.split == "test"}
        dev_id = {fold(q.subject) for q in questions if q.split == "dev" and q.domain == "id"}
        assert train and test and dev_id
        assert not train & test
        assert not dev_id & (train | test)
        assert not any(q.split == "train" for q in questions if q.domain == "ood")


def test_no_train_or_dev_question_states_a_test_fact(embedded):
    """Neither turned round, as "Berlin is in Germany" for the capital of Germany, nor else."""
    test = [q for q in embedded.questions if q.split == "test"]
    evaluated = [EvaluatedText(**q.model_dump()) for q in test]
    others = [
        Trained(id=q.id, prompt=q.question, completion=answer)
        for q in embedded.questions
        for answer in q.answers
        if q.split != "test"
    ]
    (found,) = measure("facts", others, {"test": evaluated}, 13).overlaps
    assert (found.n, found.stated, found.contaminated) == (len(test), 0, 0)
    dropped = {(c["relation"], c["split"]): c["states_test_fact"] for c in embedded.counts}
    assert dropped["country_capital", "train"] >= 5 and dropped["city_country", "train"] >= 9
    assert dropped["us_city_state", "train"] >= 5 and dropped["us_state_capital", "dev"] >= 3
    assert not any(n for (_, split), n in dropped.items() if split == "test")
    assert sum(dropped.values()) < 50  # of more than four thousand
    names = {frozenset((fold(q.subject), fold(answer))) for q in test for answer in q.answers}
    assert not any(
        frozenset((fold(q.subject), fold(answer))) in names
        for q in embedded.questions
        for answer in q.answers
        if q.split != "test" and fold(q.subject) != fold(answer)
    )


def test_a_row_that_states_a_test_fact_is_dropped_in_every_split_but_test(tmp_path):
    rows = [
        row("Ruritania", ["Strelsau"], "capital", split="test"),
        row("Strelsau", ["Kingdom of Ruritania", "Ruritania"], "country", split="train"),
        row("Strelsau", ["Zenda"], "twin", split="train"),
        row("Old Strelsau", ["Ruritania"], "country", split="dev"),
        row("Zenda", ["Ruritania"], "country", split="test"),
    ]
    result = load_rows(rows_file(tmp_path, *rows))
    assert [(q.relation, q.subject) for q in result.questions] == [
        ("capital", "Ruritania"), ("twin", "Strelsau"), ("country", "Zenda"),
    ]  # fmt: skip
    assert result.dropped() == {"states_test_fact": 2}


def test_every_relation_has_enough_dev_questions_for_exemplar_sets(embedded):
    dev = Counter(q.relation for q in embedded.questions if q.split == "dev")
    assert min(dev[q.relation] for q in embedded.questions) >= 8


def test_no_answer_dominates_a_relation(embedded):
    answers = defaultdict(Counter)
    for q in embedded.questions:
        answers[q.relation][q.answers[0]] += 1
    for relation, uses in answers.items():
        limit = 0.3 if relation == "country_continent" else 0.16
        assert max(uses.values()) <= limit * uses.total(), relation


@pytest.mark.parametrize(
    ("relation", "subject", "expected"),
    [
        ("country_capital", "United States", {"Washington", "Washington, D.C."}),
        ("country_capital", "Kazakhstan", {"Astana"}),
        ("country_capital", "Brazil", {"Brasília", "Brasilia"}),
        ("country_continent", "Turkey", {"Asia", "Europe"}),
        ("country_currency", "Japan", {"Japanese yen", "Yen"}),
        ("country_currency", "Bulgaria", {"Euro"}),
        ("country_currency", "Croatia", {"Euro"}),
        ("country_language", "Iran", {"Persian", "Farsi"}),
        ("us_state_capital", "Texas", {"Austin"}),
        ("us_city_state", "Akron", {"Ohio", "OH"}),
        ("element_symbol", "tungsten", {"W"}),
        ("element_number", "gold", {"79"}),
        ("city_country", "New York City", {"United States", "USA", "US"}),
    ],
)
def test_known_facts_and_aliases(embedded, relation, subject, expected):
    found = next(q for q in embedded.questions if q.relation == relation and q.subject == subject)
    assert expected <= set(found.answers)


def test_dead_and_disputed_countries_are_absent(embedded):
    subjects = {q.subject for q in embedded.questions if q.relation.startswith("country_")}
    gone = {"Serbia and Montenegro", "Netherlands Antilles", "Palestinian Territory", "Kosovo"}
    assert not subjects & gone


def test_relations_can_be_chosen_and_moved_between_domains():
    result = load_embedded(FACTS, ["us_state_capital"], ["country_capital"])
    assert {(q.relation, q.domain) for q in result.questions} == {
        ("us_state_capital", "id"),
        ("country_capital", "ood"),
    }


@pytest.mark.parametrize(
    ("id_relations", "ood_relations", "message"),
    [
        (["contry_capital"], None, "Did you mean 'country_capital'"),
        (["country_capital"], ["country_capital"], "both in and out"),
        ([], ["country_capital"], "no in-domain relation"),
    ],
)
def test_wrong_relations_are_refused(id_relations, ood_relations, message):
    with pytest.raises(InputError, match=message):
        load_embedded(FACTS, id_relations, ood_relations)


def test_a_default_list_leaves_out_what_the_other_list_names():
    assert choose_relations({"a": "id", "b": "id", "c": "ood"}, None, ["b"]) == {
        "a": "id",
        "b": "ood",
    }


def test_a_malformed_table_is_named_with_its_line(tmp_path):
    header = "relation\ttemplate\tdomain\tlicence\tsource\n"
    (tmp_path / "relations.tsv").write_text(header + "r\tWho is [X]?\tid\tCC0-1.0\tx\n")
    table = tmp_path / "r.tsv"
    table.write_text("subject\tanswers\tpopularity\nA\tb\t\nC\td\n")
    with pytest.raises(InputError, match=r"r\.tsv, line 3: 2 tab-separated cells"):
        load_embedded(tmp_path)
    table.write_text("subject\tanswers\tpopularity\nA\tb|\t\n")
    with pytest.raises(InputError, match=r"r\.tsv, line 2: answers\.1"):
        load_embedded(tmp_path)


# --- splitting and dropping ---------------------------------------------------------------------


def test_split_depends_on_the_folded_subject_and_the_seed_alone():
    names = [f"subject {number}" for number in range(2000)]
    splits = Counter(split_of(name, "id") for name in names)
    assert splits["train"] == pytest.approx(1200, abs=100)
    assert splits["dev"] == pytest.approx(200, abs=60)
    assert all(split_of(f" {name.upper()}", "id") == split_of(name, "id") for name in names[:50])
    assert any(split_of(name, "id", seed=2) != split_of(name, "id") for name in names)
    for name in names:
        out = split_of(name, "ood")
        assert out == {"train": "dev"}.get(split_of(name, "id"), split_of(name, "id"))


@pytest.mark.parametrize("shares", [(0.6, 0.1), (0.6, 0.1, 0.4), (1.2, -0.5, 0.3)])
def test_impossible_shares_are_refused(shares):
    with pytest.raises(InputError, match="sum 1"):
        split_of("x", "id", shares)


def test_equal_and_ambiguous_questions_are_dropped_and_counted(tmp_path):
    path = rows_file(
        tmp_path,
        row("Bogotá", ["Colombia"], split="test"),
        row("bogota", ["Colombia"], question="what of BOGOTA?", split="test"),
        row("Santiago", ["Chile"], split="test"),
        row("SANTIAGO", ["Cuba"], split="test"),
        row("Santiago", ["Chile"], relation="other", split="test"),
    )
    result = load_rows(path)
    assert [(q.relation, q.subject) for q in result.questions] == [
        ("r", "Bogotá"),
        ("other", "Santiago"),
    ]
    counted = cell(result, relation="r", split="test")
    assert (counted["kept"], counted["duplicate"], counted["ambiguous_question"]) == (1, 1, 2)
    assert result.dropped() == {"duplicate": 1, "ambiguous_question": 2}


def test_names_that_differ_by_a_letters_marks_are_two(tmp_path):
    names = ["パリ", "バリ", "ハリ", "ドーハ", "トーバ", "Май", "Маи", "क़लम", "कलम", "ข้า", "ขา"]
    result = load_rows(
        rows_file(tmp_path, *(row(name, [f"{n}"], question=name) for n, name in enumerate(names)))
    )
    assert [q.subject for q in result.questions] == names and not result.dropped()


@pytest.mark.parametrize("merge", [False, True])
@pytest.mark.parametrize(("one", "other"), [("Bar", "Bär"), ("Hà", "Hạ"), ("Peña", "Pena")])
def test_names_that_differ_by_an_accent_are_two_where_their_answers_differ(
    tmp_path, one, other, merge
):
    rows = [row(one, ["a"], question=f"{one}?"), row(other, ["b"], question=f"{other}?")]
    result = load_rows(rows_file(tmp_path, *rows), merge_duplicates=merge)
    assert [q.answers for q in result.questions] == [["a"], ["b"]]
    assert len({q.split for q in result.questions}) == 1 and not result.dropped()
    rows[1]["answers"] = ["a"]
    assert len(load_rows(rows_file(tmp_path, *rows)).questions) == 1


def test_what_is_not_seen_makes_no_other_name_or_question(tmp_path):
    result = load_rows(
        rows_file(
            tmp_path,
            row("France", ["Paris"], split="test"),
            row("Fra\u200bnce", ["Paris\u200b"], question="What of\xa0France?", split="test"),
            row("\u200eFrance\ufeff", ["Euro"], question="Which money?", split="train"),
            row("Xi'an", ["China"], split="test"),
            row("Xi’an", ["Shaanxi"], question="Which province?", split="train"),
        )
    )
    assert [(q.subject, q.split) for q in result.questions] == [
        ("France", "test"),
        ("Xi'an", "test"),
    ]
    assert result.dropped() == {"duplicate": 1, "test_subject_overlap": 2}
    for name in ("France", "Xi'an", "می خواهم"):
        other = "\u200b".join(name).replace("'", "’").replace(" ", "\xa0")
        assert split_of(other, "id") == split_of(name, "id")


def test_a_model_is_shown_texts_without_needless_characters(tmp_path, caplog):
    plain = row("Xi’an", ["Chine"], question="Où est Xi’an ?", split="test")
    joined = row("می‌خواهم", ["क्‍ष", "❤️"], question="श्री‌मान?", split="test")
    hidden = row("\ufeffXi\xad’an", ["\u202aChine\u202c\u200b"], split="test")
    hidden["question"] = "Ou\u0300 est\u202fXi’an\xa0?"
    expected = [
        (one["subject"], one["question"], one["answers"], one["split"]) for one in (plain, joined)
    ]

    def read(*rows):
        found = load_rows(rows_file(tmp_path, *rows)).questions
        return [(q.subject, q.question, q.answers, q.split) for q in found], [q.id for q in found]

    first, ids = read(plain, joined)
    assert first == expected and not caplog.text
    assert read(hidden, joined) == (first, ids)
    assert "rows.jsonl: 1 row(s) have invisible characters" in caplog.text
    assert read({**hidden, "relation": "r\u200b"}, joined) == (first, ids)


def test_blanks_around_a_text_are_no_part_of_it(tmp_path, caplog):
    ragged = row("Oslo ", ["\nNorway\u200b ", "Norge\n"], question=" What of Oslo?\n")
    found = load_rows(rows_file(tmp_path, ragged)).questions
    assert "1 row(s) have" in caplog.text
    plain = row("Oslo", ["Norway", "Norge"], question="What of Oslo?")
    assert found == load_rows(rows_file(tmp_path, plain)).questions


@pytest.mark.parametrize("answers", [["Norway"], ["Norway", "Norge"]])
@pytest.mark.parametrize(
    ("domain", "given", "kept"),
    [
        ("id", ["train", "test"], "test"),
        ("id", ["train", "dev"], "dev"),
        ("id", ["dev", "train", "test"], "test"),
        ("ood", ["train", "dev"], "dev"),
    ],
)
def test_a_question_of_several_splits_is_evaluated(tmp_path, domain, given, kept, answers):
    rows = [
        row("Oslo", answers if split == kept else ["Norway"], split=split, domain=domain)
        for split in given
    ]
    for listed in (rows, rows[::-1]):
        (only,) = load_rows(rows_file(tmp_path, *listed)).questions
        assert (only.split, only.answers) == (kept, answers)


def test_signs_and_points_make_other_questions(tmp_path):
    asked = ["7 + 3?", "7 - 3?", "7.3?", "73?", "C++?", "C?", "C#?"]
    result = load_rows(
        rows_file(tmp_path, *(row("x", [str(n)], question=text) for n, text in enumerate(asked)))
    )
    assert [q.question for q in result.questions] == asked


def test_a_subject_may_be_asked_about_more_than_once(tmp_path):
    names = [f"Person {number}" for number in range(60)]
    result = load_rows(
        rows_file(
            tmp_path,
            *(
                row(name, [f"18{n}"], question=f"When was {name} born?")
                for n, name in enumerate(names)
            ),
            *(
                row(name, [f"Town {n}"], question=f"Where was {name} born?")
                for n, name in enumerate(names)
            ),
        )
    )
    assert len(result.questions) == 120 and not result.dropped()
    splits = defaultdict(set)
    for question in result.questions:
        splits[question.subject].add(question.split)
    assert all(len(found) == 1 for found in splits.values())
    assert set.union(*splits.values()) == {"train", "dev", "test"}


@pytest.mark.parametrize(
    ("answers", "merge", "expected"),
    [
        ([["Sucre"], ["Sucre", "La Paz"]], False, ["Sucre", "La Paz"]),
        ([["Sucre"], ["La Paz"]], False, None),
        ([["Sucre"], ["La Paz"]], True, ["Sucre", "La Paz"]),
        ([["a"], ["d"], ["b", "c"], ["c", "d"], ["a", "b"]], False, ["a", "d", "b", "c"]),
        ([["a"], ["a", "b"], ["c"]], False, None),
        ([["Bogotá"], ["Bogota"]], False, ["Bogotá", "Bogota"]),  # a spelling to accept too
    ],
)
def test_one_question_with_other_answers(tmp_path, answers, merge, expected):
    """Answers that have one in common are of one fact; without, nobody can tell which is meant."""
    path = rows_file(tmp_path, *(row("Bolivia", given) for given in answers), row("Peru"))
    result = load_rows(path, merge_duplicates=merge)
    found = {question.subject: question.answers for question in result.questions}
    assert found == {"Peru": ["a"]} | ({"Bolivia": expected} if expected else {})
    lost = result.dropped()
    assert sum(lost.values()) == len(answers) - (1 if expected else 0)
    assert lost.get("ambiguous_question", 0) == (0 if expected else len(answers))


def test_an_empty_result_says_what_was_dropped(tmp_path, monkeypatch):
    path = rows_file(
        tmp_path,
        row("A", ["x"]),
        row("A", ["y"]),
        row("B", domain="ood", relation="s", split="train"),
    )
    out = {"questions": tmp_path / "q.jsonl", "counts": tmp_path / "c.csv"}
    message = r"rows\.jsonl: no question is left .*dropped: 2 ambiguous_question, 1 ood_train"
    with pytest.raises(InputError, match=message):
        program(monkeypatch, "build_questions", source="rows", path=path, **out)


def test_given_splits_are_kept_but_overlap_is_not(tmp_path):
    path = rows_file(
        tmp_path,
        row("Ünal", split="train"),
        row("Unal", relation="far", domain="ood", split="test"),
        row("Meier", split="train"),
        row("Meier", relation="far", domain="ood", split="train"),
    )
    result = load_rows(path)
    assert [(q.subject, q.relation) for q in result.questions] == [
        ("Unal", "far"),
        ("Meier", "r"),
    ]
    assert cell(result, relation="r", split="train")["test_subject_overlap"] == 1
    assert cell(result, relation="far", split="train")["ood_train"] == 1


def test_columns_that_nothing_reads_are_named(tmp_path, caplog):
    path = rows_file(tmp_path, row("A", aliases=["B"], context=None), row("C", aliases=[]))
    load_rows(path)
    assert caplog.messages == [
        f"{path}: columns that are not read, and how many rows have them: aliases 1."
    ]


def test_rows_without_a_split_are_hashed_and_extra_fields_kept(tmp_path):
    path = rows_file(tmp_path, row("Meier", popularity=3, source="mine"), row("Y", id="my-own"))
    first, second = load_rows(path).questions
    assert first.split == split_of("Meier", "id")
    assert (first.domain, first.popularity, first.source) == ("id", 3, "mine")
    assert second.id == "my-own"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "no rows"),
        ([row(answers=[])], "line 1: answers"),
        ([row("A"), row("B", domain="ood")], "row 2: relation 'r' is ood here"),
        ([row("A", id="x"), row("B", id="x")], "'x' occurs more than once"),
        ([row("A"), row("B", context="B is a town.")], "line 2: .*the column context is not read"),
    ],
)
def test_bad_rows_are_refused(tmp_path, rows, message):
    with pytest.raises(InputError, match=message):
        load_rows(rows_file(tmp_path, *rows))


def test_ids_are_stable_and_equal_rows_are_numbered():
    rows = [("r", "A", "Q?", "x"), ("r", "A", "Q?", "y"), ("r", "A", "Q?", "x")]
    ids = question_ids(rows)
    assert ids[2] == f"{ids[0]}-2"
    assert question_ids(rows[1:2]) == ids[1:2]
    assert len(ids[0].removeprefix("r/")) == 12


def test_counts_are_written_as_csv(tmp_path, embedded):
    write_csv(tmp_path / "counts.csv", list(embedded.counts[0]), embedded.counts)
    lines = (tmp_path / "counts.csv").read_text().splitlines()
    assert lines[0] == ",".join(("relation", "domain", "split", "kept", *REASONS))
    assert len(lines) == len(embedded.counts) + 1


# --- selecting ----------------------------------------------------------------------------------


def test_selection_is_nested_and_independent_of_order(embedded):
    questions = embedded.questions
    few, counts = select(questions, {"train": 5, "test": 0}, seed=3)
    more, _ = select(questions, {"train": 9, "test": 0}, seed=3)
    backwards, _ = select(questions[::-1], {"train": 5, "test": 0}, seed=3)
    other, _ = select(questions, {"train": 5, "test": 0}, seed=4)
    ids = [{q.id for q in part} for part in (few, more, backwards, other)]
    assert ids[0] < ids[1]
    assert ids[0] == ids[2] != ids[3]
    assert [q.id for q in few] == [q.id for q in questions if q.id in ids[0]]
    per_cell = Counter((q.relation, q.split) for q in few)
    assert all(n == 5 for (_, split), n in per_cell.items() if split == "train")
    whole_dev = sum(q.split == "dev" for q in questions)
    assert sum(n for (_, split), n in per_cell.items() if split == "dev") == whole_dev
    assert sum(c["selected"] for c in counts) == len(few)
    assert sum(c["not_selected"] for c in counts) == len(questions) - len(few)
