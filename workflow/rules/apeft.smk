"""APEFT: preferences about single facts beside those about whole responses (Yuan et al. 2024).

REQUIRED INPUTS: instructions/apeft.jsonl, facts/questions.jsonl, the parent checkpoint
OUTPUTS, below results/<run>/<model>:
         <parent>/apeft/responses/            responses, their claims and verdicts
         <parent>/apeft/questions.jsonl       questions about single facts
         <parent>/apeft/answers/              many answers to each
         <parent>/apeft/atomic/               the answers as statements, and their verdicts
         seed-<seed>/apeft/atomic-<percent>/  training files, the same for all losses;
                                              apeft-unknown-<p> where the knowledge filter keeps p
                                              per cent
         tables/apeft_pairs.csv               what became of facts and pairs (below results/<run>)
         tables/study.csv                     gains under each loss (below results/<run>)
"""

APEFT = EXPERIMENT.methods["apeft"]


use rule write_long_form as write_apeft_responses with:
    input:
        instructions=f"{R}/instructions/apeft.jsonl",
    output:
        requests=f"{R}/{{model}}/apeft/responses/requests.jsonl",
    log:
        f"{R}/{{model}}/apeft/responses/write_responses.log",
    benchmark:
        f"{R}/benchmarks/apeft/{{model}}/write_responses.tsv"
    localrule: True
    params:
        options=APEFT.response_options,
        code=code("write_responses"),


rule write_apeft_questions:
    input:
        claims=f"{R}/{{model}}/{{folder}}/apeft/responses/claims.jsonl",
    output:
        requests=f"{R}/{{model}}/{{folder}}/apeft/questions/requests.jsonl",
    log:
        f"{R}/{{model}}/{{folder}}/apeft/questions/write_apeft_questions.log",
    benchmark:
        f"{R}/benchmarks/apeft/{{model}}/{{folder}}/write_apeft_questions.tsv"
    localrule: True
    conda:
        environment("write_apeft_questions")
    params:
        code=code("write_apeft_questions"),
    shell:
        "python -m scripts.write_apeft_questions --claims {input.claims:q}"
        " --requests {output.requests:q} 2>&1 | tee {log:q}"


rule write_apeft_answers:
    input:
        unpack(APEFT.question_inputs),
    output:
        questions=f"{R}/{{model}}/{{folder}}/apeft/questions.jsonl",
        requests=f"{R}/{{model}}/{{folder}}/apeft/answers/requests.jsonl",
        dropped=f"{R}/{{model}}/{{folder}}/apeft/dropped.json",
    log:
        f"{R}/{{model}}/{{folder}}/apeft/write_apeft_answers.log",
    benchmark:
        f"{R}/benchmarks/apeft/{{model}}/{{folder}}/write_apeft_answers.tsv"
    localrule: True
    conda:
        environment("write_apeft_answers")
    params:
        options=APEFT.question_options,
        code=code("write_apeft_answers"),
    shell:
        "python -m scripts.write_apeft_answers --claims {input.claims:q}"
        " --verdicts {input.verdicts:q} {params.options:q} --name {wildcards.folder:q}/apeft --questions {output.questions:q}"
        " --requests {output.requests:q} --dropped {output.dropped:q} 2>&1 | tee {log:q}"


rule collect_apeft_answers:
    input:
        questions=f"{R}/{{model}}/{{folder}}/apeft/questions.jsonl",
        requests=f"{R}/{{model}}/{{folder}}/apeft/answers/requests.jsonl",
        generations=f"{R}/{{model}}/{{folder}}/apeft/answers/generations.jsonl",
    output:
        claims=f"{R}/{{model}}/{{folder}}/apeft/atomic/claims.jsonl",
        dropped=f"{R}/{{model}}/{{folder}}/apeft/atomic/dropped.json",
    log:
        f"{R}/{{model}}/{{folder}}/apeft/atomic/collect_apeft_answers.log",
    benchmark:
        f"{R}/benchmarks/apeft/{{model}}/{{folder}}/collect_apeft_answers.tsv"
    localrule: True
    conda:
        environment("collect_apeft_answers")
    params:
        code=code("collect_apeft_answers"),
    shell:
        "python -m scripts.collect_apeft_answers --questions {input.questions:q}"
        " --requests {input.requests:q} --generations {input.generations:q}"
        " --name {wildcards.folder:q}/apeft --claims {output.claims:q}"
        " --dropped {output.dropped:q} 2>&1 | tee {log:q}"


rule build_apeft_pairs:
    input:
        unpack(APEFT.pair_inputs),
    output:
        pairs=f"{R}/{{model}}/seed-{{seed}}/{{variant}}/atomic-{{percent}}/pairs.jsonl",
        composition=f"{R}/{{model}}/seed-{{seed}}/{{variant}}/atomic-{{percent}}/composition.json",
    log:
        f"{R}/{{model}}/seed-{{seed}}/{{variant}}/atomic-{{percent}}/build_apeft_pairs.log",
    benchmark:
        f"{R}/benchmarks/apeft/{{model}}/seed-{{seed}}/{{variant}}.atomic-{{percent}}.tsv"
    wildcard_constraints:
        variant=APEFT.variants.pattern,
        percent=r"\d+(\.\d+)?",
    localrule: True
    conda:
        environment("build_apeft_pairs")
    params:
        options=APEFT.pair_options,
        code=code("build_apeft_pairs"),
    shell:
        "python -m scripts.build_apeft_pairs --percent {wildcards.percent}"
        " --name {wildcards.variant}.atomic-{wildcards.percent} --responses {input.responses:q}"
        " --verdicts {input.verdicts:q} --questions {input.questions:q}"
        " --answers {input.answers:q} --answer-verdicts {input.answer_verdicts:q}"
        " {params.options:q} --seed {wildcards.seed} --pairs {output.pairs:q}"
        " --composition {output.composition:q} 2>&1 | tee {log:q}"


rule tabulate_apeft:
    input:
        APEFT.row_files(),
    output:
        f"{R}/tables/apeft_pairs.csv",
    log:
        f"{R}/logs/tabulate_apeft.log",
    benchmark:
        f"{R}/benchmarks/apeft/tabulate_apeft.tsv"
    localrule: True
    conda:
        environment("tabulate_apeft")
    params:
        rows=listed("apeft_files"),
        code=code("tabulate_apeft"),
    shell:
        "python -m scripts.tabulate_apeft --rows $PLUMBLINE_RESULTS/lists/apeft_files.json --table {output:q}"
        " 2>&1 | tee {log:q}"


rule tabulate_losses:
    input:
        APEFT.studied_items(),
    output:
        f"{R}/tables/study.csv",
    log:
        f"{R}/logs/tabulate_losses.log",
    benchmark:
        f"{R}/benchmarks/apeft/tabulate_losses.tsv"
    localrule: True
    conda:
        environment("tabulate_losses")
    params:
        evaluation=section(CONFIG.evaluation, include={"confidence"}),
        checkpoints=listed("apeft_checkpoints"),
        code=code("tabulate_losses"),
    shell:
        "python -m scripts.tabulate_losses --root $PLUMBLINE_RESULTS"
        " --checkpoints $PLUMBLINE_RESULTS/lists/apeft_checkpoints.json"
        " --evaluation {params.evaluation:q} --table {output:q} 2>&1 | tee {log:q}"


# Makes APEFT's trainings and the table of what became of facts and pairs.
rule apeft:
    input:
        told(APEFT.results),
