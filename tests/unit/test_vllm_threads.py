from __future__ import annotations

import os

import pytest
import torch
from plumbline.generation.vllm_engine import prepare_environment


@pytest.fixture(autouse=True)
def as_before(monkeypatch):
    for name in [name for name in os.environ if name.startswith("VLLM_")]:
        monkeypatch.delenv(name)
    before, environment = torch.get_num_threads(), dict(os.environ)
    yield
    torch.set_num_threads(before)
    os.environ.clear()
    os.environ.update(environment)


@pytest.mark.parametrize("threads", [1, 2])
def test_an_engine_in_this_process_takes_the_threads_it_is_given(threads):
    torch.set_num_threads(3 - threads)
    prepare_environment("cpu", threads, 0.5)
    assert torch.get_num_threads() == threads
