"""SliCK: what the base knows, and mixes of known and new facts (Gekhman et al. 2024).

REQUIRED INPUTS: facts/questions.jsonl, the base checkpoint
OUTPUTS, below results/<run>/<model>:
         slick/exemplars.jsonl, requests.jsonl, generations.jsonl  what was asked and answered
         slick/annotations.jsonl                                   each question's category
         seed-<seed>/mix.<mix>/examples.jsonl                      the fine-tuning sets; mix.form
                                                                   teaches how to answer only
"""

add_work("slick", lineage.BASE, "slick/requests.jsonl", CONFIG.slick.match)


rule prepare_probe:
    input:
        questions=f"{R}/facts/questions.jsonl",
        base=f"{R}/{{model}}/base/checkpoint.json",
    output:
        questions=f"{R}/{{model}}/slick/questions.jsonl",
        exemplars=f"{R}/{{model}}/slick/exemplars.jsonl",
        requests=f"{R}/{{model}}/slick/requests.jsonl",
        dropped=f"{R}/{{model}}/slick/dropped.json",
    log:
        f"{R}/{{model}}/logs/prepare_probe.log",
    benchmark:
        f"{R}/benchmarks/slick/{{model}}/prepare_probe.tsv"
    localrule: True
    conda:
        environment("prepare_probe")
    params:
        slick=section(CONFIG.slick, exclude={"match"}),
        code=code("prepare_probe"),
    shell:
        "python -m scripts.prepare_probe --slick {params.slick:q}"
        " --checkpoint $PLUMBLINE_RESULTS/{wildcards.model}/base"
        " --all-questions {input.questions:q} --questions {output.questions:q}"
        " --exemplars {output.exemplars:q} --requests {output.requests:q}"
        " --dropped {output.dropped:q} 2>&1 | tee {log:q}"


rule annotate:
    input:
        questions=f"{R}/{{model}}/slick/questions.jsonl",
        requests=f"{R}/{{model}}/slick/requests.jsonl",
        generations=f"{R}/{{model}}/slick/generations.jsonl",
    output:
        annotations=f"{R}/{{model}}/slick/annotations.jsonl",
    log:
        f"{R}/{{model}}/logs/annotate.log",
    benchmark:
        f"{R}/benchmarks/slick/{{model}}/annotate.tsv"
    localrule: True
    conda:
        environment("annotate")
    params:
        match=CONFIG.slick.match,
        code=code("annotate"),
    shell:
        "python -m scripts.annotate --questions {input.questions:q}"
        " --requests {input.requests:q} --generations {input.generations:q}"
        " --match {params.match} --annotations {output.annotations:q} 2>&1 | tee {log:q}"


rule build_mix:
    input:
        questions=f"{R}/{{model}}/slick/questions.jsonl",
        annotations=f"{R}/{{model}}/slick/annotations.jsonl",
    output:
        examples=f"{R}/{{model}}/seed-{{seed}}/mix.{{mix}}/examples.jsonl",
        probes=f"{R}/{{model}}/seed-{{seed}}/mix.{{mix}}/probes.jsonl",
        composition=f"{R}/{{model}}/seed-{{seed}}/mix.{{mix}}/composition.json",
    log:
        f"{R}/{{model}}/seed-{{seed}}/mix.{{mix}}/build_mix.log",
    benchmark:
        f"{R}/benchmarks/mixes/{{model}}/seed-{{seed}}/{{mix}}.tsv"
    wildcard_constraints:
        mix="|".join(map(re.escape, CONFIG.mixes.trained())) or "none",
    localrule: True
    conda:
        environment("build_mix")
    params:
        mixes=section(CONFIG.mixes, include={"on_empty", "prompt", "monitor"}),
        # Not the list of sets: another one that asks for no more leaves the others as they are.
        demands=section(CONFIG.mixes.demands()),
        code=code("build_mix"),
    shell:
        "python -m scripts.build_mix --name {wildcards.mix} --seed {wildcards.seed}"
        " --mixes {params.mixes:q} --demands {params.demands:q} --questions {input.questions:q}"
        " --annotations {input.annotations:q} --examples {output.examples:q}"
        " --probes {output.probes:q} --composition {output.composition:q} 2>&1 | tee {log:q}"
