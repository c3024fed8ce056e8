"""Training, the one place where weights are changed.

REQUIRED INPUTS: a tuning's examples.jsonl or pairs.jsonl (and probes.jsonl, if questions are asked
                 after each epoch), its contamination.json, and its parent checkpoint
OUTPUTS: results/<run>/<model>/seed-<seed>/<tuning>/<stop>/  the checkpoints
         .../training.json  what was trained, written last
         .../fit.jsonl      right answers after every epoch
         .../reference/     beside the pairs: their log-probabilities under a fixed reference
"""

TRAININGS = EXPERIMENT.trainings


rule train:
    input:
        examples=TRAININGS.examples,
        probes=TRAININGS.probes,
        reference=TRAININGS.reference,
        parent=TRAININGS.parent_marker,
        # Makes all evaluation sets exist first; a change in them reruns no training.
        contamination=lambda wildcards: only_before(TRAININGS.contamination(wildcards)),
    output:
        fit=f"{R}/{{model}}/seed-{{seed}}/{{tuning}}/fit.jsonl",
        training=f"{R}/{{model}}/seed-{{seed}}/{{tuning}}/training.json",
    log:
        f"{R}/{{model}}/seed-{{seed}}/{{tuning}}/train.log",
    benchmark:
        f"{R}/benchmarks/train/{{model}}/seed-{{seed}}/{{tuning}}.tsv"
    priority: TRAINING
    conda:
        environment("train")
    threads: BESIDE
    resources:
        gpu=CONFIG.training.processes if ON_GPU else 0,
        mem_mb=memory(16000),
        runtime=720,
    params:
        parent=TRAININGS.parent,
        recipe=TRAININGS.recipe,
        # It takes `input`, so that a change does not rerun the job.
        save_steps=lambda wildcards, input: TRAININGS.tuning(
            wildcards
        ).recipe.save_steps,
        stops=TRAININGS.stops,
        probes=TRAININGS.probe_options,
        reference=TRAININGS.reference_options,
        code=code("train"),
    shell:
        "python -m scripts.check_contamination --name {wildcards.tuning}"
        " --training {input.examples:q} --model {wildcards.model}"
        ' --evaluated $PLUMBLINE_RESULTS/lists/evaluated.json --contamination "$PLUMBLINE_CONTAMINATION"'
        " 2>&1 | tee {log:q};"
        " python -m scripts.train --root $PLUMBLINE_RESULTS/{wildcards.model}"
        " --name {wildcards.tuning} --seed {wildcards.seed} --parent {params.parent:q}"
        " --examples {input.examples:q} {params.probes:q} {params.reference:q}"
        " --recipe {params.recipe:q} --save-steps {params.save_steps} --stops {params.stops}"
        ' --settings "$PLUMBLINE_TRAINING" --needs "$PLUMBLINE_NEEDS"'
        " --device $PLUMBLINE_DEVICE --threads {threads}"
        " --code {params.code} --fit {output.fit:q} --training {output.training:q} 2>&1 | tee -a {log:q}"


# A fixed reference's log-probabilities, computed once for all losses, values of β and seeds.
rule score_reference:
    input:
        pairs=f"{R}/{{model}}/{{data}}/pairs.jsonl",
        checkpoint=TRAININGS.fixed_reference_marker,
    output:
        f"{R}/{{model}}/{{data}}/reference/{{checkpoint}}-{{length}}-{{precision}}.jsonl",
    log:
        f"{R}/{{model}}/{{data}}/reference/{{checkpoint}}-{{length}}-{{precision}}.log",
    benchmark:
        f"{R}/benchmarks/train/{{model}}/{{data}}/reference-{{checkpoint}}-{{length}}-{{precision}}.tsv"
    wildcard_constraints:
        checkpoint=alternatives(LINEAGE.checkpoints),
        length=r"\d+",
        precision=r"\w+",
    priority: LEADING
    conda:
        environment("score_reference")
    threads: BESIDE
    resources:
        gpu=GPU,
        mem_mb=memory(16000),
        runtime=240,
    params:
        checkpoint=TRAININGS.fixed_reference,
        code=code("score_reference"),
    shell:
        "python -m scripts.score_reference --pairs {input.pairs:q}"
        " --checkpoint $PLUMBLINE_RESULTS/{wildcards.model}/{params.checkpoint:q}"
        " --max-length {wildcards.length} --precision {wildcards.precision} --device $PLUMBLINE_DEVICE"
        ' --threads {threads} --scoring "$PLUMBLINE_SCORING" --reference {output:q}'
        " 2>&1 | tee {log:q}"
