"""Base models.

REQUIRED INPUTS: results/sources/<source>/source.json of each model's source
OUTPUTS: results/<run>/<model>/base/  safetensors, tokenizer and, written last, checkpoint.json
"""

from plumbline.experiment.fetched import marker_of

model_of = EXPERIMENT.layout.settings_of


rule import_model:
    input:
        source=lambda wildcards: marker_of(model_of(wildcards)),
    output:
        marker=f"{R}/{{model}}/base/checkpoint.json",
    log:
        f"{R}/{{model}}/logs/import_model.log",
    benchmark:
        f"{R}/benchmarks/import/{{model}}.tsv"
    conda:
        environment("import_model")
    resources:
        mem_mb=memory(8000),
        runtime=60,
    params:
        dtype=lambda wildcards: model_of(wildcards).dtype,
        trust=lambda wildcards: (
            "--trust-remote-code" if model_of(wildcards).trust_remote_code else ""
        ),
        template=lambda wildcards: json.dumps(model_of(wildcards).chat_template_kwargs),
        code=code("import_model"),
    shell:
        "python -m scripts.import_model --source-marker {input.source:q}"
        " --name {wildcards.model} --dtype {params.dtype} {params.trust}"
        ' --needs "$PLUMBLINE_NEEDS" --chat-template-kwargs {params.template:q}'
        " --out $PLUMBLINE_RESULTS/{wildcards.model}/base 2>&1 | tee {log:q}"
