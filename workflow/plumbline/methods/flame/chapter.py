"""What the page says about FLAME."""

from __future__ import annotations

from plumbline.report.parts import Chapter

TERMS = {
    "FLAME": """
        Lin et al. 2024, “FLAME: Factuality-Aware Alignment for Large Language Models”. Its
        argument: supervised tuning on new knowledge teaches a model to say what it does not know,
        and preference training by helpfulness alone teaches it to say more. SFT: tuned on human
        responses; SFT-fact: on the base's own answers. SFT★: on own answers where the instruction
        asks for facts, on human ones elsewhere. DPO: trained on pairs by helpfulness; DPO-fact: by
        the share of supported claims; DPO★: by both, in separate pairs. The paper's model of 70
        billion parameters goes from a FActScore of 42.3 (SFT, DPO) to 47.9 (SFT★, DPO★) on
        biographies, as helpful as before; another model need not follow.""",
}

CHAPTER = Chapter(
    asks={
        "factuality-aware alignment": (
            "Does alignment that minds facts make long answers more factual?"
        ),
    },
    terms=TERMS,
)
