"""Facts and other data.

REQUIRED INPUTS: the sources the configuration names (facts.path), or the fact tables that come along.
OUTPUTS: results/sources/<source>/source.json  what was fetched, with checksums
         results/<run>/facts/questions.jsonl   the questions, split by subject
         results/<run>/tables/fact_counts.csv  kept and dropped, by relation, split and reason
"""

SOURCES = {
    slug(source): source
    for source in [
        *(Source.parse(model.source, model.sha256) for model in CONFIG.models),
        *([Source.parse(CONFIG.facts.path, CONFIG.facts.sha256)] if CONFIG.facts.path else []),
    ]
}
FACT_TABLES = WORKFLOW / "resources/facts"


def marker_of(line, sha256):
    """The file that says where a source was put."""
    return f"results/sources/{slug(Source.parse(line, sha256))}/source.json"


def local_files(wildcards):
    """The files behind file:, so that a change of them counts; other sources have no input."""
    source = SOURCES[wildcards.source]
    path = Path(source.name)
    if source.kind != "file" or not path.exists():
        return []
    return sorted(map(str, path.rglob("*.*"))) if path.is_dir() else str(path)


def source_options(source):
    """A source as options of fetch_source.py."""
    checksum = ["--sha256", source.sha256] if source.sha256 else []
    return ["--source", source.text, *checksum]


def facts_inputs(wildcards):
    """The fact tables that come along, or the marker of what was fetched."""
    if CONFIG.facts.source == "embedded":
        return sorted(map(str, FACT_TABLES.glob("*.tsv")))
    return marker_of(CONFIG.facts.path, CONFIG.facts.sha256)


def facts_options():
    """The facts section as options of build_questions.py."""
    facts = CONFIG.facts
    options = ["--source", facts.source, "--seed", str(facts.seed)]
    shares = facts.split
    options += ["--shares", f"{shares.train},{shares.dev},{shares.test}"]
    if facts.relations:
        options += ["--id-relations", ",".join(facts.relations.id)]
        options += ["--ood-relations", ",".join(facts.relations.ood)]
    options += ["--strict-dev"] * facts.strict_dev
    options += ["--merge-duplicates"] * facts.merge_duplicates
    return options


# Fetches one source. Run `snakemake fetch` where there is a network; the rest needs none.
rule fetch_source:
    input:
        local_files,
    output:
        marker="results/sources/{source}/source.json",
    params:
        source=lambda wildcards: source_options(SOURCES[wildcards.source]),
        code=code("fetch_source"),
    log:
        "results/sources/{source}/fetch.log",
    conda:
        "../../envs/orchestrate.yaml"
    wildcard_constraints:
        source="[^/]+",
    localrule: True
    shell:
        "python {SCRIPTS:q}/fetch_source.py {params.source:q}"
        " --folder results/sources/{wildcards.source} --marker {output.marker:q} 2>&1 | tee {log:q}"


# Fetches everything ahead.
rule fetch:
    input:
        expand("results/sources/{source}/source.json", source=SOURCES),


FACTS_PATH = FACT_TABLES if CONFIG.facts.source == "embedded" else facts_inputs(None)


rule build_questions:
    input:
        facts_inputs,
    output:
        questions=f"{R}/facts/questions.jsonl",
        counts=f"{R}/tables/fact_counts.csv",
    params:
        options=facts_options(),
        code=code("build_questions"),
    log:
        f"{R}/logs/build_questions.log",
    benchmark:
        f"{R}/benchmarks/facts/build_questions.tsv"
    conda:
        "../../envs/orchestrate.yaml"
    localrule: True
    shell:
        "python {SCRIPTS:q}/build_questions.py {params.options:q} --path {FACTS_PATH:q}"
        " --questions {output.questions:q} --counts {output.counts:q} 2>&1 | tee {log:q}"
