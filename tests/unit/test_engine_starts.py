"""Which engine answers for which checkpoint, and how large it is; with a stand-in for the engine."""

from pathlib import Path

import pytest
from plumbline.config.engines import GenerationSettings
from plumbline.generation import start, store, vllm_engine
from plumbline.models import checkpoints
from plumbline.storage.files import InputError, read_json, write_json


@pytest.fixture
def started(monkeypatch):
    """The options of every engine that was started, and what was laid over it."""
    found = []

    class Noted:
        def __init__(self, folder, **options):
            found.append({"folder": folder, "over": [], **options})

        def lay_over(self, adapter, end_token_ids):
            found[-1]["over"].append(adapter)

        def close(self):
            pass

    monkeypatch.setattr(vllm_engine, "VllmEngine", Noted)
    monkeypatch.setattr(vllm_engine, "prepare_environment", lambda *_: None)
    monkeypatch.setattr(vllm_engine, "sequences_for_memory", lambda gpus: 1024 * gpus)
    monkeypatch.setattr(start.devices, "take", lambda *_: None)
    monkeypatch.setattr(start, "check_agreement", lambda *_: None)
    return found


@pytest.mark.parametrize(
    ("device", "settings", "expected"),
    [
        ("cuda", {}, 1024),
        ("cuda", {"tensor_parallel": 2}, 2048),
        ("cuda", {"max_num_seqs": 64}, 64),
        ("cpu", {}, 128),
        ("cpu", {"max_num_seqs": 64}, 64),
    ],
)
def test_an_engine_is_as_large_as_a_gpus_memory_allows(
    started, tiny_base, tmp_path, device, settings, expected
):
    with start.Engines(GenerationSettings(**settings), device, 1, tmp_path) as engines:
        engines.of(tiny_base, checkpoints.load_tokenizer(tiny_base))
    assert started[0]["max_num_seqs"] == expected


def adapter(base: Path, name: str, rank: int) -> Path:
    from peft import LoraConfig, get_peft_model

    model = get_peft_model(
        checkpoints.load_model(base, "float32"), LoraConfig(r=rank, target_modules=["q_proj"])
    )
    folder = base.parent / name
    tokenizer = checkpoints.load_tokenizer(base)
    checkpoints.write_adapter(folder, name, base, model.save_pretrained, tokenizer)
    return folder


@pytest.fixture
def family(tiny_base, tmp_path):
    """A base and three adapters on it, the last of them larger."""
    import shutil

    base = tmp_path / "base"
    shutil.copytree(tiny_base, base)
    ranks = {"one": 4, "two": 8, "large": 9}
    return base, *(adapter(base, name, rank) for name, rank in ranks.items())


def test_adapters_that_are_served_share_the_engine_of_their_parent(started, family, tmp_path):
    base, one, two, large = family
    settings = GenerationSettings(adapters="served")
    with start.Engines(settings, "cuda", 1, tmp_path / "merged") as engines:
        for checkpoint in (one, two, one, large, base):
            engines.of(checkpoint, checkpoints.load_tokenizer(checkpoint))
    assert [(at["folder"], at["adapter_rank"], at["over"]) for at in started] == [
        (base, 8, [one, two, one]),
        (base, 16, [large]),
        (base, 0, []),
    ]
    assert not (tmp_path / "merged").exists()


def test_adapters_are_merged_unless_told(started, family, tmp_path):
    _, one, two, _ = family
    with start.Engines(GenerationSettings(), "cuda", 1, tmp_path / "merged") as engines:
        for checkpoint in (one, two):
            engines.of(checkpoint, checkpoints.load_tokenizer(checkpoint))
    assert [at["folder"].parent for at in started] == [tmp_path / "merged"] * 2
    assert [(at["adapter_rank"], at["over"]) for at in started] == [(0, []), (0, [])]


def test_an_adapter_that_vllm_answers_otherwise_with_is_refused(
    started, family, tmp_path, monkeypatch
):
    def differs(engine, checkpoint, tokenizer, dtype, remedy):
        raise InputError(f"set generation.{remedy}")

    monkeypatch.setattr(start, "check_agreement", differs)
    settings = GenerationSettings(adapters="served")
    with start.Engines(settings, "cuda", 1, tmp_path) as engines:
        tokenizer = checkpoints.load_tokenizer(family[1])
        with pytest.raises(InputError, match=r"set generation\.adapters to merged"):
            engines.of(family[1], tokenizer)


def test_what_was_refused_does_not_answer_for_the_adapter_before_it(
    started, family, tmp_path, monkeypatch
):
    _, one, two, _ = family

    def differs(engine, checkpoint, tokenizer, dtype, remedy):
        if checkpoint == two:
            raise InputError("another answer")

    monkeypatch.setattr(start, "check_agreement", differs)
    with start.Engines(GenerationSettings(adapters="served"), "cuda", 1, tmp_path) as engines:
        tokenizer = checkpoints.load_tokenizer(one)
        engines.of(one, tokenizer)
        with pytest.raises(InputError, match="another answer"):
            engines.of(two, tokenizer)
        engines.of(one, tokenizer)
    assert started[-1]["over"][-1] == one


def test_an_adapter_beyond_what_vllm_serves_is_refused(family):
    file = family[1] / checkpoints.ADAPTER
    write_json(file, read_json(file) | {"rank_pattern": {"q_proj": 600}})
    with pytest.raises(InputError, match=r"rank 512 at most, not 600; set generation\.adapters"):
        start.slots(family[1])


def test_answers_of_a_served_adapter_are_not_taken_for_those_of_a_merged_one(family, tmp_path):
    base, one, *_ = family
    merged, served = GenerationSettings(), GenerationSettings(adapters="served")

    def folder(checkpoint, settings):
        return store.answers_folder(tmp_path, checkpoint, settings)

    assert folder(base, merged) == folder(base, served)
    assert folder(one, merged) != folder(one, served)
