"""What a run will cost, estimated from the configuration and the questions before anything runs.

The counts are exact where the configuration decides them and stated assumptions elsewhere: SliCK
categories as in the paper (Gekhman et al. 2024, sec. 3), lengths at four characters a token. The
report sets the estimate beside what was seen.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass

from plumbline.config.verification import REFERENCE
from plumbline.experiment.config import Config
from plumbline.experiment.lineage import Lineage
from plumbline.experiment.shift_pairs import long_form_checkpoints, shift_pairs
from plumbline.judging.prompts import POINTS, SIDES
from plumbline.methods.apeft.tunings import questions_by, recipe_of
from plumbline.names import parts
from plumbline.records import ChoiceQuestion, Question

CHARACTERS_A_TOKEN = 4
WEAKLY_KNOWN, UNKNOWN = 0.17, 0.36  # shares of questions in the paper
ANSWER_TOKENS = 20  # of an answer in the model's own words
RESPONSE_TOKENS = 150  # of a response at length, if it may be as long
# Different facts that all responses about one entity are asked about: those the tables know, any.
FACTS_AN_ENTITY = {"table": 1, "model": 20}
JUDGE_TOKENS = 350  # of the text around what a judge is shown
CHAT_TOKENS = 15  # of a chat template around a question and its answer
SMALLEST_CATEGORY = 0.1  # of a relation's training questions, where single categories are sets
# Useful floating-point operations a second: of one core of a recent server, and of one H100.
SPEED = {"cpu": 1e11, "mps": 2e12, "cuda": 2e14}
ENGINE_START_SECONDS = {"cpu": 25, "mps": 15, "cuda": 60}


@dataclass
class Stage:
    """One line of the plan. tokens are those computed, prompts found in a prefix cache left out."""

    stage: str
    jobs: int
    prompts: int = 0
    sequences: int = 0
    tokens: int = 0
    steps: int = 0
    disk_mib: float = 0
    seconds: float = 0


def parameters_of(text: str) -> float | None:
    """The size in a model's name, such as 135M or 8b; None if it has none."""
    found = re.search(r"(?<![A-Za-z0-9.])(\d+(?:\.\d+)?)([MmBb])(?![A-Za-z0-9])", text)
    if not found:
        return None
    return float(found[1]) * {"m": 1e6, "b": 1e9}[found[2].lower()]


def make_plan(
    config: Config,
    lineage: Lineage,
    questions: list[Question],
    choices: list[ChoiceQuestion],
    grath: list[ChoiceQuestion],
    instructions: dict[str, int],
    parameters: dict[str, float],
    cores: int,
    closed_book: Sequence[Question] = (),
) -> dict:
    """The plan as plan.json has it: device, assumptions, and a row for each stage.

    choices: what every checkpoint is scored on; grath: what pairs are written for; instructions:
    how many each set holds. parameters: number of each model's weights, by model name. closed_book:
    what is asked beside the questions about the facts.
    """
    speed = SPEED[config.device] * (cores if config.device == "cpu" else 1)
    device = f"{cores} CPU cores" if config.device == "cpu" else f"one {config.device} device"
    stages = []
    for size in parameters.values():
        planner = _Planner(config, lineage, questions, size, speed)
        stages += [planner.imported(), planner.probing(), planner.tuning()]
        stages.append(planner.closed_book(closed_book))
        if grath:
            stages += [planner.pairs(grath), planner.rounds(grath)]
        if choices:
            stages.append(planner.scoring(choices))
        if config.flame:
            stages += [*planner.flame(instructions)]
        if config.apeft:
            stages += [*planner.apeft(instructions)]
        if config.evaluation.long_form:
            stages += [*planner.long_form(instructions)]
        if config.evaluation.token_shift:
            stages.append(planner.token_shift(instructions))
    merged: dict[str, Stage] = {}
    for stage in stages:
        known = merged.setdefault(stage.stage, Stage(stage.stage, 0))
        for key, value in asdict(stage).items():
            if key != "stage":
                setattr(known, key, getattr(known, key) + value)
    return {
        "device": device,
        "assumptions": {
            "characters_a_token": CHARACTERS_A_TOKEN,
            "weakly_known_share": WEAKLY_KNOWN,
            "unknown_share": UNKNOWN,
            "smallest_category_share": SMALLEST_CATEGORY,
            "answer_tokens": ANSWER_TOKENS,
            "response_tokens": RESPONSE_TOKENS,
            "operations_a_second": speed,
            "parameters": parameters,
        },
        "stages": [asdict(stage) for stage in merged.values()],
    }


