"""FLAME's part of the report."""

from __future__ import annotations

from plumbline.methods.flame.face import stages
from plumbline.report.parts import Chapter

TERMS = {
    "FLAME": """
        Lin et al. 2024, “FLAME: Factuality-Aware Alignment for Large Language Models”. Its
        argument: supervised tuning on new knowledge teaches a model to say what it does not know,
        and preference training by helpfulness alone teaches it to say more. SFT: tuned on human
        responses; SFT-fact: on the base's own answers. SFT★: on own answers where the instruction
        asks for facts, on human ones elsewhere. DPO: trained on pairs by helpfulness; DPO-fact: by
        the share of supported claims; DPO★: by both, in separate pairs. For the paper's model of 70
        billion parameters, FActScore on biographies rose from 42.3 (SFT, DPO) to 47.9 (SFT★, DPO★)
        at the same helpfulness; other models may behave differently.""",
}


def spoken(variant: str, rest: str) -> str:
    """`sft-star.dpo-star` as `the model after factuality-aware SFT★ and factuality-aware DPO★ (FLAME)`,
    `sft.dpo` as `the model after SFT and DPO (FLAME)`.
    """
    aware = [f"factuality-aware {stage}" if "★" in stage else stage for stage in stages(rest)]
    return f"the model after {' and '.join(aware)} ({variant})"


CHAPTER = Chapter(
    asks={
        "factuality-aware alignment": (
            "Does alignment that minds facts make long answers more factual?"
        ),
    },
    spoken=spoken,
    terms=TERMS,
)
