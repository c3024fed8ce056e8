"""Training, the one place where weights are changed.

REQUIRED INPUTS: a tuning's examples.jsonl and probes.jsonl, and its parent checkpoint
OUTPUTS: results/<run>/<model>/seed-<seed>/<tuning>/<stop>/  the checkpoints
         .../training.json  what was trained, written last
         .../fit.jsonl      right answers after every epoch
"""


rule train:
    input:
        examples=f"{R}/{{model}}/seed-{{seed}}/{{tuning}}/examples.jsonl",
        probes=f"{R}/{{model}}/seed-{{seed}}/{{tuning}}/probes.jsonl",
        parent=parent_marker,
    output:
        fit=f"{R}/{{model}}/seed-{{seed}}/{{tuning}}/fit.jsonl",
        training=f"{R}/{{model}}/seed-{{seed}}/{{tuning}}/training.json",
    log:
        f"{R}/{{model}}/seed-{{seed}}/{{tuning}}/train.log",
    benchmark:
        f"{R}/benchmarks/train/{{model}}/seed-{{seed}}/{{tuning}}.tsv"
    priority: 10  # all training first: one engine start then serves all that was trained
    conda:
        "../../envs/train.yaml"
    threads: 1 if ON_GPU else workflow.cores
    resources:
        gpu=1 if ON_GPU else 0,
        mem_mb=16000,
        runtime=720,
    params:
        parent=parent_folder,
        recipe=lambda wildcards: section(tuning_of(wildcards).recipe),
        stops=lambda wildcards: tuning_of(wildcards).stops,
        max_tokens=CONFIG.slick.max_tokens,
        match=CONFIG.slick.match,
        code=code("train"),
    shell:
        "python -m scripts.train --root $PLUMBLINE_RESULTS/{wildcards.model}"
        " --name {wildcards.tuning} --seed {wildcards.seed} --parent {params.parent:q}"
        " --recipe {params.recipe:q} --stops {params.stops} --max-tokens {params.max_tokens}"
        " --match {params.match} --device $PLUMBLINE_DEVICE --threads {threads}"
        " --fit {output.fit:q} --training {output.training:q} 2>&1 | tee {log:q}"
