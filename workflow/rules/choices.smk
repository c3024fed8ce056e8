"""Choice questions: the sets, and every checkpoint's log-likelihoods of their choices.

REQUIRED INPUTS: the sources the configuration names, facts/questions.jsonl for sets made of facts
OUTPUTS: results/<run>/choices/<set>.jsonl                          the questions
         results/<run>/<model>/<checkpoint>/choices/<set>.jsonl     log-probabilities and metrics
         results/<run>/harness/<task>.jsonl                         questions of the LM evaluation
                                                                    harness's tasks
         results/<run>/<model>/<checkpoint>/harness/<task>.jsonl    the harness's metrics
"""

TASKS = EXPERIMENT.choice_tasks


rule build_choices:
    input:
        TASKS.source,
    output:
        choices=f"{R}/{{choices}}.jsonl",
        dropped=f"{R}/{{choices}}.dropped.json",
    log:
        f"{R}/{{choices}}.log",
    benchmark:
        f"{R}/benchmarks/facts/{{choices}}.tsv"
    wildcard_constraints:
        choices=alternatives(EXPERIMENT.choices),
    localrule: True
    conda:
        environment("build_choices")
    params:
        options=TASKS.options,
        code=code("build_choices"),
    shell:
        "python -m scripts.build_choices {params.options:q} --name {wildcards.choices:q}"
        " --out {output.choices:q} --dropped {output.dropped:q} 2>&1 | tee {log:q}"


rule score_choices:
    input:
        choices=f"{R}/choices/{{set}}.jsonl",
        checkpoint=EXPERIMENT.layout.marker_at,
    output:
        f"{R}/{{model}}/{{folder}}/choices/{{set}}.jsonl",
    log:
        f"{R}/{{model}}/{{folder}}/choices/{{set}}.log",
    benchmark:
        f"{R}/benchmarks/score/{{model}}/{{folder}}/choices/{{set}}.tsv"
    wildcard_constraints:
        set="[^/]+",
    priority: LAST
    group:
        SCORES
    conda:
        environment("score_choices")
    threads: BESIDE
    resources:
        gpu=GPU,
        mem_mb=memory(16000),
        runtime=240,
    params:
        prompt=TASKS.prompt,
        dtype=CONFIG.scoring.dtype,
        compat=int(CONFIG.evaluation.harness_compat),
        code=code("score_choices"),
    shell:
        "python -m scripts.score_choices --questions {input.choices:q} --name {wildcards.set}"
        " --prompt {params.prompt} --checkpoint $PLUMBLINE_RESULTS/{wildcards.model}/{wildcards.folder:q}"
        ' --scoring "$PLUMBLINE_SCORING" --harness-compat {params.compat}'
        " --device $PLUMBLINE_DEVICE --threads {threads} --scores {output:q} 2>&1 | tee {log:q}"


rule list_harness_questions:
    input:
        TASKS.task_files,
    output:
        f"{R}/harness/{{task}}.jsonl",
    log:
        f"{R}/harness/{{task}}.log",
    benchmark:
        f"{R}/benchmarks/facts/harness-{{task}}.tsv"
    localrule: True
    conda:
        environment("list_harness_questions")
    params:
        options=TASKS.task_options,
        code=code("list_harness_questions"),
    shell:
        "python -m scripts.list_harness_questions {params.options:q} --questions {output:q}"
        " 2>&1 | tee {log:q}"


rule run_harness:
    input:
        tasks=TASKS.task_files,
        checkpoint=EXPERIMENT.layout.marker_at,
    output:
        f"{R}/{{model}}/{{folder}}/harness/{{task}}.jsonl",
    log:
        f"{R}/{{model}}/{{folder}}/harness/{{task}}.log",
    benchmark:
        f"{R}/benchmarks/score/{{model}}/{{folder}}/harness-{{task}}.tsv"
    priority: LAST
    group:
        SCORES
    conda:
        environment("run_harness")
    threads: BESIDE
    resources:
        gpu=GPU,
        mem_mb=memory(16000),
        runtime=240,
    params:
        options=TASKS.task_options,
        domain=TASKS.domain,
        dtype=CONFIG.scoring.dtype,
        code=code("run_harness"),
    shell:
        "python -m scripts.run_harness --checkpoint $PLUMBLINE_RESULTS/{wildcards.model}/{wildcards.folder:q}"
        ' {params.options:q} --domain {params.domain} --scoring "$PLUMBLINE_SCORING" --device $PLUMBLINE_DEVICE'
        " --threads {threads} --scores {output:q} 2>&1 | tee {log:q}"
