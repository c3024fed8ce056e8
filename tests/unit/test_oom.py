"""Out of memory, planted: less at once, the same results, and in the end a clear error."""

import gc
import logging
import sys
import weakref
from dataclasses import replace
from types import ModuleType, SimpleNamespace

import pytest
import torch
from plumbline.config.training import Recipe, Training
from plumbline.generation.engine import Completion, RenderedPrompt
from plumbline.generation.transformers_engine import TransformersEngine
from plumbline.jobs.memory import first_that_fits, halves, is_out_of_memory
from plumbline.jobs.program import Progress
from plumbline.models import checkpoints
from plumbline.records import Fit, Pair, Sampling
from plumbline.scoring.likelihood import TokenizedItem, score
from plumbline.storage.files import InputError, read_rows, write_rows
from plumbline.training import monitor, processes
from plumbline.training.run import train, train_within_memory
from test_training import make_run, same, weights

FULL = "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has little left.\nMore lines."
EVEN = {"lora": {"rank": 8, "alpha": 16, "dropout": 0}, "micro_batch_size": 4, "epochs": 2}


class Large:
    """Something that memory is taken by."""


@pytest.fixture
def told(caplog):
    caplog.set_level(logging.INFO, logger="plumbline")
    return lambda: [
        record.getMessage()
        for record in caplog.records
        if (record.name, record.levelno) == ("plumbline", logging.WARNING)
    ]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError(FULL), True),
        (MemoryError(), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:1] DefaultCPUAllocator: can't allocate memory: "
                      "you tried to allocate 9 bytes."), True),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`"), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 9 GiB)"), True),
        (RuntimeError("The size of tensor a (3) must match the size of tensor b (4)"), False),
        (ValueError("out of memory"), False),
        (InputError("the file speaks of memory"), False),
    ],
)  # fmt: skip
def test_out_of_memory_is_told_from_other_errors(error, expected):
    assert is_out_of_memory(error) is expected


def test_halves():
    assert halves(8) == [8, 4, 2, 1]
    assert halves(7) == [7, 3, 1]
    assert halves(100, 30) == [100, 50]
    assert halves(5, 9) == [5]


def test_the_first_size_that_fits_is_taken_and_what_failed_is_let_go_of(told):
    alive = []

    def attempt(size):
        gc.collect()
        assert [one() for one in alive] == [None] * len(alive)
        taken = Large()
        alive.append(weakref.ref(taken))
        if size > 2:
            raise torch.OutOfMemoryError(FULL)
        return size

    assert first_that_fits([8, 4, 2, 1], attempt, "size", "Buy more.") == 2
    assert len(alive) == 3
    reason = FULL.splitlines()[0]
    assert told() == [
        f"size 8 does not fit ({reason}); trying again with 4",
        f"size 4 does not fit ({reason}); trying again with 2",
    ]


def test_when_nothing_fits_the_message_says_what_to_change(told):
    def attempt(size):
        raise MemoryError

    with pytest.raises(InputError, match=r"size 1 does not fit.*\(MemoryError\)\. Buy more\."):
        first_that_fits([2, 1], attempt, "size", "Buy more.")
    assert len(told()) == 1


def test_another_error_is_not_tried_again():
    tried = []

    def attempt(size):
        tried.append(size)
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes"):
        first_that_fits([2, 1], attempt, "size", "")
    assert tried == [2]


@pytest.mark.parametrize(
    ("wanted", "processes", "sizes"),
    [(16, 1, [16, 8, 4, 2, 1]), (99, 1, [48, 24, 12, 6, 3, 1]), (6, 2, [6, 3, 1]),
     (16, 3, [16, 8, 4, 2, 1]),     (99, 4, [12, 6, 3, 1]), (1, 1, [1])],
)  # fmt: skip
def test_smaller_micro_batches_keep_the_global_batch(wanted, processes, sizes):
    recipe = Recipe(learning_rate=0.1, epochs=1, global_batch_size=48, micro_batch_size=wanted)
    assert recipe.micro_batch_sizes(processes) == sizes
    assert all(48 % (size * processes) == 0 for size in sizes)


def test_micro_batches_that_cannot_be():
    recipe = Recipe(learning_rate=0.1, epochs=1, global_batch_size=12, micro_batch_size=4)
    with pytest.raises(
        ValueError, match="12 is not a multiple of 5 processes x micro_batch_size 2"
    ):
        recipe.micro_batch_sizes(5)
    with pytest.raises(
        ValueError, match="12 is not a multiple of 2 processes x micro_batch_size 4"
    ):
        recipe.micro_batch_sizes(2)
    kto = Recipe(method="kto", learning_rate=0.1, epochs=1, global_batch_size=8, micro_batch_size=8)
    assert kto.micro_batch_sizes() == [8, 4, 2]  # an answer is compared with its neighbour
    with pytest.raises(ValueError, match="at least 2"):
        kto.micro_batch_sizes(8)


@pytest.fixture
def small_memory(monkeypatch):
    """Lets steps with more than some rows fail, once `after` forward passes have been done."""
    from transformers import Trainer

    real, taken = Trainer.training_step, []

    def limit(rows, after=0):
        def step(self, model, inputs, *rest, **named):
            if len(inputs["input_ids"]) > rows and len(taken) >= after:
                raise torch.OutOfMemoryError(FULL)
            taken.append(self.state.global_step)
            return real(self, model, inputs, *rest, **named)

        monkeypatch.setattr(Trainer, "training_step", step)
        return taken

    return limit


def test_a_step_that_does_not_fit_is_taken_in_smaller_parts(
    tiny_base, tmp_path, small_memory, told
):
    (tmp_path / "small").mkdir()
    expected = train(make_run(tmp_path / "small", tiny_base, **{**EVEN, "micro_batch_size": 1}))
    small_memory(rows=1)
    run = make_run(tmp_path, tiny_base, **EVEN)
    found = train_within_memory(run)
    assert [one for one in told() if "micro_batch_size" in one] == [
        f"mix.unknown-50: micro_batch_size {old} does not fit ({FULL.splitlines()[0]}); trying again "
        f"with {new}"
        for old, new in ((4, 2), (2, 1))
    ]
    assert found["micro_batch_size"] == 1
    assert (found["loss"], found["stops"]) == (expected["loss"], expected["stops"])  # exactly
    assert same(
        weights(run.out / "convergence"), weights(tmp_path / "small" / run.name / "convergence")
    )
    assert run.identity() == replace(run, micro=1).identity()  # work is gone on with


def test_it_goes_on_from_what_was_saved(tiny_base, tmp_path, small_memory, caplog, told):
    (tmp_path / "whole").mkdir()
    expected = train(make_run(tmp_path / "whole", tiny_base, **EVEN))
    caplog.clear()
    # An epoch is two steps of one forward pass each: the second epoch does not fit.
    taken = small_memory(rows=2, after=3)
    run = make_run(tmp_path, tiny_base, **EVEN)
    found = train_within_memory(run)
    assert taken == [0, 1, 2, 2, 2, 3, 3]
    assert "going on after step 2 (epoch 1)" in caplog.text
    assert len(told()) == 1
    assert [row["epoch"] for row in found["loss"]] == [1, 2]
    for one, other in zip(found["loss"], expected["loss"], strict=True):
        assert one["loss"] == pytest.approx(other["loss"], rel=1e-5)
    theirs = weights(tmp_path / "whole" / run.name / "convergence")
    for name, value in weights(run.out / "convergence").items():
        torch.testing.assert_close(value, theirs[name], rtol=0, atol=1e-4)


def test_preference_training_is_tried_with_less_as_well(tiny_base, tmp_path, small_memory, told):
    pairs = [Pair(id=f"p{n}", prompt=f"capital {n}\n", chosen="Rome", rejected="Oslo")
             for n in range(8)]  # fmt: skip
    # Two rows a pair go through the model together.
    recipe = {**EVEN, "epochs": None, "max_steps": 2, "method": "dpo", "learning_rate": 0.003}
    curves = []
    for name, limit, micro in (("small", None, 2), ("large", 2 * 2, 4)):
        root = tmp_path / name
        write_rows(root / "examples.jsonl", pairs)
        run = make_run(root, tiny_base, **{**recipe, "micro_batch_size": micro})
        if limit:
            small_memory(rows=limit)
        curves.append(train_within_memory(replace(run, stops=("final",), probes=[]))["curve"])
    assert len([one for one in told() if "micro_batch_size 4 does not fit" in one]) == 1
    assert curves[0] == curves[1]


def test_when_one_example_does_not_fit_the_recipe_has_to_change(tiny_base, tmp_path, small_memory):
    small_memory(rows=0)
    with pytest.raises(
        InputError, match=r"micro_batch_size 1 does not fit.*Lower the recipe's max_length"
    ):
        train_within_memory(make_run(tmp_path, tiny_base, **EVEN))


def test_probes_are_asked_in_smaller_parts(tiny_base, tmp_path, monkeypatch, told):
    real = monitor.greedy_answers

    def limited(*rest, batch_size, **named):
        if batch_size > 16:
            raise torch.OutOfMemoryError(FULL)
        return real(*rest, batch_size=batch_size, **named)

    monkeypatch.setattr(monitor, "greedy_answers", limited)
    run = make_run(tmp_path, tiny_base, **{**EVEN, "epochs": 1})
    assert train(run)["micro_batch_size"] == 4  # training itself fits
    assert len(list(read_rows(run.work / "fit.jsonl", Fit))) == 2 * 4
    assert [one.split(" does")[0] for one in told()] == [
        f"probes asked at once: {size}" for _ in range(2) for size in (64, 32)
    ]


@pytest.fixture(scope="module")
def model(tiny_base):
    return checkpoints.load_model(tiny_base, "float32").eval()


def limited(model, tokens):
    """Let the model's forward passes of more than `tokens` tokens, cached ones included, fail."""

    def check(module, args, named):
        ids, cache = named["input_ids"], named.get("past_key_values")
        if ids.shape[0] * (ids.shape[1] + (cache.get_seq_length() if cache else 0)) > tokens:
            raise torch.OutOfMemoryError(FULL)

    return model.model.register_forward_pre_hook(check, with_kwargs=True)


ITEMS = [
    TokenizedItem(tuple(range(5, 9 + n % 4)), ((7, 8 + n), (9,), tuple(range(20, 22 + n))))
    for n in range(9)
]


def test_scoring_goes_on_with_fewer_tokens(model, told):
    expected = score(model, ITEMS, 8192)
    progress = Progress(len(ITEMS), "items")
    handle = limited(model, 40)
    try:
        found = score(model, ITEMS, 256, progress)
    finally:
        handle.remove()
    for ours, theirs in zip(found, expected, strict=True):
        assert ours == pytest.approx(theirs, rel=1e-5)
    assert progress.done == len(ITEMS)  # none counted twice
    assert told()[0].startswith("scoring.batch_tokens 256 does not fit")
    assert told()[0].endswith("trying again with 128")


def test_ranks_are_found_with_fewer_tokens(model, told):
    from plumbline.scoring.ranks import TokenizedAnswer, token_ranks

    answers = [TokenizedAnswer(tuple(range(5, 9 + n)), tuple(range(30, 30 + n))) for n in range(6)]
    expected = token_ranks(model, answers, 8192)
    progress = Progress(len(answers), "answers")
    handle = limited(model, 20)
    try:
        assert token_ranks(model, answers, 64, progress) == expected
    finally:
        handle.remove()
    assert progress.done == len(answers)
    assert told()[0].startswith("scoring.batch_tokens 64 does not fit")


def test_scoring_gives_up_when_one_row_does_not_fit(model, told):
    handle = limited(model, 4)
    try:
        with pytest.raises(InputError, match=r"scoring.batch_tokens \d+ does not fit.*more memory"):
            score(model, ITEMS, 256)
    finally:
        handle.remove()
    assert score(model, [], 64) == []


def test_answers_are_generated_fewer_at_once(tiny_base, model, told):
    tokenizer = checkpoints.load_tokenizer(tiny_base)
    asked = [
        RenderedPrompt(tuple(tokenizer(f"{'word ' * n}:")["input_ids"]), Sampling(max_tokens=4))
        for n in range(7)
    ]

    def engine():
        return TransformersEngine(model, tokenizer, end_token_ids=[2], batch_size=8)

    expected = engine().complete(asked)
    small, real = engine(), TransformersEngine._batch
    sizes = []

    def batch(rows, sampling):
        sizes.append(len(rows))
        if len(rows) > 2:
            raise torch.OutOfMemoryError(FULL)
        return real(small, rows, sampling)

    small._batch = batch
    assert small.complete(asked) == expected
    assert small.complete(asked[:3]) == expected[:3]
    assert sizes == [7, 4, 2, 2, 2, 1, 2, 1]  # what was found to be too many is not tried again
    assert len(told()) == 2
    small._batch = lambda rows, sampling: (_ for _ in ()).throw(torch.OutOfMemoryError(FULL))
    with pytest.raises(InputError, match=r"generation.max_num_seqs 1 does not fit.*max_tokens"):
        small.complete(asked)


class EngineDeadError(Exception):
    """As vLLM's engine process ends, without its reason."""


@pytest.fixture
def vllm(monkeypatch):
    """A stand-in for vLLM that starts with at most `fits` sequences; it notes every start."""
    about = SimpleNamespace(fits=128, starts=[], ends=[], fails=0, most=0, error=ValueError(
        "To serve at least one request with the model's max seq len (1024), 9 GiB KV cache is "
        "needed, which is larger than the available KV cache memory (1 GiB)."
    ))  # fmt: skip

    class LLM:
        def __init__(self, model, max_num_seqs, **options):
            core = SimpleNamespace(shutdown=lambda: about.ends.append(max_num_seqs))
            self.llm_engine = SimpleNamespace(
                engine_core=core, add_request=self.add, step=self.step,
                has_unfinished_requests=lambda: bool(self.waiting),
            )  # fmt: skip
            self.waiting = []
            about.starts.append((model, max_num_seqs))
            about.options = options
            if max_num_seqs > about.fits:
                raise about.error

        def add(self, name, prompt, parameters, **_):
            self.waiting.append((name, prompt))
            about.most = max(about.most, len(self.waiting))

        def step(self):
            if about.fails and len(self.waiting) < 250:
                about.fails -= 1
                raise EngineDeadError("EngineCore encountered an issue. See stack trace (above).")
            name, prompt = self.waiting.pop()
            answer = SimpleNamespace(index=0, text=f"{prompt}", token_ids=[1], finish_reason="stop")
            return [SimpleNamespace(request_id=name, finished=True, outputs=[answer])]

    made = {
        "vllm": {"LLM": LLM, "SamplingParams": dict},
        "vllm.distributed": {"cleanup_dist_env_and_memory": lambda: None},
        "vllm.inputs": {"tokens_input": list},
        "vllm.sampling_params": {"RequestOutputKind": SimpleNamespace(FINAL_ONLY=2)},
    }
    for name, content in made.items():
        module = ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)
    return about


def vllm_engine(base, eager=False):
    from plumbline.generation.vllm_engine import VllmEngine

    return VllmEngine(
        base, end_token_ids=[2], trust_remote_code=False, device="cuda", dtype="bfloat16",
        max_num_seqs=128, max_model_len=1024, gpu_memory_utilization=0.9, tensor_parallel=1,
        eager=eager, seed=1,
    )  # fmt: skip


def test_vllm_captures_graphs_on_a_gpu_unless_told(vllm, tiny_base):
    for eager in (False, True):
        vllm_engine(tiny_base, eager)
        assert vllm.options["enforce_eager"] is eager


def test_vllm_starts_with_fewer_sequences(vllm, tiny_base, told):
    vllm.fits = 32
    vllm_engine(tiny_base).complete([])
    assert [size for _, size in vllm.starts] == [128, 64, 32]
    assert [one.split(" (")[0] for one in told()] == [
        "generation.max_num_seqs 128 does not fit", "generation.max_num_seqs 64 does not fit",
    ]  # fmt: skip


def test_vllm_that_does_not_start_says_what_to_change(vllm, tiny_base):
    vllm.fits = 16
    with pytest.raises(InputError, match=r"max_num_seqs 32 does not fit.*KV cache.*max_model_len"):
        vllm_engine(tiny_base)
    assert len(vllm.starts) == 3
    vllm.error, vllm.starts[:] = ValueError("Model architectures ['Odd'] are not supported"), []
    with pytest.raises(
        InputError, match=r"cannot run .*Odd.*set generation.engine to transformers"
    ):
        vllm_engine(tiny_base)
    assert len(vllm.starts) == 1


PROMPTS = [RenderedPrompt((5, n), Sampling(max_tokens=4)) for n in range(300)]
ANSWERS = [[Completion(f"[5, {n}]", [1], "stop")] for n in range(300)]


def test_vllm_that_dies_at_work_is_started_again_and_loses_nothing(vllm, tiny_base):
    engine = vllm_engine(tiny_base)
    vllm.fails = 1
    assert engine.complete(PROMPTS) == ANSWERS
    assert engine.complete(PROMPTS) == ANSWERS
    assert vllm.starts == [(str(tiny_base), 128), (str(tiny_base), 64)]
    assert vllm.ends == [128], "what it held of the device's memory is free for the next"
    vllm.fails = 9
    with pytest.raises(InputError, match=r"max_num_seqs 32 does not fit.*EngineCore"):
        engine.complete(PROMPTS[:1])


def test_vllm_is_kept_full_and_holds_no_more_prompts_than_that(vllm, tiny_base):
    """A prompt that is answered makes room for the next; whoever asks need not hold them all."""
    read = []

    def source():
        for number, prompt in enumerate(PROMPTS):
            read.append(number)
            yield str(number), prompt

    engine = vllm_engine(tiny_base)
    answers = engine.stream(source())
    for count in range(1, 40):
        next(answers)
        assert len(read) == 256 + count - 1
    assert len(dict(answers)) == 300 - 39 and vllm.most == 256


EATER = """
import os, sys
from pathlib import Path
from plumbline.training import processes
work, micro = Path(sys.argv[1]), int(sys.argv[-1])
with processes.noting(work):
    if micro > int(sys.argv[2]) and not processes.first():
        raise MemoryError("no room")
if sys.argv[3] == "fail":
    sys.exit("something else")
(work / f"{micro}-{os.environ['RANK']}-of-{processes.count()}").touch()
"""


@pytest.mark.parametrize(("rows", "ending"), [(2, "good"), (0, "good"), (99, "fail")])
def test_processes_start_again_together_when_one_has_no_room(
    rows, ending, tmp_path, monkeypatch, told
):
    (tmp_path / "memory_eater.py").write_text(EATER, encoding="utf-8")
    paths = [str(tmp_path), *sys.path]
    monkeypatch.setenv("PYTHONPATH", ":".join(filter(None, paths)))
    work = tmp_path / "work"
    work.mkdir()
    recipe = Recipe(learning_rate=0.1, epochs=1, global_batch_size=8, micro_batch_size=4)
    start = lambda: processes.launch_within_memory(  # noqa: E731
        Training(processes=2), recipe, "tuned", "memory_eater", [str(work), str(rows), ending], work
    )
    if ending == "fail":
        with pytest.raises(SystemExit) as ended:
            start()
        assert ended.value.code == 1
        assert told() == []
    elif rows == 0:
        with pytest.raises(
            InputError, match=r"tuned: micro_batch_size 1 does not fit.*\(no room\)"
        ):
            start()
    else:
        start()
        left = {path.name for path in work.iterdir()}
        assert left - {"4-0-of-2"} == {"2-0-of-2", "2-1-of-2"}  # the other one may have been done
        assert told() == ["tuned: micro_batch_size 4 does not fit (no room); trying again with 2"]
