"""Thoughts are no part of an answer, wherever it is read, trained on, or asked for."""

import logging

import pytest
from plumbline.claims.by_rule import split_by_rule
from plumbline.claims.records import Response, SplitState
from plumbline.claims.sentences import sentences
from plumbline.config.training import Recipe
from plumbline.data.instruction_sets import Prompt
from plumbline.data.instructions import Instruction
from plumbline.evaluation.answer_ranks import greedy_written
from plumbline.evaluation.exact_answers import closed_book_request
from plumbline.generation.engine import Completion, Engine, render
from plumbline.generation.serve import Server
from plumbline.generation.store import Store
from plumbline.methods.grath.parse import Unparsed, parse
from plumbline.methods.grath.prompt import request_id
from plumbline.methods.grath.rounds import outputs
from plumbline.models import checkpoints
from plumbline.models.chat import prompt_text, settle_template
from plumbline.models.importing import import_model
from plumbline.records import (
    ChoiceQuestion,
    Example,
    Generation,
    Message,
    Pair,
    Question,
    Request,
    Sampling,
)
from plumbline.responses.drawn import collect
from plumbline.storage.files import InputError, write_rows
from plumbline.texts.thoughts import is_unclosed, may_open, opened_by, without_thoughts
from plumbline.training.data import load_examples, load_pairs
from plumbline.training.run import TrainingRun
from tiny import tiny_model, tiny_tokenizer
from transformers import AutoModelForCausalLM

# Reading.


@pytest.mark.parametrize(
    ("text", "opened", "answer", "unclosed"),
    [
        ("Rome.\n", False, "Rome.\n", False),
        ("<think>\nParis?\n</think>\n\nRome.", False, "Rome.", False),
        ("<think>\n\n</think>\n\nRome", False, "Rome", False),
        ("<think>Paris? It was", False, "", True),
        ("Paris?\n</think>\n\nRome", True, "Rome", False),
        ("Paris?\n</think>\n\nRome", False, "Rome", False),  # the prompt opened it all the same
        ("Paris", True, "", True),
        ("Rome <think>sure?</think> it is.", False, "Rome  it is.", False),
        ("Rome. <think>sure", False, "Rome.", True),
        ("[THINK]Paris?[/THINK]Rome", False, "Rome", False),
        ("<reasoning>Paris?</reasoning> Rome", False, "Rome", False),
        ("a < b, <b>thinking</b>", False, "a < b, <b>thinking</b>", False),
        ("", False, "", False),
    ],
)
def test_what_is_said_outside_thoughts(text, opened, answer, unclosed):
    assert without_thoughts(text, opened) == answer
    assert is_unclosed(text, opened) == unclosed


def test_where_a_thought_begins():
    assert [may_open(text) for text in ("<", " <thi", "[TH", "", "<b", "Rome")] == [
        True, True, True, False, False, False,
    ]  # fmt: skip
    assert opened_by("user: hi\nassistant: <think>\n") == "<think>"
    assert opened_by("assistant: <think>\n\n</think>\n\n") is None
    assert opened_by("what does <think> mean?") is None


# Claims.

THOUGHT = "<think>\nIs Oslo in Sweden? No, in Finland.\n</think>\n\nOslo is the capital of Norway."


