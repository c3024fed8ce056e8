import json
from collections import Counter

import pytest
from plumbline.data.instructions import (
    PERSON_TEMPLATES,
    SEED,
    Instruction,
    entity_prompts,
    load_instructions,
)
from plumbline.data.similar import near_duplicate
from plumbline.storage.files import InputError, read_unique_rows
from real_data import published


@pytest.fixture
def benchmark():
    return published("instructions", "longfact")


def lines(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def reasons(dropped):
    return {row["reason"]: row["n"] for row in dropped}


def test_the_seed_set():
    rows, dropped = load_instructions("embedded")
    assert rows == read_unique_rows(SEED, Instruction)
    assert dropped == []
    assert len(rows) >= 110
    kinds = Counter(row.fact_based for row in rows)
    assert set(kinds) == {True, False} and min(kinds.values()) > 0.4 * len(rows)
    for row in rows:
        assert len(row.responses) == 1
        assert 30 <= len(row.responses[0].split()) <= 90, row.id
        assert (row.topic is not None) == row.fact_based, row.id
        assert row.instruction.strip() == row.instruction
        assert row.responses[0].strip() == row.responses[0]
        assert not any(
            near_duplicate(row.instruction, other.instruction) for other in rows if other is not row
        )


def test_the_answers_of_the_seed_sets_python_code_run():
    rows, _ = load_instructions("embedded")
    code = {
        row.id: row.responses[0].split("```python\n")[1].split("```")[0]
        for row in rows
        if "```python\n" in row.responses[0]
    }
    assert len(code) == 4
    names: dict = {}
    exec(code["seed/code-reverse-words"], names)
    assert names["reverse_words"]("one two three") == "three two one"
    exec(code["seed/code-recursion"], names)
    assert names["total"]([4, 5, 6]) == 15
    exec(code["seed/code-bug"], names)
    assert names["result"] == [1, 2, 3]
    compile(code["seed/code-count-words"], "count_words", "exec")


def test_own_rows(tmp_path):
    path = lines(
        tmp_path / "own.jsonl",
        {"instruction": "Say hello.", "response": "Hello!", "level": 1},
        {"id": "x", "instruction": "Say  Hello.", "responses": ["Hi!", "Hello!"], "topic": "t"},
        {"instruction": "Who was Bach?", "fact_based": True, "source": "mine"},
    )
    rows, dropped = load_instructions("rows", path)
    assert reasons(dropped) == {"merged": 1}
    hello, bach = rows
    assert (hello.responses, hello.level, hello.source) == (["Hello!", "Hi!"], 1, "rows")
    assert (bach.responses, bach.fact_based, bach.source) == ([], True, "mine")
    again, _ = load_instructions(
        "rows", lines(tmp_path / "b.jsonl", {"instruction": "Who was Bach?"})
    )
    assert again[0].id == bach.id  # an id made from the text does not depend on the place


def turns(form, *texts):
    """A conversation as chat messages or as ShareGPT has it."""
    if form == "messages":
        return [{"role": ("user", "assistant")[n % 2], "content": t} for n, t in enumerate(texts)]
    return [{"from": ("human", "gpt")[n % 2], "value": t} for n, t in enumerate(texts)]


ALPACA = {"instruction": "Sum it up.", "input": "It rained.", "output": "Rain."}


@pytest.mark.parametrize(
    "row",
    [
        ALPACA,
        {
            "instruction": "Sum it up.",
            "context": "It rained.",
            "response": "Rain.",
            "category": "x",
        },
        *(
            {asked: "Sum it up.\n\nIt rained.", answered: "Rain."}
            for asked, answered in [
                ("instruction", "response"),
                ("prompt", "response"),
                ("prompt", "completion"),
                ("question", "answer"),
            ]
        ),
        {"instruction": "Sum it up.\n\nIt rained.", "input": " ", "responses": ["Rain."]},
        {"conversations": turns("conversations", "Sum it up.\n\nIt rained.", "Rain.")},
        {
            "prompt": "Sum it up.\n\nIt rained.",  # the first turn once more
            "messages": turns("messages", "Sum it up.\n\nIt rained.", "Rain.", "More.", "Wind."),
        },
    ],
)
def test_an_instruction_in_any_shape(tmp_path, row):
    (found,), dropped = load_instructions("rows", lines(tmp_path / "own.jsonl", row))
    assert (found.instruction, found.responses) == ("Sum it up.\n\nIt rained.", ["Rain."])
    assert reasons(dropped) == ({"later turns": 2} if "messages" in row else {})


def test_turns_without_an_answer(tmp_path):
    path = lines(tmp_path / "own.jsonl", {"messages": turns("messages", "Why?")})
    (found,), dropped = load_instructions("rows", path)
    assert (found.instruction, found.responses, dropped) == ("Why?", [], [])


def test_instructions_that_differ_in_their_input_are_two(tmp_path):
    path = lines(
        tmp_path / "own.jsonl", ALPACA, ALPACA | {"input": "It snowed.", "output": "Snow."}
    )
    rows, dropped = load_instructions("rows", path)
    assert [row.responses for row in rows] == [["Rain."], ["Snow."]]
    assert len({row.id for row in rows}) == 2 and not dropped


@pytest.mark.parametrize("name", [{}, {"id": "river"}])
def test_equal_instructions_become_one(tmp_path, name):
    """Also where nobody gave them an id, or gave them the same one."""
    path = lines(
        tmp_path / "own.jsonl",
        *({**name, "instruction": "Name a river.", "response": one} for one in ("Elbe.", "Rhine.")),
        {"instruction": "Name a sea.", "response": "North Sea."},
    )
    rows, dropped = load_instructions("rows", path)
    assert [row.responses for row in rows] == [["Elbe.", "Rhine."], ["North Sea."]]
    assert reasons(dropped) == {"merged": 1}


def test_columns_that_nothing_reads_are_named_with_their_rows(tmp_path, caplog):
    path = lines(
        tmp_path / "own.jsonl",
        {"instruction": "a", "chosen": "b", "note": ""},
        {"instruction": "c", "chosen": "d", "level": 1},
    )
    load_instructions("rows", path)
    assert caplog.messages == [
        f"{path}: columns that are not read, and how many rows have them: chosen 2, level 1."
    ]


def message(name, text, role="prompter", parent=None, **changes):
    row = {"message_id": name, "parent_id": parent, "text": text, "role": role, "lang": "en"}
    return {**row, "deleted": False, "review_result": True, "rank": None, **changes}


FLAT = (
    message("p1", "How do I sharpen a knife?"),
    message("a1", "Use a stone.", "assistant", "p1", rank=1),
    message("a0", "Hold it at twenty degrees.", "assistant", "p1", rank=0),
    message("p1b", "And scissors?", parent="a0"),
    message("a0b", "The same way.", "assistant", "p1b", rank=0),
    message("p2", "Wie geht es?", lang="de"),
    message("p3", "Nobody answered."),
    message("p4", "Spam!", review_result=False),
    message("a4", "No.", "assistant", "p4", rank=0),
    message("p5", "Unranked?"),
    message("a5", "Yes.", "assistant", "p5"),
    message("p6", "Answered in German?"),
    message("a6", "Ja.", "assistant", "p6", rank=0, lang="de"),
)


def tree(root, rows):
    def node(row):
        below = [node(one) for one in rows if one["parent_id"] == row["message_id"]]
        return {**row, "replies": below}

    return {"message_tree_id": root["message_id"], "prompt": node(root)}


@pytest.mark.parametrize("form", ["messages", "trees", "parquet"])
def test_oasst_first_turns(tmp_path, form):
    path = tmp_path / "oasst.jsonl"
    if form == "messages":
        lines(path, *FLAT[::-1])  # a reply may come before its prompt
    elif form == "trees":
        lines(path, *(tree(row, FLAT) for row in FLAT if row["parent_id"] is None))
    else:
        import pandas

        path = path.with_suffix(".parquet")
        frame = pandas.DataFrame(FLAT).astype({"rank": "Int64"})
        frame.to_parquet(path)
    rows, dropped = load_instructions("oasst", path)
    assert [(row.id, row.instruction, row.responses) for row in rows] == [
        ("oasst/p1", "How do I sharpen a knife?", ["Hold it at twenty degrees."])
    ]
    assert reasons(dropped) == {
        "another language": 1,
        "deleted or rejected": 1,
        "no reply of rank 0": 2,
        "reply deleted, rejected or in another language": 1,
    }


def test_self_instruct_inputs_belong_to_the_instruction(tmp_path):
    path = lines(
        tmp_path / "tasks.jsonl",
        {
            "id": "t0",
            "instruction": "Translate.",
            "instances": [
                {"input": "yes", "output": "oui"},
                {"input": "no", "output": "non"},
                {"input": "yes", "output": "ouais"},
                {"input": "maybe", "output": " "},
            ],
        },
        {"id": "t1", "instruction": "Sing.", "instances": [{"input": "", "output": "La la."}]},
    )
    rows, dropped = load_instructions("self_instruct", path)
    assert [(row.id, row.instruction, row.responses) for row in rows] == [
        ("self_instruct/t0", "Translate.\n\nyes", ["oui", "ouais"]),
        ("self_instruct/t0#1", "Translate.\n\nno", ["non"]),
        ("self_instruct/t1", "Sing.", ["La la."]),
    ]
    assert reasons(dropped) == {"no response": 1}


def test_evaluation_prompts(tmp_path):
    folder = tmp_path / "longfact"
    folder.mkdir()
    lines(folder / "b.jsonl", {"prompt": "What is an atom?"}, {"prompt": "what is an  atom?"})
    lines(folder / "a.jsonl", {"prompt": "Who is Bach?"})
    rows, dropped = load_instructions("longfact", folder)
    assert [(row.id, row.subset, row.fact_based) for row in rows] == [
        ("a/0", "a", True),
        ("b/0", "b", True),
    ]
    assert reasons(dropped) == {"merged": 1}
    path = lines(
        tmp_path / "mt.jsonl",
        {"question_id": 81, "category": "writing", "turns": ["Write.", "Rewrite."]},
    )
    (row,), _ = load_instructions("mt_bench", path)
    assert (row.id, row.instruction, row.category) == ("mt_bench/81", "Write.", "writing")
    assert (row.responses, row.fact_based) == ([], None)


@pytest.mark.parametrize(
    ("format", "rows", "message"),
    [
        ("rows", [{"id": "x", "text": "?"}], r"own.jsonl, line 1: instruction"),
        ("rows", [{"instruction": ""}], r"line 1: instruction"),
        (
            "rows",
            [{"id": "x", "instruction": "a b"}, {"id": "x", "instruction": "c"}],
            "own.jsonl: 'x' is the id of two instructions",
        ),
        ("rows", [{"prompt": "a", "question": "b"}], "line 1: .*prompt and question say two"),
        ("rows", [{"instruction": "a", "output": "b", "answer": "c"}], "output and answer say two"),
        ("rows", [{"input": "a"}], "column input without an instruction"),
        ("rows", [{"instruction": "a", "system": "b"}], "the column system is not read"),
        ("rows", [{"instruction": "a", "output": ["b"]}], "the column output is not read"),
        ("rows", [{"instruction": "a", "answers": ["b"]}], "the column answers is not read"),
        ("rows", [{"messages": [{"role": "user"}]}], r"messages\.0: expected the texts role"),
        (
            "rows",
            [{"conversations": [{"from": "system", "value": "a"}]}],
            r"conversations\.0: a turn of 'system'; the first one must be the user's",
        ),
        ("rows", [], "no instruction is left"),
        ("oasst", [message("p3", "Nobody answered.")], "no instruction is left.*1 no reply"),
        ("oasst", [{"text": "?"}], "line 1: .*neither a tree"),
        ("self_instruct", [{"id": "t", "instruction": "x", "instances": []}], "line 1: instances"),
        ("mt_bench", [{"question_id": 1, "turns": []}], "line 1: turns"),
        ("longfact", [{"question": "?"}], "line 1: prompt"),
    ],
)
def test_bad_files_are_named(tmp_path, format, rows, message):
    with pytest.raises(InputError, match=message):
        load_instructions(format, lines(tmp_path / "own.jsonl", *rows))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        load_instructions("rows", tmp_path / "none.jsonl")
    with pytest.raises(InputError, match="format oasst needs a file"):
        load_instructions("oasst")


def test_prompts_over_entities_depend_on_the_entity_and_the_seed_alone():
    names = [f"Person {number}" for number in range(200)]
    rows = entity_prompts([*names, names[0]], PERSON_TEMPLATES, seed=1)
    assert [row.topic for row in rows] == names
    assert all(row.topic in row.instruction and "[X]" not in row.instruction for row in rows)
    assert all(row.fact_based and not row.responses for row in rows)
    used = Counter(row.instruction.replace(row.topic, "[X]") for row in rows)
    assert set(used) == set(PERSON_TEMPLATES) and min(used.values()) > 25  # 50 expected of each
    assert entity_prompts(names[::-1], PERSON_TEMPLATES, seed=1) == rows[::-1]
    assert entity_prompts(names, PERSON_TEMPLATES, seed=2) != rows
    with pytest.raises(InputError, match=r"'Who\?': has no \[X\]"):
        entity_prompts(names, ["Who?"], seed=1)


def test_the_real_files(benchmark):
    folder = benchmark / "instructions"
    rows, dropped = load_instructions("self_instruct", folder / "self_instruct_seed_tasks.jsonl")
    assert (len(rows), dropped) == (175, [])
    assert all(row.responses for row in rows)
    rows, _ = load_instructions("self_instruct", folder / "self_instruct_user_oriented.jsonl")
    assert len(rows) == 252 and rows[0].instruction.endswith("please let me know.")
    rows, _ = load_instructions("mt_bench", folder / "mt_bench_question.jsonl")
    assert Counter(row.category for row in rows) == dict.fromkeys(
        ["writing", "roleplay", "reasoning", "math", "coding", "extraction", "stem", "humanities"],
        10,
    )
    objects, dropped = load_instructions(
        "longfact", next((benchmark / "longfact").glob("longfact-objects*"))
    )
    assert len(objects) + reasons(dropped)["merged"] == 1140
    assert len({row.subset for row in objects}) == 38
