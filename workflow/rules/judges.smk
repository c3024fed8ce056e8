"""Judges of responses: they are tested, and asked only if they pass.

REQUIRED INPUTS: responses, and the checkpoint that judges
OUTPUTS: results/<run>/<model>/<checkpoint>/judge/<purpose>.json    a judge's test
         results/<run>/<model>/<checkpoint>/win_rate/items.jsonl    comparisons with a baseline
         results/<run>/tables/judge_calibration.csv                 the tests of all judges
"""

JUDGES = EXPERIMENT.judges


rule calibrate_judge:
    input:
        unpack(JUDGES.checkpoint),
    output:
        calibration=f"{R}/{{model}}/{{place}}/{{purpose}}.json",
    log:
        f"{R}/{{model}}/{{place}}/{{purpose}}.log",
    benchmark:
        f"{R}/benchmarks/score/{{model}}/{{place}}/{{purpose}}.tsv"
    wildcard_constraints:
        place="(.+/)?judge",
        purpose=alternatives(JUDGES.by_purpose),
    priority: LEADING
    conda:
        environment("calibrate_judge")
    threads: BESIDE
    resources:
        gpu=lambda wildcards: GPU * JUDGES.needs_gpu(wildcards.purpose),
        mem_mb=memory(8000),
        runtime=60,
    params:
        judge=JUDGES.options,
        dtype=CONFIG.scoring.dtype,
        code=code("calibrate_judge"),
    shell:
        "python -m scripts.calibrate_judge {params.judge:q} --use {wildcards.purpose}"
        ' --scoring "$PLUMBLINE_SCORING" --device $PLUMBLINE_DEVICE --threads {threads}'
        " --calibration {output.calibration:q} 2>&1 | tee {log:q}"


rule judge_comparisons:
    input:
        unpack(JUDGES.inputs("win_rate")),
        instructions=f"{R}/instructions/win_rate.jsonl",
        first=f"{R}/{{model}}/{{folder}}/win_rate/own/responses.jsonl",
        second=EXPERIMENT.long_form.baseline_responses,
    output:
        measured=f"{R}/{{model}}/{{folder}}/win_rate/items.jsonl",
    log:
        f"{R}/{{model}}/{{folder}}/win_rate/judge_comparisons.log",
    benchmark:
        f"{R}/benchmarks/score/{{model}}/{{folder}}/judge_comparisons.tsv"
    priority: LAST
    group:
        SCORES
    conda:
        environment("judge_comparisons")
    threads: BESIDE
    resources:
        gpu=GPU * JUDGES.needs_gpu("win_rate"),
        mem_mb=memory(8000),
        runtime=120,
    params:
        judge=JUDGES.options_for("win_rate"),
        dtype=CONFIG.scoring.dtype,
        code=code("judge_comparisons"),
    shell:
        "python -m scripts.judge_comparisons {params.judge:q} --calibration {input.calibration:q}"
        " --instructions {input.instructions:q} --first {input.first:q} --second {input.second:q}"
        ' --scoring "$PLUMBLINE_SCORING" --device $PLUMBLINE_DEVICE --threads {threads}'
        " --items {output.measured:q} 2>&1 | tee {log:q}"


rule tabulate_judges:
    input:
        [row["path"] for row in LISTS["judges"]],
    output:
        f"{R}/tables/judge_calibration.csv",
    log:
        f"{R}/logs/tabulate_judges.log",
    benchmark:
        f"{R}/benchmarks/evaluate/tabulate_judges.tsv"
    localrule: True
    conda:
        environment("tabulate_judges")
    params:
        calibrations=listed("judges"),
        code=code("tabulate_judges"),
    shell:
        "python -m scripts.tabulate_judges --calibrations $PLUMBLINE_RESULTS/lists/judges.json"
        " --table {output:q} 2>&1 | tee {log:q}"
