"""Few-shot probing: exemplar sets, and requests made with them (Gekhman et al. 2024, sec. 3)."""

from __future__ import annotations

import logging
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import combinations
from math import comb

from pydantic import Field

from plumbline.data.select import order
from plumbline.methods.slick.config import Slick
from plumbline.records import NonEmpty, Question, Record, Request, Sampling
from plumbline.storage.files import InputError
from plumbline.texts.matching import unmatchable
from plumbline.texts.text import fold

log = logging.getLogger("plumbline")
GREEDY, SAMPLED = "slick_greedy", "slick_sampled"


class ExemplarSet(Record):
    """A relation's k-shot prompt prefix."""

    id: NonEmpty = Field(description="<relation>#<number>.")
    relation: NonEmpty
    number: int = Field(ge=0, description="0..N_ex-1.")
    exemplars: list[NonEmpty] = Field(description="Ids of the dev questions shown, in order.")
    subjects: list[NonEmpty] = Field(description="Their subjects.")
    prefix: str = Field(description="The blocks `Q: …` / `A: …` before the question asked.")

    @cached_property
    def shown(self) -> frozenset[str]:
        """What its subjects are recognised by."""
        return frozenset(map(fold, self.subjects))


def answerable(
    questions: Sequence[Question], tokenizer, max_tokens: int
) -> tuple[list[Question], Counter]:
    """The questions that a model's answer can get right, and counts of the others by relation, split
    and reason.

    The others would be Unknown whatever a model knows. In general any accepted answer will do; for
    questions that may be trained on, the first one must, since training teaches it. Raises InputError
    when no question is left.
    """
    kept: list[Question] = []
    dropped: Counter[tuple[str, str, str]] = Counter()
    for question in questions:
        expected = question.answers[:1] if question.split == "train" else question.answers
        # An answer that matches in mode raw matches in both.
        why = [unmatchable(answer, tokenizer, max_tokens, "raw") for answer in expected]
        if None in why:
            kept.append(question)
        else:
            dropped[question.relation, question.split, why[0]] += 1
    if dropped:
        sums: Counter[str] = Counter()
        for (_, _, reason), n in dropped.items():
            sums[reason] += n
        lost = (
            f"{dropped.total():,} of {len(questions):,} questions have no answer that can match ("
            f"{', '.join(f'{reason} {n:,}' for reason, n in sorted(sums.items()))})"
        )
        remedy = f"Raise slick.max_tokens ({max_tokens}), or give them short answers of one line."
        if not kept:
            raise InputError(f"{lost}. {remedy}")
        log.warning(f"{lost}; they are not asked. {remedy}")
    return kept, dropped


def draw_exemplar_sets(questions: list[Question], settings: Slick) -> list[ExemplarSet]:
    """N_ex distinct random k-shot sets for each relation, drawn from its dev questions.

    The same sets serve all questions of the relation. A set shows no subject twice, however it is
    written, and no subject is in all sets of its relation, so that every subject can be asked about
    with one of them. Answers of several lines are not shown, as they would break the prompt's form.
    Raises InputError naming the relation when its dev questions do not suffice.
    """
    sets = []
    for relation, pool in _pools(questions).items():
        wanted, unshown = settings.exemplar_sets, len(pool) - settings.shots  # unshown by each set
        # It suffices that some set leaves out each exemplar, and that so many different sets exist.
        if unshown < 0 or comb(len(pool), settings.shots) < wanted or wanted * unshown < len(pool):
            raise InputError(
                f"relation {relation} has {len(pool)} dev question(s), too few for "
                f"{wanted} distinct sets of {settings.shots} exemplars of which none "
                f"is in all sets; lower slick.exemplar_sets or slick.shots, raise facts.split.dev, "
                f"or leave the relation out."
            )
        random_ = random.Random(f"{settings.seed}:{relation}")
        # Distinct as sets: the same exemplars in another order are no new evidence.
        chosen: set[frozenset[str]] = set()
        always = [question.id for question in pool]  # shown by every set so far
        while len(chosen) < wanted:
            # This set leaves out those that the sets after it could not all leave out.
            too_many = len(always) - (wanted - len(chosen) - 1) * unshown
            left_out = set(random_.sample(always, too_many)) if too_many > 0 else set()
            exemplars = random_.sample(
                [question for question in pool if question.id not in left_out], settings.shots
            )
            ids = frozenset(question.id for question in exemplars)
            if ids not in chosen:
                sets.append(_exemplar_set(relation, len(chosen), exemplars))
                chosen.add(ids)
                always = [name for name in always if name in ids]
    return sets


def _pools(questions: list[Question]) -> dict[str, list[Question]]:
    """The exemplars of each relation: dev questions with an answer of one line, each subject once."""
    dev: dict[str, dict[str, Question]] = defaultdict(dict)
    for question in sorted(questions, key=lambda question: question.id):
        if question.split == "dev" and len(question.answers[0].splitlines()) == 1:
            dev[question.relation][fold(question.subject)] = question
    relations = sorted({question.relation for question in questions})
    return {relation: list(dev[relation].values()) for relation in relations}


