"""SliCK: what the base knows, and mixes of known and new facts (Gekhman et al. 2024).

REQUIRED INPUTS: facts/questions.jsonl, the base checkpoint
OUTPUTS, below results/<run>/<model>:
         slick/exemplars.jsonl, requests.jsonl, generations.jsonl  questions and answers
         slick/annotations.jsonl                                   each question's category
         slick/again/requests.jsonl                                a second probing's requests
         slick/p_true.jsonl                                        P(True), if slick.p_true
         seed-<seed>/mix.<mix>/examples.jsonl                      the fine-tuning sets; mix.form
                                                                   teaches only the form of an answer
OUTPUTS, below results/<run>/tables: slick_counts.csv, fit_curves.csv, fit_speed.csv,
         linear_model.csv and, if slick.p_true, p_true.csv
"""

SLICK = EXPERIMENT.methods["mix"]


rule prepare_probe:
    input:
        questions=f"{R}/facts/questions.jsonl",
        base=f"{R}/{{model}}/base/checkpoint.json",
    output:
        questions=f"{R}/{{model}}/slick/questions.jsonl",
        test=f"{R}/{{model}}/slick/test.jsonl",
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
        slick=section(CONFIG.slick, exclude={"match", "p_true"}),
        code=code("prepare_probe"),
    shell:
        "python -m scripts.prepare_probe --slick {params.slick:q}"
        " --checkpoint $PLUMBLINE_RESULTS/{wildcards.model}/base"
        " --all-questions {input.questions:q} --questions {output.questions:q}"
        " --test {output.test:q} --exemplars {output.exemplars:q} --requests {output.requests:q}"
        " --dropped {output.dropped:q} 2>&1 | tee {log:q}"


# Asks the same questions after other few-shot examples, to see how much the categories depend on them.
rule write_second_probe:
    input:
        everything=f"{R}/facts/questions.jsonl",
        questions=f"{R}/{{model}}/slick/questions.jsonl",
    output:
        requests=f"{R}/{{model}}/slick/again/requests.jsonl",
    log:
        f"{R}/{{model}}/logs/write_second_probe.log",
    benchmark:
        f"{R}/benchmarks/slick/{{model}}/write_second_probe.tsv"
    localrule: True
    conda:
        environment("write_second_probe")
    params:
        slick=section(CONFIG.slick, exclude={"match", "p_true", "limit"}),
        code=code("write_second_probe"),
    shell:
        "python -m scripts.write_second_probe --slick {params.slick:q}"
        " --all-questions {input.everything:q} --questions {input.questions:q}"
        " --requests {output.requests:q} 2>&1 | tee {log:q}"


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
    priority: LABELS
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
        mix=alternatives(CONFIG.mixes.trained()),
    localrule: True
    conda:
        environment("build_mix")
    params:
        mixes=section(CONFIG.mixes, include={"on_empty", "prompt", "monitor"}),
        # What the sets need together, not their list: a further set that needs no more changes no other.
        demands=section(CONFIG.mixes.demands()),
        code=code("build_mix"),
    shell:
        "python -m scripts.build_mix --name {wildcards.mix} --seed {wildcards.seed}"
        " --mixes {params.mixes:q} --demands {params.demands:q} --questions {input.questions:q}"
        " --annotations {input.annotations:q} --examples {output.examples:q}"
        " --probes {output.probes:q} --composition {output.composition:q} 2>&1 | tee {log:q}"


# Another probe of what the base knows, to compare SliCK with.
rule measure_p_true:
    input:
        questions=f"{R}/{{model}}/slick/questions.jsonl",
        base=f"{R}/{{model}}/base/checkpoint.json",
    output:
        f"{R}/{{model}}/slick/p_true.jsonl",
    log:
        f"{R}/{{model}}/logs/measure_p_true.log",
    benchmark:
        f"{R}/benchmarks/score/{{model}}/measure_p_true.tsv"
    priority: LAST
    conda:
        environment("measure_p_true")
    threads: BESIDE
    resources:
        gpu=GPU,
        mem_mb=memory(16000),
        runtime=240,
    params:
        dtype=CONFIG.scoring.dtype,
        code=code("measure_p_true"),
    shell:
        "python -m scripts.measure_p_true --questions {input.questions:q}"
        " --checkpoint $PLUMBLINE_RESULTS/{wildcards.model}/base"
        ' --scoring "$PLUMBLINE_SCORING" --device $PLUMBLINE_DEVICE --threads {threads}'
        " --found {output:q} 2>&1 | tee {log:q}"


rule tabulate_p_true:
    input:
        found=expand(f"{R}/{{model}}/slick/p_true.jsonl", model=MODELS),
        answers=SLICK.answers(),
    output:
        f"{R}/tables/p_true.csv",
    log:
        f"{R}/logs/tabulate_p_true.log",
    benchmark:
        f"{R}/benchmarks/slick/tabulate_p_true.tsv"
    localrule: True
    conda:
        environment("tabulate_p_true")
    params:
        checkpoints=listed("mix_checkpoints"),
        evaluation=section(CONFIG.evaluation, include={"confidence"}),
        code=code("tabulate_p_true"),
    shell:
        "python -m scripts.tabulate_p_true --root $PLUMBLINE_RESULTS"
        " --checkpoints $PLUMBLINE_RESULTS/lists/mix_checkpoints.json"
        " --evaluation {params.evaluation:q} --table {output:q} 2>&1 | tee {log:q}"


rule tabulate_fits:
    input:
        fits=SLICK.each("fit.jsonl"),
        probes=SLICK.each("probes.jsonl"),
        trainings=SLICK.each("training.json"),
        compositions=SLICK.each("composition.json"),
    output:
        curves=f"{R}/tables/fit_curves.csv",
        speed=f"{R}/tables/fit_speed.csv",
        line=f"{R}/tables/linear_model.csv",
    log:
        f"{R}/logs/tabulate_fits.log",
    benchmark:
        f"{R}/benchmarks/evaluate/tabulate_fits.tsv"
    localrule: True
    conda:
        environment("tabulate_fits")
    params:
        evaluation=section(CONFIG.evaluation, include={"confidence", "resamples"}),
        tunings=listed("mixes"),
        code=code("tabulate_fits"),
    shell:
        "python -m scripts.tabulate_fits --root $PLUMBLINE_RESULTS --tunings $PLUMBLINE_RESULTS/lists/mixes.json"
        " --evaluation {params.evaluation:q} --curves {output.curves:q}"
        " --speed {output.speed:q} --line {output.line:q}"
        " 2>&1 | tee {log:q}"


rule count_slick:
    input:
        annotations=expand(f"{R}/{{model}}/slick/annotations.jsonl", model=MODELS),
    output:
        f"{R}/tables/slick_counts.csv",
    log:
        f"{R}/logs/count_slick.log",
    benchmark:
        f"{R}/benchmarks/slick/count_slick.tsv"
    localrule: True
    conda:
        environment("count_slick")
    params:
        code=code("count_slick"),
    shell:
        "python -m scripts.count_slick --annotations {input.annotations:q}"
        " --counts {output:q} 2>&1 | tee {log:q}"


# Finds out what the base models know.
rule slick:
    input:
        expand(f"{R}/{{model}}/slick/annotations.jsonl", model=MODELS),
        rules.count_slick.output,


# Trains every mix of known and new facts.
rule mixes:
    input:
        SLICK.each("training.json"),
