# plumbline: a base model goes in; what it knows, what tuning does to it, and checkpoints come out.
#
# This file is the table of contents. Each file in workflow/rules says at its top what it needs and
# makes, and ends with its target, if it has one; config/README.md explains the configuration.

from snakemake.utils import min_version

min_version("9.0")


configfile: workflow.current_basedir.join("config/config.yaml").get_path_or_uri(secret_free=True)


# What all others share. The order of the files after it matters only for `use rule`.
include: "workflow/rules/common.smk"
# Data and models. Targets: fetch, facts.
include: "workflow/rules/data.smk"
include: "workflow/rules/models.smk"
# The stages that methods share.
include: "workflow/rules/generate.smk"
include: "workflow/rules/contamination.smk"
include: "workflow/rules/placebo.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/long_form.smk"
include: "workflow/rules/judges.smk"
# Methods. Targets: slick, mixes; grath; flame, augment; apeft; consistency.
include: "workflow/rules/slick.smk"
include: "workflow/rules/grath.smk"
include: "workflow/rules/flame.smk"
include: "workflow/rules/apeft.smk"
include: "workflow/rules/consistency.smk"
# Models tuned elsewhere. Target: audit.
include: "workflow/rules/audit.smk"
# Evaluation. Targets: token_shift, evaluate.
include: "workflow/rules/choices.smk"
include: "workflow/rules/token_shift.smk"
include: "workflow/rules/evaluate.smk"
# Results for use elsewhere. Targets: lm_eval, cards.
include: "workflow/rules/share.smk"
# The findings, and the cost in advance. Targets: report, plan.
include: "workflow/rules/report.smk"
include: "workflow/rules/plan.smk"


rule all:
    default_target: True
    input:
        rules.report.output,


for one in RULES:
    one.priority = one.priority or LIGHT

LIBRARY.remember()
