"""Made-up questions of GRATH, what a model might write about them, and the rounds made of it."""

from plumbline.methods.grath.prompt import PURPOSE
from plumbline.methods.grath.rounds import build_round
from plumbline.records import ChoiceQuestion, Generation


def choice(name, text=None, choices=("yes", "no", "maybe"), labels=(1, 0, 0), **fields):
    return ChoiceQuestion(
        id=name,
        question=text or f"What about {name}?",
        choices=list(choices),
        labels=list(labels),
        **fields,
    )


def said(correct, incorrect, question="Q?"):
    return f"Question: {question}\nCorrect answer: {correct}\nIncorrect answer: {incorrect}"


def generation(name, text):
    return Generation(
        request=f"{name}/{PURPOSE}", purpose=PURPOSE, index=0, text=text, token_ids=[1],
        finish="stop",
    )  # fmt: skip


FOUR = [choice(name) for name in ("a", "b", "c", "d")]
FIRST = {
    "a": said("a right", "a wrong"),
    "b": said("b right", "b wrong"),
    "c": "no idea",
    "d": said("d right", "D RIGHT!"),
}
SECOND = {
    "a": said("a better", "a other"),
    "b": "Correct answer: cut off",
    "c": said("c late", "c later"),
    "d": said("d better", "d other"),
}


def build(first, now, number=2, questions=FOUR, limit=100.0, **options):
    name = f"grath.r{number}"
    return build_round(
        questions, first, now, name=name, number=number, max_unparsed=limit, **options
    )


def rows(built):
    return [(one.id, one.round, one.correct, one.incorrect, one.correct_from) for one in built.rows]
