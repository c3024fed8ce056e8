import json
import logging

import pytest
from plumbline.data.entityquestions import (
    DEFAULT_DOMAINS,
    PAPER_COUNTS,
    TEMPLATES,
    check_paper_counts,
    load_entityquestions,
)
from plumbline.data.facts import question_ids
from plumbline.storage.files import InputError


def ask(relation, subject, *answers):
    return {"question": TEMPLATES[relation].replace("[X]", subject), "answers": list(answers)}


@pytest.fixture
def dataset(tmp_path):
    """A folder with all 72 files, one plain question each, and a way to plant more."""
    files = {
        (split, relation): [ask(relation, f"{split} {relation}", "somewhere")]
        for split in ("train", "dev", "test")
        for relation in TEMPLATES
    }

    def write(**planted):
        for name, rows in planted.items():
            split, relation = name.split("_")
            files[split, relation].extend(rows)
        for (split, relation), rows in files.items():
            path = tmp_path / split / f"{relation}.{split}.json"
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps(rows), encoding="utf-8")
        return tmp_path

    return write


def subjects(result, relation, split):
    return [q.subject for q in result.questions if (q.relation, q.split) == (relation, split)]


def cell(result, relation, split):
    return next(c for c in result.counts if (c["relation"], c["split"]) == (relation, split))


def test_the_papers_constants_add_up():
    total = {
        split: sum(PAPER_COUNTS[r][split] for r, d in DEFAULT_DOMAINS.items() if d == "id")
        for split in ("train", "dev", "test")
    }
    assert total == {"train": 81_700, "dev": 10_461, "test": 10_481}
    ood = [PAPER_COUNTS[r]["test"] for r, domain in DEFAULT_DOMAINS.items() if domain == "ood"]
    assert (len(ood), sum(ood)) == (7, 5_848)
    assert len(TEMPLATES) == 24 and len(DEFAULT_DOMAINS) == 19


def test_default_relations_and_splits(dataset):
    result = load_entityquestions(dataset())
    found = {(q.relation, q.split, q.domain) for q in result.questions}
    expected = {
        (relation, split, domain)
        for relation, domain in DEFAULT_DOMAINS.items()
        for split in (("train", "dev", "test") if domain == "id" else ("dev", "test"))
    }
    assert found == expected
    assert len({q.id for q in result.questions}) == len(result.questions)


def test_only_single_answers_are_kept_in_every_split(dataset):
    two = {
        f"{split}_P36": [ask("P36", f"Two {split}", "a", "b"), ask("P36", f"One {split}", "a")]
        for split in ("train", "dev", "test")
    }
    result = load_entityquestions(dataset(**two))
    for split in ("train", "dev", "test"):
        assert subjects(result, "P36", split) == [f"{split} P36", f"One {split}"]
        assert cell(result, "P36", split)["several_answers"] == 1


def test_train_is_filtered_by_any_test_subject_and_nothing_else(dataset):
    folder = dataset(
        train_P36=[
            ask("P36", "Shared", "a"),  # asked about in another relation's test
            ask("P36", "Plural", "a"),  # asked about in a test question with two answers
            ask("P36", "Unused", "a"),  # asked about in a relation no one evaluates
            ask("P36", "shared", "a"),  # letter by letter it is another subject
            ask("P36", "Objects", "Paris"),  # its answer, not its subject, is a test subject
            ask("P36", "Dev", "a"),  # a dev subject is no reason
            ask("P36", "Both", "a", "b"),  # two answers come first
        ],
        test_P17=[ask("P17", "Shared", "x"), ask("P17", "Both", "x"), ask("P17", "Paris", "x")],
        test_P50=[ask("P50", "Plural", "x", "y")],
        test_P413=[ask("P413", "Unused", "x")],
        dev_P36=[ask("P36", "Dev", "a"), ask("P36", "Shared", "a")],
    )
    result = load_entityquestions(folder)
    assert subjects(result, "P36", "train") == ["train P36", "shared", "Objects", "Dev"]
    counted = cell(result, "P36", "train")
    assert (counted["test_subject_overlap"], counted["several_answers"]) == (3, 1)
    assert subjects(result, "P36", "dev") == ["dev P36", "Dev", "Shared"]
    assert "Plural" not in subjects(result, "P50", "test")


def test_strict_dev_drops_what_train_or_test_ask_about(dataset):
    folder = dataset(
        train_P36=[ask("P36", "Trained", "a"), ask("P36", "Gone", "a", "b")],
        test_P17=[ask("P17", "Tested", "a")],
        dev_P19=[ask("P19", name, "a") for name in ("Trained", "Tested", "Gone", "Free")],
    )
    plain = load_entityquestions(folder)
    strict = load_entityquestions(folder, strict_dev=True)
    assert len(subjects(plain, "P19", "dev")) == 5
    assert subjects(strict, "P19", "dev") == ["dev P19", "Gone", "Free"]
    counted = cell(strict, "P19", "dev")
    assert (counted["test_subject_overlap"], counted["train_subject_overlap"]) == (1, 1)
    assert subjects(strict, "P36", "train") == subjects(plain, "P36", "train")


