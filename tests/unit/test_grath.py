import csv
import json

import pytest
from grath_data import FIRST, FOUR, SECOND, build, choice, generation, rows, said
from hypothesis import given
from hypothesis import strategies as st
from plumbline.methods.grath.demonstrations import DEMONSTRATIONS
from plumbline.methods.grath.parse import Sides, Unparsed, parse, similarity, unfit
from plumbline.methods.grath.prompt import candidates, pair_requests, training_sides
from plumbline.methods.grath.questions import choose
from plumbline.methods.grath.rounds import composition, outputs
from plumbline.methods.grath.truth import names_right
from plumbline.storage.files import InputError
from plumbline.texts.text import question_key
from real_data import published

# Questions


def test_evaluated_questions_are_left_out_however_they_are_written():
    questions = [
        choice("a", "Can pigs fly?"),
        choice("b", "Is water wet?"),
        choice("c", "Can pigs fly far?"),
        choice("d", "Is snow white?"),
    ]
    kept, dropped = choose(questions, [["CAN  pigs fly", "unrelated"], iter(["is snow white?!"])])
    assert [one.id for one in kept] == ["b", "c"]
    assert [one.id for one in dropped] == ["a", "d"]
    assert choose(questions, []) == (questions, [])
    with pytest.raises(InputError, match=r"grath.questions: all 4 questions"):
        choose(questions, [[one.question.upper() for one in questions]])


