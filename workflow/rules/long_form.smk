"""Long answers: written, split into claims, and verified.

REQUIRED INPUTS: the sources of instructions that the configuration names, facts/questions.jsonl
OUTPUTS: results/<run>/instructions/<set>.jsonl                     prompts and instructions
         results/<run>/<model>/<place>/responses.jsonl, claims.jsonl, splittings.jsonl,
             verdicts.jsonl                                         wherever there are responses
         results/<run>/<model>/<checkpoint>/long_form/items.jsonl   F1, FActScore, their parts
         results/<run>/tables/verifier.csv                          the verifier's test
"""

LONG_FORM = EXPERIMENT.long_form
RESPONSES = EXPERIMENT.responses
VERIFIER = EXPERIMENT.verifier


rule build_instructions:
    input:
        sources=RESPONSES.instruction_markers,
        facts=f"{R}/facts/questions.jsonl",
    output:
        instructions=f"{R}/instructions/{{set}}.jsonl",
        dropped=f"{R}/instructions/{{set}}.dropped.json",
    log:
        f"{R}/instructions/{{set}}.log",
    benchmark:
        f"{R}/benchmarks/facts/instructions/{{set}}.tsv"
    wildcard_constraints:
        set=alternatives(EXPERIMENT.instructions),
    localrule: True
    conda:
        environment("build_instructions")
    params:
        options=RESPONSES.instruction_options,
        code=code("build_instructions"),
    shell:
        "python -m scripts.build_instructions {params.options:q} --markers {input.sources:q}"
        " --facts {input.facts:q} --name {wildcards.set} --out {output.instructions:q}"
        " --dropped {output.dropped:q} 2>&1 | tee {log:q}"


rule write_long_form:
    input:
        instructions=f"{R}/instructions/{{set}}.jsonl",
    output:
        requests=f"{R}/{{model}}/{{set}}/requests.jsonl",
    log:
        f"{R}/{{model}}/{{set}}/write_responses.log",
    benchmark:
        f"{R}/benchmarks/evaluate/{{model}}/write_{{set}}.tsv"
    wildcard_constraints:
        set="long_form|win_rate",
    localrule: True
    conda:
        environment("write_responses")
    params:
        options=LONG_FORM.options,
        code=code("write_responses"),
    shell:
        "python -m scripts.write_responses --instructions {input.instructions:q}"
        " {params.options:q} --requests {output.requests:q} 2>&1 | tee {log:q}"


rule collect_responses:
    input:
        instructions=RESPONSES.asked,
        requests=RESPONSES.requests,
        generations=f"{R}/{{model}}/{{place}}/generations.jsonl",
    output:
        responses=f"{R}/{{model}}/{{place}}/responses.jsonl",
        dropped=f"{R}/{{model}}/{{place}}/dropped.json",
    log:
        f"{R}/{{model}}/{{place}}/collect_responses.log",
    benchmark:
        f"{R}/benchmarks/evaluate/{{model}}/{{place}}/collect_responses.tsv"
    wildcard_constraints:
        place=RESPONSES.pattern,
    localrule: True
    conda:
        environment("collect_responses")
    params:
        unfinished=RESPONSES.unfinished,
        stage=RESPONSES.stage,
        code=code("collect_responses"),
    shell:
        "python -m scripts.collect_responses --instructions {input.instructions:q}"
        " --requests {input.requests:q} --generations {input.generations:q} {params.unfinished}"
        " --stage {params.stage}"
        " --name {wildcards.place:q} --responses {output.responses:q} --dropped {output.dropped:q}"
        " 2>&1 | tee {log:q}"


rule write_claim_requests:
    input:
        unpack(RESPONSES.claim_inputs),
    output:
        requests=f"{R}/{{model}}/{{place}}/claims/requests.jsonl",
    log:
        f"{R}/{{model}}/{{place}}/claims/write_claim_requests.log",
    benchmark:
        f"{R}/benchmarks/verify/{{model}}/{{place}}/write_claim_requests.tsv"
    localrule: True
    conda:
        environment("write_claim_requests")
    params:
        decisions=RESPONSES.decided,
        max_tokens=CONFIG.claims.max_tokens,
        code=code("write_claim_requests"),
    shell:
        "python -m scripts.write_claim_requests --responses {input.responses:q}"
        " {params.decisions:q} --max-tokens {params.max_tokens} --requests {output.requests:q}"
        " 2>&1 | tee {log:q}"


rule split_claims:
    input:
        unpack(RESPONSES.split_inputs),
    output:
        claims=f"{R}/{{model}}/{{place}}/claims.jsonl",
        splittings=f"{R}/{{model}}/{{place}}/splittings.jsonl",
    log:
        f"{R}/{{model}}/{{place}}/split_claims.log",
    benchmark:
        f"{R}/benchmarks/verify/{{model}}/{{place}}/split_claims.tsv"
    wildcard_constraints:
        place=RESPONSES.pattern,
    localrule: True
    conda:
        environment("split_claims")
    params:
        decisions=RESPONSES.decided,
        generations=RESPONSES.split_by_model,
        code=code("split_claims"),
    shell:
        "python -m scripts.split_claims --responses {input.responses:q} {params.decisions:q}"
        " {params.generations:q} --claims {output.claims:q} --splittings {output.splittings:q}"
        " 2>&1 | tee {log:q}"


