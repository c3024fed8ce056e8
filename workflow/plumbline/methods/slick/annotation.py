"""From probing answers to knowledge categories (Gekhman et al. 2024, sec. 3 and Fig. 2)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from plumbline.generation.answered import paired
from plumbline.methods.slick.probing import GREEDY, SAMPLED
from plumbline.records import Annotation, Category, Generation, Question, Request
from plumbline.storage.files import InputError
from plumbline.texts.matching import Mode, exact_match


def slick_category(p_greedy: float, p_sampled: float) -> Category:
    """The category of one question.

    p_greedy: P_Correct(T=0), share of exemplar sets whose greedy answer is right, in [0, 1].
    p_sampled: P_Correct(T>0), share of sampled answers that are right, in [0, 1]; it matters only if
        p_greedy is 0.
    """
    if p_greedy == 1:
        return Category.HIGHLY_KNOWN
    if p_greedy > 0:
        return Category.MAYBE_KNOWN
    if p_sampled > 0:
        return Category.WEAKLY_KNOWN
    return Category.UNKNOWN


def annotate(
    questions: list[Question],
    requests: Iterable[Request],
    generations: Iterable[Generation],
    match: Mode = "squad",
) -> list[Annotation]:
    """One annotation per question, in the order of the questions.

    `p_sampled` is given only if every requested sample was drawn. Raises InputError when a greedy
    answer is missing, or when a question has neither a right answer nor all its samples, so that its
    category cannot be determined.
    """
    accepted = {question.id: question.answers for question in questions}
    total, correct, expected = Counter(), Counter(), Counter()
    sets: dict[str, set[int]] = defaultdict(set)
    for request, drawn in paired(requests, generations):
        key = request.question, request.purpose
        expected[key] += request.sampling.n
        total[key] += len(drawn)
        correct[key] += sum(exact_match(one.answer, accepted[key[0]], match) for one in drawn)
        sets[request.question].add(request.exemplar_set)
    return [
        _annotation(question, expected, total, correct, sorted(sets[question.id]))
        for question in questions
    ]


def _annotation(question, expected, total, correct, exemplar_sets) -> Annotation:
    greedy, sampled = (question.id, GREEDY), (question.id, SAMPLED)
    complete = total[sampled] == expected[sampled]
    if not expected[greedy] or total[greedy] != expected[greedy]:
        raise InputError(
            f"question {question.id}: {total[greedy]} of {expected[greedy]} greedy answers; every "
            f"exemplar set needs one. Generate again."
        )
    if not complete and not correct[greedy] and not correct[sampled]:
        raise InputError(
            f"question {question.id}: no right answer in {total[sampled]} of {expected[sampled]} "
            f"samples; the others are needed to determine its category. Generate again."
        )
    p_greedy = correct[greedy] / total[greedy]
    # If sampling stopped early, the share is not known, only that it is above 0.
    p_sampled = correct[sampled] / total[sampled] if complete and total[sampled] else None
    return Annotation(
        id=question.id,
        relation=question.relation,
        domain=question.domain,
        split=question.split,
        category=slick_category(p_greedy, float(correct[sampled] > 0)),
        p_greedy=p_greedy,
        p_sampled=p_sampled,
        greedy_correct=correct[greedy],
        greedy_total=total[greedy],
        sampled_correct=correct[sampled],
        sampled_total=total[sampled],
        exemplar_sets=exemplar_sets,
    )