def test_neither_thoughts_nor_code_make_claims():
    texts = {
        "thought": THOUGHT,
        "unfinished": "<think>\nOslo is a town in Finland and was founded in 2001",
        "code": "```python\nprint('Oslo is in Finland.')\n```",
        "open code": "Oslo is in Norway.\n~~~\nOslo is in Finland.\n```\nOslo is in Sweden.",
        "longer fence": "````\nx = '''\n```\nOslo is in Finland.\n````\nOslo is in Norway.",
        "empty": " \n",
    }
    responses = [
        Response(id=name, prompt="Oslo?", topic="Oslo", text=text) for name, text in texts.items()
    ]
    responses.append(
        Response(id="told", prompt="Oslo?", topic="Oslo", text="", unfinished_thought=True)
    )
    claims, outcomes = split_by_rule(responses)
    assert {claim.response: claim.text for claim in claims} == {
        "thought": "Oslo is the capital of Norway.",
        "open code": "Oslo is in Norway.",
        "longer fence": "Oslo is in Norway.",
    }
    assert {one.response: one.state for one in outcomes} == {
        "thought": SplitState.OK, "unfinished": SplitState.UNFINISHED_THOUGHT,
        "code": SplitState.NO_CLAIMS, "open code": SplitState.OK, "longer fence": SplitState.OK,
        "empty": SplitState.EMPTY, "told": SplitState.UNFINISHED_THOUGHT,
    }  # fmt: skip
    assert sentences("Use `pip` here.\n```sh\npip\n```\nIt works.", "pip") == [
        "Use `pip` here.",
        "It works.",
    ]


# Everyone reads the answer.


def generation(request, text, index=0, finish="stop", **keys):
    return Generation(
        request=request, purpose="x", index=index, text=text, token_ids=[1], finish=finish, **keys
    )


def test_responses_are_answers_and_unfinished_thoughts_are_counted():
    instruction = Instruction(id="i", instruction="Oslo?", source="rows")
    request = Request(id="i/x", prompt="Oslo?", purpose="x", instruction="i",
                      sampling=Sampling(n=3, temperature=1, max_tokens=9))  # fmt: skip
    drawn = [
        generation("i/x", THOUGHT, 0),
        generation("i/x", "<think>Oslo is", 1, "length"),
        generation("i/x", "Oslo is", 2, "length", in_thought=True),
    ]
    responses, dropped = collect([instruction], [request], drawn)
    assert [one.text for one in responses] == ["Oslo is the capital of Norway."]
    assert dropped == {"unfinished thought": 2}
    kept, dropped = collect([instruction], [request], drawn, unfinished=True)
    assert [(one.text, one.unfinished_thought) for one in kept] == [
        ("Oslo is the capital of Norway.", False), ("", True), ("", True),
    ]  # fmt: skip
    assert not dropped


def test_graths_pairs_are_outside_thoughts():
    questions = [
        ChoiceQuestion(id=name, question="?", choices=["a", "b"], labels=[1, 0]) for name in "ab"
    ]
    found = outputs(questions, [
        generation(request_id("a"), "<think>Incorrect answer: </think>Correct answer: x\n"
                                    "Incorrect answer: y"),
        generation(request_id("b"), "Correct answer: x\nIncorrect answer: y", in_thought=True),
    ])  # fmt: skip
    assert parse(found["a"]) == ("x", "y")
    assert parse(found["b"]) is Unparsed.THOUGHT


def test_a_chat_model_is_not_stopped_at_its_first_line_break():
    question = Question(id="q", relation="r", subject="s", question="?", answers=["x"],
                        split="test", domain="id")  # fmt: skip
    sampling = Sampling(max_tokens=9, stop=("\n",))
    assert closed_book_request(question, "closed_book_plain", "?", sampling).sampling.stop == (
        "\n",
    )
    chat = closed_book_request(
        question, "closed_book_chat", [Message(role="user", content="?")], sampling
    )
    assert chat.sampling.stop == ()


class Scripted(Engine):
    def __init__(self, texts):
        self.texts = texts

    def stream(self, prompts):
        for name, _ in prompts:
            yield name, [Completion(self.texts.pop(0), [5], "stop")]


def template(opening: str, told: str) -> str:
    """ChatML; what the generation prompt opens an answer with, and what one is told with."""
    return (
        "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' }}"
        "{% if m['role'] == 'assistant' and loop.last %}{{ '" + told + "' }}{% endif %}"
        "{{ m['content'].split('</think>')[-1] | trim }}{{ '<|im_end|>\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' + '" + opening + "' }}"
        "{% endif %}"
    ).replace("\n", "\\n")