def test_no_demonstration_is_a_question_of_a_benchmark():
    data = published("arc", "truthfulqa")
    asked = {
        question_key(json.loads(line)["question"])
        for path in sorted((data / "arc").glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    }
    for path in sorted((data / "truthfulqa").glob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as stream:
            asked |= {question_key(row["Question"]) for row in csv.DictReader(stream)}
    assert len(asked) > 1500
    assert not asked & {question_key(one.question) for one in DEMONSTRATIONS}


# Prompts


def test_a_request_is_six_demonstrations_and_the_question():
    [request] = pair_requests([choice("q/1", "Why?")], max_tokens=100)
    assert (request.id, request.question, request.prompt) == ("q/1/grath_pair", "q/1", None)
    assert request.sampling.model_dump() == {
        "n": 1, "temperature": 0, "top_k": 0, "top_p": 1, "max_tokens": 100, "stop": (),
    }  # fmt: skip
    assert [one.role for one in request.messages] == ["user", "assistant"] * 6 + ["user"]
    for user, assistant, shown in zip(
        request.messages[0:12:2], request.messages[1:12:2], DEMONSTRATIONS, strict=True
    ):
        assert user.content.startswith(f"Here is a question: {shown.question}\nWrite one correct")
        assert assistant.content == said(shown.correct, shown.incorrect, shown.question)
        # What is shown is what is asked for and parsed, and would pass as a pair.
        assert parse(assistant.content) == (shown.correct, shown.incorrect)
        assert unfit(parse(assistant.content)) is None
    assert request.messages[-1].content == (
        "Here is a question: Why?\nWrite one correct and one incorrect answer to it. Both must "
        "sound plausible. Do not explain them."
    )


def test_with_ground_truth_every_turn_lists_a_right_and_a_wrong_option():
    [request] = pair_requests([choice("q", "Why?")], max_tokens=9, use_ground_truth=True)
    for message, shown in zip(request.messages[0:12:2], DEMONSTRATIONS, strict=True):
        assert message.content.splitlines()[1:3] == [
            f"An option that is right: {shown.right_option}",
            f"An option that is wrong: {shown.wrong_option}",
        ]
    right, wrong = candidates(choice("q"))
    assert request.messages[-1].content.splitlines()[:3] == [
        "Here is a question: Why?",
        f"An option that is right: {right}",
        f"An option that is wrong: {wrong}",
    ]


def test_the_options_shown_hang_on_the_question_alone():
    drawn = [
        candidates(choice(f"q{n}", choices=["w1", "r1", "w2", "r2", "w3"], labels=[0, 1, 0, 1, 0]))
        for n in range(60)
    ]
    assert {right for right, _ in drawn} == {"r1"}
    assert {wrong for _, wrong in drawn} == {"w1", "w2", "w3"}
    again = choice("q7", choices=["w1", "r1", "w2", "r2", "w3"], labels=[0, 1, 0, 1, 0], best=3)
    assert candidates(again) == ("r2", drawn[7][1])
    questions = [choice(f"q{n}") for n in range(20)]
    options = dict(max_tokens=9, use_ground_truth=True)
    forwards = list(pair_requests(questions, **options))
    assert list(pair_requests(questions[::-1], **options))[::-1] == forwards


LLAMA_TURN = (
    "<s>[INST] Here is a question: How many legs does a spider have?\n"
    "Write one correct and one incorrect answer to it. Both must sound plausible. "
    "Do not explain them. [/INST]\n"
    "Question: How many legs does a spider have?\n"
    "Correct answer: A spider has eight legs.\n"
    "Incorrect answer: A spider has six legs. </s>"
    "<s>[INST] Here is a question: Who painted"
)
ZEPHYR_TURN = LLAMA_TURN.replace("<s>[INST]", "\n<|user|>\n").replace(
    "[/INST]", "</s>\n<|assistant|>"
)


@pytest.mark.parametrize(
    ("legacy", "start", "end", "training"),
    [
        ("llama2", LLAMA_TURN, "Do not explain them. [/INST]", "[INST] Why? [/INST]"),
        (
            "zephyr",
            ZEPHYR_TURN,
            "Do not explain them. </s>\n<|assistant|>",
            "<|user|>\n Why? </s>\n<|assistant|>",
        ),
    ],
)
def test_legacy_prompts_are_the_authors_text(legacy, start, end, training):
    [request] = pair_requests([choice("q", "Why?")], max_tokens=100, legacy_prompt=legacy)
    assert request.messages is None
    assert request.prompt.startswith(start)
    assert request.prompt.endswith(end)
    assert request.prompt.count("Question: ") == 6
    assert request.sampling.stop == ("</s>",)
    sides = training_sides("Why?", "so", "not so", legacy)
    assert sides == {"prompt": training, "chosen": "so", "rejected": "not so"}


def test_a_model_is_trained_on_the_question_alone():
    sides = training_sides("Why?", "so", "not so", None)
    assert {key: [one.model_dump() for one in side] for key, side in sides.items()} == {
        "prompt": [{"role": "user", "content": "Why?"}],
        "chosen": [{"role": "assistant", "content": "so"}],
        "rejected": [{"role": "assistant", "content": "not so"}],
    }


# Parsing


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (said("a b", "c"), ("a b", "c")),
        ("\n" + said("a", "c") + "\n ", ("a", "c")),
        ("Correct answer: a\nIncorrect answer: c", ("a", "c")),
        ("Correct answer: a Incorrect answer: c", ("a", "c")),
        # The last "Correct answer: " of the first part counts.
        ("Correct answer: x\nCorrect answer: a\nIncorrect answer: c", ("a", "c")),
        # A later one belongs to the incorrect answer; line breaks vanish without a blank.
        (said("a\nb", "c\nd\n\ne"), ("ab", "cde")),
        (said("a", "c\nCorrect answer: d"), ("a", "cCorrect answer: d")),
        (said("a\r\nb", "c"), ("ab", "c")),
        (said("", "c"), ("", "c")),
        (said("a", "\nc"), ("a", "c")),
        # The output is stripped first, so a marker at its end has lost its blank.
        (said("a", ""), Unparsed.NO_INCORRECT),
        (said("a", "\n"), Unparsed.NO_INCORRECT),
        ("Correct answer: a", Unparsed.NO_INCORRECT),
        ("Correct answer: a\nIncorrect answer:c", Unparsed.NO_INCORRECT),
        ("Correct answer: a\nincorrect answer: c", Unparsed.NO_INCORRECT),
        ("", Unparsed.NO_INCORRECT),
        (said("a", "c") + "\nIncorrect answer: d", Unparsed.MANY_INCORRECT),
        ("Question: Q?\na\nIncorrect answer: c", Unparsed.NO_CORRECT),
        ("Incorrect answer: c\nCorrect answer: a", Unparsed.NO_CORRECT),
        ("correct answer: a\nIncorrect answer: c", Unparsed.NO_CORRECT),
    ],
)
def test_parsing(output, expected):
    assert parse(output) == expected


line = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters=":"), min_size=1)


@given(line, line, st.text("\n ", max_size=3))
def test_what_was_written_is_read(correct, incorrect, around):
    assert parse(around + said(correct, incorrect) + around) == (correct, incorrect)


@pytest.mark.parametrize(
    ("correct", "incorrect", "reason"),
    [
        ("Paris", "Lyon", None),
        ("", "Lyon", "empty_side"),
        ("Paris", "", "empty_side"),
        ("", "", "empty_side"),
        ("Paris", "Paris", "identical_sides"),
        ("The Paris.", "paris", "identical_sides"),
        ("It is Paris", "It  is Paris!", "identical_sides"),
        ("It is Paris", "It is in Paris", None),
        ("?", "!", None),  # nothing is left of either: compared as they are
        ("?", "?", "identical_sides"),
    ],
)
def test_sides_that_make_no_pair(correct, incorrect, reason):
    assert unfit(Sides(correct, incorrect)) == reason


def test_similarity_is_squads_f1():
    assert similarity("The cat sat.", "a Cat ran") == 0.5  # {cat, sat} and {cat, ran}
    assert similarity("one two", "three") == 0
    assert similarity("cat cat dog", "cat") == 2 * 1 / (3 + 1)
    assert similarity("cat cat dog", "cat cat cat") == 2 * 2 / (3 + 3)
    assert similarity("It is Paris", "it is PARIS!") == 1
    assert similarity("它在巴黎", "它在里昂") == 2 * 2 / (4 + 4)  # a character is a word
    assert similarity("?", "!") == 1
    assert similarity("?", "word") == 0


# Rounds


def lost(built):
    return {row["reason"]: row["n"] for row in built.dropped}


def test_two_rounds_of_four_questions_row_by_row():
    one = build(FIRST, FIRST, 1)
    assert rows(one) == [
        ("a", 1, "a right", "a wrong", "this round"),
        ("b", 1, "b right", "b wrong", "this round"),
    ]
    assert composition(one).model_dump() == {
        "name": "grath.r1", "rows": 2, "parts": {"this round": 2, "round 0": 0},
        "counted": {
            "round": 1, "asked": 4, "parsed": 3, "changed": 0,
            "similarity": pytest.approx((0 + 0.5) / 2),  # "a" is an article
        },
        "dropped": [
            {"stage": "grath", "item": "questions", "reason": "identical_sides", "n": 1},
            {
                "stage": "grath", "item": "questions", "n": 1,
                "reason": "unparsed_no_incorrect_answer",
            },
        ],
    }  # fmt: skip
    two = build(FIRST, SECOND, 2)
    assert rows(two) == [
        ("a", 2, "a better", "a wrong", "this round"),
        ("b", 2, "b right", "b wrong", "round 0"),
        ("d", 2, "d better", "D RIGHT!", "this round"),
    ]
    assert [pair.similarity for pair in two.rows] == [0, 0.5, 0.5]
    assert composition(two).model_dump() == {
        "name": "grath.r2", "rows": 3, "parts": {"this round": 2, "round 0": 1},
        "counted": {
            "round": 2, "asked": 4, "parsed": 3, "changed": 2,
            "similarity": pytest.approx(1 / 3),
        },
        "dropped": [
            {
                "stage": "grath", "item": "questions", "n": 1,
                "reason": "unparsed_no_incorrect_answer",
            },
        ],
    }  # fmt: skip
    pair = two.rows[0]
    assert [one.content for one in pair.prompt] == ["What about a?"] == [pair.question]
    assert pair.chosen[0].content == "a better"
    assert pair.rejected[0].content == "a wrong"
    plain = build(FIRST, SECOND, 2, legacy_prompt="llama2").rows[0]
    assert (plain.prompt, plain.chosen, plain.rejected) == (
        "[INST] What about a? [/INST]", "a better", "a wrong",
    )  # fmt: skip


