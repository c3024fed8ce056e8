from __future__ import annotations

import pytest
import torch
from plumbline.jobs import program


def write_nowhere(*, values: int) -> None:
    torch.save({"weights": torch.zeros(values)}, "/dev/full")


# Torch's words differ with where in the file the disk was full.
@pytest.mark.parametrize("values", [1, 100, 1000, 100_000])
def test_a_full_disk_under_a_torch_file_is_told(monkeypatch, values):
    monkeypatch.setattr("sys.argv", ["program", "--values", str(values)])
    with pytest.raises(SystemExit) as ended:
        program.cli(write_nowhere)
    assert ": cannot write: " in ended.value.code and "Make room" in ended.value.code


def test_another_mistake_is_not_taken_for_a_full_disk(monkeypatch):
    def fail(*, values: int) -> None:
        raise RuntimeError("expected scalar type Float")

    monkeypatch.setattr("sys.argv", ["program", "--values", "1"])
    with pytest.raises(RuntimeError, match="scalar type"):
        program.cli(fail)


def test_what_was_done_before_says_nothing_of_the_pace(monkeypatch, caplog):
    now = [0.0]
    monkeypatch.setattr(program.time, "monotonic", lambda: now[0])
    caplog.set_level("INFO", logger="plumbline")
    progress = program.Progress(100, "steps", done=80)
    now[0] = 10.0
    progress.advance(5)
    assert caplog.messages == ["85/100 steps (85%), 0.5/s, 0:30 left"]


def test_the_first_of_very_many_tells_no_time(monkeypatch, caplog):
    now = [0.0]
    monkeypatch.setattr(program.time, "monotonic", lambda: now[0])
    caplog.set_level("INFO", logger="plumbline")
    progress = program.Progress(1000, "prompts")
    now[0] = 20.0
    progress.advance(1)
    now[0] = 40.0
    progress.advance(9)
    assert caplog.messages == [
        "1/1,000 prompts (0%), 0.1/s",
        "10/1,000 prompts (1%), 0.2/s, 66:00 left",
    ]
