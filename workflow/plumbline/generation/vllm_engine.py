"""vLLM, on a GPU or its CPU build. Start it only under `if __name__ == "__main__"`: it spawns."""

from __future__ import annotations

import os
from pathlib import Path

from plumbline.generation.engine import Completion, Prompt, end_tokens


def prepare_environment(device: str, threads: int, kv_cache_gib: float) -> None:
    """Set what vLLM reads from the environment when it is imported."""
    os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
    if device == "cpu":
        # Without a binding vLLM keeps one core for itself.
        cores = sorted(os.sched_getaffinity(0))[:threads]
        os.environ["VLLM_CPU_OMP_THREADS_BIND"] = ",".join(map(str, cores))
        os.environ["VLLM_CPU_KVCACHE_SPACE"] = str(max(1, round(kv_cache_gib)))
        # An engine in a process of its own starts in twice the time and outlives a killed job.
        os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"


class VllmEngine:
    """One vLLM engine over one folder of full weights."""

    def __init__(
        self,
        folder: Path,
        tokenizer,
        *,
        device: str,
        dtype: str,
        max_num_seqs: int,
        max_model_len: int,
        gpu_memory_utilization: float,
        tensor_parallel: int,
        seed: int,
    ):
        from vllm import LLM

        if device == "cuda":
            build = {"gpu_memory_utilization": gpu_memory_utilization}
        else:
            # Whole blocks are shared between prompts: of the CPU build's default, 128 tokens, a
            # few-shot prompt of short questions fills none.
            build = {"block_size": 32, "enforce_eager": True}
        self._llm = LLM(
            model=str(folder),
            dtype=dtype,
            seed=seed,
            max_num_seqs=max_num_seqs,
            max_model_len=max_model_len,
            tensor_parallel_size=tensor_parallel,
            enable_prefix_caching=True,
            # The folder may recommend penalties or temperatures; a request says what it wants.
            generation_config="vllm",
            disable_log_stats=True,
            use_tqdm_on_load=False,
            **build,
        )
        self._end_tokens = end_tokens(folder, tokenizer)

    def load(self, folder: Path, tokenizer) -> None:
        """Take the weights of another checkpoint of the same architecture."""
        self._llm.collective_rpc("reload_weights", kwargs={"weights_path": str(folder)})
        # What was computed with the old weights must not be met again.
        self._llm.reset_prefix_cache()
        self._end_tokens = end_tokens(folder, tokenizer)

    def complete(self, prompts: list[Prompt]) -> list[list[Completion]]:
        from vllm import SamplingParams, TokensPrompt

        parameters = [
            # No seed a request: the CPU build cannot, and the engine's seed covers it.
            SamplingParams(
                n=prompt.sampling.n,
                temperature=prompt.sampling.temperature,
                top_k=prompt.sampling.top_k,
                top_p=prompt.sampling.top_p,
                max_tokens=prompt.sampling.max_tokens,
                stop=list(prompt.sampling.stop),
                stop_token_ids=self._end_tokens,
            )
            for prompt in prompts
        ]
        inputs = [TokensPrompt(prompt_token_ids=list(prompt.token_ids)) for prompt in prompts]
        outputs = self._llm.generate(inputs, parameters, use_tqdm=False)
        return [
            [
                Completion(
                    text=answer.text,
                    token_ids=list(answer.token_ids),
                    finish="length" if answer.finish_reason == "length" else "stop",
                )
                for answer in sorted(output.outputs, key=lambda answer: answer.index)
            ]
            for output in outputs
        ]
