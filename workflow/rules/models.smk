"""Base models.

REQUIRED INPUTS: results/sources/<source>/source.json of each model's source
OUTPUTS: results/<run>/<model>/base/  safetensors, tokenizer, and last checkpoint.json
"""


def model_of(wildcards):
    """The configuration of the model named by the wildcard."""
    return next(model for model in CONFIG.models if model.name == wildcards.model)


def model_source(wildcards):
    """The file that says where the model's source was put."""
    model = model_of(wildcards)
    return marker_of(model.source, model.sha256)


rule import_model:
    input:
        source=model_source,
    output:
        marker=f"{R}/{{model}}/base/checkpoint.json",
    params:
        dtype=lambda wildcards: model_of(wildcards).dtype,
        trust=lambda wildcards: (
            "--trust-remote-code" if model_of(wildcards).trust_remote_code else ""
        ),
        code=code("import_model"),
    log:
        f"{R}/{{model}}/logs/import_model.log",
    benchmark:
        f"{R}/benchmarks/import/{{model}}.tsv"
    resources:
        mem_mb=8000,
        runtime=60,
    conda:
        "../../envs/train.yaml"
    shell:
        "{OFFLINE} python {SCRIPTS:q}/import_model.py --source-marker {input.source:q}"
        " --name {wildcards.model} --dtype {params.dtype} {params.trust}"
        " --out {R:q}/{wildcards.model}/base 2>&1 | tee {log:q}"
