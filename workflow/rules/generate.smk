"""Bulk generation, the one place where answers are sampled.

REQUIRED INPUTS: a file of requests and a complete checkpoint
OUTPUTS: results/<run>/<model>/<work>/generations.jsonl for each piece of work
         results/<run>/<model>/store/  finished answers, kept when a job is killed or repeated

A piece of work is a request file that goes to one checkpoint; see plumbline/experiment/part.py.
"""

WORKS = EXPERIMENT.works
APART = alternatives([*WORKS.first(), *WORKS.leading()])
# The settings that affect answers. `merged` adapters are left out: that used to be the only way, and
# answers of that time stay valid.
DECIDES = {"engine", "dtype", "seed"}
if CONFIG.generation.adapters != "merged":
    DECIDES |= {"adapters"}


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
        work=rf"(?!({APART})/generations\.jsonl).+",
    priority: GENERATING
    group:
        together("answers", WORKS.training)
    conda:
        environment("generate")
    threads: BESIDE
    resources:
        gpu=CONFIG.generation.tensor_parallel if ON_GPU else 0,
        mem_mb=memory(16000),
        # Work that is for no training's checkpoints, such as probing the base, takes longer.
        runtime=lambda wildcards: 720 if WORKS.training(wildcards) is None else 240,
    params:
        checkpoint=WORKS.checkpoint,
        part="--generations",
        settings=section(CONFIG.generation, include=DECIDES),
        match=WORKS.match,
        code=code("generate"),
    shell:
        "python -m scripts.generate --root $PLUMBLINE_RESULTS/{wildcards.model}"
        " --work {wildcards.work:q} --works $PLUMBLINE_RESULTS/lists/works.json"
        ' --settings "$PLUMBLINE_GENERATION" --needs "$PLUMBLINE_NEEDS" --code {params.code}'
        " --device $PLUMBLINE_DEVICE"
        " --threads {threads} --lanes $PLUMBLINE_LANES"
        " {params.part} {output:q} 2>&1 | tee {log:q}"


# Requests that the base can answer right away. Little else can be done before they are answered.
use rule generate as generate_first with:
    wildcard_constraints:
        work=alternatives(WORKS.first()),
    priority: FIRST
    threads: THREADS


# Answers that a training waits for.
use rule generate as generate_leading with:
    wildcard_constraints:
        work=alternatives(WORKS.leading()),
    priority: ANSWERING
    group:
        lambda wildcards: None


# A part of a large request file, on a device of its own.
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
    group:
        lambda wildcards: None
    params:
        checkpoint=WORKS.checkpoint,
        part=lambda wildcards: f"--shard {wildcards.shard}/{wildcards.shards} --marker",
        settings=section(CONFIG.generation, include=DECIDES),
        match=WORKS.match,
        code=code("generate"),
