"""The check before training: how much of the evaluation sets a training file contains.

REQUIRED INPUTS: a tuning's examples.jsonl or pairs.jsonl, and the evaluation sets
OUTPUTS: results/<run>/<model>/<training file's folder>/contamination.json  what was found
         results/<run>/tables/contamination.csv
"""

GATE = EXPERIMENT.contamination


# Fills the table, and makes all evaluation sets exist before the first training. It refuses nothing:
# the training itself does, after comparing again, since its files may be newer.
rule measure_contamination:
    input:
        training=GATE.training,
        evaluation=GATE.evaluated,
    output:
        f"{R}/{{model}}/{{data}}/contamination.json",
    log:
        f"{R}/{{model}}/{{data}}/measure_contamination.log",
    benchmark:
        f"{R}/benchmarks/contamination/{{model}}/{{data}}.tsv"
    wildcard_constraints:
        data=alternatives(EXPERIMENT.trainings.files),
    localrule: True
    conda:
        environment("measure_contamination")
    params:
        evaluation=GATE.evaluated_by_name,
        ngram=CONFIG.contamination.ngram,
        code=code("measure_contamination"),
    shell:
        "python -m scripts.measure_contamination --name {wildcards.data}"
        " --training {input.training:q} --evaluation {params.evaluation:q}"
        " --ngram {params.ngram} --found {output:q} 2>&1 | tee {log:q}"


rule tabulate_contamination:
    input:
        GATE.found(),
    output:
        f"{R}/tables/contamination.csv",
    log:
        f"{R}/logs/tabulate_contamination.log",
    benchmark:
        f"{R}/benchmarks/contamination/tabulate_contamination.tsv"
    localrule: True
    conda:
        environment("tabulate_contamination")
    params:
        found=listed("contamination"),
        contamination=section(CONFIG.contamination),
        code=code("tabulate_contamination"),
    shell:
        "python -m scripts.tabulate_contamination --root $PLUMBLINE_RESULTS --found $PLUMBLINE_RESULTS/lists/contamination.json"
        " --contamination {params.contamination:q} --table {output:q} 2>&1 | tee {log:q}"
