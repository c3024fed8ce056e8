"""What a run will cost, before it runs: `snakemake --cores 1 plan`.

REQUIRED INPUTS: facts/questions.jsonl
OUTPUTS: results/<run>/plan.json
"""


rule make_plan:
    input:
        questions=f"{R}/facts/questions.jsonl",
    output:
        f"{R}/plan.json",
    params:
        config=section(CONFIG),
        code=code("make_plan"),
    log:
        f"{R}/logs/make_plan.log",
    conda:
        "../../envs/orchestrate.yaml"
    localrule: True
    shell:
        "python {SCRIPTS:q}/make_plan.py --config {params.config:q}"
        " --questions {input.questions:q} --root {R:q} --cores {workflow.cores}"
        " --plan {output:q} 2>&1 | tee {log:q}"


# Without an output it prints whenever it is asked for.
rule plan:
    input:
        f"{R}/plan.json",
    log:
        f"{R}/logs/plan.log",
    conda:
        "../../envs/orchestrate.yaml"
    localrule: True
    shell:
        "python {SCRIPTS:q}/print_plan.py {input:q} 2> {log:q}"
