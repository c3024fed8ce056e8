"""Facts and other data.

REQUIRED INPUTS: the sources that the configuration names (facts.path), or the included fact tables
OUTPUTS: results/sources/<source>/source.json  what was fetched, with checksums
         results/<run>/facts/questions.jsonl   the questions, split by subject
         results/<run>/tables/fact_counts.csv  kept and dropped, by relation, split and reason
"""


# Fetches one source. Only this rule needs a network: run `snakemake fetch` where there is one.
rule fetch_source:
    input:
        EXPERIMENT.fetched.local_files,
    output:
        marker="results/sources/{source}/source.json",
    log:
        "results/sources/{source}/fetch.log",
    wildcard_constraints:
        source="[^/]+",
    localrule: True
    conda:
        environment("fetch_source")
    params:
        source=EXPERIMENT.fetched.options,
        code=code("fetch_source"),
    shell:
        "env -u HF_HUB_OFFLINE python -m scripts.fetch_source {params.source:q}"
        " --folder results/sources/{wildcards.source} --marker {output.marker:q} 2>&1 | tee {log:q}"


# Fetches everything ahead.
rule fetch:
    input:
        expand(
            "results/sources/{source}/source.json", source=EXPERIMENT.fetched.by_slug
        ),


rule build_questions:
    input:
        EXPERIMENT.facts.inputs,
    output:
        questions=f"{R}/facts/questions.jsonl",
        counts=f"{R}/tables/fact_counts.csv",
    log:
        f"{R}/logs/build_questions.log",
    benchmark:
        f"{R}/benchmarks/facts/build_questions.tsv"
    localrule: True
    conda:
        environment("build_questions")
    params:
        options=EXPERIMENT.facts.options,
        code=code("build_questions"),
    shell:
        "python -m scripts.build_questions {params.options:q}"
        " --questions {output.questions:q} --counts {output.counts:q} 2>&1 | tee {log:q}"


# Makes the questions about facts and the table of their counts.
rule facts:
    input:
        rules.build_questions.output,