class FreshExemplars:
    """Exemplars for evaluation, so that no question is asked exactly as when its category was
    determined.

    If it were, the base would be right on all of HighlyKnown and wrong on all of Unknown, by
    definition. Of a relation's dev questions, those that `labelling` shows least come first, ties in
    an order drawn with the seed. If there are enough of them, no exemplar is one of labelling's;
    otherwise at least the set is not one of its sets, if any other is left.
    """

    def __init__(self, questions: list[Question], labelling: list[ExemplarSet], settings: Slick):
        self.shots, self.pools = settings.shots, _pools(questions)
        self.uses = Counter(name for labelled in labelling for name in labelled.exemplars)
        self.taken = {frozenset(labelled.exemplars) for labelled in labelling}
        for pool in self.pools.values():
            pool.sort(
                key=lambda question: (self.uses[question.id], order(question.id, settings.seed))
            )
        self.sets: dict[str, list[ExemplarSet]] = defaultdict(list)

    def set_for(self, question: Question) -> ExemplarSet:
        """The set that a question is asked with: the relation's first, unless it shows the
        question's subject.

        Raises InputError when the dev questions do not suffice.
        """
        subject, made = fold(question.subject), self.sets[question.relation]
        for exemplars in made:
            if subject not in exemplars.shown:
                return exemplars
        pool = self.pools[question.relation]
        # If the first set shows the subject, the next one does not.
        pool = [candidate for candidate in pool if not made or fold(candidate.subject) != subject]
        drawn = list(pool[: self.shots])
        for chosen in combinations(pool, self.shots):
            if frozenset(exemplar.id for exemplar in chosen) not in self.taken:
                drawn = list(chosen)
                break
        if len(drawn) < self.shots:
            raise InputError(
                f"question {question.id}: {question.relation} has {len(drawn)} dev question(s) that "
                f"may be shown before it, fewer than slick.shots: {self.shots}; lower that, raise "
                f"facts.split.dev, or leave the relation out."
            )
        made.append(_exemplar_set(question.relation, len(made), drawn))
        return self.set_for(question)

    def shared(self) -> dict[str, int]:
        """The sets made that share exemplars with labelling: by set id, how many."""
        sets = [exemplars for made in self.sets.values() for exemplars in made]
        counts = {
            exemplars.id: sum(self.uses[name] > 0 for name in exemplars.exemplars)
            for exemplars in sets
        }
        return {name: n for name, n in counts.items() if n}


def _exemplar_set(relation: str, number: int, exemplars: list[Question]) -> ExemplarSet:
    blocks = [f"Q: {question.question}\nA: {question.answers[0]}\n\n" for question in exemplars]
    return ExemplarSet(
        id=f"{relation}#{number}",
        relation=relation,
        number=number,
        exemplars=[question.id for question in exemplars],
        subjects=[question.subject for question in exemplars],
        prefix="".join(blocks),
    )


def few_shot_prompt(exemplar_set: ExemplarSet, question: Question) -> str:
    """The set's blocks, then the question with an open answer. There is no space after `A:`: it
    would not become part of the answer's first token.
    """
    return f"{exemplar_set.prefix}Q: {question.question}\nA:"


def usable_sets(question: Question, sets: list[ExemplarSet]) -> list[ExemplarSet]:
    """The relation's sets that show neither the question nor another one about its subject.

    Compared by subject, not by row, since a question may be in two splits. Raises InputError when
    none is left.
    """
    subject = fold(question.subject)
    usable = [exemplars for exemplars in sets if subject not in exemplars.shown]
    if not usable:
        raise InputError(
            f"question {question.id}: every exemplar set of {question.relation} shows its subject; "
            f"the relation has too few dev questions. Raise facts.split.dev or leave it out."
        )
    return usable


def greedy_sampling(settings: Slick) -> Sampling:
    """One greedy answer, ended by a newline."""
    return Sampling(max_tokens=settings.max_tokens, stop=("\n",))


def requests(
    questions: list[Question], sets: list[ExemplarSet], settings: Slick
) -> Iterator[Request]:
    """One greedy and one N_sample request for each question and exemplar set.

    In mode `categories`, the sampled requests wait, set by set, and are left out once an earlier answer
    to the question was right: by then the category is settled.
    """
    greedy = greedy_sampling(settings)
    sampled = greedy.model_copy(
        update={
            "n": settings.samples,
            "temperature": settings.temperature,
            "top_k": settings.top_k,
        }
    )
    by_relation: dict[str, list[ExemplarSet]] = defaultdict(list)
    for exemplar_set in sets:
        by_relation[exemplar_set.relation].append(exemplar_set)
    lazy = settings.mode == "categories"
    for question in questions:
        for exemplar_set in usable_sets(question, by_relation[question.relation]):
            prompt = few_shot_prompt(exemplar_set, question)
            for purpose, sampling in ((GREEDY, greedy), (SAMPLED, sampled)):
                later = lazy and purpose == SAMPLED
                yield Request(
                    id=f"{question.id}/{purpose}#{exemplar_set.number}",
                    prompt=prompt,
                    sampling=sampling,
                    purpose=purpose,
                    series=question.id,
                    wave=1 + exemplar_set.number if later else 0,
                    accept=question.answers if lazy else None,
                    unless_accepted=later,
                    question=question.id,
                    exemplar_set=exemplar_set.number,
                )
