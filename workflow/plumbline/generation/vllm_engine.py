"""vLLM, on a GPU or with its CPU build. It spawns processes: start it only in a main module."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TypeVar

from plumbline.generation.engine import Completion, Engine, RenderedPrompt
from plumbline.jobs.memory import first_that_fits, halves, is_out_of_memory
from plumbline.models.finite import no_logits
from plumbline.records import Sampling
from plumbline.storage.files import InputError, read_json

Result = TypeVar("Result")
TRIES = 3  # with max_num_seqs, half and a quarter of it
# Prompts in memory, in multiples of max_num_seqs: those running, and as many waiting, so that the
# engine never runs dry.
AHEAD = 2
REMEDY = (
    "The lines above have vLLM's own reason. If it is memory: lower generation.max_model_len, raise "
    "generation.gpu_memory_utilization (kv_cache_gib on a CPU), end what else uses the device, or "
    "share the model out among more GPUs with generation.tensor_parallel. If it is NaNs in logits: set "
    "generation.dtype to float32 or bfloat16."
)
# Messages of vLLM when memory is short. On a GPU, its engine is a process of its own that does not
# pass on why it did not start or why it ended.
SIGNS = (
    "KV cache",
    "cache blocks",
    "GPU memory",
    "Engine core initialization failed",
    "EngineCore encountered an issue",
)


def is_too_large(error: BaseException) -> bool:
    """Whether an engine with fewer sequences at once may succeed where this one failed."""
    return is_out_of_memory(error) or any(sign in str(error) for sign in SIGNS)


def prepare_environment(device: str, threads: int, kv_cache_gib: float) -> None:
    """Set the variables that vLLM reads when it is imported."""
    os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
    # Greedy decoding would take a NaN for the likeliest token.
    os.environ["VLLM_RAISE_ON_LOGIT_NANS"] = "1"
    if device == "cpu":
        import torch

        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        # For an engine on several sockets; without a binding, vLLM keeps one core for itself.
        cores = sorted(os.sched_getaffinity(0))[:threads]
        os.environ["VLLM_CPU_OMP_THREADS_BIND"] = ",".join(map(str, cores))
        os.environ["VLLM_CPU_KVCACHE_SPACE"] = str(max(1, round(kv_cache_gib)))
        # An engine in a process of its own takes twice as long to start and outlives a killed job.
        os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"


def sequences_for_memory(gpus: int) -> int:
    """How many sequences vLLM runs at once by default, by the memory of each of these GPUs.

    The number of tokens in a forward pass follows from it as well and is not a setting.
    """
    from vllm.engine.arg_utils import EngineArgs
    from vllm.usage.usage_lib import UsageContext

    _, sequences = EngineArgs.get_batch_defaults(gpus)
    return sequences[UsageContext.LLM_CLASS]


class VllmEngine(Engine):
    """One vLLM engine for one folder of full weights; other weights need a new engine.

    vLLM can load other weights into a running engine, but keeps some of what it made of the first
    ones: on a CPU, a head tied to the embeddings keeps its packed copy of them, hooks of whole
    models are not called again, and tokenizer and configuration stay (its `model_loader/reload`).

    If it does not fit into memory, it is started again with fewer sequences at once, at most twice;
    InputError when that does not help, or when vLLM does not know the model.
    """

    def __init__(
        self,
        folder: Path,
        *,
        end_token_ids: list[int],
        trust_remote_code: bool,
        device: str,
        dtype: str,
        max_num_seqs: int,
        max_model_len: int,
        gpu_memory_utilization: float,
        tensor_parallel: int,
        eager: bool,
        seed: int,
        adapter_rank: int = 0,
    ):
        """adapter_rank: of the largest adapter to be served on the weights; 0: none."""
        _check_positions(folder, max_model_len)
        if device == "cuda":
            build = {"gpu_memory_utilization": gpu_memory_utilization, "enforce_eager": eager}
        else:
            # Prompts share only whole blocks. With the CPU build's default of 128 tokens, a few-shot
            # prompt of short questions would fill none.
            build = {"block_size": 32, "enforce_eager": True}
        self._options = {
            "dtype": dtype,
            "seed": seed,
            "trust_remote_code": trust_remote_code,
            "max_model_len": max_model_len,
            "tensor_parallel_size": tensor_parallel,
            "enable_prefix_caching": True,
            # The folder may recommend penalties or temperatures; requests state their own.
            "generation_config": "vllm",
            "disable_log_stats": True,
            "use_tqdm_on_load": False,
            **build,
        }
        if adapter_rank:
            self._options |= {"enable_lora": True, "max_lora_rank": adapter_rank}
        self._folder, self._llm = folder, None
        self._adapters: list[Path] = []  # all adapters that have been served, in their order
        self._adapter: Path | None = None  # the one that answers now
        self._given: set[str] = set()  # names of the prompts that the running engine has
        self._sizes = halves(max_num_seqs)[:TRIES]
        self._end_tokens = end_token_ids
        self._fitting(lambda: None)

    def lay_over(self, adapter: Path, end_token_ids: list[int]) -> None:
        """From now on, answer with an adapter on the weights, with its end tokens."""
        if adapter not in self._adapters:
            self._adapters.append(adapter)
        self._adapter, self._end_tokens = adapter, end_token_ids

    def _fitting(self, work: Callable[[], Result]) -> Result:
        """The result of `work` with the largest engine that fits."""

        def attempt(size: int) -> Result:
            while self._sizes[0] != size:  # the larger ones did not fit
                self._sizes.pop(0)
                self.close()
            if self._llm is None:
                self._llm, self._given = self._start(size), set()
            return work()

        return first_that_fits(
            list(self._sizes), attempt, "generation.max_num_seqs", REMEDY, too_large=is_too_large
        )

    def _start(self, max_num_seqs: int):
        from vllm import LLM
        from vllm.distributed import cleanup_dist_env_and_memory

        # A start collects garbage eight times. Without freezing the packages imported so far, which
        # are not garbage, that would take a third of its time.
        if not gc.get_freeze_count():
            gc.freeze()
        try:
            return LLM(model=str(self._folder), max_num_seqs=max_num_seqs, **self._options)
        except Exception as error:
            cleanup_dist_env_and_memory()
            if not isinstance(error, ValueError | NotImplementedError) or is_too_large(error):
                raise
            raise InputError(
                f"generation.engine: vLLM cannot run {self._folder}: "
                f"{' '.join(str(error).split())[:400]} Change what this names, or set "
                f"generation.engine to transformers."
            ) from error

    def close(self) -> None:
        """Release the memory of weights and cache, and end the engine's processes."""
        if self._llm is None:
            return
        self._llm.llm_engine.engine_core.shutdown()
        self._llm = None
        gc.collect()  # its parts refer to each other

    def stream(
        self, prompts: Iterable[tuple[str, RenderedPrompt]]
    ) -> Iterator[tuple[str, list[Completion]]]:
        """Like `Engine.stream`; at most AHEAD times max_num_seqs prompts are in memory at once."""
        source, held = iter(prompts), {}
        try:
            while True:
                finished = self._fitting(lambda: self._finished(source, held))
                for name in finished:
                    del held[name]
                if not finished and not held:
                    return
                yield from finished.items()
        except RuntimeError as error:
            if "NaNs detected in logits" not in str(error):
                raise
            dtype = self._options["dtype"]
            raise no_logits(str(self._folder), dtype, "generation.dtype") from error
        except GeneratorExit:  # the caller wants no more
            if self._llm is not None:
                self._llm.llm_engine.abort_request(list(held))
            raise

    def _finished(
        self, source: Iterator[tuple[str, RenderedPrompt]], held: dict[str, RenderedPrompt]
    ) -> dict[str, list[Completion]]:
        """Fill the engine and run it until something is finished; empty when nothing is left."""
        from vllm.inputs import tokens_input

        engine = self._llm.llm_engine
        held.update(islice(source, max(0, AHEAD * self._sizes[0] - len(held))))
        # After a restart, this includes those that the previous engine had.
        for name in [name for name in held if name not in self._given]:
            prompt = held[name]
            engine.add_request(
                name,
                tokens_input(list(prompt.token_ids)),
                self._parameters(prompt.sampling),
                lora_request=self._lora_request(),
            )
            self._given.add(name)
        while engine.has_unfinished_requests():
            done = {one.request_id: one.outputs for one in engine.step() if one.finished}
            if done:
                self._given -= done.keys()
                return {name: _completions(outputs) for name, outputs in done.items()}
        return {}

    def _lora_request(self):
        """Tells vLLM which adapter answers; None: the weights as they are."""
        if self._adapter is None:
            return None
        from vllm.lora.request import LoRARequest

        number = self._adapters.index(self._adapter) + 1
        return LoRARequest(str(self._adapter), number, str(self._adapter))

    def _parameters(self, sampling: Sampling):
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        return SamplingParams(
            # No seeds per request: the CPU build does not support them, and the engine's seed suffices.
            n=sampling.n,
            temperature=sampling.temperature,
            top_k=sampling.top_k,
            top_p=sampling.top_p,
            max_tokens=sampling.max_tokens,
            stop=list(sampling.stop),
            stop_token_ids=self._end_tokens,
            output_kind=RequestOutputKind.FINAL_ONLY,
        )


def _completions(outputs) -> list[Completion]:
    """The answers to one prompt, converted from vLLM's types."""
    return [
        Completion(
            text=answer.text,
            token_ids=list(answer.token_ids),
            finish="length" if answer.finish_reason == "length" else "stop",
        )
        for answer in sorted(outputs, key=lambda answer: answer.index)
    ]


def _check_positions(folder: Path, max_model_len: int) -> None:
    """InputError if vLLM would read short texts with the positions of long ones (longrope).

    The model has factors for texts up to its original length and others for longer ones; vLLM uses the
    latter for all texts once an engine may get a longer one.
    """
    config = read_json(folder / "config.json")
    rope, name = config.get("rope_parameters") or {}, "original_max_position_embeddings"
    original = rope.get(name) or config.get(name)
    if rope.get("rope_type") == "longrope" and original and max_model_len > original:
        raise InputError(
            f"generation.max_model_len: {max_model_len}, but above {original} tokens vLLM gives this "
            f"model's short texts the positions of long ones. Set it to {original} or less, or "
            f"generation.engine to transformers."
        )
