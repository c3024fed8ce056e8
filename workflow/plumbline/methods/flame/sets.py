"""The names of FLAME's training files."""

from typing import Literal

SftSet = Literal["sft", "sft-fact", "sft-star", "sft-rag"]
PairSet = Literal[
    "dpo", "dpo-fact", "dpo-star", "dpo-star-gaps", "dpo-star-combined", "facttune", "facttune-mc"
]
