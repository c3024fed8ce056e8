"""The report: one page, its figures, and where every number came from.

REQUIRED INPUTS: the tables
OUTPUTS: results/<run>/tables/stages.csv, figures/*.svg, manifest.json, report/index.html
"""

TABLES = [
    f"{R}/tables/{name}.csv"
    for name in (
        "metrics",
        "fact_counts",
        "slick_counts",
        "fit_curves",
        "linear_model",
        "dropped",
        "stages",
    )
]
FIGURES = [
    "slick_categories",
    "fit_curves",
    "accuracy_by_unknown",
    "linear_model",
    "id_ood",
]
# What the page's code reads beside itself.
PAGE_PARTS = [
    WORKFLOW / "plumbline/report" / name
    for name in ("index.html.j2", "sort.js", "style.css")
]


rule tabulate_stages:
    input:
        [table for table in TABLES if not table.endswith("stages.csv")],
    output:
        f"{R}/tables/stages.csv",
    log:
        f"{R}/logs/tabulate_stages.log",
    localrule: True
    conda:
        "../../envs/orchestrate.yaml"
    params:
        code=code("tabulate_stages"),
    shell:
        "python -m scripts.tabulate_stages --benchmarks $PLUMBLINE_RESULTS/benchmarks"
        " --stages {output:q} 2>&1 | tee {log:q}"


rule write_manifest:
    input:
        sources=expand("results/sources/{source}/source.json", source=SOURCES),
        bases=expand(f"{R}/{{model}}/base/checkpoint.json", model=MODELS),
        trainings=tuned("training.json"),
    output:
        f"{R}/manifest.json",
    log:
        f"{R}/logs/write_manifest.log",
    localrule: True
    conda:
        "../../envs/train.yaml"
    params:
        config=section(CONFIG),
        code=code("write_manifest"),
    shell:
        "python -m scripts.write_manifest --config {params.config:q}"
        " --sources {input.sources:q} --bases {input.bases:q} --trainings {input.trainings:q}"
        " --manifest {output:q} 2>&1 | tee {log:q}"


rule draw_figures:
    input:
        TABLES,
    output:
        report(
            expand(f"{R}/figures/{{figure}}.svg", figure=FIGURES),
            category="SliCK",
            caption="../report/index.rst",
        ),
    log:
        f"{R}/logs/draw_figures.log",
    localrule: True
    conda:
        "../../envs/analyse.yaml"
    params:
        code=code("draw_figures"),
    shell:
        "python -m scripts.draw_figures --tables $PLUMBLINE_RESULTS/tables --out $PLUMBLINE_RESULTS/figures"
        " 2>&1 | tee {log:q}"


rule report:
    input:
        tables=TABLES,
        figures=rules.draw_figures.output,
        plan=f"{R}/plan.json",
        manifest=f"{R}/manifest.json",
    output:
        report(
            f"{R}/report/index.html", category="Report", caption="../report/index.rst"
        ),
    log:
        f"{R}/logs/write_report.log",
    localrule: True
    conda:
        "../../envs/analyse.yaml"
    params:
        run=CONFIG.run,
        code=code("write_report", PAGE_PARTS),
    shell:
        "python -m scripts.write_report --tables $PLUMBLINE_RESULTS/tables --figures $PLUMBLINE_RESULTS/figures"
        " --plan {input.plan:q} --manifest {input.manifest:q} --run {params.run}"
        " --out {output:q} 2>&1 | tee {log:q}"
