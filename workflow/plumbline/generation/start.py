"""Starts the configured engine over a checkpoint, or gives a running one other weights."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from plumbline import checkpoints, devices
from plumbline.config.engines import Generation as Settings
from plumbline.generation.engine import Engine, end_tokens


class Engines(ExitStack):
    """One engine for the checkpoints of one model family; leaving it removes what was temporary.

    Starting vLLM costs far more than reading the weights of a small model, so a running engine is
    given the weights of the next checkpoint. Adapters are merged into a folder under `work`.
    """

    def __init__(self, settings: Settings, device: str, threads: int, work: Path):
        super().__init__()
        self._settings, self._device = settings, device
        self._threads, self._work = threads, work
        self._running = None

    @property
    def started(self) -> bool:
        """Whether an engine runs."""
        return self._running is not None

    def of(self, checkpoint: Path, tokenizer) -> Engine:
        """The engine with the checkpoint's weights."""
        devices.take(self._device, self._settings.tensor_parallel)
        if self._settings.engine == "vllm":
            return self._vllm(checkpoint, tokenizer)
        return self._transformers(checkpoint, tokenizer)

    def _vllm(self, checkpoint: Path, tokenizer) -> Engine:
        from plumbline.generation.vllm_engine import VllmEngine, prepare_environment

        settings = self._settings
        folder = self.enter_context(
            checkpoints.full_weights(checkpoint, settings.dtype, self._work)
        )
        if self._running is None:
            prepare_environment(self._device, self._threads, settings.kv_cache_gib)
            self._running = VllmEngine(
                folder,
                tokenizer,
                device=self._device,
                dtype=settings.dtype,
                max_num_seqs=settings.max_num_seqs,
                max_model_len=min(settings.max_model_len, tokenizer.model_max_length),
                gpu_memory_utilization=settings.gpu_memory_utilization,
                tensor_parallel=settings.tensor_parallel,
                seed=settings.seed,
            )
        else:
            self._running.load(folder, tokenizer)
        return self._running

    def _transformers(self, checkpoint: Path, tokenizer) -> Engine:
        import torch

        from plumbline.generation.transformers_engine import TransformersEngine

        torch.manual_seed(self._settings.seed)
        if self._device == "cpu":
            torch.set_num_threads(self._threads)
        self._running = None  # free the previous weights first
        model = checkpoints.load_model(checkpoint, self._settings.dtype).to(self._device).eval()
        self._running = TransformersEngine(
            model,
            tokenizer,
            end_token_ids=end_tokens(checkpoint, tokenizer),
            batch_size=self._settings.max_num_seqs,
        )
        return self._running
