"""Evaluation of every checkpoint, and the tables from which everything is reported.

REQUIRED INPUTS: annotations of each model, the checkpoints of the lineage
OUTPUTS: results/<run>/<model>/<checkpoint>/closed_book/answers.jsonl
         results/<run>/<model>/closed_book/  the questions asked, and the exemplars before them
         results/<run>/closed_book/<set>.jsonl  further closed-book questions; theirs is <set>/ in the
                                                two folders above
         results/<run>/tables/metrics.csv, contrasts.csv, comparisons.csv, gains.csv, dropped.csv,
                              answers.json
"""

CLOSED_BOOK, EVALUATED = EXPERIMENT.closed_book, EXPERIMENT.evaluated
ANSWERED = EVALUATED.answered()


# Published sets of questions, beside those about the facts.
rule build_closed_book:
    input:
        CLOSED_BOOK.source,
    output:
        questions=f"{R}/closed_book/{{set}}.jsonl",
        dropped=f"{R}/closed_book/{{set}}.dropped.json",
    log:
        f"{R}/closed_book/{{set}}.log",
    benchmark:
        f"{R}/benchmarks/facts/closed_book-{{set}}.tsv"
    wildcard_constraints:
        set=alternatives(CLOSED_BOOK.questions),
    localrule: True
    conda:
        environment("build_closed_book")
    params:
        set=CLOSED_BOOK.settings,
        shots=CONFIG.slick.shots,
        code=code("build_closed_book"),
    shell:
        "python -m scripts.build_closed_book --set {params.set:q} --source-marker {input:q}"
        " --shots {params.shots} --questions {output.questions:q} --dropped {output.dropped:q}"
        " 2>&1 | tee {log:q}"


# All checkpoints are asked with few-shot examples, and also in the forms in which they, their ancestors
# or their descendants are tuned.
rule write_closed_book:
    input:
        everything=f"{R}/facts/questions.jsonl",
        questions=f"{R}/{{model}}/slick/test.jsonl",
        labelling=f"{R}/{{model}}/slick/exemplars.jsonl",
    output:
        exemplars=f"{R}/{{model}}/closed_book/exemplars.jsonl",
        requests=expand(
            f"{R}/{{{{model}}}}/closed_book/{{forms}}.jsonl",
            forms=CLOSED_BOOK.all_forms,
        ),
    log:
        f"{R}/{{model}}/closed_book/write_closed_book.log",
    benchmark:
        f"{R}/benchmarks/evaluate/{{model}}/write_closed_book.tsv"
    localrule: True
    conda:
        environment("write_closed_book")
    params:
        slick=section(CONFIG.slick, include={"shots", "max_tokens", "seed"}),
        name="closed_book",
        forms=CLOSED_BOOK.all_forms,
        limit=CONFIG.evaluation.questions or 0,
        code=code("write_closed_book"),
    shell:
        "python -m scripts.write_closed_book --all-questions {input.everything:q}"
        " --questions {input.questions:q} --labelling {input.labelling:q}"
        " --slick {params.slick:q} --name {params.name} --forms {params.forms} --limit {params.limit}"
        " --exemplars {output.exemplars:q} --requests {output.requests:q} 2>&1 | tee {log:q}"


use rule write_closed_book as write_closed_book_set with:
    input:
        everything=f"{R}/closed_book/{{set}}.jsonl",
        questions=f"{R}/closed_book/{{set}}.jsonl",
        labelling=[],
    output:
        exemplars=f"{R}/{{model}}/closed_book/{{set}}/exemplars.jsonl",
        requests=expand(
            f"{R}/{{{{model}}}}/closed_book/{{{{set}}}}/{{forms}}.jsonl",
            forms=CLOSED_BOOK.all_forms,
        ),
    log:
        f"{R}/{{model}}/closed_book/{{set}}/write_closed_book.log",
    benchmark:
        f"{R}/benchmarks/evaluate/{{model}}/write_closed_book-{{set}}.tsv"
    wildcard_constraints:
        set=alternatives(CLOSED_BOOK.questions),
    localrule: True
    params:
        slick=section(CONFIG.slick, include={"shots", "max_tokens", "seed"}),
        name=lambda wildcards: wildcards.set,
        forms=CLOSED_BOOK.all_forms,
        limit=0,
        code=code("write_closed_book"),


rule judge_closed_book:
    input:
        questions=f"{R}/facts/questions.jsonl",
        annotations=f"{R}/{{model}}/slick/annotations.jsonl",
        requests=CLOSED_BOOK.requests,
        generations=f"{R}/{{model}}/{{folder}}/closed_book/generations.jsonl",
    output:
        answers=f"{R}/{{model}}/{{folder}}/closed_book/answers.jsonl",
    log:
        f"{R}/{{model}}/{{folder}}/closed_book/judge_closed_book.log",
    benchmark:
        f"{R}/benchmarks/evaluate/{{model}}/{{folder}}/judge_closed_book.tsv"
    localrule: True
    conda:
        environment("judge_closed_book")
    params:
        match=CONFIG.slick.match,
        code=code("judge_closed_book"),
    shell:
        "python -m scripts.judge_closed_book --questions {input.questions:q}"
        " --annotations {input.annotations:q} --requests {input.requests:q}"
        " --generations {input.generations:q} --match {params.match} --checkpoint {wildcards.folder:q}"
        " --answers {output.answers:q} 2>&1 | tee {log:q}"


