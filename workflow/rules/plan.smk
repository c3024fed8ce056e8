"""Estimates what a run will cost before it runs: `snakemake --cores all plan`.

REQUIRED INPUTS: facts/questions.jsonl, instructions, and whatever else checkpoints are asked
OUTPUTS: results/<run>/plan.json
"""


rule make_plan:
    input:
        questions=f"{R}/facts/questions.jsonl",
        choices=EXPERIMENT.choice_tasks.paths,
        closed_book=EXPERIMENT.closed_book.questions.values(),
        asked=EXPERIMENT.pair_questions,
        instructions=EXPERIMENT.responses.instruction_files(),
        harness=expand(
            f"{R}/harness/{{task}}.jsonl", task=EXPERIMENT.choice_tasks.names
        ),
    output:
        f"{R}/plan.json",
    log:
        f"{R}/logs/make_plan.log",
    localrule: True
    conda:
        environment("make_plan")
    params:
        config=section(CONFIG),
        code=code("make_plan"),
    shell:
        "python -m scripts.make_plan --config {params.config:q}"
        " --questions {input.questions:q} --choices {input.choices:q} --asked {input.asked:q}"
        " --instructions {input.instructions:q} --closed-book {input.closed_book:q}"
        " --harness {input.harness:q}"
        " --root $PLUMBLINE_RESULTS --cores $PLUMBLINE_CORES"
        " --plan {output:q} 2>&1 | tee {log:q}"


# It has no output, so it prints every time it is asked for.
rule plan:
    input:
        f"{R}/plan.json",
    log:
        f"{R}/logs/plan.log",
    localrule: True
    conda:
        environment("print_plan")
    shell:
        "python -m scripts.print_plan {input:q} 2> {log:q}"