def test_same_question_with_two_answers_is_kept_or_merged(dataset):
    twice = [ask("P36", "Bolivia", "La Paz"), ask("P36", "Bolivia", "Sucre")]
    folder = dataset(train_P36=[*twice, twice[0]])
    plain = load_entityquestions(folder)
    assert len(subjects(plain, "P36", "train")) == 4
    assert len({q.id for q in plain.questions}) == len(plain.questions)
    merged = load_entityquestions(folder, merge_duplicates=True)
    answers = [q.answers for q in merged.questions if q.subject == "Bolivia"]
    assert answers == [["La Paz", "Sucre"]]
    assert cell(merged, "P36", "train")["merged"] == 2


def test_a_question_in_two_splits_is_kept_in_both_with_an_id_of_its_own(dataset):
    """As 33 of the real ones in train and dev, and 6 in dev and test."""
    seen, evaluated = ask("P36", "Bolivia", "Sucre"), ask("P36", "Peru", "Lima")
    folder = dataset(
        train_P36=[seen, seen], dev_P36=[seen, evaluated], test_P36=[evaluated, evaluated]
    )
    questions = load_entityquestions(folder).questions
    assert len({q.id for q in questions}) == len(questions)
    found = [(q.subject, q.split, q.id) for q in questions if q.subject in ("Bolivia", "Peru")]
    once, again = (
        question_ids([("P36", *one)])[0]
        for one in (("Bolivia", seen["question"], "Sucre"), ("Peru", evaluated["question"], "Lima"))
    )
    assert found == [
        ("Bolivia", "train", once), ("Bolivia", "train", f"{once}-2"), ("Bolivia", "dev", f"{once}-3"),
        ("Peru", "dev", again), ("Peru", "test", f"{again}-2"), ("Peru", "test", f"{again}-3"),
    ]  # fmt: skip
    strict = load_entityquestions(folder, strict_dev=True).questions
    assert not [q for q in strict if q.split == "dev" and q.subject in ("Bolivia", "Peru")]


def test_chosen_relations_replace_the_defaults(dataset):
    result = load_entityquestions(dataset(), ["P106"], ["P20"])
    assert {(q.relation, q.domain) for q in result.questions} == {("P106", "id"), ("P20", "ood")}


def test_subject_is_found_between_prefix_and_suffix(dataset):
    folder = dataset(train_P40=[ask("P40", "Who is Who's child", "x")])
    assert "Who is Who's child" in subjects(load_entityquestions(folder), "P40", "train")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"question": "Capital of France?", "answers": ["Paris"]}], "row 1: the question"),
        ([{"question": "What is the capital of ?", "answers": ["x"]}], "row 1: the question"),
        ([{"question": "What is the capital of X?"}], 'row 1: expected {"question"'),
        ([ask("P36", "X")], "at least one answer"),
        ([ask("P36", "X", "")], "none of them blank"),
        (["text"], "row 1: expected"),
    ],
)
def test_bad_rows_are_named_with_file_and_index(dataset, rows, message):
    with pytest.raises(InputError, match=message) as error:
        load_entityquestions(dataset(dev_P36=rows))
    assert "P36.dev.json" in str(error.value)


def test_missing_files_are_all_named_even_of_relations_not_used(dataset):
    folder = dataset()
    (folder / "test" / "P413.test.json").unlink()
    (folder / "train" / "P36.train.json").unlink()
    (folder / "train" / "P50.train.json").unlink()  # out of the domain: not needed
    with pytest.raises(InputError) as error:
        load_entityquestions(folder)
    assert "missing test/P413.test.json, train/P36.train.json." in str(error.value)
    assert "P50" not in str(error.value)


def test_a_file_that_is_no_json_list_is_named(dataset):
    folder = dataset()
    (folder / "test" / "P17.test.json").write_text("[")
    with pytest.raises(InputError, match=r"P17\.test\.json: cannot be read as JSON"):
        load_entityquestions(folder)
    (folder / "test" / "P17.test.json").write_text("{}")
    with pytest.raises(InputError, match="expected a list of questions, found dict"):
        load_entityquestions(folder)


def test_counts_that_differ_from_the_papers_are_logged_for_the_defaults_only(dataset, caplog):
    folder = dataset()
    with caplog.at_level(logging.WARNING, "plumbline"):
        load_entityquestions(folder, ["P36"], [])
        assert not caplog.messages
        load_entityquestions(folder)
    assert "P36 test: 1 questions kept, 880 in Gekhman et al. 2024" in caplog.messages
    exact = [
        {"relation": relation, "split": split, "kept": count}
        for relation, splits in PAPER_COUNTS.items()
        for split, count in splits.items()
    ]
    assert check_paper_counts(exact) == []