EMPTY = "<think>\n\n</think>\n\n"


def test_an_answer_is_accepted_without_its_thoughts(tmp_path, caplog):
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = template("<think>\n", "")
    requests = [
        Request(id=f"r{n}", messages=[Message(role="user", content="?")], purpose="x",
                sampling=Sampling(max_tokens=9 + n), series="s", wave=n, accept=["Rome"],
                unless_accepted=n > 0)
        for n in range(3)
    ]  # fmt: skip
    engine = Scripted(["Rome", "Oslo?\n</think>\n\nRome"])
    server = Server(Store(tmp_path), tokenizer, lambda: engine, max_model_len=200)
    with caplog.at_level(logging.WARNING):
        found = list(server.serve(requests))
    assert [(one.request, one.text, one.answer) for one in found] == [
        ("r0", "Rome", ""),
        ("r1", "Oslo?\n</think>\n\nRome", "Rome"),
    ]
    assert "1 of 2 answers break off within a thought" in caplog.text


# Training.


@pytest.mark.parametrize(
    ("opening", "told", "ending", "learnt"),
    [
        ("", EMPTY, "assistant\n", EMPTY + "Rome"),  # the model opens and closes it
        (EMPTY, EMPTY, EMPTY, "Rome"),
        (EMPTY, "", EMPTY, "Rome"),  # only when asked
        ("<think>\n", "", "<think>\n", "\n</think>\n\nRome"),  # what is opened has to be closed
        ("<think>\n", EMPTY, "<think>\n", "\n</think>\n\nRome"),
    ],
)
def test_training_goes_on_where_generation_begins(tmp_path, opening, told, ending, learnt):
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = template(opening, told)
    asked = [Message(role="user", content="Where?")]
    answer, other = ([Message(role="assistant", content=text)] for text in ("Rome", "Oslo"))
    write_rows(tmp_path / "sft.jsonl", [Example(id="e", prompt=asked, completion=answer)])
    write_rows(tmp_path / "dpo.jsonl", [Pair(id="p", prompt=asked, chosen=answer, rejected=other)])
    [row] = load_examples(tmp_path / "sft.jsonl", tokenizer, 99)[0]
    [pair] = load_pairs(tmp_path / "dpo.jsonl", tokenizer, 99)[0]
    request = Request(id="r", messages=asked, sampling=Sampling(max_tokens=9), purpose="x")
    prompt = list(render(tokenizer, request))
    labels = [label for label in row["labels"] if label != -100]
    assert tokenizer.decode(prompt).endswith(ending)
    assert row["input_ids"] == prompt + labels
    assert pair.prompt_ids == prompt
    assert tokenizer.decode(labels) == tokenizer.decode(pair.chosen_ids) == learnt + "<|im_end|>"
    in_thought = opened_by(tokenizer.decode(prompt)) is not None
    assert without_thoughts(tokenizer.decode(labels[:-1]), in_thought) == "Rome"


# The template's options.

SWITCH = template("", "") + (
    "{% if add_generation_prompt and enable_thinking is defined and not enable_thinking %}"
    "{{ '<think>\\n\\n</think>\\n\\n' }}{% endif %}"
)


