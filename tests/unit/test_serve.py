import json
import os
import subprocess
import sys
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plumbline.generation import serve
from plumbline.generation.engine import Completion, Engine, RenderedPrompt
from plumbline.generation.serve import Server, shard_of
from plumbline.generation.store import Store, prompt_key
from plumbline.records import Request, Sampling
from plumbline.storage.files import InputError
from tiny import Bytes

GREEDY = Sampling(max_tokens=4)


class Echo(Engine):
    """Answers a prompt with its own text and the sample's number, and notes what it was asked.

    It holds three prompts at once, and of these finishes the last one first.
    """

    def __init__(self, fail_after: int | None = None):
        self.asked: list[str] = []
        self.finished = 0
        self.fail_after = fail_after

    def stream(self, prompts):
        source = iter(prompts)
        while held := list(islice(source, 3)):
            self.asked += [bytes(prompt.token_ids).decode() for _, prompt in held]
            for name, prompt in reversed(held):
                if self.fail_after == self.finished:
                    self.fail()
                self.finished += 1
                text = bytes(prompt.token_ids).decode()
                yield (
                    name,
                    [
                        Completion(f"{text}:{index}", [index, 7], "stop")
                        for index in range(prompt.sampling.n)
                    ],
                )

    def fail(self):
        raise KeyboardInterrupt


def must_not_start():
    raise AssertionError("the engine was started although nothing was missing")


def request(name, prompt=None, **changes):
    fields = {"id": name, "prompt": prompt or name, "sampling": GREEDY, "purpose": "test"}
    return Request(**{**fields, **changes})


def server(folder, engine, **changes):
    start = engine if callable(engine) else lambda: engine
    return Server(Store(folder), Bytes(), start, **{"max_model_len": 64, **changes})


def test_generations_come_in_the_order_of_the_requests(tmp_path):
    engine = Echo()
    two = Sampling(n=2, temperature=1, max_tokens=4)
    asked = [request("c"), request("a", sampling=two), request("d"), request("b")]
    found = list(server(tmp_path, engine).serve(asked))
    assert [(one.request, one.index, one.text) for one in found] == [
        ("c", 0, "c:0"),
        ("a", 0, "a:0"),
        ("a", 1, "a:1"),
        ("d", 0, "d:0"),
        ("b", 0, "b:0"),
    ]
    assert engine.asked == ["a", "b", "c", "d"], "neighbours by their tokens"


def test_equal_prompts_are_generated_once(tmp_path):
    engine = Echo()
    found = list(server(tmp_path, engine).serve([request("one", "x"), request("two", "x")]))
    assert [(one.request, one.text) for one in found] == [("one", "x:0"), ("two", "x:0")]
    assert engine.asked == ["x"]
    other = Sampling(max_tokens=5)
    list(server(tmp_path, engine).serve([request("three", "x", sampling=other)]))
    assert engine.asked == ["x", "x"]


def test_requests_are_gone_through_in_windows(tmp_path, monkeypatch):
    """Sorted within each; a prompt that comes again, in the same window or later, is asked once."""
    monkeypatch.setattr(serve, "WINDOW", 3)
    engine, texts = Echo(), ["d", "b", "d", "c", "a", "b", "e"]
    asked = [request(f"r{number}", text) for number, text in enumerate(texts)]
    found = server(tmp_path, engine).serve(asked)
    assert engine.asked == ["b", "d", "a", "c", "e"]
    assert len(found) == 7 and [one.text for one in found] == [f"{text}:0" for text in texts]


def test_how_many_answers_there_are_is_known_without_reading_them(tmp_path):
    several = Sampling(n=3, temperature=1, max_tokens=4)
    found = server(tmp_path, Echo()).serve([*waves(), request("x", sampling=several)])
    assert len(found) == len(list(found)) == 6


