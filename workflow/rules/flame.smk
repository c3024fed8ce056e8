"""FLAME: supervised tuning and preference training for factuality (Lin et al. 2024).

REQUIRED INPUTS: instructions/flame.jsonl, instructions/prompts.jsonl, the base checkpoint
OUTPUTS, below results/<run>/<model>:
         base/flame/decisions.jsonl                which instructions ask for facts
         base/flame/own/generations.jsonl          the base's own few-shot answers
         base/flame/rag/generations.jsonl          its answers with retrieved passages
         seed-<seed>/flame.<set>/examples.jsonl    the first stage's training files;
                                                   flame-unknown-<p>.<set> where the knowledge
                                                   filter keeps p per cent
         <first stage>/flame/responses/            responses, their claims and verdicts
         <first stage>/flame/helpful.jsonl         how helpful they are
         <first stage>/flame/mc/confidence.jsonl   how sure the base is of their claims
         seed-<seed>/flame.<set>.<pairs>/pairs.jsonl   the second stage's training files
         flame/augmented.jsonl                     new instructions, if they are asked for
"""

from plumbline.methods.flame.files import SET_PATTERN
from plumbline.methods.flame.options import FlameOptions

FLAME = EXPERIMENT.methods["flame"]
FLAME_OPTIONS = FlameOptions(FLAME)


rule decide_fact_based:
    input:
        instructions=FLAME.asked(),
        decider=EXPERIMENT.layout.marker_at,
    output:
        decisions=f"{R}/{{model}}/{{folder}}/flame/decisions.jsonl",
    log:
        f"{R}/{{model}}/{{folder}}/flame/decide_fact_based.log",
    benchmark:
        f"{R}/benchmarks/score/{{model}}/{{folder}}/decide_fact_based.tsv"
    priority: LEADING
    conda:
        environment("decide_fact_based")
    threads: BESIDE
    resources:
        gpu=GPU,
        mem_mb=memory(8000),
        runtime=60,
    params:
        form=FLAME_OPTIONS.form,
        decider=lambda wildcards: LINEAGE.at(wildcards.folder)[0],
        trust=FLAME_OPTIONS.trust,
        dtype=CONFIG.scoring.dtype,
        code=code("decide_fact_based"),
    shell:
        "python -m scripts.decide_fact_based --instructions {input.instructions:q}"
        " --judge {params.decider} --form {params.form} {params.trust}"
        " --checkpoint $PLUMBLINE_RESULTS/{wildcards.model}/{wildcards.folder:q}"
        ' --scoring "$PLUMBLINE_SCORING" --device $PLUMBLINE_DEVICE --threads {threads}'
        " --decisions {output.decisions:q} 2>&1 | tee {log:q}"


rule write_own_answers:
    input:
        instructions=f"{R}/instructions/flame.jsonl",
        decisions=FLAME_OPTIONS.decisions_for_own,
    output:
        requests=f"{R}/{{model}}/flame/own/requests.jsonl",
    log:
        f"{R}/{{model}}/flame/own/write_own_answers.log",
    benchmark:
        f"{R}/benchmarks/flame/{{model}}/write_own_answers.tsv"
    localrule: True
    conda:
        environment("write_own_answers")
    params:
        asked=FLAME_OPTIONS.own_asked,
        options=FLAME_OPTIONS.own_answers,
        code=code("write_own_answers"),
    shell:
        "python -m scripts.write_own_answers --instructions {input.instructions:q}"
        " {params.asked:q} {params.options:q} --requests {output.requests:q}"
        " 2>&1 | tee {log:q}"


# The same with retrieved passages in the prompt.
rule write_rag_answers:
    input:
        instructions=f"{R}/instructions/flame.jsonl",
        decisions=FLAME_OPTIONS.decisions_for_rag,
        facts=f"{R}/facts/questions.jsonl",
        marker=FLAME_OPTIONS.passages_marker,
    output:
        requests=f"{R}/{{model}}/flame/rag/requests.jsonl",
    log:
        f"{R}/{{model}}/flame/rag/write_rag_answers.log",
    benchmark:
        f"{R}/benchmarks/flame/{{model}}/write_rag_answers.tsv"
    conda:
        environment("write_rag_answers")
    resources:
        mem_mb=memory(32000),
        runtime=240,
    params:
        asked=FLAME_OPTIONS.rag_asked,
        options=FLAME_OPTIONS.rag_answers,
        code=code("write_rag_answers"),
    shell:
        "python -m scripts.write_rag_answers --instructions {input.instructions:q}"
        " {params.asked:q} --facts {input.facts:q} {params.options:q}"
        " --requests {output.requests:q} 2>&1 | tee {log:q}"