def test_an_option_of_the_template_holds_wherever_the_model_goes(tmp_path):
    source = tiny_model(tmp_path / "source")
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = SWITCH
    tokenizer.save_pretrained(source)
    turns = [{"role": "user", "content": "?"}]
    thinking = prompt_text(tokenizer, turns)
    quiet = tokenizer.apply_chat_template(
        turns, tokenize=False, add_generation_prompt=True, enable_thinking=False
    )
    assert quiet == thinking + EMPTY
    identities = set()
    for number, options in enumerate(({}, {"enable_thinking": False}, {"enable_thinking": True})):
        base = tmp_path / f"base{number}"
        about = import_model(source, base, "base", "float32", chat_template_kwargs=options)
        assert about["chat_template_kwargs"] == options
        found = prompt_text(checkpoints.load_tokenizer(base), turns)
        assert found == (quiet if options.get("enable_thinking") is False else thinking)
        (tmp_path / "rows.jsonl").write_text("")
        run = TrainingRun(
            name="x", examples=tmp_path / "rows.jsonl", parent=base, probes=[], stops=(),
            recipe=Recipe(learning_rate=0.1, epochs=1, global_batch_size=1), match="squad",
            sampling=Sampling(max_tokens=1), seed=1, device="cpu", out=base, work=base,
        )  # fmt: skip
        identities.add(run.identity())
    assert len(identities) == 3  # what was trained under other options is not taken for it


def test_every_kind_of_value_reaches_the_template():
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = "\n{{ a }} {{ b }} {{ c }} {{ d }}"
    turns = [{"role": "user", "content": "?"}]
    plain = tokenizer.apply_chat_template(turns, tokenize=False, a="x\"'\né", b=True, c=2, d=0.5)
    settle_template(tokenizer, {"a": "x\"'\né", "b": True, "c": 2, "d": 0.5})
    assert tokenizer.apply_chat_template(turns, tokenize=False) == plain


def test_an_option_that_no_template_reads_is_refused():
    tokenizer = tiny_tokenizer()
    with pytest.raises(InputError, match="does not read 'enable_thinking'"):
        settle_template(tokenizer, {"enable_thinking": False})
    tokenizer.chat_template = None
    with pytest.raises(InputError, match="does not read 'enable_thinking'"):
        settle_template(tokenizer, {"enable_thinking": False})


def test_marks_that_are_special_tokens_are_read_too(tmp_path):
    source = tiny_model(tmp_path / "source")
    tokenizer = tiny_tokenizer()
    marks = ["<think>", "</think>", "<tool>"]
    tokenizer.add_special_tokens({"additional_special_tokens": marks})
    tokenizer.save_pretrained(source)
    model = AutoModelForCausalLM.from_pretrained(source)
    model.resize_token_embeddings(len(tokenizer))
    model.save_pretrained(source)
    text = "<think>Oslo?</think>Rome<tool>"
    ids = tokenizer(text)["input_ids"]
    assert tokenizer.decode(ids, skip_special_tokens=True) == "Oslo?Rome"
    import_model(source, tmp_path / "base", "base", "float32")
    found = checkpoints.load_tokenizer(tmp_path / "base")
    assert found(text)["input_ids"] == ids
    assert found.decode(ids, skip_special_tokens=True) == "<think>Oslo?</think>Rome"


# Token shift.


def test_only_the_answers_tokens_are_ranked():
    tokenizer = tiny_tokenizer()
    texts = ["Rome", THOUGHT, "<think>Oslo"]
    prompts = [Prompt(id=f"p{n}", instruction="?", source="rows", domain="id") for n in range(3)]
    requests = [
        Request(id=f"r{n}", prompt="?", sampling=Sampling(max_tokens=99), purpose="x",
                instruction=f"p{n}")
        for n in range(3)
    ]  # fmt: skip
    generations = []
    for request, text in zip(requests, texts, strict=True):
        ids = tokenizer(text)["input_ids"]
        ended = not is_unclosed(text)
        generations.append(
            Generation(request=request.id, purpose="x", index=0, text=text,
                       token_ids=ids + [2] * ended, finish="stop" if ended else "length")
        )  # fmt: skip
    found = greedy_written(prompts, requests, generations, tokenizer)
    parts = [[tokenizer.decode(ids) for ids in one.answer] for one in found]
    thought = THOUGHT.partition("Oslo is the capital")[0]
    assert parts == [
        ["?", "Rome<|im_end|>"],
        ["?" + thought, "Oslo is the capital of Norway.<|im_end|>"],
        ["?<think>Oslo", ""],
    ]
