"""Token distribution shift: how a tuned model's greedy tokens rank under a reference model.

REQUIRED INPUTS: long answers of the tuned checkpoint, measured long answers of both
OUTPUTS: results/<run>/<model>/<tuned>/token_shift/<reference>.jsonl   the rank of every token
         results/<run>/tables/token_shift.csv, token_shift_verdicts.csv, token_shift_tokens.csv
"""

SHIFTS = EXPERIMENT.token_shifts


rule measure_token_shift:
    input:
        instructions=f"{R}/instructions/long_form.jsonl",
        requests=SHIFTS.requests,
        generations=f"{R}/{{model}}/{{folder}}/long_form/generations.jsonl",
        checkpoint=EXPERIMENT.layout.marker_at,
        reference=SHIFTS.reference_marker,
    output:
        f"{R}/{{model}}/{{folder}}/token_shift/{{reference}}.jsonl",
    log:
        f"{R}/{{model}}/{{folder}}/token_shift/{{reference}}.log",
    benchmark:
        f"{R}/benchmarks/score/{{model}}/{{folder}}/token_shift-{{reference}}.tsv"
    wildcard_constraints:
        reference="[^/]+",
    priority: LAST
    group:
        SCORES
    conda:
        environment("measure_token_shift")
    threads: BESIDE
    resources:
        gpu=GPU,
        mem_mb=memory(16000),
        runtime=240,
    params:
        reference=SHIFTS.reference,
        dtype=SHIFTS.dtype,
        code=code("measure_token_shift"),
    shell:
        "python -m scripts.measure_token_shift --tuned $PLUMBLINE_RESULTS/{wildcards.model}/{wildcards.folder:q}"
        " --reference $PLUMBLINE_RESULTS/{wildcards.model}/{params.reference:q}"
        " --instructions {input.instructions:q} --requests {input.requests:q}"
        " --generations {input.generations:q} --dtype {params.dtype}"
        ' --scoring "$PLUMBLINE_SCORING" --device $PLUMBLINE_DEVICE --threads {threads}'
        " --shift {output:q} 2>&1 | tee {log:q}"


rule tabulate_token_shift:
    input:
        SHIFTS.files(),
    output:
        shares=f"{R}/tables/token_shift.csv",
        verdicts=f"{R}/tables/token_shift_verdicts.csv",
        tokens=f"{R}/tables/token_shift_tokens.csv",
    log:
        f"{R}/logs/tabulate_token_shift.log",
    benchmark:
        f"{R}/benchmarks/evaluate/tabulate_token_shift.tsv"
    localrule: True
    conda:
        environment("tabulate_token_shift")
    params:
        pairs=listed("token_shifts"),
        evaluation=section(CONFIG.evaluation, include={"confidence"}),
        margin=SHIFTS.margin,
        code=code("tabulate_token_shift"),
    shell:
        "python -m scripts.tabulate_token_shift --pairs $PLUMBLINE_RESULTS/lists/token_shifts.json"
        " --evaluation {params.evaluation:q} --margin {params.margin}"
        " --shares {output.shares:q} --verdicts {output.verdicts:q} --tokens {output.tokens:q}"
        " 2>&1 | tee {log:q}"


# Measures how tuning shifts the distribution of tokens, in the tuning domain and outside.
rule token_shift:
    input:
        told(SHIFTS.tables),