def test_a_new_correct_answer_that_is_the_first_incorrect_one_is_no_pair():
    now = {**FIRST, "a": said("A wrong.", "a right"), "b": said("", "b wrong")}
    built = build(FIRST, {**now, "c": said("x", "y"), "d": said("x", "y")})
    assert rows(built) == [("d", 2, "x", "D RIGHT!", "this round")]
    assert lost(built) == {
        "identical_sides": 1, "empty_side": 1, "unparsed_no_incorrect_answer": 1,
    }  # fmt: skip


word = st.sampled_from(["red", "blue", "green", "Red."])
output = st.one_of(
    st.builds(said, word, word),
    st.just("no idea"),
    st.builds(lambda a, b: said(a, b) + "\nIncorrect answer: more", word, word),
    st.builds(lambda a: said("", a), word),
)


@given(st.lists(st.tuples(output, output), min_size=1, max_size=8), st.randoms())
def test_rounds_keep_the_first_incorrect_answers_and_account_for_every_question(texts, order):
    questions = [choice(f"q{n}") for n in range(len(texts))]
    first = {one.id: text for one, (text, _) in zip(questions, texts, strict=True)}
    now = {one.id: text for one, (_, text) in zip(questions, texts, strict=True)}
    try:
        built = build(first, now, questions=questions)
    except InputError as error:
        assert "gives a pair" in str(error)
        return
    asked = built.counted["asked"]
    assert len(built.rows) + sum(lost(built).values()) == asked == len(questions)
    for pair in built.rows:
        start, new = parse(first[pair.id]), parse(now[pair.id])
        assert pair.incorrect == start.incorrect
        assert pair.correct_from == ("this round" if isinstance(new, Sides) else "round 0")
        assert pair.correct == (new if isinstance(new, Sides) else start).correct
        assert unfit(Sides(pair.correct, pair.incorrect)) is None
    kept_first = sum(pair.correct_from == "round 0" for pair in built.rows)
    assert composition(built).parts["round 0"] == kept_first
    order.shuffle(questions)
    shuffled = dict(order.sample(sorted(now.items()), len(now)))
    assert build(first, shuffled, questions=questions) == built


def test_too_many_unparsed_outputs_stop_the_run():
    now = {"a": said("x", "y"), "b": "Blah blah", "c": "no idea", "d": said("x", "y")}
    assert build(FIRST, now, limit=50).counted["parsed"] == 2
    with pytest.raises(
        InputError,
        match=r"round 2: 2 of 4 outputs \(50%\).*allows \(49 %\)\. b \(unparsed_no_incorrect_answer"
        r"\): 'Blah blah'.*grath.max_tokens",
    ):
        build(FIRST, now, limit=49)


def test_no_pair_and_mixed_up_files_are_errors():
    same = {one.id: said("x", "X") for one in FOUR}
    with pytest.raises(InputError, match=r"none of 4 questions gives a pair \(identical_sides 4\)"):
        build(same, same, 1)
    with pytest.raises(InputError, match=r"round 1: .* outputs of the two differ"):
        build(FIRST, SECOND, 1)
    with pytest.raises(InputError, match="request d/grath_pair was not answered"):
        outputs(FOUR, [generation(name, "x") for name in "abc"])
    with pytest.raises(InputError, match="'e/grath_pair', which is about none of the questions"):
        outputs(FOUR, [generation(name, "x") for name in "abcde"])


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("the cell wall", True),
        ("It is the cell wall, not the cell", False),  # a wrong one as well
        ("a cell", False),
        ("Cell-wall", False),  # one word
        ("Cell wall or membrane", True),
        ("cells", False),
        ("", False),
        ("7.5", False),
        ("about 75 units", True),
    ],
)
def test_an_answer_is_right_that_names_a_right_option_and_no_wrong_one(answer, right):
    options = choice("q", choices=("cell", "cell wall", "Membrane!", "75"), labels=(0, 1, 1, 1))
    assert names_right(answer, options) is right