rule verify_claims:
    input:
        unpack(VERIFIER.inputs),
        claims=f"{R}/{{model}}/{{place}}/claims.jsonl",
    output:
        verdicts=f"{R}/{{model}}/{{place}}/verdicts.jsonl",
    log:
        f"{R}/{{model}}/{{place}}/verify_claims.log",
    benchmark:
        f"{R}/benchmarks/verify/{{model}}/{{place}}/verify_claims.tsv"
    localrule: VERIFIER.is_light
    conda:
        environment("verify_claims")
    threads: BESIDE
    resources:
        gpu=GPU * VERIFIER.on_device,
        mem_mb=memory(16000),
        runtime=720,
    params:
        verifier=VERIFIER.settings,
        options=VERIFIER.options,
        training=VERIFIER.training_option,
        code=code("verify_claims"),
    shell:
        "python -m scripts.verify_claims --claims {input.claims:q}"
        ' --verifier "$PLUMBLINE_VERIFIER" {params.options:q} --facts {input.facts:q}'
        ' {params.training} --scoring "$PLUMBLINE_SCORING" --device $PLUMBLINE_DEVICE --threads {threads}'
        " --store $PLUMBLINE_RESULTS/{wildcards.model}/verdicts --verdicts {output.verdicts:q}"
        " 2>&1 | tee {log:q}"


# Tests the verifier on claims whose truth is known.
rule check_verifier:
    input:
        **VERIFIER.inputs(VERIFIER.first_model),
        labelled=VERIFIER.labelled,
    output:
        f"{R}/tables/verifier.csv",
    log:
        f"{R}/logs/check_verifier.log",
    benchmark:
        f"{R}/benchmarks/verify/check_verifier.tsv"
    localrule: VERIFIER.is_light
    conda:
        environment("check_verifier")
    threads: BESIDE
    resources:
        gpu=GPU * VERIFIER.on_device,
        mem_mb=memory(16000),
        runtime=240,
    params:
        model=MODELS[0],
        verifier=VERIFIER.settings,
        options=VERIFIER.options(VERIFIER.first_model),
        code=code("check_verifier"),
    shell:
        "python -m scripts.check_verifier --n 600 --seed 1 --labelled {input.labelled:q}"
        ' --verifier "$PLUMBLINE_VERIFIER" {params.options:q} --facts {input.facts:q}'
        ' --scoring "$PLUMBLINE_SCORING" --device $PLUMBLINE_DEVICE --threads {threads}'
        " --store $PLUMBLINE_RESULTS/{params.model}/verdicts --table {output:q} 2>&1 | tee {log:q}"


rule measure_long_form:
    input:
        instructions=f"{R}/instructions/long_form.jsonl",
        responses=f"{R}/{{model}}/{{folder}}/long_form/responses.jsonl",
        splittings=f"{R}/{{model}}/{{folder}}/long_form/splittings.jsonl",
        claims=f"{R}/{{model}}/{{folder}}/long_form/claims.jsonl",
        verdicts=f"{R}/{{model}}/{{folder}}/long_form/verdicts.jsonl",
    output:
        measured=f"{R}/{{model}}/{{folder}}/long_form/items.jsonl",
    log:
        f"{R}/{{model}}/{{folder}}/long_form/measure_long_form.log",
    benchmark:
        f"{R}/benchmarks/evaluate/{{model}}/{{folder}}/measure_long_form.tsv"
    localrule: True
    conda:
        environment("measure_long_form")
    params:
        options=LONG_FORM.measures,
        code=code("measure_long_form"),
    shell:
        "python -m scripts.measure_long_form --instructions {input.instructions:q}"
        " --responses {input.responses:q} --splittings {input.splittings:q}"
        " --claims {input.claims:q} --verdicts {input.verdicts:q} {params.options:q}"
        " --items {output.measured:q} 2>&1 | tee {log:q}"


rule tabulate_states:
    input:
        RESPONSES.state_inputs(),
    output:
        table=f"{R}/tables/claim_states.csv",
        sample=f"{R}/tables/responses.json",
    log:
        f"{R}/logs/tabulate_states.log",
    benchmark:
        f"{R}/benchmarks/evaluate/tabulate_states.tsv"
    localrule: True
    conda:
        environment("tabulate_states")
    params:
        rows=listed("states"),
        code=code("tabulate_states"),
    shell:
        "python -m scripts.tabulate_states --rows $PLUMBLINE_RESULTS/lists/states.json --table {output.table:q}"
        " --sample {output.sample:q} 2>&1 | tee {log:q}"
