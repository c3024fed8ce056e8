"""Starts the configured engine over a checkpoint, merging adapters into a temporary folder."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from plumbline import checkpoints
from plumbline.config import Generation as Settings
from plumbline.generation.engine import Engine, end_tokens


class Engines(ExitStack):
    """Context in which `start()` starts the engine; leaving it removes what was temporary."""

    def __init__(
        self, checkpoint: Path, tokenizer, settings: Settings, device: str, threads: int, work: Path
    ):
        super().__init__()
        self._checkpoint, self._tokenizer, self._settings = checkpoint, tokenizer, settings
        self._device, self._threads, self._work = device, threads, work

    def start(self) -> Engine:
        if self._settings.engine == "vllm":
            return self._start_vllm()
        return self._start_transformers()

    def _start_vllm(self) -> Engine:
        from plumbline.generation.vllm_engine import VllmEngine, prepare_environment

        settings = self._settings
        prepare_environment(self._device, self._threads, settings.kv_cache_gib)
        folder = self.enter_context(
            checkpoints.full_weights(self._checkpoint, settings.dtype, self._work)
        )
        return VllmEngine(
            folder, self._tokenizer, device=self._device, dtype=settings.dtype,
            max_num_seqs=settings.max_num_seqs, max_model_len=settings.max_model_len,
            gpu_memory_utilization=settings.gpu_memory_utilization,
            tensor_parallel=settings.tensor_parallel, seed=settings.seed,
        )

    def _start_transformers(self) -> Engine:
        import torch

        from plumbline.generation.transformers_engine import TransformersEngine

        torch.manual_seed(self._settings.seed)
        if self._device == "cpu":
            torch.set_num_threads(self._threads)
        model = checkpoints.load_model(self._checkpoint, self._settings.dtype).to(self._device).eval()
        return TransformersEngine(
            model, self._tokenizer, end_token_ids=end_tokens(self._checkpoint, self._tokenizer),
            batch_size=self._settings.max_num_seqs,
        )
