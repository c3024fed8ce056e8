"""Training, the one place where weights are changed.

REQUIRED INPUTS: a tuning's examples.jsonl and probes.jsonl, and its parent checkpoint
OUTPUTS: results/<run>/<model>/seed-<seed>/<tuning>/<stop>/  the checkpoints
         .../training.json  what was trained, written last
         .../fit.jsonl      right answers after every epoch
"""


def tuning_of(wildcards):
    """The tuning named by the wildcard."""
    return LINEAGE.tunings[wildcards.tuning]


def parent_marker(wildcards):
    """The file that says that the parent is whole."""
    marker = LINEAGE.marker(tuning_of(wildcards).parent).format(seed=wildcards.seed)
    return f"{R}/{wildcards.model}/{marker}"


def parent_folder(wildcards):
    """Where the parent lies, below results/<run>/<model>."""
    return LINEAGE.folder(tuning_of(wildcards).parent).format(seed=wildcards.seed)


rule train:
    input:
        examples=f"{R}/{{model}}/seed-{{seed}}/{{tuning}}/examples.jsonl",
        probes=f"{R}/{{model}}/seed-{{seed}}/{{tuning}}/probes.jsonl",
        parent=parent_marker,
    output:
        fit=f"{R}/{{model}}/seed-{{seed}}/{{tuning}}/fit.jsonl",
        training=f"{R}/{{model}}/seed-{{seed}}/{{tuning}}/training.json",
    params:
        parent=parent_folder,
        recipe=lambda wildcards: section(tuning_of(wildcards).recipe),
        stops=lambda wildcards: tuning_of(wildcards).stops,
        max_tokens=CONFIG.slick.max_tokens,
        match=CONFIG.slick.match,
        code=code("train"),
    log:
        f"{R}/{{model}}/seed-{{seed}}/{{tuning}}/train.log",
    benchmark:
        f"{R}/benchmarks/train/{{model}}/seed-{{seed}}/{{tuning}}.tsv"
    priority: 10  # all training first: one engine start then serves all that was trained
    threads: 1 if ON_GPU else workflow.cores
    resources:
        gpu=1 if ON_GPU else 0,
        mem_mb=16000,
        runtime=720,
    conda:
        "../../envs/train.yaml"
    shell:
        "{OFFLINE} python {SCRIPTS:q}/train.py --root {R:q}/{wildcards.model}"
        " --name {wildcards.tuning} --seed {wildcards.seed} --parent {params.parent:q}"
        " --recipe {params.recipe:q} --stops {params.stops} --max-tokens {params.max_tokens}"
        " --match {params.match} --device {CONFIG.device} --threads {threads}"
        " --fit {output.fit:q} --training {output.training:q} 2>&1 | tee {log:q}"
