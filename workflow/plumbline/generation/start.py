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
from plumbline.storage.files import InputError, read_json

SEQUENCES = 128  # that an engine runs at once, unless configured or determined by a GPU's memory
# Ranks of adapters for which vLLM reserves memory.
RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)


def slots(adapter: Path) -> int:
    """The rank for which an engine must reserve memory to serve an adapter."""
    config = read_json(adapter / checkpoints.ADAPTER)
    rank = max(config["r"], *(config.get("rank_pattern") or {}).values(), 1)
    room = next((size for size in RANKS if size >= rank), None)
    if room is None:
        raise InputError(
            f"{adapter}: vLLM serves adapters of rank {RANKS[-1]} at most, not {rank}; set "
            f"generation.adapters to merged."
        )
    return room


class Engines(ExitStack):
    """The engines of one process, one at a time; on exit, the last one is ended.

    Each checkpoint has an engine of its own, which answers until another checkpoint's is started, so
    that nothing made from one model's weights, such as a cached prefix, is ever used with another's.
    In a process that has imported vLLM, the next engine starts within seconds of the end of the
    last. Only adapters that are served share their parent's engine, whose cache separates them by
    name and folder.
    """

    def __init__(self, settings: GenerationSettings, device: str, threads: int, work: Path):
        super().__init__()
        self._settings, self._device = settings, device
        self._threads, self._work = threads, work
        self._checkpoint: Path | None = None
        # What the engine has loaded, and the largest rank of an adapter that it can serve on top.
        self._weights: tuple[Path, int] = Path(), 0
        self._engine: Engine | None = None

    @property
    def started(self) -> bool:
        """Whether an engine is running."""
        return self._engine is not None

    def of(self, checkpoint: Path, tokenizer) -> Engine:
        """The engine for the checkpoint; any other engine is ended first."""
        if self._checkpoint == checkpoint:
            return self._engine
        marker = checkpoints.describe(checkpoint)
        served = self._settings.adapters == "served" and marker["kind"] == "adapter"
        weights = (
            (checkpoints.parent_of(checkpoint), slots(checkpoint)) if served else (checkpoint, 0)
        )
        ends = end_tokens(checkpoint, tokenizer)
        if self._engine is None or self._weights != weights:
            self.end()
            devices.take(self._device, self._settings.tensor_parallel)
            self._weights = weights
            start = self._vllm if self._settings.engine == "vllm" else self._transformers
            self._engine = self.enter_context(start(weights[0], ends, tokenizer))
        self._checkpoint = None  # unset until its adapter is known to agree
        if served:
            self._engine.lay_over(checkpoint, ends)
            remedy = "adapters to merged"
            check_agreement(self._engine, checkpoint, tokenizer, self._settings.dtype, remedy)
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
                max_num_seqs=self._sequences(),
                max_model_len=min(settings.max_model_len, tokenizer.model_max_length),
                gpu_memory_utilization=settings.gpu_memory_utilization,
                tensor_parallel=settings.tensor_parallel,
                eager=settings.eager,
                adapter_rank=self._weights[1],
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
            batch_size=self._sequences(),
        )

    def _sequences(self) -> int:
        """How many sequences an engine runs at once."""
        asked = self._settings.max_num_seqs
        if asked != "auto":
            return asked
        if self._device != "cuda" or self._settings.engine != "vllm":
            return SEQUENCES
        from plumbline.generation.vllm_engine import sequences_for_memory

        return sequences_for_memory(self._settings.tensor_parallel)
