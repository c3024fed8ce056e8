"""What parts bring is asked of all in one loop, and rows of lists say where files lie."""

import itertools
import json
from types import SimpleNamespace

import pytest
from experiment_data import TWO_MODELS, experiment, wildcards
from plumbline.experiment.part import Part, Work
from plumbline.methods.method import Method
from plumbline.methods.registry import METHODS
from plumbline.storage.files import InputError

WITHOUT = {"grath": None, "flame": None, "apeft": None}
ROOT = "results/demo/smollm2-135m"


def test_the_order_of_methods_changes_no_job():
    whole = experiment()
    for order in itertools.permutations(METHODS):
        other = experiment(methods=order)
        for theme in ("choices", "instructions", "places", "works"):
            assert getattr(other, theme) == getattr(whole, theme)
        assert set(other.fetched.by_slug) == set(whole.fetched.by_slug)
        assert other.lists.keys() == whole.lists.keys()


def test_a_method_that_is_left_out_brings_nothing():
    bare = experiment(**WITHOUT)
    assert {work.split("/")[-1] for work in bare.works} == {"slick", "closed_book", "long_form"}
    assert set(bare.instructions) == {"long_form", "win_rate"}
    assert set(bare.places) == {"long_form", "win_rate/own"}
    assert set(bare.judges.by_purpose) == {"win_rate"}
    assert bare.lists["grath_rounds"] == bare.lists["apeft_files"] == []
    assert bare.methods["grath"].pair_questions() == bare.methods["grath"].scores() == []
    assert bare.methods["flame"].asked() == []


def test_a_part_of_ones_own_is_asked_like_the_others():
    class Own(Part):
        def works(self):
            return [Work("own/answers", "base", "own/requests.jsonl")]

        def lost(self):
            return ["results/demo/own/dropped.json"]

        def lists(self):
            return {"own": ["row"]}

        def sources(self):
            return [SimpleNamespace(source="file:own.jsonl", sha256=None)]

    own = Method("own", "Own", sections={}, tunings=lambda config: [], files=Own)
    made = experiment(methods=[*METHODS, own], seeds=[3, 4])
    job = wildcards(work="own/answers")
    assert made.works.requests(job) == f"{ROOT}/own/requests.jsonl"
    assert made.works.checkpoint_marker(job) == f"{ROOT}/base/checkpoint.json"
    assert made.lists["works"]["own/answers"] == (
        "base", "base/checkpoint.json", "own/requests.jsonl", "", False,
    )  # fmt: skip
    assert made.lists["own"] == ["row"]
    assert any(slug.startswith("own.jsonl-") for slug in made.fetched.by_slug)
    assert "results/demo/own/dropped.json" in made.lists["dropped"]["questions"]


def test_two_parts_cannot_bring_one_thing():
    class Own(Part):
        def instructions(self):
            return {"prompts": self.experiment.methods["flame"].instructions()["prompts"]}

    own = Method("own", "Own", sections={}, tunings=lambda config: [], files=Own)
    with pytest.raises(ValueError, match="prompts: defined by two parts; rename one"):
        experiment(methods=[*METHODS, own])


def test_a_part_brings_nothing_unless_it_says_so():
    part = Part(experiment())
    assert not any(
        [*getattr(part, name)()]
        for name in (
            *(
                "sources",
                "choices",
                "pair_questions",
                "instructions",
                "places",
                "judges",
                "works",
                "lost",
            ),
            *("states", "lists"),
        )
    )


def test_a_piece_of_work_says_who_answers_and_when_to_stop():
    made = experiment()
    assert made.works.match(wildcards(work="slick")) == made.layout.config.slick.match
    job = wildcards(work="seed-1/grath.r1/final/grath")
    assert made.works.checkpoint(job) == "seed-1/grath.r1/final"
    assert made.works.checkpoint_marker(job) == f"{ROOT}/seed-1/grath.r1/training.json"
    assert made.works.requests(job) == f"{ROOT}/grath/requests.jsonl"
    assert made.works.match(job) == ""


def test_shards_are_waited_for_where_there_are_several():
    job = wildcards(work="slick")
    assert experiment().works.shards(job) == []
    assert experiment(generation={"shards": 2}).works.shards(job) == [
        f"{ROOT}/slick/shard-0-of-2.json", f"{ROOT}/slick/shard-1-of-2.json",
    ]  # fmt: skip


