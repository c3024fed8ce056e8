"""Splitting by a model: it is shown sentences with their facts, and asked for the next list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from plumbline.claims.records import Claim, Response, Splitting
from plumbline.claims.sentences import LIST_MARK
from plumbline.claims.split import Listing, collect, to_split
from plumbline.records import Generation, Request, Sampling
from plumbline.storage.files import InputError

PURPOSE = "claims"
NONE = "None"

_TASK = (
    "Take each sentence apart into its facts. Write one fact a line, each a full sentence that "
    "makes sense by itself: with names in place of pronouns, and with nothing that the sentence "
    f"does not say. Write {NONE} where a sentence states no fact.\n\n"
)

# Topic, sentence, its facts.
DEMONSTRATIONS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "Ada Lovelace",
        "She was an English mathematician, born in London in 1815, and is known for her notes on "
        "Charles Babbage's Analytical Engine.",
        (
            "Ada Lovelace was English.",
            "Ada Lovelace was a mathematician.",
            "Ada Lovelace was born in London.",
            "Ada Lovelace was born in 1815.",
            "Ada Lovelace is known for her notes on the Analytical Engine.",
            "The Analytical Engine was Charles Babbage's.",
        ),
    ),
    (
        "Lisbon",
        "It is the capital and largest city of Portugal.",
        ("Lisbon is the capital of Portugal.", "Lisbon is the largest city of Portugal."),
    ),
    ("Helium", "I hope this overview is useful to you!", ()),
    (
        "Spirited Away",
        'Directed by Hayao Miyazaki, the film won an Oscar in 2003, ahead of "Ice Age" and "Lilo '
        '& Stitch".',
        (
            "Spirited Away was directed by Hayao Miyazaki.",
            "Spirited Away won an Oscar.",
            "Spirited Away won an Oscar in 2003.",
            'Spirited Away won an Oscar ahead of "Ice Age".',
            'Spirited Away won an Oscar ahead of "Lilo & Stitch".',
        ),
    ),
    (
        "Nile",
        "The river flows north through eleven countries before it reaches the Mediterranean Sea.",
        (
            "The Nile flows north.",
            "The Nile flows through eleven countries.",
            "The Nile reaches the Mediterranean Sea.",
        ),
    ),
    (
        "Marie Curie",
        "In 1911, eight years after her first Nobel Prize, she won a second one, in Chemistry.",
        (
            "Marie Curie won her first Nobel Prize in 1903.",
            "Marie Curie won a second Nobel Prize in 1911.",
            "Marie Curie won a Nobel Prize in Chemistry.",
        ),
    ),
    (
        "Octopus",
        "Most octopuses have three hearts and blue blood, but no bones.",
        (
            "Most octopuses have three hearts.",
            "Most octopuses have blue blood.",
            "Most octopuses have no bones.",
        ),
    ),
)


def _block(topic: str, sentence: str) -> str:
    return f"Topic: {topic}\nSentence: {sentence}\nFacts:\n"


def _prefix() -> str:
    blocks = (
        _block(topic, sentence) + ("\n".join(f"- {fact}" for fact in facts) or NONE)
        for topic, sentence, facts in DEMONSTRATIONS
    )
    return _TASK + "\n\n".join(blocks) + "\n\n"


def split_requests(responses: Iterable[Response], max_tokens: int) -> Iterator[Request]:
    """One greedy request for each sentence of each response that is neither empty nor refused.

    The prompts share everything but their last block. max_tokens limits the list for one sentence.
    """
    prefix = _prefix()
    sampling = Sampling(max_tokens=max_tokens, stop=("\n\n", "\nTopic:"))
    for response in responses:
        _, parts = to_split(response)
        for index, sentence in enumerate(parts):
            yield Request(
                id=_request_id(response, index),
                prompt=prefix + _block(response.topic, sentence),
                sampling=sampling,
                purpose=PURPOSE,
                response=response.id,
                sentence=index,
            )


def _request_id(response: Response, index: int) -> str:
    return f"{response.id}/{PURPOSE}#{index}"


def parse(text: str, *, complete: bool) -> Listing:
    """The facts that a completion lists, one per line after a dash or a number.

    Other lines are skipped. `NONE` alone is an empty list; a text without a list is not parsed.
    complete: whether the completion ended by itself; otherwise its last line is left out.
    """
    lines = text.splitlines()
    cut = False
    if lines and not complete and not text.endswith("\n"):
        cut = LIST_MARK.match(lines.pop()) is not None
    lines = [line for line in lines if line.strip()]
    marked = [line[mark.end() :] for line in lines if (mark := LIST_MARK.match(line))]
    facts = tuple(" ".join(line.split()) for line in marked if any(c.isalnum() for c in line))
    if [_bare(line) for line in facts or lines] == [NONE.casefold()]:
        return Listing(cut=cut)
    return Listing(facts, parsed=bool(facts), cut=cut)


def _bare(line: str) -> str:
    return line.strip(" .").casefold()


def split_from_generations(
    responses: Iterable[Response], generations: Iterable[Generation]
) -> tuple[list[Claim], list[Splitting]]:
    """Claims and outcomes from the answers to `split_requests`.

    Raises InputError when a sentence has no answer.
    """
    answers = {generation.request: generation for generation in generations}

    def listing(request: str) -> Listing:
        if request not in answers:
            raise InputError(f"request {request} was not answered; generate again.")
        return parse(answers[request].answer, complete=answers[request].finish == "stop")

    return collect(
        responses,
        lambda response, parts: [listing(_request_id(response, i)) for i in range(len(parts))],
    )
