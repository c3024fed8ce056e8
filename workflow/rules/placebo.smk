"""Placebos: a preference training's pairs, with half of them swapped.

REQUIRED INPUTS: pairs.jsonl of the training
OUTPUTS: results/<run>/<model>/seed-<seed>/<training>.placebo/pairs.jsonl
"""


rule swap_pairs:
    input:
        EXPERIMENT.trainings.examples,
    output:
        pairs=f"{R}/{{model}}/seed-{{seed}}/{{tuning}}.placebo/pairs.jsonl",
        composition=f"{R}/{{model}}/seed-{{seed}}/{{tuning}}.placebo/composition.json",
    log:
        f"{R}/{{model}}/seed-{{seed}}/{{tuning}}.placebo/swap_pairs.log",
    benchmark:
        f"{R}/benchmarks/placebo/{{model}}/seed-{{seed}}/{{tuning}}.tsv"
    localrule: True
    conda:
        environment("swap_pairs")
    params:
        code=code("swap_pairs"),
    shell:
        "python -m scripts.swap_pairs --name {wildcards.tuning}.placebo --of {input:q}"
        " --seed {wildcards.seed} --pairs {output.pairs:q} --composition {output.composition:q}"
        " 2>&1 | tee {log:q}"
