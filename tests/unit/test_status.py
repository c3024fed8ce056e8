"""What `make status` shows and `make clean-cache` removes: all that is dead, nothing that lives."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from plumbline.experiment import disk
from plumbline.storage import temporary
from plumbline.storage.files import atomic_write
from programs import program

WRITER = (
    "import time, sys; sys.path.insert(0, sys.argv[2])\n"
    "from plumbline.storage.files import atomic_write\n"
    "with atomic_write(sys.argv[1]) as stream:\n"
    "    stream.write('x' * 100_000); stream.flush(); print('there', flush=True); time.sleep(60)\n"
)
WORKFLOW = str(Path(__file__).parents[2] / "workflow")


def put(path: Path, size: int = 10) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    return path


@pytest.fixture
def results(tmp_path):
    """A run with something of every stage; its unfinished training has scratch files."""
    root, model = tmp_path / "results", tmp_path / "results/mine/model"
    put(root / "sources/a-1/a.gguf", 5000)
    put(root / "sources/a-1/source.json")
    put(root / "mine/manifest.json")
    put(root / "mine/tables/metrics.csv")
    put(root / "mine/facts/questions.jsonl")
    put(root / "mine/benchmarks/facts/a.tsv")
    put(model / "base/checkpoint.json")
    put(model / "base/model.safetensors", 50_000)
    put(model / "base/choices/facts.jsonl")
    put(model / "audit/elsewhere/checkpoint.json")
    put(model / "store/abc-vllm/1.jsonl")
    put(model / "seed-1/mix.a/final/checkpoint.json")
    put(model / "seed-1/mix.a/final/adapter_model.safetensors", 9000)
    put(model / "seed-1/mix.a/final/closed_book/answers.jsonl")
    put(model / "seed-1/mix.a/training.json")
    put(model / "seed-1/mix.a/work/checkpoint-1/optimizer.pt", 70_000)  # its end was not seen
    put(model / "seed-1/mix.b/work/checkpoint-1/optimizer.pt", 70_000)  # it is under way
    put(model / "seed-1/mix.b/.candidate-1/adapter_model.safetensors", 9000)
    put(model / "slick/annotations.jsonl")
    put(model / "slick/annotate.log")
    return root


def finished(results: Path) -> set[str]:
    return {str(path.relative_to(results)) for path in results.rglob("*") if path.is_file()}


def test_every_file_counts_once_in_its_stage(results):
    found = {(use.run, use.stage): use for use in disk.usage(results)}
    files = {key: use.files for key, use in found.items()}
    assert files == {
        ("", disk.SOURCES): 2,
        ("mine", disk.BASE): 3,
        ("mine", disk.CHECKPOINTS): 2,
        ("mine", disk.STORE): 1,
        ("mine", disk.ROWS): 5,
        ("mine", disk.TABLES): 2,
        ("mine", disk.LOGS): 2,
        ("mine", disk.WORK): 3,
    }
    assert 50_000 <= found["mine", disk.BASE].size < 70_000
    assert sum(files.values()) == len(finished(results))


def test_links_and_second_names_cost_nothing(results):
    before = sum(use.size for use in disk.usage(results))
    (results / "mine/link").symlink_to("/usr")
    os.link(results / "sources/a-1/a.gguf", results / "mine/again.gguf")
    assert sum(use.size for use in disk.usage(results)) == before


def test_what_a_killed_process_left_is_removed_and_nothing_else(results, capsys, monkeypatch):
    """A real process, killed while it writes: alive its file stays, dead it goes."""
    target = results / "mine/model/slick/generations.jsonl"
    command = [sys.executable, "-c", WRITER, str(target), WORKFLOW]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "there\n"
        (part,) = target.parent.glob(".*.part")
        clean(results, monkeypatch)
        before = finished(results)
        assert str(part.relative_to(results)) in before
        assert f"kept {part} (100 KiB), in use" in capsys.readouterr().out
        process.kill()
    clean(results, monkeypatch)
    assert before - finished(results) == {str(part.relative_to(results))}
    told = capsys.readouterr().out
    assert f"removed {part} (100 KiB)" in told and "100 KiB freed" in told
    # What else could go is told with its price; the training under way is not touched.
    assert "checkpoints: gone: trained again when" in told
    assert (results / "mine/model/seed-1/mix.b/work/checkpoint-1/optimizer.pt").exists()
    assert (results / "mine/model/seed-1/mix.b/.candidate-1").exists()


def test_the_scratch_folder_of_a_finished_training_goes(results, monkeypatch, capsys):
    clean(results, monkeypatch)
    assert not (results / "mine/model/seed-1/mix.a/work").exists()
    assert (results / "mine/model/seed-1/mix.a/final/adapter_model.safetensors").exists()
    assert (results / "mine/model/seed-1/mix.b/work").exists()


def test_merged_weights_of_a_dead_engine_go(results, monkeypatch, capsys):
    merged = results / "mine/model/store/merged"
    dead = put(merged / f"merged-.@{os.uname().nodename[:60]}@999999999@x/model.safetensors", 9000)
    mine = put(merged / f"{temporary.prefix(temporary.MERGED)}y/model.safetensors", 9000)
    away = put(merged / "merged-.@another-node@1@z/model.safetensors", 9000)
    clean(results, monkeypatch)
    assert not dead.parent.exists() and mine.exists() and away.exists()
    told = capsys.readouterr().out
    assert "of a process on another-node; if it is dead, delete it by hand" in told


def test_a_temporary_name_of_before_there_were_owners_is_dead(results):
    old = put(results / "mine/.metrics.csv.abcd.part")
    assert [one.owner for one in disk.leftovers(results, results) if one.path == old] == ["dead"]


def test_a_file_being_written_is_alive_until_it_is_there(tmp_path):
    with atomic_write(tmp_path / "a.csv"):
        (part,) = tmp_path.iterdir()
        assert temporary.is_temporary(part) and temporary.owner_of(part) == "alive"
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert not temporary.is_temporary(tmp_path / "a.csv")


def test_old_logs_of_snakemake_go_and_what_it_knows_stays(results, tmp_path, monkeypatch, capsys):
    snakemake = tmp_path / ".snakemake"
    for name in ("2026-01-01T0.snakemake.log", "2026-01-02T0.snakemake.log"):
        put(snakemake / "log" / name)
    known = put(snakemake / "metadata/abc")
    clean(results, monkeypatch, snakemake)
    assert [path.name for path in (snakemake / "log").iterdir()] == ["2026-01-02T0.snakemake.log"]
    assert known.exists()


def test_status_says_what_is_there_and_what_can_go(results, monkeypatch, capsys):
    program(monkeypatch, "show_status", results=results, snakemake=results)
    told = capsys.readouterr().out
    assert "(all runs)" in told and "mine " in told and "in all" in told
    assert "1 left over from earlier runs, 72.0 KiB: `make clean-cache` removes them." in told
    program(monkeypatch, "show_status", results=results / "none")
    assert "nothing is there yet" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1024, "1.0 KiB"), (1 << 20, "1.0 MiB"), (5 << 40, "5.0 TiB"),
     (1000 << 10, "1.0 MiB"), (150 << 30, "150 GiB"), (5000 << 40, "5000 TiB")],
)  # fmt: skip
def test_sizes_are_short(size, text):
    assert disk.human(size) == text


def clean(results: Path, monkeypatch, snakemake: Path | None = None) -> None:
    program(monkeypatch, "clean_cache", results=results, snakemake=snakemake or results)