use rule judge_closed_book as judge_closed_book_set with:
    input:
        questions=f"{R}/closed_book/{{set}}.jsonl",
        annotations=[],
        requests=CLOSED_BOOK.requests,
        generations=f"{R}/{{model}}/{{folder}}/closed_book/{{set}}/generations.jsonl",
    output:
        answers=f"{R}/{{model}}/{{folder}}/closed_book/{{set}}/answers.jsonl",
    log:
        f"{R}/{{model}}/{{folder}}/closed_book/{{set}}/judge_closed_book.log",
    benchmark:
        f"{R}/benchmarks/evaluate/{{model}}/{{folder}}/judge_closed_book-{{set}}.tsv"
    wildcard_constraints:
        set=alternatives(CLOSED_BOOK.questions),
    localrule: True


rule tabulate_metrics:
    input:
        scores=EVALUATED.scored(),
        choices=EXPERIMENT.choice_tasks.paths,
    output:
        f"{R}/tables/metrics.csv",
    log:
        f"{R}/logs/tabulate_metrics.log",
    benchmark:
        f"{R}/benchmarks/evaluate/tabulate_metrics.tsv"
    localrule: True
    conda:
        environment("tabulate_metrics")
    params:
        evaluation=section(CONFIG.evaluation, include={"confidence"}),
        checkpoints=listed("checkpoints"),
        choices=listed("choices"),
        code=code("tabulate_metrics"),
    shell:
        "python -m scripts.tabulate_metrics --root $PLUMBLINE_RESULTS --checkpoints $PLUMBLINE_RESULTS/lists/checkpoints.json"
        " --choices $PLUMBLINE_RESULTS/lists/choices.json"
        " --evaluation {params.evaluation:q} --metrics {output:q} 2>&1 | tee {log:q}"


# Every answer to every question, which the report lets its reader browse.
rule tabulate_answers:
    input:
        answers=[row["answers"] for row in ANSWERED],
        questions=sorted({row["questions"] for row in ANSWERED}),
    output:
        f"{R}/tables/answers.json",
    log:
        f"{R}/logs/tabulate_answers.log",
    benchmark:
        f"{R}/benchmarks/evaluate/tabulate_answers.tsv"
    localrule: True
    conda:
        environment("tabulate_answers")
    params:
        rows=listed("answered"),
        code=code("tabulate_answers"),
    shell:
        "python -m scripts.tabulate_answers --rows $PLUMBLINE_RESULTS/lists/answered.json"
        " --answers {output:q} 2>&1 | tee {log:q}"


# The contrasts that the methods state in advance, and further comparisons of checkpoints.
rule tabulate_comparisons:
    input:
        EVALUATED.scored(),
    output:
        contrasts=f"{R}/tables/contrasts.csv",
        comparisons=f"{R}/tables/comparisons.csv",
        gains=f"{R}/tables/gains.csv",
    log:
        f"{R}/logs/tabulate_comparisons.log",
    benchmark:
        f"{R}/benchmarks/evaluate/tabulate_comparisons.tsv"
    localrule: True
    conda:
        environment("tabulate_comparisons")
    params:
        evaluation=section(CONFIG.evaluation, include={"confidence", "margin"}),
        baseline=getattr(CONFIG.evaluation.long_form, "baseline", "base"),
        checkpoints=listed("checkpoints"),
        stated=listed("contrasts"),
        code=code("tabulate_comparisons"),
    shell:
        "python -m scripts.tabulate_comparisons --root $PLUMBLINE_RESULTS --checkpoints $PLUMBLINE_RESULTS/lists/checkpoints.json"
        " --evaluation {params.evaluation:q} --baseline {params.baseline:q}"
        " --stated $PLUMBLINE_RESULTS/lists/contrasts.json --contrasts {output.contrasts:q}"
        " --comparisons {output.comparisons:q} --gains {output.gains:q} 2>&1 | tee {log:q}"


rule count_dropped:
    input:
        **EXPERIMENT.lost(),
    output:
        f"{R}/tables/dropped.csv",
    log:
        f"{R}/logs/count_dropped.log",
    benchmark:
        f"{R}/benchmarks/evaluate/count_dropped.tsv"
    localrule: True
    conda:
        environment("count_dropped")
    params:
        reports=listed("dropped"),
        code=code("count_dropped"),
    shell:
        "python -m scripts.count_dropped --root $PLUMBLINE_RESULTS"
        " --reports $PLUMBLINE_RESULTS/lists/dropped.json"
        " --dropped {output:q} 2>&1 | tee {log:q}"


# Every checkpoint, evaluated.
rule evaluate:
    input:
        rules.tabulate_metrics.output,
