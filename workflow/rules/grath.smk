"""GRATH: rounds of preference training on pairs the model writes itself (Chen et al. 2024).

REQUIRED INPUTS: the questions the configuration names, the parent of the first round
OUTPUTS, below results/<run>:
         grath/questions.jsonl                     the questions, less those in an evaluation set
         <model>/grath/requests.jsonl              the requests, the same for every round
         <model>/<parent>/grath/generations.jsonl  pairs as a round's parent writes them
         <model>/<data>/pairs.jsonl                a round's training file, data: grath/r1 (of the
                                                   base, so the same for all seeds) or
                                                   seed-<seed>/grath.r<round>; grath-unknown-<p>
                                                   where the knowledge filter keeps p per cent
         tables/grath_rounds.csv                   scores and pairs, round by round
"""

GRATH = EXPERIMENT.methods["grath"]


rule choose_grath_questions:
    input:
        questions=f"{R}/grath/source.jsonl",
        evaluation=[*EXPERIMENT.choice_tasks.paths, f"{R}/facts/questions.jsonl"],
    output:
        kept=f"{R}/grath/questions.jsonl",
        dropped=f"{R}/grath/dropped.json",
    log:
        f"{R}/grath/choose_grath_questions.log",
    benchmark:
        f"{R}/benchmarks/grath/choose_grath_questions.tsv"
    localrule: True
    conda:
        environment("choose_grath_questions")
    params:
        code=code("choose_grath_questions"),
    shell:
        "python -m scripts.choose_grath_questions --questions {input.questions:q}"
        " --evaluation {input.evaluation:q} --kept {output.kept:q} --dropped {output.dropped:q}"
        " 2>&1 | tee {log:q}"


rule write_grath_requests:
    input:
        questions=f"{R}/grath/questions.jsonl",
    output:
        requests=f"{R}/{{model}}/grath/requests.jsonl",
    log:
        f"{R}/{{model}}/grath/write_grath_requests.log",
    benchmark:
        f"{R}/benchmarks/grath/{{model}}/write_grath_requests.tsv"
    localrule: True
    conda:
        environment("write_grath_requests")
    params:
        options=GRATH.request_options,
        code=code("write_grath_requests"),
    shell:
        "python -m scripts.write_grath_requests --questions {input.questions:q}"
        " {params.options:q} --requests {output.requests:q} 2>&1 | tee {log:q}"


rule build_grath_pairs:
    input:
        unpack(GRATH.pair_inputs),
    output:
        pairs=f"{R}/{{model}}/{{data}}{{variant}}{{end}}r{{round}}/pairs.jsonl",
        composition=f"{R}/{{model}}/{{data}}{{variant}}{{end}}r{{round}}/composition.json",
    log:
        f"{R}/{{model}}/{{data}}{{variant}}{{end}}r{{round}}/build_grath_pairs.log",
    benchmark:
        f"{R}/benchmarks/grath/{{model}}/{{data}}{{variant}}{{end}}r{{round}}.tsv"
    wildcard_constraints:
        data=r"(seed-\d+/)?",
        variant=GRATH.variants.pattern,
        end="[./]",
        round=r"\d+",
    localrule: True
    conda:
        environment("build_grath_pairs")
    params:
        options=GRATH.pair_options,
        code=code("build_grath_pairs"),
    shell:
        "python -m scripts.build_grath_pairs --name {wildcards.variant}.r{wildcards.round}"
        " --round {wildcards.round} --questions {input.questions:q} --first {input.first:q}"
        " --now {input.now:q} {params.options:q} --pairs {output.pairs:q}"
        " --composition {output.composition:q} 2>&1 | tee {log:q}"


rule tabulate_grath:
    input:
        GRATH.row_files(),
    output:
        f"{R}/tables/grath_rounds.csv",
    log:
        f"{R}/logs/tabulate_grath.log",
    benchmark:
        f"{R}/benchmarks/grath/tabulate_grath.tsv"
    localrule: True
    conda:
        environment("tabulate_grath")
    params:
        rounds=listed("grath_rounds"),
        evaluation=section(CONFIG.evaluation, include={"confidence"}),
        code=code("tabulate_grath"),
    shell:
        "python -m scripts.tabulate_grath --rounds $PLUMBLINE_RESULTS/lists/grath_rounds.json"
        " --evaluation {params.evaluation:q} --table {output:q} 2>&1 | tee {log:q}"


# Trains and scores GRATH's rounds.
rule grath:
    input:
        rules.tabulate_grath.output,
        GRATH.scores(),
