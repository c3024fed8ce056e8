"""An audit: what tuning done elsewhere did to the base's knowledge. Nothing is trained.

REQUIRED INPUTS: the base checkpoint, its probing (slick), sources of the audited models
OUTPUTS, below results/<run>:
         <model>/audit/<tuned>/                     the audited model as a checkpoint
         <model>/audit/<tuned>/slick/               its answers to the base's requests, categories
         <model>/slick/again/                       answers and categories of the base's second probing
         tables/audit_transitions.csv, audit_relations.csv, audit_facts.csv
"""

AUDIT = EXPERIMENT.methods["audit"]


rule import_tuned:
    input:
        source=AUDIT.source,
        base=f"{R}/{{model}}/base/checkpoint.json",
    output:
        marker=f"{R}/{{model}}/audit/{{tuned}}/checkpoint.json",
    log:
        f"{R}/{{model}}/logs/import_tuned-{{tuned}}.log",
    benchmark:
        f"{R}/benchmarks/import/{{model}}/{{tuned}}.tsv"
    wildcard_constraints:
        tuned=alternatives(AUDIT.names),
    conda:
        environment("import_tuned")
    resources:
        mem_mb=memory(16000),
        runtime=60,
    params:
        trust=lambda wildcards: (
            "--trust-remote-code" if AUDIT.section(wildcards).trust_remote_code else ""
        ),
        code=code("import_tuned"),
    shell:
        "python -m scripts.import_tuned --source-marker {input.source:q}"
        " --name audit.{wildcards.tuned} --base $PLUMBLINE_RESULTS/{wildcards.model}/base"
        ' {params.trust} --needs "$PLUMBLINE_NEEDS"'
        " --out $PLUMBLINE_RESULTS/{wildcards.model}/audit/{wildcards.tuned} 2>&1 | tee {log:q}"


use rule annotate as annotate_audited with:
    input:
        questions=f"{R}/{{model}}/slick/questions.jsonl",
        requests=AUDIT.requests,
        generations=f"{R}/{{model}}/{{probed}}/generations.jsonl",
    output:
        annotations=f"{R}/{{model}}/{{probed}}/annotations.jsonl",
    log:
        f"{R}/{{model}}/{{probed}}/annotate.log",
    benchmark:
        f"{R}/benchmarks/audit/{{model}}/{{probed}}/annotate.tsv"
    wildcard_constraints:
        probed=alternatives(AUDIT.probed),
    localrule: True


rule tabulate_audit:
    input:
        AUDIT.row_files(),
    output:
        transitions=f"{R}/tables/audit_transitions.csv",
        relations=f"{R}/tables/audit_relations.csv",
        facts=f"{R}/tables/audit_facts.csv",
    log:
        f"{R}/logs/tabulate_audit.log",
    benchmark:
        f"{R}/benchmarks/audit/tabulate_audit.tsv"
    localrule: True
    conda:
        environment("tabulate_audit")
    params:
        probings=listed("audited"),
        evaluation=section(CONFIG.evaluation, include={"confidence"}),
        code=code("tabulate_audit"),
    shell:
        "python -m scripts.tabulate_audit --probings $PLUMBLINE_RESULTS/lists/audited.json"
        " --evaluation {params.evaluation:q} --transitions {output.transitions:q}"
        " --relations {output.relations:q} --facts {output.facts:q} 2>&1 | tee {log:q}"


# Makes the tables of what tuning did to the facts that the base knows.
rule audit:
    input:
        told(AUDIT.results),
