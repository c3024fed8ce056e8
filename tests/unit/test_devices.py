"""Jobs side by side get different GPUs; told with names of GPUs that do not exist."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from plumbline.jobs import devices
from plumbline.storage.files import InputError

HOLDER = """
import os, sys, time
from pathlib import Path
from plumbline.jobs import devices
names, count, folder = sys.argv[1].split(","), int(sys.argv[2]), Path(sys.argv[3])
print("asking", flush=True)
devices.take("cuda", count, devices=names, folder=folder, pause=0.02)
print(os.environ["CUDA_VISIBLE_DEVICES"], flush=True)
time.sleep(60)
"""


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    """No device held, none named, no scheduler; what a test takes is given back."""
    monkeypatch.setattr(devices, "_held", held := [])
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # so that it is put back
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    yield
    for lock in held:
        lock.release()


@pytest.fixture
def holder(tmp_path):
    """Starts jobs that take devices and keep them; they are killed in the end."""
    started = []
    path = str(Path(devices.__file__).parents[2])

    def start(names: str, count: int = 1, **environment):
        job = subprocess.Popen(
            [sys.executable, "-c", HOLDER, names, str(count), str(tmp_path)], text=True,
            stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path, **environment},
        )  # fmt: skip
        started.append(job)
        assert job.stdout.readline() == "asking\n"
        return job

    yield start
    for job in started:
        job.kill()
        job.wait()
        job.stdout.close()


def taken(job) -> str:
    return job.stdout.readline().strip()


def waits(job, seconds: float = 1.0) -> bool:
    return not select.select([job.stdout], [], [], seconds)[0]


def test_jobs_side_by_side_get_different_devices_and_the_next_one_waits(holder, tmp_path):
    first, second = holder("a,b"), holder("a,b")
    names = taken(first), taken(second)
    assert sorted(names) == ["a", "b"]
    third = holder("a,b")
    assert waits(third)
    os.kill(first.pid, signal.SIGKILL)  # lets go of its device all the same
    assert taken(third) == names[0]


def test_a_job_takes_all_it_needs_or_nothing(holder, tmp_path):
    assert taken(holder("b", 1)) == "b"
    both = holder("a,b", 2)
    assert waits(both)
    # Had the waiting job kept the free one, this would wait for ever.
    devices.take("cuda", 1, devices=["a", "b"], folder=tmp_path, pause=0.02)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "a"
    assert waits(both, 0.1)


def test_several_devices_are_named_in_their_order(tmp_path):
    devices.take("cuda", 2, devices=["4", "GPU-1f", "7"], folder=tmp_path)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "4,GPU-1f"
    devices.take("cuda", 1, devices=["4", "GPU-1f", "7"], folder=tmp_path)  # it has what it needs
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "4,GPU-1f"


@pytest.mark.parametrize("device", ["cpu", "mps"])
def test_other_devices_need_no_choice(device, tmp_path):
    devices.take(device, 3, devices=[], folder=tmp_path / "locks")
    assert "CUDA_VISIBLE_DEVICES" not in os.environ
    assert not (tmp_path / "locks").exists()


@pytest.mark.parametrize(
    ("named", "names"),
    [
        ("3,5", ["3", "5"]),
        ("", []),
        ("0, -1, 2", ["0"]),
        ("NoDevFiles", []),
        ("MIG-4/1/0", ["MIG-4/1/0"]),
    ],
)
def test_devices_that_are_named_are_the_ones_to_choose_from(named, names, monkeypatch, tmp_path):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named)
    assert devices.visible() == names
    if names:
        devices.take("cuda", folder=tmp_path)
        assert os.environ["CUDA_VISIBLE_DEVICES"] == names[0]


def test_devices_are_counted_where_none_is_named(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    assert devices.visible() == ["0", "1", "2"]


def test_the_same_number_is_another_device_in_another_slurm_job(holder, monkeypatch, tmp_path):
    assert taken(holder("0", SLURM_JOB_ID="11")) == "0"
    assert taken(holder("0", SLURM_JOB_ID="12")) == "0"
    # Within one job of SLURM it is the same one.
    assert waits(holder("0", SLURM_JOB_ID="11"))


def test_too_few_devices_are_told_at_once(monkeypatch, tmp_path):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "6")
    with pytest.raises(
        InputError, match=r"2 GPU\(s\) wanted, 1 visible \(CUDA_VISIBLE_DEVICES=6\)"
    ):
        devices.take("cuda", 2, folder=tmp_path)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(InputError, match=r"1 GPU\(s\) wanted, 0 visible .* set device: cpu"):
        devices.take("cuda", folder=tmp_path)
