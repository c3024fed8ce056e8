"""Starts the configured engine over a checkpoint."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from plumbline.config.engines import GenerationSettings
from plumbline.generation.agreement import check_agreement
from plumbline.generation.engine import Engine, end_tokens
from plumbline.jobs import devices
from plumbline.models import checkpoints


class Engines(ExitStack):
    """The engines of one process, one at a time; leaving it ends the last one.

    Each checkpoint has an engine of its own, which is asked as long as no other checkpoint's is
    started, so that nothing made from one model's weights can meet another's. In a process that
    has vLLM imported, the next engine starts within seconds of the last one's end.
    """

    def __init__(self, settings: GenerationSettings, device: str, threads: int, work: Path):
        super().__init__()
        self._settings, self._device = settings, device
        self._threads, self._work = threads, work
        self._checkpoint: Path | None = None
        self._engine: Engine | None = None

    @property
    def started(self) -> bool:
        """Whether an engine runs."""
        return self._engine is not None

    def of(self, checkpoint: Path, tokenizer) -> Engine:
        """The engine over the checkpoint, after the end of any other's."""
        if self._checkpoint != checkpoint:
            self.end()
            devices.take(self._device, self._settings.tensor_parallel)
            start = self._vllm if self._settings.engine == "vllm" else self._transformers
            ends = end_tokens(checkpoint, tokenizer)
            self._engine = self.enter_context(start(checkpoint, ends, tokenizer))
            self._checkpoint = checkpoint
        return self._engine

    def end(self) -> None:
        """End the running engine, if any, and remove what it needed."""
        self._checkpoint = self._engine = None
        self.close()

    @contextmanager
    def _vllm(self, checkpoint: Path, ends: list[int], tokenizer) -> Iterator[Engine]:
        from plumbline.generation.vllm_engine import VllmEngine, prepare_environment

        settings = self._settings
        prepare_environment(self._device, self._threads, settings.kv_cache_gib)
        with checkpoints.full_weights(checkpoint, settings.dtype, self._work) as folder:
            engine = VllmEngine(
                folder,
                end_token_ids=ends,
                trust_remote_code=checkpoints.trusts_code(checkpoint),
                device=self._device,
                dtype=settings.dtype,
                max_num_seqs=settings.max_num_seqs,
                max_model_len=min(settings.max_model_len, tokenizer.model_max_length),
                gpu_memory_utilization=settings.gpu_memory_utilization,
                tensor_parallel=settings.tensor_parallel,
                eager=settings.eager,
                seed=settings.seed,
            )
            try:
                if checkpoints.trusts_code(checkpoint):
                    check_agreement(engine, checkpoint, tokenizer, settings.dtype)
                yield engine
            finally:
                engine.close()

    @contextmanager
    def _transformers(self, checkpoint: Path, ends: list[int], tokenizer) -> Iterator[Engine]:
        import torch

        from plumbline.generation.transformers_engine import TransformersEngine

        torch.manual_seed(self._settings.seed)
        if self._device == "cpu":
            torch.set_num_threads(self._threads)
        yield TransformersEngine(
            checkpoints.load_model(checkpoint, self._settings.dtype).to(self._device).eval(),
            tokenizer,
            end_token_ids=ends,
            batch_size=self._settings.max_num_seqs,
        )
