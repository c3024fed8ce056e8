"""Bulk generation, the one place where answers are sampled.

REQUIRED INPUTS: a file of requests and a whole checkpoint
OUTPUTS: results/<run>/<model>/<work>/generations.jsonl for each piece of work in WORKS
         results/<run>/<model>/store/  finished answers; outlives killed and repeated jobs

A piece of work is a request file that goes to one checkpoint. The methods' files add theirs.
"""

import json



class Works(dict):
    """<work>: (checkpoint folder, marker of the checkpoint, request file), below <run>/<model>.

    Text in a shell command is no rerun trigger, so that new work repeats no other.
    """

    def __str__(self):
        return json.dumps(self)


WORKS = Works()
GENERATION = section(CONFIG.generation)


def add_work(work, checkpoint_folder, requests):
    """Have `requests` answered by a checkpoint into <work>/generations.jsonl."""
    name, seed = LINEAGE.at(checkpoint_folder)
    WORKS[work] = (checkpoint_folder, LINEAGE.marker(name).format(seed=seed), requests)


def work_part(position):
    """An input function: a part of the wildcards' piece of work."""

    def find(wildcards):
        return f"{R}/{wildcards.model}/{WORKS[wildcards.work][position]}"

    return find


def shard_markers(wildcards):
    """With more than one shard, each is a job of its own before the answers are collected."""
    shards = CONFIG.generation.shards
    names = range(shards) if shards > 1 else []
    return [f"{R}/{wildcards.model}/{wildcards.work}/shard-{i}-of-{shards}.json" for i in names]


rule generate:
    input:
        requests=work_part(2),
        checkpoint=work_part(1),
        shards=shard_markers,
    output:
        f"{R}/{{model}}/{{work}}/generations.jsonl",
    params:
        checkpoint=lambda wildcards: WORKS[wildcards.work][0],
        part="--generations",
        settings=section(CONFIG.generation, include={"engine", "dtype", "seed"}),
        match=CONFIG.slick.match,
        code=code("generate"),
    log:
        f"{R}/{{model}}/{{work}}/generate.log",
    benchmark:
        f"{R}/benchmarks/generate/{{model}}/{{work}}/all.tsv"
    threads: 1 if ON_GPU else workflow.cores
    resources:
        gpu=CONFIG.generation.tensor_parallel if ON_GPU else 0,
        mem_mb=16000,
        runtime=720,
    conda:
        "../../envs/generate.yaml"
    shell:
        "{OFFLINE} python {SCRIPTS:q}/generate.py --root {R:q}/{wildcards.model}"
        " --work {wildcards.work:q} --works {WORKS:q}"
        " --settings {GENERATION:q} --match {params.match} --device {CONFIG.device}"
        " --threads {threads} {params.part} {output:q} 2>&1 | tee {log:q}"


# One part of a large request file, on a device of its own.
use rule generate as generate_shard with:
    input:
        requests=work_part(2),
        checkpoint=work_part(1),
    output:
        f"{R}/{{model}}/{{work}}/shard-{{shard}}-of-{{shards}}.json",
    params:
        checkpoint=lambda wildcards: WORKS[wildcards.work][0],
        part=lambda wildcards: f"--shard {wildcards.shard}/{wildcards.shards} --marker",
        settings=section(CONFIG.generation, include={"engine", "dtype", "seed"}),
        match=CONFIG.slick.match,
        code=code("generate"),
    log:
        f"{R}/{{model}}/{{work}}/generate-{{shard}}-of-{{shards}}.log",
    benchmark:
        f"{R}/benchmarks/generate/{{model}}/{{work}}/{{shard}}-of-{{shards}}.tsv"
