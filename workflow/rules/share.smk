"""Results for use elsewhere: in the format of the LM evaluation harness, and cards for a model hub.

REQUIRED INPUTS: metrics.csv, comparisons.csv, the trained checkpoints
OUTPUTS: results/<run>/lm_eval/<model>/<checkpoint>/results_<run>.json
         README.md in every tuned checkpoint's folder, and beside every training file
"""

SHARED = EXPERIMENT.shared


rule export_harness:
    input:
        rules.tabulate_metrics.output,
    output:
        SHARED.harness_files,
    log:
        f"{R}/logs/export_harness.log",
    localrule: True
    conda:
        environment("export_harness")
    params:
        checkpoints=listed("checkpoints"),
        shots=json.dumps(SHARED.shots),
        code=code("export_harness"),
    shell:
        "python -m scripts.export_harness --root $PLUMBLINE_RESULTS"
        " --checkpoints $PLUMBLINE_RESULTS/lists/checkpoints.json --metrics {input:q}"
        " --shots {params.shots:q} --device $PLUMBLINE_DEVICE --out $PLUMBLINE_RESULTS/lm_eval"
        " 2>&1 | tee {log:q}"


# Writes every checkpoint's results in the format of the LM evaluation harness.
rule lm_eval:
    input:
        rules.export_harness.output,


rule write_cards:
    input:
        comparisons=rules.tabulate_comparisons.output.comparisons,
        trainings=EXPERIMENT.trainings.each("training.json"),
        compositions=EXPERIMENT.trainings.beside("composition.json"),
    output:
        SHARED.card_files,
    log:
        f"{R}/logs/write_cards.log",
    localrule: True
    conda:
        environment("write_cards")
    params:
        cards=listed("cards"),
        confidence=CONFIG.evaluation.confidence,
        code=code("write_cards"),
    shell:
        "python -m scripts.write_cards --root $PLUMBLINE_RESULTS"
        " --cards $PLUMBLINE_RESULTS/lists/cards.json --comparisons {input.comparisons:q}"
        " --confidence {params.confidence} 2>&1 | tee {log:q}"


# Writes cards of checkpoints and of their training files, for `make push`.
rule cards:
    input:
        rules.write_cards.output,