def test_every_model_and_seed_has_its_rows():
    made = experiment(models=TWO_MODELS, seeds=[1, 2])
    tunings = made.lists["tunings"]
    assert {(row["model"], row["seed"]) for row in tunings} == {
        (model, seed) for model in ("one", "two") for seed in (1, 2)
    }
    assert len(tunings) == 4 * len(made.layout.lineage.tunings)
    bases = [row for row in made.lists["checkpoints"] if row["checkpoint"] == "base"]
    assert [(row["folder"], row["seed"]) for row in bases] == [("one/base", 0), ("two/base", 0)]
    assert {row["checkpoint"] for row in made.lists["mix_checkpoints"]} == {
        f"mix.unknown-{x}.{stop}" for x in (0, 50, 100) for stop in ("early_stop", "convergence")
    }


def test_what_is_scored_of_a_checkpoint_depends_on_what_it_wrote():
    scored = {row["checkpoint"]: row["scored"] for row in experiment().lists["checkpoints"]}
    assert scored["mix.form"] == [
        "closed_book/answers.jsonl", "choices/facts.jsonl", "choices/openbookqa.jsonl",
    ]  # fmt: skip
    assert (
        "long_form/items.jsonl" in scored["base"] and "win_rate/items.jsonl" not in scored["base"]
    )
    assert "win_rate/items.jsonl" in scored["flame.sft.dpo"]


def test_a_closed_book_set_is_fetched_asked_scored_and_compared():
    one = {"name": "nq", "format": "nq_open", "source": "file:nq.jsonl"}
    made, bare = experiment(evaluation={"closed_book": [one]}), experiment()
    fetched = made.fetched.by_slug.keys() - bare.fetched.by_slug.keys()
    assert [made.fetched.by_slug[slug].name for slug in fetched] == ["nq.jsonl"]
    new = {work for name, work in made.works.items() if name not in bare.works}
    assert Work("base/closed_book/nq", "base", "closed_book/nq/few_shot+plain+chat.jsonl") in new
    assert len(new) == sum(name.endswith("/closed_book") for name in bare.works)
    for row in made.lists["checkpoints"]:
        assert row["scored"][:2] == ["closed_book/answers.jsonl", "closed_book/nq/answers.jsonl"]
    path = "results/demo/closed_book/nq"
    assert made.lists["evaluated"]["smollm2-135m"]["nq"] == f"{path}.jsonl"
    assert f"{path}.dropped.json" in made.lists["dropped"]["questions"]
    job = wildcards(set="nq")
    assert made.closed_book.source(job).endswith("/source.json")
    assert json.loads(made.closed_book.settings(job))["name"] == "nq"


def test_every_set_is_asked_in_its_form():
    sets = [
        {"name": "a", "format": "facts"},
        {"name": "b.c", "format": "facts", "prompt": "letters"},
    ]
    tasks = experiment(seeds=[1, 2], evaluation={"choices": sets}).choice_tasks
    assert tasks.scores == ["choices/a.jsonl", "choices/b.c.jsonl"]
    assert [tasks.prompt(wildcards(set=name)) for name in ("a", "b.c")] == ["qa", "letters"]


def test_lost_items_are_looked_for_in_all_places():
    lost = experiment().lists["dropped"]
    assert f"{ROOT}/slick/dropped.json" in lost["probes"]
    assert {
        "results/demo/choices/facts.dropped.json",
        "results/demo/grath/source.dropped.json",
        "results/demo/grath/dropped.json",
        "results/demo/instructions/win_rate.dropped.json",
        f"{ROOT}/base/long_form/dropped.json",
        f"{ROOT}/seed-1/flame.sft/final/flame/responses/dropped.json",
        f"{ROOT}/base/apeft/atomic/dropped.json",
    } <= set(lost["questions"])
    assert f"{ROOT}/grath/r1/composition.json" in lost["compositions"]


def test_a_task_without_a_file_is_told_at_once(tmp_path):
    tasks = {"harness": [{"task": "arc", "folder": f"file:{tmp_path}"}]}
    with pytest.raises(InputError, match=r"evaluation\.harness.*no task file.*Put"):
        experiment(evaluation=tasks)
    (tmp_path / "arc.yaml").write_text("task: arc\n")
    made = experiment(evaluation=tasks)
    job = wildcards(task="arc")
    assert made.choice_tasks.task_files(job) == [f"{tmp_path}/arc.yaml"]
    assert made.choice_tasks.domain(job) == "ood"
    assert "harness/arc.jsonl" in made.lists["checkpoints"][0]["scored"]
    assert made.lists["evaluated"]["smollm2-135m"]["arc"] == "results/demo/harness/arc.jsonl"
