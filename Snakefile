# plumbline: a base model goes in; what it knows, what tuning does to it, and checkpoints come out.
#
# This file is the table of contents. Each file in workflow/rules says at its head what it needs and
# what it makes; config/README.md explains the configuration.

from snakemake.utils import min_version

min_version("9.0")


configfile: f"{workflow.basedir}/config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/inputs.smk"
include: "workflow/rules/inputs_responses.smk"
include: "workflow/rules/inputs_knowledge.smk"
include: "workflow/rules/inputs_grath.smk"
include: "workflow/rules/inputs_flame.smk"
include: "workflow/rules/inputs_long_form.smk"
include: "workflow/rules/inputs_judges.smk"
include: "workflow/rules/inputs_apeft.smk"
include: "workflow/rules/inputs_token_shift.smk"
include: "workflow/rules/inputs_contamination.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/models.smk"
include: "workflow/rules/generate.smk"
include: "workflow/rules/contamination.smk"
include: "workflow/rules/placebo.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/slick.smk"
include: "workflow/rules/choices.smk"
include: "workflow/rules/grath.smk"
include: "workflow/rules/long_form.smk"
include: "workflow/rules/judges.smk"
include: "workflow/rules/token_shift.smk"
include: "workflow/rules/flame.smk"
include: "workflow/rules/apeft.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/plan.smk"


rule all:
    default_target: True
    input:
        rules.report.output,


# The questions of the experiment with their counts.
rule facts:
    input:
        f"{R}/facts/questions.jsonl",
        f"{R}/tables/fact_counts.csv",


# What the base models know.
rule slick:
    input:
        expand(f"{R}/{{model}}/slick/annotations.jsonl", model=MODELS),
        f"{R}/tables/slick_counts.csv",


# Every mix of known and new facts, trained.
rule mixes:
    input:
        mixed("training.json"),


# GRATH's rounds, trained and scored.
rule grath:
    input:
        f"{R}/tables/grath_rounds.csv",
        grath_scores(),


# FLAME's trainings, and how many claims of their answers are right.
rule flame:
    input:
        flame_results(),


# APEFT's trainings, and what became of facts and pairs.
rule apeft:
    input:
        apeft_results,


# New instructions in the manner of FLAME's, to be named as a source of prompts.
rule augment:
    input:
        augmented_files,


# How tuning shifts the distribution of tokens, in the tuning domain and outside.
rule token_shift:
    input:
        shift_tables,


# Every checkpoint, evaluated.
rule evaluate:
    input:
        f"{R}/tables/metrics.csv",
