"""Its programs by the environment they run in (`jobs/installed.py` reads this)."""

PROGRAMS = {
    "orchestrate": """
        build_flame_pairs build_flame_sft collect_augmented measure_confidence write_augmentation
        write_facttune_answers write_facttune_questions write_own_answers""",
    "train": "decide_fact_based judge_helpfulness",
    "verify": "write_rag_answers",
}
