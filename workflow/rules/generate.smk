"""Bulk generation, the one place where answers are sampled.

REQUIRED INPUTS: a file of requests and a whole checkpoint
OUTPUTS: results/<run>/<model>/<work>/generations.jsonl for each piece of work
         results/<run>/<model>/store/  finished answers; outlives killed and repeated jobs

A piece of work is a request file that goes to one checkpoint; see plumbline/experiment/part.py.
"""

WORKS = EXPERIMENT.works
FIRST_WORKS = alternatives(WORKS.first())


rule generate:
    input:
        requests=WORKS.requests,
        checkpoint=WORKS.checkpoint_marker,
        shards=WORKS.shards,
    output:
        f"{R}/{{model}}/{{work}}/generations.jsonl",
    log:
        f"{R}/{{model}}/{{work}}/generate.log",
    benchmark:
        f"{R}/benchmarks/generate/{{model}}/{{work}}/all.tsv"
    wildcard_constraints:
        work=rf"(?!({FIRST_WORKS})/generations\.jsonl).+",
    priority: GENERATING
    conda:
        environment("generate")
    threads: BESIDE
    resources:
        gpu=CONFIG.generation.tensor_parallel if ON_GPU else 0,
        mem_mb=memory(16000),
        runtime=720,
    params:
        checkpoint=WORKS.checkpoint,
        part="--generations",
        settings=section(CONFIG.generation, include={"engine", "dtype", "seed"}),
        match=WORKS.match,
        code=code("generate"),
    shell:
        "python -m scripts.generate --root $PLUMBLINE_RESULTS/{wildcards.model}"
        " --work {wildcards.work:q} --works $PLUMBLINE_RESULTS/lists/works.json"
        ' --settings "$PLUMBLINE_GENERATION" --needs "$PLUMBLINE_NEEDS" --code {params.code}'
        " --device $PLUMBLINE_DEVICE"
        " --threads {threads} {params.part} {output:q} 2>&1 | tee {log:q}"


# What all trainings follow from, and little else can be done before it is there.
use rule generate as generate_first with:
    wildcard_constraints:
        work=FIRST_WORKS,
    priority: FIRST
    threads: THREADS


# One part of a large request file, on a device of its own.
use rule generate as generate_shard with:
    input:
        requests=WORKS.requests,
        checkpoint=WORKS.checkpoint_marker,
    output:
        f"{R}/{{model}}/{{work}}/shard-{{shard}}-of-{{shards}}.json",
    log:
        f"{R}/{{model}}/{{work}}/generate-{{shard}}-of-{{shards}}.log",
    benchmark:
        f"{R}/benchmarks/generate/{{model}}/{{work}}/{{shard}}-of-{{shards}}.tsv"
    wildcard_constraints:
        work=".+",
    params:
        checkpoint=WORKS.checkpoint,
        part=lambda wildcards: f"--shard {wildcards.shard}/{wildcards.shards} --marker",
        settings=section(CONFIG.generation, include={"engine", "dtype", "seed"}),
        match=WORKS.match,
        code=code("generate"),