def test_what_is_there_is_not_generated_again_and_starts_no_engine(tmp_path):
    first = list(server(tmp_path, Echo()).serve([request("a"), request("b")]))
    assert list(server(tmp_path, must_not_start).serve([request("b"), request("a")])) == first[::-1]
    engine = Echo()
    list(server(tmp_path, engine).serve([request("a"), request("new")]))
    assert engine.asked == ["new"]


def waves(answers=("w2:0",)):
    """A series of three waves, the later ones unless accepted, and a bystander."""
    common = {"series": "s", "accept": list(answers)}
    return [
        request("w3", wave=3, unless_accepted=True, **common),
        request("w1", wave=0, **common),
        request("w2", wave=1, unless_accepted=True, **common),
        request("other", wave=3),
    ]


def test_a_series_ends_once_an_answer_is_accepted(tmp_path):
    engine = Echo()
    found = list(server(tmp_path, engine).serve(waves()))
    assert [one.request for one in found] == ["w1", "w2", "other"]
    assert engine.asked == ["w1", "w2", "other"]
    # Also where the accepted answer comes from the store; and of other series nothing is left out.
    assert list(server(tmp_path, must_not_start).serve(waves())) == found
    other = [one.model_copy(update={"series": one.id}) for one in waves()]
    assert len(list(server(tmp_path, Echo()).serve(other))) == 4


def test_a_series_goes_on_while_nothing_is_accepted(tmp_path):
    found = list(server(tmp_path, Echo()).serve(waves(answers=["something else"])))
    assert [one.request for one in found] == ["w3", "w1", "w2", "other"]


def test_acceptance_follows_the_match_mode(tmp_path):
    asked = waves(answers=["The W2 :0!"])
    assert len(list(server(tmp_path / "a", Echo(), match="squad").serve(asked))) == 4
    asked = waves(answers=["The W2:0!"])
    assert len(list(server(tmp_path / "b", Echo(), match="squad").serve(asked))) == 3
    assert len(list(server(tmp_path / "c", Echo(), match="raw").serve(asked))) == 4


def test_a_killed_job_goes_on_where_it_was(tmp_path):
    asked = [request(f"r{number}") for number in range(8)]
    first = Echo(fail_after=4)
    with pytest.raises(KeyboardInterrupt):
        list(server(tmp_path, first).serve(asked))
    second = Echo()
    found = list(server(tmp_path, second).serve(asked))
    # Of the second three only the one that was finished first is kept.
    assert second.asked == ["r3", "r4", "r6", "r7"]
    assert [one.text for one in found] == [f"r{number}:0" for number in range(8)]


@pytest.mark.parametrize(
    "damage",
    [
        lambda line: line[: len(line) // 2],
        lambda line: b"\0" * len(line),
        lambda line: b"\xff\xfe" + line,
        lambda line: b"[1, 2]",
        lambda line: line.split(b', "completions"')[0] + b"}",
        lambda line: line.replace(b'"finish"', b'"ending"'),
    ],
    ids=["truncated", "zeros", "bytes", "list", "no completions", "other field"],
)
def test_a_damaged_line_costs_only_itself(tmp_path, caplog, damage):
    asked = [request(name) for name in "abc"]
    whole = list(server(tmp_path, Echo()).serve(asked))
    (file,) = tmp_path.glob("*.jsonl")
    lines = file.read_bytes().splitlines()
    file.write_bytes(b"\n".join([*lines[:2], damage(lines[2])]))  # and no newline at the end
    engine = Echo()
    caplog.set_level("WARNING", logger="plumbline")
    assert list(server(tmp_path, engine).serve(asked)) == whole
    assert engine.asked == ["a"], "finished last"
    assert "1 unreadable line" in caplog.text
    assert list(server(tmp_path, must_not_start).serve(asked)) == whole


def test_a_process_that_is_killed_keeps_what_it_had_saved(tmp_path):
    program = (
        "import os, signal, sys\n"
        "from test_serve import Echo, request, server\n"
        "class Deadly(Echo):\n"
        "    def fail(self): os.kill(os.getpid(), signal.SIGKILL)\n"
        "list(server(sys.argv[1], Deadly(fail_after=6)).serve([request(f'r{n}') for n in range(9)]))\n"
    )
    program = program.replace("sys.argv[1]", "__import__('pathlib').Path(sys.argv[1])")
    path = os.pathsep.join(filter(None, [str(Path(__file__).parent), *sys.path]))
    ended = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": path},
        check=False,
        capture_output=True,
    )
    assert ended.returncode == -9, ended.stderr
    engine = Echo()
    found = list(server(tmp_path, engine).serve([request(f"r{n}") for n in range(9)]))
    assert engine.asked == ["r6", "r7", "r8"]
    assert len(found) == 9


