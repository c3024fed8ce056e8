"""A configuration to start from: what is guessed of a model and of facts, and what is refused."""

import csv
import json
from pathlib import Path

import pytest
import yaml
from plumbline.data.facts import load_rows
from plumbline.experiment import config, starter
from plumbline.methods.slick.probing import draw_exemplar_sets
from plumbline.storage.files import InputError
from programs import program

DEFAULTS = Path(__file__).resolve().parents[2] / "config/config.yaml"


def facts(path, **relations: int):
    """A CSV of so many facts of each relation."""
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["relation", "subject", "question", "answers"])
        for relation, count in relations.items():
            for n in range(count):
                writer.writerow([relation, f"{relation} {n}", f"Where is {relation} {n}?", f"a{n}"])
    return str(path)


def loaded(text: str) -> config.Config:
    """The configuration as Snakemake would merge it."""

    def merge(base: dict, over: dict) -> dict:
        return base | {
            key: merge(base[key], value)
            if isinstance(value, dict) and isinstance(base.get(key), dict)
            else value
            for key, value in over.items()
        }

    return config.load(merge(yaml.safe_load(DEFAULTS.read_text()), yaml.safe_load(text)))


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "My Model v1.5"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"torch_dtype": "float16"}))
    return folder


def test_a_folder_and_a_file_make_a_configuration_that_loads(model, tmp_path):
    made = starter.make(str(model), facts(tmp_path / "it's.csv", river=150), "cuda", "vllm")
    read = loaded(made.text)
    (base,) = read.models
    assert made.name == read.run == base.name == "my-model-v1-5"
    assert (base.source, base.dtype) == (f"file:{model}", "float16")
    assert (read.facts.source, read.facts.path) == ("rows", f"file:{tmp_path}/it's.csv")
    assert (read.device, read.slick.shots, read.grath, read.audit) == ("cuda", 4, None, None)
    guessed = {guess.key: guess.value for guess in made.guesses}
    assert set(guessed) == {
        "run", "models.dtype", "device", "generation.engine", "facts.source"
    }  # fmt: skip
    assert any("150 questions of 1 relation(s): " in line for line in starter.told(made.guesses))


def test_rows_that_are_dropped_are_counted(model, tmp_path):
    path = facts(tmp_path / "facts.csv", river=150)
    lines = Path(path).read_text().splitlines()
    twice = lines[1].replace(",a0", ",another")  # the same question, answered otherwise
    Path(path).write_text("\n".join([*lines, twice]))
    told = {g.key: g.reason for g in starter.make(str(model), path, "cpu", "vllm").guesses}
    assert told["facts.source"].startswith("a file of 149 questions of 1 relation(s): ")
    assert told["facts.source"].endswith("; rows dropped: 2 ambiguous_question")


def test_a_small_relation_gets_more_few_shot_examples(model, tmp_path):
    made = starter.make(
        str(model), facts(tmp_path / "f.csv", river=150, lake=25), "cpu", "transformers"
    )
    read = loaded(made.text)
    assert read.facts.split.dev > 0.1
    assert "facts.split" in {guess.key for guess in made.guesses}


def test_a_name_of_the_users_is_taken_or_refused(model):
    made = starter.make(str(model), None, "cpu", "vllm", "first-try")
    read = loaded(made.text)
    assert made.name == read.run == read.models[0].name == "first-try"
    assert "run" not in {guess.key for guess in made.guesses} and made.warning == ""
    with pytest.raises(InputError, match="a/b: cannot be the name of a run"):
        starter.make(str(model), None, "cpu", "vllm", "a/b")


def test_how_little_few_test_questions_show_is_told(model, tmp_path):
    """2.8 standard errors, the root of 0.2 / n each: 80 % power at the 5 % level."""
    path = facts(tmp_path / "f.csv", river=150)
    made = starter.make(str(model), path, "cpu", "vllm")
    split = loaded(made.text).facts.split
    questions = load_rows(Path(path), (split.train, split.dev, split.test)).questions
    n = sum(question.split == "test" for question in questions)
    points = round(280 * (0.2 / n) ** 0.5)
    assert made.warning.startswith(
        f"With {n} test questions in the domain, a difference of less than about {points} points"
    )


