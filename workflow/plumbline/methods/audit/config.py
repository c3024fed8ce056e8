"""An audit: models tuned elsewhere beside the base that they were tuned from."""

from __future__ import annotations

from pydantic import Field, field_validator

from plumbline.config.base import Name, Section, SourceLine, once


class AuditedModel(SourceLine):
    """A tuned model: a folder or GGUF file of full weights, or a LoRA adapter of PEFT."""

    name: Name = Field(description="Its name in tables; its checkpoint is audit.<name>.")
    trust_remote_code: bool = Field(
        False, description="Run code that this model brings. Set it only if you trust the code."
    )


class Audit(Section):
    """What tuning did to the facts that the base knows."""

    checkpoints: list[AuditedModel] = Field(
        min_length=1, description="Models tuned from the one base model of the run."
    )

    @field_validator("checkpoints")
    @classmethod
    def _once(cls, checkpoints: list[AuditedModel]) -> list[AuditedModel]:
        once([checkpoint.name for checkpoint in checkpoints])
        return checkpoints