def test_two_processes_write_two_files(tmp_path):
    list(server(tmp_path, Echo()).serve([request("a")]))
    list(server(tmp_path, Echo()).serve([request("b")]))
    assert len(list(tmp_path.glob("*.jsonl"))) == 2
    assert len(list(server(tmp_path, must_not_start).serve([request("a"), request("b")]))) == 2


def test_a_prompt_that_does_not_fit_is_an_error_before_anything_is_generated(tmp_path):
    asked = [request("short"), request("long", "x" * 61)]
    with pytest.raises(InputError, match=r"request long: .* need 65 tokens.*max_model_len is 64"):
        list(server(tmp_path, must_not_start).serve(asked))
    assert len(list(server(tmp_path, Echo()).serve([request("fits", "x" * 60)]))) == 1


def test_a_key_is_the_prompt_and_its_sampling():
    samplings = [
        GREEDY,
        Sampling(max_tokens=5),
        Sampling(max_tokens=4, stop=("\n",)),
        Sampling(max_tokens=4, temperature=0.5),
        Sampling(max_tokens=4, temperature=0.5, n=2),
        Sampling(max_tokens=4, temperature=0.5, top_k=3),
        Sampling(max_tokens=4, temperature=0.5, top_p=0.9),
    ]
    keys = {prompt_key(RenderedPrompt(ids, one)) for ids in [(1, 2), (12,)] for one in samplings}
    assert len(keys) == 2 * len(samplings)
    assert prompt_key(RenderedPrompt((1, 2), GREEDY)) == prompt_key(
        RenderedPrompt((1, 2), Sampling(max_tokens=4))
    )


@given(st.integers(1, 7), st.lists(st.tuples(st.text(max_size=4), st.booleans()), max_size=40))
def test_shards_are_a_partition_that_keeps_series_together(shards, names):
    asked = [
        request(f"r{number}", series=name if has_series and name else None)
        for number, (name, has_series) in enumerate(names)
    ]
    of = {one.id: shard_of(one, shards) for one in asked}
    assert all(0 <= number < shards for number in of.values())
    by_series = Counter((one.series, of[one.id]) for one in asked if one.series)
    assert len(by_series) == len({one.series for one in asked if one.series})


def test_shards_together_are_the_whole_and_share_the_store(tmp_path):
    asked = [
        request(
            f"{series}{wave}", series=series, wave=wave, accept=["d1:0"], unless_accepted=wave > 0
        )
        for series in "abcdefgh"
        for wave in range(3)
    ]
    alone = list(server(tmp_path / "alone", Echo()).serve(asked))
    texts = []
    for number in range(3):
        mine = [one for one in asked if shard_of(one, 3) == number]
        assert 0 < len(mine) < len(asked)
        texts += [one.text for one in list(server(tmp_path / "shared", Echo()).serve(mine))]
    assert sorted(texts) == sorted(one.text for one in alone)
    assert len(alone) == len(asked) - 1  # d2 became needless
    assert list(server(tmp_path / "shared", must_not_start).serve(asked)) == alone


def test_the_store_is_plain_json_lines(tmp_path):
    list(server(tmp_path, Echo()).serve([request("ä")]))
    (file,) = tmp_path.glob("*.jsonl")
    entry = json.loads(file.read_text(encoding="utf-8"))
    assert entry["completions"] == [{"text": "ä:0", "token_ids": [0, 7], "finish": "stop"}]
