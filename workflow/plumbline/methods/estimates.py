"""Estimated costs: a stage of the plan, and the estimates from which methods make their stages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from plumbline.config.training import LARGE
from plumbline.names import parts

CHARACTERS_A_TOKEN = 4
WEAKLY_KNOWN, UNKNOWN = 0.17, 0.36  # shares of questions in the paper
ANSWER_TOKENS = 20  # of an answer in the model's own words
RESPONSE_TOKENS = 300  # of a long response, if it may be so long (FLAME's have 220 to 400)
TOKENS_A_CLAIM = 6.4  # FLAME's SFT: 1,221 characters and 47.9 claims per biography
WORD_TOKENS = 4 / 3  # of a word of a passage
JUDGE_TOKENS = 350  # of the text around what a judge is shown
CHAT_TOKENS = 15  # of a chat template around a question and its answer
# With sets of single categories, the usable share of training questions: the paper's |D| over all.
SMALLEST_CATEGORY = 6142 / 81_700
FACT_BASED = 1013 / 3200  # of FLAME's instructions, those that ask for facts
# Useful floating-point operations per second: of one core of a recent server, as in the demo's stages,
# and of one H100: a fifth of its maximum, as published for engines and trainers of 8B models.
SPEED = {"cpu": 9e10, "mps": 2e12, "cuda": 2e14}
ENGINE_START_SECONDS = {"cpu": 25, "mps": 15, "cuda": 90}
# Before the first pass, in a process that scores and in one that trains.
LOAD_SECONDS, TRAIN_SECONDS = 10, 15


@dataclass
class Stage:
    """One line of the plan. tokens are those computed, without prompts found in a prefix cache.

    seconds: of its jobs one after the other; device_seconds: the same times the devices of a job.
    """

    stage: str
    jobs: int
    prompts: int = 0
    sequences: int = 0
    tokens: int = 0
    steps: int = 0
    disk_mib: float = 0
    seconds: float = 0
    device_seconds: float = 0


class Planner:
    """Estimates for one model, from which methods make their stages.

    questions: about the facts; asked: choice questions by their folder, such as grath; instructions:
    how many each set has; parameters: the model's; speed: operations per second.
    """

    def __init__(self, config, lineage, questions, asked, instructions, parameters, speed):
        self.config, self.lineage, self.speed = config, lineage, speed
        self.questions, self.asked, self.instructions = questions, asked, instructions
        self.parameters = parameters
        limit = config.slick.limit.model_dump()
        self.counts = Counter((q.relation, q.domain, q.split) for q in questions)
        self.probed = {
            key: min(count, limit[key[2]] or count) for key, count in self.counts.items()
        }
        characters = sum(len(q.question) + len(q.answers[0]) for q in questions)
        self.question_tokens = characters / len(questions) / CHARACTERS_A_TOKEN + 4
        self.answer_tokens = min(8, config.slick.max_tokens)
        self.start = ENGINE_START_SECONDS[config.device]

    def importing(self, jobs: int, mib: float) -> Stage:
        """Importing models of a size; done on a processor, whatever the device is."""
        seconds = jobs * (15 + mib / 50)
        held = 0 if self.config.device == "cuda" else seconds
        return Stage("import", jobs, disk_mib=jobs * mib, seconds=seconds, device_seconds=held)

    def reading(self, jobs: int, prompts: int, sequences: int, tokens: float) -> Stage:
        """Given tokens, read by a model in each job; sequences and tokens are per prompt."""
        return self.scoring("score", jobs, prompts, sequences, prompts * tokens)

    def scoring(
        self, stage: str, jobs: int, prompts: int, sequences: float, tokens: float
    ) -> Stage:
        """Log-probabilities in each job, by a model on one device; sequences are per prompt."""
        seconds = jobs * (LOAD_SECONDS + 2 * self.parameters * tokens / self.speed)
        return Stage(
            stage,
            jobs,
            prompts=jobs * prompts,
            sequences=round(jobs * prompts * sequences),
            tokens=round(jobs * tokens),
            seconds=seconds,
            device_seconds=seconds,
        )

    def verifying(self, jobs: int, responses: float, length: float) -> Iterator[Stage]:
        """In each job, the claims of so many responses: split by a model, and judged by one."""
        claims = responses * length / TOKENS_A_CLAIM
        if self.config.claims.splitter == "model":
            # A sentence has two claims; what all prompts begin with is cached.
            sentence, listed = 3 * TOKENS_A_CLAIM, 2 * (TOKENS_A_CLAIM + 3)
            yield self.writing(jobs, round(claims / 2), 1, sentence, listed)
        verifier = self.config.verification
        if verifier.checkpoint():
            shown = verifier.k * verifier.passages.words * WORD_TOKENS + 3 * TOKENS_A_CLAIM
            yield self.scoring("verify", jobs, round(claims), 1, claims * shown)

    def writing(self, jobs: int, prompts: int, samples: int, shown: float, length: float) -> Stage:
        """Answers of `length` tokens, `samples` to each prompt of `shown` tokens."""
        sequences = jobs * prompts * samples
        tokens = jobs * prompts * shown + sequences * length
        return self.generation(jobs, jobs * prompts, sequences, tokens, 0)

    def training(
        self, jobs: int, steps: int, tokens: float, operations: int, recipe, asked: float = 0
    ) -> Stage:
        """Trainings of so many steps and tokens each.

        operations: per weight and token, without the forward pass that is repeated in the backward
        pass if activations are not kept.
        asked: tokens of questions after epochs, which are not divided among processes.
        """
        # On a CPU, processes share its cores.
        processes = self.config.training.processes if self.config.device == "cuda" else 1
        twice = self.config.training.gradient_checkpointing
        if twice == "auto":
            twice = self.parameters >= LARGE
        passes = (operations + 2 * twice) * tokens / processes + 2 * asked
        seconds = TRAIN_SECONDS + self.parameters * passes / self.speed
        return Stage(
            "train",
            jobs,
            tokens=round(jobs * (tokens + asked)),
            steps=jobs * steps,
            disk_mib=jobs * self.checkpoint_mib(recipe),
            seconds=jobs * seconds,
            device_seconds=jobs * seconds * processes,
        )

    def generation(self, jobs, prompts, sequences, tokens, disk) -> Stage:
        """Everything that several jobs generate together."""
        settings = self.config.generation
        starts = 1 if self.config.device == "cpu" else jobs * settings.shards
        computed = 2 * self.parameters * tokens / self.speed / settings.tensor_parallel
        seconds = self.start * starts + computed
        return Stage(
            "generate",
            jobs,
            prompts=prompts,
            sequences=sequences,
            tokens=round(tokens),
            disk_mib=disk,
            seconds=seconds,
            device_seconds=seconds * settings.tensor_parallel,
        )

    def checkpoints(self) -> int:
        """How many there are, over all seeds."""
        return sum(map(self.times, self.lineage.checkpoints))

    def times(self, checkpoint: str) -> int:
        """How often this checkpoint exists: once per seed, or once for all."""
        return len(self.lineage.folders(checkpoint, self.config.seeds))

    def families(self, method) -> int:
        """How often a method's checkpoints are made: for each seed and variant."""
        return len(self.config.seeds) * len(method.keep_unknown)

    def trainings(self, method: str, recipe) -> int:
        """How many of a method's trainings use this recipe, over all seeds, including placebos."""
        tunings = self.lineage.tunings.values()
        counted = [
            tuning
            for tuning in tunings
            if parts(tuning.name)[0] == method and tuning.recipe == recipe
        ]
        return len(self.config.seeds) * len(counted)

    def checkpoint_mib(self, recipe) -> float:
        """The size of a training's checkpoint, in float32."""
        if recipe.parameters == "full":
            return self.parameters * 4 / 2**20
        # Fitted to known adapters on all linear layers: 305k weights per rank with 135M parameters,
        # 2.5M with 7B.
        weights = 305e3 * recipe.lora.rank * (self.parameters / 135e6) ** 0.54
        return weights * 4 / 2**20


def tokens_of(texts: Iterable[str]) -> float:
    """Tokens of some texts, estimated from their characters."""
    return sum(map(len, texts)) / CHARACTERS_A_TOKEN