rule build_flame_sft:
    input:
        unpack(FLAME.answers),
    output:
        examples=f"{R}/{{model}}/seed-{{seed}}/{{variant}}.{{set}}/examples.jsonl",
        composition=f"{R}/{{model}}/seed-{{seed}}/{{variant}}.{{set}}/composition.json",
    log:
        f"{R}/{{model}}/seed-{{seed}}/{{variant}}.{{set}}/build_flame_sft.log",
    benchmark:
        f"{R}/benchmarks/flame/{{model}}/seed-{{seed}}/{{variant}}.{{set}}.tsv"
    wildcard_constraints:
        variant=FLAME.variants.pattern,
        set=SET_PATTERN,
    localrule: True
    conda:
        environment("build_flame_sft")
    params:
        options=FLAME_OPTIONS.examples,
        form=FLAME_OPTIONS.form,
        passes=FLAME_OPTIONS.passes,
        code=code("build_flame_sft"),
    shell:
        "python -m scripts.build_flame_sft --name {wildcards.variant}.{wildcards.set} --set {wildcards.set}"
        " --instructions {input.instructions:q}"
        " {params.options:q} --form {params.form} --seed {wildcards.seed} --passes {params.passes} --examples {output.examples:q}"
        " --composition {output.composition:q} 2>&1 | tee {log:q}"


use rule write_long_form as write_flame_responses with:
    input:
        instructions=f"{R}/instructions/prompts.jsonl",
    output:
        requests=f"{R}/{{model}}/flame/responses/requests.jsonl",
    log:
        f"{R}/{{model}}/flame/responses/write_responses.log",
    benchmark:
        f"{R}/benchmarks/flame/{{model}}/write_responses.tsv"
    localrule: True
    params:
        options=FLAME_OPTIONS.responses,
        code=code("write_responses"),


# FactTune-MC: the base is asked about every claim; the score is how often it gives the same answer.
rule write_facttune_questions:
    input:
        claims=f"{R}/{{model}}/{{folder}}/flame/responses/claims.jsonl",
    output:
        requests=f"{R}/{{model}}/{{folder}}/flame/mc/questions/requests.jsonl",
    log:
        f"{R}/{{model}}/{{folder}}/flame/mc/questions/write_facttune_questions.log",
    benchmark:
        f"{R}/benchmarks/flame/{{model}}/{{folder}}/write_facttune_questions.tsv"
    localrule: True
    conda:
        environment("write_facttune_questions")
    params:
        code=code("write_facttune_questions"),
    shell:
        "python -m scripts.write_facttune_questions --claims {input.claims:q}"
        " --requests {output.requests:q} 2>&1 | tee {log:q}"


rule write_facttune_answers:
    input:
        requests=f"{R}/{{model}}/{{folder}}/flame/mc/questions/requests.jsonl",
        generations=f"{R}/{{model}}/{{folder}}/flame/mc/questions/generations.jsonl",
    output:
        requests=f"{R}/{{model}}/{{folder}}/flame/mc/answers/requests.jsonl",
        dropped=f"{R}/{{model}}/{{folder}}/flame/mc/dropped.json",
    log:
        f"{R}/{{model}}/{{folder}}/flame/mc/answers/write_facttune_answers.log",
    benchmark:
        f"{R}/benchmarks/flame/{{model}}/{{folder}}/write_facttune_answers.tsv"
    localrule: True
    conda:
        environment("write_facttune_answers")
    params:
        code=code("write_facttune_answers"),
    shell:
        "python -m scripts.write_facttune_answers --question-requests {input.requests:q}"
        " --question-generations {input.generations:q} --name {wildcards.folder:q}/flame/mc"
        " --requests {output.requests:q} --dropped {output.dropped:q} 2>&1 | tee {log:q}"


rule measure_confidence:
    input:
        claims=f"{R}/{{model}}/{{folder}}/flame/responses/claims.jsonl",
        requests=f"{R}/{{model}}/{{folder}}/flame/mc/answers/requests.jsonl",
        generations=f"{R}/{{model}}/{{folder}}/flame/mc/answers/generations.jsonl",
    output:
        confidence=f"{R}/{{model}}/{{folder}}/flame/mc/confidence.jsonl",
    log:
        f"{R}/{{model}}/{{folder}}/flame/mc/measure_confidence.log",
    benchmark:
        f"{R}/benchmarks/flame/{{model}}/{{folder}}/measure_confidence.tsv"
    localrule: True
    conda:
        environment("measure_confidence")
    params:
        code=code("measure_confidence"),
    shell:
        "python -m scripts.measure_confidence --claims {input.claims:q}"
        " --requests {input.requests:q} --generations {input.generations:q}"
        " --confidence {output.confidence:q} 2>&1 | tee {log:q}"


