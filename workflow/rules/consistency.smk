"""Self-consistency: prefer the majority's answer to a minority's (after Prasad et al. 2024).

REQUIRED INPUTS: the probed questions, the parent checkpoint
OUTPUTS, below results/<run>:
         <model>/consistency/requests.jsonl              several answers to each training question
         <model>/<parent>/consistency/generations.jsonl  as the parent gives them
         <model>/<data>/pairs.jsonl                      the training file, data: consistency (of the
                                                         base, so the same for all seeds) or
                                                         seed-<seed>/consistency;
                                                         consistency-unknown-<p> where the knowledge
                                                         filter keeps p per cent
         tables/consistency_pairs.csv                    what became of questions, answers and pairs
"""

CONSISTENCY = EXPERIMENT.methods["consistency"]


rule write_consistency_requests:
    input:
        questions=f"{R}/{{model}}/slick/questions.jsonl",
    output:
        requests=f"{R}/{{model}}/consistency/requests.jsonl",
    log:
        f"{R}/{{model}}/consistency/write_consistency_requests.log",
    benchmark:
        f"{R}/benchmarks/consistency/{{model}}/write_consistency_requests.tsv"
    localrule: True
    conda:
        environment("write_consistency_requests")
    params:
        options=CONSISTENCY.request_options,
        code=code("write_consistency_requests"),
    shell:
        "python -m scripts.write_consistency_requests --questions {input.questions:q}"
        " {params.options:q} --requests {output.requests:q} 2>&1 | tee {log:q}"


rule build_consistency_pairs:
    input:
        unpack(CONSISTENCY.pair_inputs),
    output:
        pairs=f"{R}/{{model}}/{{data}}{{variant}}/pairs.jsonl",
        composition=f"{R}/{{model}}/{{data}}{{variant}}/composition.json",
    log:
        f"{R}/{{model}}/{{data}}{{variant}}/build_consistency_pairs.log",
    benchmark:
        f"{R}/benchmarks/consistency/{{model}}/{{data}}{{variant}}.tsv"
    wildcard_constraints:
        data=r"(seed-\d+/)?",
        variant=CONSISTENCY.variants.pattern,
    localrule: True
    conda:
        environment("build_consistency_pairs")
    params:
        options=CONSISTENCY.pair_options,
        code=code("build_consistency_pairs"),
    shell:
        "python -m scripts.build_consistency_pairs --name {wildcards.data}{wildcards.variant}"
        " --questions {input.questions:q} --requests {input.requests:q}"
        " --generations {input.generations:q} {params.options:q}"
        " --pairs {output.pairs:q} --composition {output.composition:q} 2>&1 | tee {log:q}"


rule tabulate_consistency:
    input:
        CONSISTENCY.row_files(),
    output:
        f"{R}/tables/consistency_pairs.csv",
    log:
        f"{R}/logs/tabulate_consistency.log",
    benchmark:
        f"{R}/benchmarks/consistency/tabulate_consistency.tsv"
    localrule: True
    conda:
        environment("tabulate_consistency")
    params:
        rows=listed("consistency_files"),
        evaluation=section(CONFIG.evaluation, include={"confidence"}),
        code=code("tabulate_consistency"),
    shell:
        "python -m scripts.tabulate_consistency --rows $PLUMBLINE_RESULTS/lists/consistency_files.json"
        " --evaluation {params.evaluation:q} --table {output:q} 2>&1 | tee {log:q}"


# Makes the training on self-consistency preferences and the table of its pairs.
rule consistency:
    input:
        told(CONSISTENCY.results),
