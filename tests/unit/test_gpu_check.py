"""The check of a GPU, without one: the same table, and how it tells what is not as it should be."""

import sys
from pathlib import Path

import pytest
from measuring import Different

sys.path.insert(0, str(Path(__file__).parents[1] / "gpu"))
import engines
import gpu_check
import trainings
from card import SMALL, Card, Lab, LeftOut, Row

MODEL_KEYS = ("TQDM_DISABLE", "TRANSFORMERS_VERBOSITY", "HF_HUB_OFFLINE")


@pytest.fixture
def lab(tiny_base, tmp_path):
    return Lab(Card("cpu"), tiny_base, tmp_path, SMALL, threads=1)


@pytest.fixture
def run(monkeypatch, capsys, tiny_base):
    """Runs the program on the CPU; returns the cells of its rows that are not empty, by check."""

    def program(*more: str) -> dict[str, list[str]]:
        for key in MODEL_KEYS:
            monkeypatch.setenv(key, "1")
        words = ["gpu_check.py", "--device", "cpu", "--model", str(tiny_base), *more]
        monkeypatch.setattr(sys, "argv", words)
        gpu_check.main()
        head, _, columns, *rows = capsys.readouterr().out.splitlines()
        assert head.startswith("cpu; torch ") and columns.split()[0] == "check"
        width = gpu_check.WIDTHS[0]
        return {row[:width].strip(): row[width:].split(maxsplit=5) for row in rows}

    return program


@pytest.mark.whole
def test_without_a_gpu_the_table_is_the_same(monkeypatch, run):
    monkeypatch.setattr(engines, "find_spec", lambda name: None)
    found = run()
    left_out = {name for name, cells in found.items() if cells[0] == "left"}
    gpu_only = {variant.name for variant in trainings.VARIANTS if variant.gpu}
    assert left_out == {*gpu_only, "vllm", "vllm, an adapter served"}
    assert {cells[0] for cells in found.values()} == {"left", "ok"}
    assert found.keys() >= {variant.name for variant in trainings.VARIANTS}
    assert found["generation, transformers, float32"][-1] == "4 of 4 greedy answers as on a CPU"
    assert found["other weights, transformers"][-1] == "4 of 4 greedy answers as on a CPU"
    assert found["out of memory, tried again"][-1].startswith("32 at once did not fit, 4 did")
    for variant in trainings.VARIANTS:
        if not variant.gpu:
            _, seconds, gib, rate, utilisation, note = found[variant.name]
            assert float(seconds) > 0 and float(rate.replace(",", "")) > 0
            assert (gib, utilisation) == ("–", "–") and note.startswith("losses")


def test_what_fails_or_has_no_time_is_told_and_the_others_run(monkeypatch, lab, run):
    def broken(lab):
        yield Row("first half", "ok")
        raise Different("2 and\n3")

    def whole(lab):
        yield Row("whole", "ok", 1.5, 2.25, 1234.5, 0.257, "fine")

    checks = {"broken": (broken, 1), "slow": (whole, 1000), "whole": (whole, 1)}
    monkeypatch.setattr(gpu_check, "CHECKS", checks)
    half, failed, slow, done = gpu_check.rows(lab, 500)
    assert half == Row("first half", "ok")
    assert (failed.check, failed.result, failed.note) == ("broken", "FAILED", "Different: 2 and\n3")
    assert (slow.check, slow.result, slow.note) == ("slow", "left out", "no time left")
    assert gpu_check.shown(done).split() == [
        "whole",
        "ok",
        "1.50",
        "2.25",
        "1,234",
        "25.7%",
        "fine",
    ]
    with pytest.raises(SystemExit, match="failed: broken"):
        run()


def test_an_answer_that_is_not_the_cpus_is_told_unless_it_was_a_tie(monkeypatch, lab):
    wanted = engines.on_cpu(lab, lab.checkpoint)
    other = [list(answer) for answer in wanted]
    other[2][1] = (other[2][1] + 1) % len(lab.tokenizer)
    with pytest.raises(Different, match=r"answer 2, token 1: .* below the CPU's in logits"):
        engines.same_as_on_cpu(lab, lab.checkpoint, other)
    monkeypatch.setattr(engines, "TIE", 100)
    told = engines.same_as_on_cpu(lab, lab.checkpoint, other)
    assert told == "3 of 4 greedy answers as on a CPU, 1 differ after a tie"
    with pytest.raises(Different, match=r"answer 0: .* breaks off"):
        engines.same_as_on_cpu(lab, lab.checkpoint, [wanted[0][:-1], *wanted[1:]])


def test_losses_that_are_not_the_cpus_are_told(monkeypatch, lab):
    real = trainings.steps

    def off(lab, card, *rest):
        found = real(lab, card, *rest)
        found.losses[-1] += 0.01 * (card is lab.card)
        return found

    monkeypatch.setattr(trainings, "steps", off)
    with pytest.raises(Different, match=r"SFT, lora: losses .*; on a CPU"):
        list(trainings.like_a_cpu(lab))


def test_a_missing_package_leaves_a_variant_out(monkeypatch, lab):
    from plumbline.training import options

    monkeypatch.setattr(options, "find_spec", lambda name: None)
    [qlora] = [variant for variant in trainings.VARIANTS if variant.name == "SFT, qlora"]
    with pytest.raises(LeftOut, match="needs a GPU"):
        trainings.steps(lab, lab.card, qlora, SMALL)
    with pytest.raises(LeftOut, match="needs the package bitsandbytes"):
        trainings.steps(lab, Card("cuda"), qlora, SMALL)


@pytest.mark.parametrize(
    ("name", "peak"),
    [("NVIDIA H100 80GB HBM3", 989e12), ("NVIDIA H100 PCIe", 756e12), ("NVIDIA L4", 121e12),
     ("NVIDIA L40S", 362e12), ("Another", None)],
)  # fmt: skip
def test_a_cards_peak_is_its_data_sheets(name, peak):
    card = Card("cuda")
    card.__dict__["name"] = name
    assert card.peak == peak


def test_flop_of_a_step():
    from types import SimpleNamespace

    from plumbline.config.training import Recipe

    model = SimpleNamespace(num_parameters=lambda: 1000)
    keys = {"learning_rate": 0.1, "epochs": 1, "global_batch_size": 2}
    flop = [
        trainings._flop(model, Recipe(**keys, **more), 10)
        for more in ({"parameters": "full"}, {}, trainings.BY_PREFERENCE)
    ]
    assert flop == [60_000, 40_000, 60_000]