rule judge_helpfulness:
    input:
        unpack(EXPERIMENT.judges.inputs("helpfulness")),
        instructions=f"{R}/instructions/prompts.jsonl",
        responses=f"{R}/{{model}}/{{folder}}/flame/responses/responses.jsonl",
    output:
        helpful=f"{R}/{{model}}/{{folder}}/flame/helpful.jsonl",
    log:
        f"{R}/{{model}}/{{folder}}/flame/judge_helpfulness.log",
    benchmark:
        f"{R}/benchmarks/score/{{model}}/{{folder}}/judge_helpfulness.tsv"
    priority: LEADING
    conda:
        environment("judge_helpfulness")
    threads: BESIDE
    resources:
        gpu=GPU * EXPERIMENT.judges.needs_gpu("helpfulness"),
        mem_mb=memory(8000),
        runtime=240,
    params:
        judge=EXPERIMENT.judges.options_for("helpfulness"),
        dtype=CONFIG.scoring.dtype,
        code=code("judge_helpfulness"),
    shell:
        "python -m scripts.judge_helpfulness {params.judge:q} --calibration {input.calibration:q}"
        " --instructions {input.instructions:q} --responses {input.responses:q}"
        ' --scoring "$PLUMBLINE_SCORING" --device $PLUMBLINE_DEVICE --threads {threads}'
        " --helpful {output.helpful:q} 2>&1 | tee {log:q}"


rule build_flame_pairs:
    input:
        unpack(FLAME.pairs),
    output:
        pairs=f"{R}/{{model}}/seed-{{seed}}/{{variant}}.{{set}}.{{pairs}}/pairs.jsonl",
        composition=f"{R}/{{model}}/seed-{{seed}}/{{variant}}.{{set}}.{{pairs}}/composition.json",
    log:
        f"{R}/{{model}}/seed-{{seed}}/{{variant}}.{{set}}.{{pairs}}/build_flame_pairs.log",
    benchmark:
        f"{R}/benchmarks/flame/{{model}}/seed-{{seed}}/{{variant}}.{{set}}.{{pairs}}.tsv"
    wildcard_constraints:
        variant=FLAME.variants.pattern,
        set=SET_PATTERN,
        pairs="[a-z-]+",
    localrule: True
    conda:
        environment("build_flame_pairs")
    params:
        options=FLAME_OPTIONS.pairs,
        code=code("build_flame_pairs"),
    shell:
        "python -m scripts.build_flame_pairs --set {wildcards.pairs}"
        " --name {wildcards.variant}.{wildcards.set}.{wildcards.pairs} --responses {input.responses:q}"
        " --helpful {input.helpful:q} --calibration {input.calibration:q}"
        " --splittings {input.splittings:q} --decisions {input.decisions:q} {params.options:q} --seed {wildcards.seed}"
        " --pairs {output.pairs:q} --composition {output.composition:q} 2>&1 | tee {log:q}"


rule write_augmentation:
    input:
        instructions=f"{R}/instructions/flame.jsonl",
    output:
        requests=f"{R}/{{model}}/flame/augment/requests.jsonl",
    log:
        f"{R}/{{model}}/flame/augment/write_augmentation.log",
    benchmark:
        f"{R}/benchmarks/flame/{{model}}/write_augmentation.tsv"
    localrule: True
    conda:
        environment("write_augmentation")
    params:
        wanted=FLAME_OPTIONS.wanted,
        form=FLAME_OPTIONS.form,
        code=code("write_augmentation"),
    shell:
        "python -m scripts.write_augmentation --instructions {input.instructions:q}"
        " --wanted {params.wanted} --form {params.form} --seed 1"
        " --requests {output.requests:q} 2>&1 | tee {log:q}"


rule collect_augmented:
    input:
        known=FLAME.not_new(),
        requests=f"{R}/{{model}}/flame/augment/requests.jsonl",
        generations=f"{R}/{{model}}/base/flame/augment/generations.jsonl",
    output:
        augmented=f"{R}/{{model}}/flame/augmented.jsonl",
        dropped=f"{R}/{{model}}/flame/augmented.dropped.json",
    log:
        f"{R}/{{model}}/flame/collect_augmented.log",
    benchmark:
        f"{R}/benchmarks/flame/{{model}}/collect_augmented.tsv"
    localrule: True
    conda:
        environment("collect_augmented")
    params:
        wanted=FLAME_OPTIONS.wanted,
        code=code("collect_augmented"),
    shell:
        "python -m scripts.collect_augmented --known {input.known:q}"
        " --requests {input.requests:q} --generations {input.generations:q}"
        " --wanted {params.wanted} --augmented {output.augmented:q}"
        " --dropped {output.dropped:q} 2>&1 | tee {log:q}"


# Makes FLAME's trainings and counts how many claims of their answers are right.
rule flame:
    input:
        FLAME.results(),


# Writes new instructions in the manner of FLAME's; a configuration can name them as a source of prompts.
rule augment:
    input:
        told(FLAME.augmented),