class _Planner:
    """The stages of one model."""

    def __init__(self, config, lineage, questions, parameters, speed):
        self.config, self.lineage, self.speed = config, lineage, speed
        self.parameters = parameters
        limit = config.slick.limit.model_dump()
        counts = Counter((q.relation, q.domain, q.split) for q in questions)
        self.probed = {key: min(count, limit[key[2]] or count) for key, count in counts.items()}
        characters = sum(len(q.question) + len(q.answers[0]) for q in questions)
        self.question_tokens = characters / len(questions) / CHARACTERS_A_TOKEN + 4
        self.answer_tokens = min(8, config.slick.max_tokens)
        self.start = ENGINE_START_SECONDS[config.device]

    def imported(self) -> Stage:
        mib = self.parameters * 2 / 2**20
        return Stage("import", 1, disk_mib=mib, seconds=10 + mib / 100)

    def probing(self) -> Stage:
        slick = self.config.slick
        prompts = sum(self.probed.values()) * slick.exemplar_sets
        sampled = 1.0
        if slick.mode == "categories":
            # Unknown questions pay for all their samples, weakly known ones for half of them.
            sampled = UNKNOWN + WEAKLY_KNOWN / 2
        sequences = round(prompts * (1 + sampled * slick.samples))
        tokens = prompts * self.question_tokens + sequences * self.answer_tokens
        disk = sequences * 150 / 2**20
        return self._generation(1, prompts, sequences, tokens, disk)

    def closed_book(self, sets: Sequence[Question]) -> Stage:
        """The test questions, and those of further sets, in every form."""
        limit = self.config.evaluation.questions
        test = sum(
            min(count, limit or count)
            for (_, _, split), count in self.probed.items()
            if split == "test"
        )
        jobs, forms = self._checkpoints(), len(self.config.closed_book_forms)
        prompts = jobs * forms * (test + len(sets))
        tokens = prompts * (self.question_tokens + self.answer_tokens)
        return self._generation(
            jobs * (1 + len(self.config.evaluation.closed_book)), prompts, prompts, tokens, 0
        )

    def tuning(self) -> Stage:
        stage = Stage("train", 0)
        monitor = self.config.mixes.monitor
        part = Counter()
        for (_, domain, split), count in self.probed.items():
            part[split, domain] += count
        for name, tuning in self.lineage.tunings.items():
            if not name.startswith("mix."):
                continue
            recipe, asked = tuning.recipe, 0
            if tuning.probes:
                examples = max(1, round(self._share_of_a_mix() * part["train", "id"]))
                asked = sum(
                    min(count, limit or count)
                    for count, limit in (
                        (examples, monitor.train),
                        (part["dev", "id"], monitor.dev),
                        (part["test", "id"], monitor.test_id),
                        (part["test", "ood"], monitor.test_ood),
                    )
                )
            else:  # what the mixes are tuned on first
                examples = self.config.mixes.form_facts
            steps = math.ceil(examples / recipe.global_batch_size) * recipe.epochs
            trained = examples * recipe.epochs * self.question_tokens
            answered = asked * (recipe.epochs + 1) * (self.question_tokens + 2)
            runs = len(self.config.seeds)
            stage.jobs += runs
            stage.steps += runs * steps
            stage.prompts += runs * asked * (recipe.epochs + 1)
            stage.tokens += round(runs * (trained + answered))
            # Forward and backward: 6 operations a weight and token; the forward pass alone: 2.
            operations = self.parameters * (6 * trained + 2 * answered)
            stage.seconds += runs * (15 + operations / self.speed)
            stage.disk_mib += runs * len(tuning.stops) * self._checkpoint_mib(recipe)
        return stage

    def _share_of_a_mix(self) -> float:
        """How much of the training questions a set takes, by what all sets need."""
        demands = self.config.mixes.demands()
        shares = [SMALLEST_CATEGORY] if demands.categories else [1.0]
        if demands.most_unknown:
            shares.append(UNKNOWN / (demands.most_unknown / 100))
        if demands.least_unknown < 100:
            shares.append((1 - UNKNOWN) / (1 - demands.least_unknown / 100))
        return min(shares)

    def pairs(self, questions: list[ChoiceQuestion]) -> Stage:
        """GRATH's pairs, written by the parent of every round; its demonstrations are cached."""
        jobs = self._parents_of_rounds()
        prompts = jobs * len(questions)
        own = _tokens(one.question for one in questions) / len(questions) + 2 * ANSWER_TOKENS
        # The question is written again before the answers.
        return self._generation(jobs, prompts, prompts, prompts * (own + CHAT_TOKENS) * 2, 0)

    def rounds(self, questions: list[ChoiceQuestion]) -> Stage:
        """GRATH's trainings, if every question gives a pair."""
        recipe = self.config.recipes[self.config.grath.recipe]
        jobs = self._trainings("grath", recipe)
        epoch = math.ceil(len(questions) / recipe.global_batch_size)
        steps = recipe.max_steps or epoch * recipe.epochs
        length = _tokens(one.question for one in questions) / len(questions)
        sides = 1 if recipe.method == "kto" else 2
        tokens = steps * recipe.global_batch_size * sides * (length + ANSWER_TOKENS + CHAT_TOKENS)
        # The policy forward and backward, and the reference forward.
        return self._training(jobs, steps, tokens, 8, recipe)

    def scoring(self, questions: list[ChoiceQuestion]) -> Stage:
        """Log-likelihoods of every choice under every checkpoint."""
        jobs = self._checkpoints()
        tokens = _tokens(text for one in questions for text in (one.question, *one.choices))
        seconds = jobs * (10 + 2 * self.parameters * tokens / self.speed)
        prompts, sequences = jobs * len(questions), jobs * sum(len(q.choices) for q in questions)
        return Stage(
            "score",
            jobs,
            prompts=prompts,
            sequences=sequences,
            tokens=round(jobs * tokens),
            seconds=seconds,
        )

    def flame(self, sizes: dict[str, int]) -> Iterator[Stage]:
        """FLAME's answers, ratings and trainings, if half of the instructions ask for facts."""
        flame, families = self.config.flame, self._families(self.config.flame)
        sft, prompts = sizes["flame"], sizes.get("prompts", 0)
        length = min(RESPONSE_TOKENS, flame.max_tokens)
        yield self._reading(1, sft + prompts, 2, JUDGE_TOKENS)
        yield self._writing(1, sft // 2, flame.own_answers, flame.shots * length, length)
        if "sft-rag" in flame.sft:
            shown = (flame.shots + flame.k) * length
            yield self._writing(1, sft // 2, flame.own_answers, shown, length)
        parents = families * len({name.partition(".")[0] for name in flame.dpo})
        yield self._writing(parents, prompts, flame.responses, ANSWER_TOKENS, length)
        if parents and flame.judge != REFERENCE:
            shown = JUDGE_TOKENS + length
            yield self._reading(parents, prompts * flame.responses, len(POINTS), shown)
        first, second = (self.config.recipes[n] for n in (flame.sft_recipe, flame.dpo_recipe))
        rows = sft * first.epochs
        steps = math.ceil(rows / first.global_batch_size)
        yield self._training(families * len(flame.sft), steps, rows * length, 6, first)
        rows = second.max_steps * second.global_batch_size
        tokens = rows * 2 * length
        jobs = self._trainings("flame", second)
        yield self._training(jobs, second.max_steps, tokens, 8, second)

    def apeft(self, sizes: dict[str, int]) -> Iterator[Stage]:
        """APEFT's responses, answers to questions about their facts, and trainings."""
        apeft = self.config.apeft
        parents = 1 if apeft.parent == "base" else len(self.config.seeds)
        length = min(RESPONSE_TOKENS, apeft.max_tokens)
        yield self._writing(parents, sizes["apeft"], apeft.responses, ANSWER_TOKENS, length)
        facts = FACTS_AN_ENTITY[questions_by(self.config)]
        asked = sizes["apeft"] * min(facts, apeft.atomic_per_entity or facts)
        if questions_by(self.config) == "model":
            yield self._writing(parents, asked, 1, JUDGE_TOKENS, 2 * ANSWER_TOKENS)
        shown = ANSWER_TOKENS + self.question_tokens
        yield self._writing(parents, asked, apeft.samples, shown, self.answer_tokens)
        for recipe in (recipe_of(self.config, loss) for loss in apeft.losses):
            rows = apeft.pairs or sizes["apeft"]
            steps = recipe.max_steps or math.ceil(rows / recipe.global_batch_size) * recipe.epochs
            tokens = steps * recipe.global_batch_size * 2 * length
            yield self._training(self._trainings("apeft", recipe), steps, tokens, 8, recipe)

    def long_form(self, sizes: dict[str, int]) -> Iterator[Stage]:
        """Responses at length, and comparisons of some."""
        settings = self.config.evaluation.long_form
        jobs = len(self.config.seeds) * len(long_form_checkpoints(self.config, self.lineage))
        length = min(RESPONSE_TOKENS, settings.max_tokens)
        written, compared = sizes["long_form"], sizes.get("win_rate", 0)
        yield self._writing(jobs, written + compared, 1, ANSWER_TOKENS, length)
        if compared and settings.judge != REFERENCE:
            yield self._reading(jobs, 2 * compared, len(SIDES), JUDGE_TOKENS + 2 * length)

    def token_shift(self, sizes: dict[str, int]) -> Stage:
        """Long answers under their own model and under another one."""
        jobs = len(self.config.seeds) * len(shift_pairs(self.config, self.lineage))
        length = min(RESPONSE_TOKENS, self.config.evaluation.long_form.max_tokens)
        return self._reading(jobs, sizes["long_form"], 2, 2 * (ANSWER_TOKENS + length))

    def _reading(self, jobs: int, prompts: int, sequences: int, tokens: float) -> Stage:
        """Given tokens, read by a model in each job; sequences and tokens are a prompt's."""
        seconds = jobs * (10 + 2 * self.parameters * prompts * tokens / self.speed)
        return Stage(
            "score",
            jobs,
            prompts=jobs * prompts,
            sequences=jobs * prompts * sequences,
            tokens=round(jobs * prompts * tokens),
            seconds=seconds,
        )

    def _writing(self, jobs: int, prompts: int, samples: int, shown: float, length: float) -> Stage:
        sequences = jobs * prompts * samples
        tokens = jobs * prompts * shown + sequences * length
        return self._generation(jobs, jobs * prompts, sequences, tokens, 0)

    def _training(self, jobs: int, steps: int, tokens: float, operations: int, recipe) -> Stage:
        seconds = 15 + operations * self.parameters * tokens / self.speed
        return Stage(
            "train",
            jobs,
            tokens=round(jobs * tokens),
            steps=jobs * steps,
            disk_mib=jobs * self._checkpoint_mib(recipe),
            seconds=jobs * seconds,
        )

    def _checkpoints(self) -> int:
        return 1 + len(self.config.seeds) * (len(self.lineage.checkpoints) - 1)

    def _parents_of_rounds(self) -> int:
        # Round 0's model is the same for all variants, and the base for all seeds.
        grath = self.config.grath
        first = 1 if grath.parent == "base" else len(self.config.seeds)
        return first + self._families(grath) * (grath.rounds - 1)

    def _families(self, method) -> int:
        """How often a method's checkpoints are made: for each seed and variant."""
        return len(self.config.seeds) * len(method.keep_unknown)

    def _trainings(self, method: str, recipe) -> int:
        """How many trainings of a method have this recipe, over all seeds; placebos among them."""
        tunings = self.lineage.tunings.values()
        found = [one for one in tunings if parts(one.name)[0] == method and one.recipe == recipe]
        return len(self.config.seeds) * len(found)

    def _checkpoint_mib(self, recipe) -> float:
        if recipe.parameters == "full":
            return self.parameters * 2 / 2**20
        # Fitted through known adapters on all linear layers: 305k weights a rank at 135M
        # parameters, 2.5M at 7B.
        weights = 305e3 * recipe.lora.rank * (self.parameters / 135e6) ** 0.54
        return weights * 4 / 2**20

    def _generation(self, jobs, prompts, sequences, tokens, disk) -> Stage:
        starts = 1 if self.config.device == "cpu" else jobs
        seconds = self.start * starts + 2 * self.parameters * tokens / self.speed
        return Stage(
            "generate",
            jobs,
            prompts=prompts,
            sequences=sequences,
            tokens=round(tokens),
            disk_mib=disk,
            seconds=seconds,
        )


def _tokens(texts: Iterable[str]) -> float:
    return sum(map(len, texts)) / CHARACTERS_A_TOKEN


def as_text(plan: dict) -> str:
    """The plan as an aligned table with a line of totals."""
    header = ["stage", "jobs", "prompts", "sequences", "tokens", "steps", "disk MiB", "time"]
    rows = [
        [
            stage["stage"],
            f"{stage['jobs']:,}",
            f"{stage['prompts']:,}",
            f"{stage['sequences']:,}",
            f"{stage['tokens']:,}",
            f"{stage['steps']:,}",
            f"{stage['disk_mib']:,.0f}",
            _time(stage["seconds"]),
        ]
        for stage in plan["stages"]
    ]
    disk = sum(stage["disk_mib"] for stage in plan["stages"])
    seconds = sum(stage["seconds"] for stage in plan["stages"])
    rows.append(["total", "", "", "", "", "", f"{disk:,.0f}", _time(seconds)])
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    lines = [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in [header, *rows]
    ]
    return "\n".join(
        [f"Estimated on {plan['device']}; an upper bound where a stage can save work.", "", *lines]
    )


def _time(seconds: float) -> str:
    if seconds < 5400:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h"