@pytest.mark.parametrize("count", range(20, 60, 3))
def test_small_relations_can_be_probed_as_configured(model, tmp_path, count):
    """By any seed: the few-shot examples that probing draws suffice."""
    path = facts(tmp_path / "f.csv", river=count)
    read = loaded(starter.make(str(model), path, "cpu", "vllm").text)
    split = read.facts.split
    questions = load_rows(Path(path), (split.train, split.dev, split.test)).questions
    for seed in range(50):
        settings = read.slick.model_copy(update={"seed": seed})
        assert len(draw_exemplar_sets(questions, settings)) == read.slick.exemplar_sets


@pytest.mark.parametrize(
    ("given", "source", "name"),
    [
        ("OWNER/Small-1B", "hub:OWNER/Small-1B@main", "small-1b"),
        ("OWNER/Small-1B@3f2a", "hub:OWNER/Small-1B@3f2a", "small-1b"),
        ("hub:OWNER/Small-1B@3f2a", "hub:OWNER/Small-1B@3f2a", "small-1b"),
    ],
)
def test_a_name_is_one_of_the_hub(given, source, name):
    made = starter.make(given, None, "mps", "transformers")
    read = loaded(made.text)
    assert (read.models[0].source, read.run) == (source, name)
    assert read.facts.source == "embedded"
    assert ("models.source" in {guess.key for guess in made.guesses}) == source.endswith("main")


def test_entityquestions_is_a_folder(model, tmp_path):
    (tmp_path / "eq/train").mkdir(parents=True)
    (tmp_path / "eq/train/P17.train.json").write_text("[]")
    made = starter.make(str(model), str(tmp_path / "eq"), "cpu", "vllm")
    assert loaded(made.text).facts.source == "entityquestions"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("nowhere", "no such folder or file, and it is not OWNER/NAME"),
        ("{folder}/adapter", "is an adapter, which needs its base"),
        ("{folder}/empty", "has no config.json"),
        ("hub:OWNER/NAME", "the revision is missing"),
    ],
)
def test_what_is_no_model_is_refused(tmp_path, given, says):
    for name in ("adapter", "empty"):
        (tmp_path / name).mkdir()
    (tmp_path / "adapter/adapter_config.json").write_text("{}")
    with pytest.raises(InputError, match=says):
        starter.make(given.format(folder=tmp_path), None, "cpu", "vllm")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("relation,subject\nr,s\n", "line 2: question: Field required"),
        ("relation,subject,question,answers\nr,s,q,a\n", "relation r leaves 0 subject"),
    ],
)
def test_facts_that_do_not_suffice_are_refused(model, tmp_path, content, says):
    (tmp_path / "f.csv").write_text(content)
    with pytest.raises(InputError, match=says):
        starter.make(str(model), str(tmp_path / "f.csv"), "cpu", "vllm")


def test_the_program_writes_once_and_says_what_it_guessed(model, tmp_path, monkeypatch, capsys):
    given = dict(model=model, facts=facts(tmp_path / "f.csv", river=150), folder=tmp_path)
    program(monkeypatch, "new_configuration", **given)
    path, said = tmp_path / "my-model-v1-5.yaml", capsys.readouterr().out
    assert f"Wrote {path}. Guessed:" in said and "as its config.json says" in said
    # On a CPU the plan's times, which later runs keep, are those of so many cores.
    assert f"--cores all plan --configfile {path}" in said
    assert f"--cores all --configfile {path}" in said
    path.write_text("mine: true\n")
    with pytest.raises(InputError, match="already exists and is not overwritten"):
        program(monkeypatch, "new_configuration", **given)
    assert path.read_text() == "mine: true\n"
