"""Training, the one place where weights are changed.

REQUIRED INPUTS: a tuning's examples.jsonl or pairs.jsonl (and probes.jsonl, where the best epoch
                 is looked for), its contamination.json, and its parent checkpoint
OUTPUTS: results/<run>/<model>/seed-<seed>/<tuning>/<stop>/  the checkpoints
         .../training.json  what was trained, written last
         .../fit.jsonl      right answers after every epoch
         .../reference/     log-probabilities of the pairs under a fixed reference, beside them
"""


rule train:
    input:
        examples=training_file,
        probes=probes_file,
        reference=reference_file,
        parent=parent_marker,
        contamination=found_contamination,
    output:
        fit=f"{R}/{{model}}/seed-{{seed}}/{{tuning}}/fit.jsonl",
        training=f"{R}/{{model}}/seed-{{seed}}/{{tuning}}/training.json",
    log:
        f"{R}/{{model}}/seed-{{seed}}/{{tuning}}/train.log",
    benchmark:
        f"{R}/benchmarks/train/{{model}}/seed-{{seed}}/{{tuning}}.tsv"
    priority: 10  # all training first: one engine start then serves all that was trained
    conda:
        environment("train")
    threads: 1 if ON_GPU else workflow.cores
    resources:
        gpu=CONFIG.training.processes if ON_GPU else 0,
        mem_mb=memory(16000),
        runtime=720,
    params:
        parent=parent_folder,
        recipe=recipe_of,
        # Taking `input`, it is no reason to run again.
        save_steps=lambda wildcards, input: tuning_of(wildcards).recipe.save_steps,
        stops=lambda wildcards: tuning_of(wildcards).stops,
        probes=probe_options,
        reference=reference_options,
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


# A fixed reference's log-probabilities: once for all losses, strengths and seeds.
rule score_reference:
    input:
        pairs=f"{R}/{{model}}/{{data}}/pairs.jsonl",
        checkpoint=lambda wildcards: checkpoint_marker(
            wildcards, wildcards.checkpoint, wildcards.data
        ),
    output:
        f"{R}/{{model}}/{{data}}/reference/{{checkpoint}}-{{length}}-{{precision}}.jsonl",
    log:
        f"{R}/{{model}}/{{data}}/reference/{{checkpoint}}-{{length}}-{{precision}}.log",
    benchmark:
        f"{R}/benchmarks/train/{{model}}/{{data}}/reference-{{checkpoint}}-{{length}}-{{precision}}.tsv"
    wildcard_constraints:
        checkpoint="|".join(map(re.escape, LINEAGE.checkpoints)),
        length=r"\d+",
        precision=r"\w+",
    conda:
        environment("score_reference")
    threads: 1 if ON_GPU else workflow.cores
    resources:
        gpu=1 if ON_GPU else 0,
        mem_mb=memory(16000),
        runtime=240,
    params:
        checkpoint=lambda wildcards: checkpoint_folder(
            wildcards.checkpoint, wildcards.data
        ),
        code=code("score_reference"),
    shell:
        "python -m scripts.score_reference --pairs {input.pairs:q}"
        " --checkpoint $PLUMBLINE_RESULTS/{wildcards.model}/{params.checkpoint:q}"
        " --max-length {wildcards.length} --precision {wildcards.precision} --device $PLUMBLINE_DEVICE"
        ' --threads {threads} --scoring "$PLUMBLINE_SCORING" --reference {output:q}'
        " 2>&1 | tee {log:q}"
