"""The report: one page, its figures, and a manifest of where every number came from.

REQUIRED INPUTS: the tables, answers.json, responses.json, training.json of every tuning
OUTPUTS: results/<run>/tables/preference_curves.csv, stages.csv, figures/*.svg, manifest.json,
                       report/index.html
"""

from plumbline.report.chapters import MODULES as CHAPTERS
from plumbline.report.names import FIGURES, TABLES

# Tables of the evaluation that are made only if what they are about is configured. Methods say this of
# their own tables; all others are always made.
MADE_FOR = {
    "token_shift": EXPERIMENT.token_shifts.pairs,
    "token_shift_verdicts": EXPERIMENT.token_shifts.pairs,
    "token_shift_tokens": EXPERIMENT.token_shifts.pairs,
    "claim_states": CONFIG.evaluation.long_form,
    "verifier": CONFIG.evaluation.long_form,
    "judge_calibration": EXPERIMENT.judges.by_purpose,
}
TABLE_FILES = [
    f"{R}/tables/{name}.csv"
    for name, record in TABLES.items()
    if record.made(CONFIG) and MADE_FOR.get(name, True)
]
RESPONSE_SAMPLE = f"{R}/tables/responses.json" if CONFIG.evaluation.long_form else []
# Files that the page's code reads.
PAGE_PARTS = [
    WORKFLOW / "plumbline/report" / name
    for name in ("index.html.j2", "style.css", "sort.js", "files.js", "answers.js")
]


# Loss, margin and accuracy at every step of preference training.
rule tabulate_curves:
    input:
        EXPERIMENT.trainings.each("training.json"),
    output:
        f"{R}/tables/preference_curves.csv",
    log:
        f"{R}/logs/tabulate_curves.log",
    benchmark:
        f"{R}/benchmarks/evaluate/tabulate_curves.tsv"
    localrule: True
    conda:
        environment("tabulate_curves")
    params:
        tunings=listed("tunings"),
        code=code("tabulate_curves"),
    shell:
        "python -m scripts.tabulate_curves --root $PLUMBLINE_RESULTS --tunings $PLUMBLINE_RESULTS/lists/tunings.json"
        " --curves {output:q} 2>&1 | tee {log:q}"


rule tabulate_stages:
    input:
        [table for table in TABLE_FILES if not table.endswith("stages.csv")],
    output:
        f"{R}/tables/stages.csv",
    log:
        f"{R}/logs/tabulate_stages.log",
    localrule: True
    conda:
        environment("tabulate_stages")
    params:
        code=code("tabulate_stages"),
    shell:
        "python -m scripts.tabulate_stages --benchmarks $PLUMBLINE_RESULTS/benchmarks"
        " --stages {output:q} 2>&1 | tee {log:q}"


rule write_manifest:
    input:
        sources=expand(
            "results/sources/{source}/source.json", source=EXPERIMENT.fetched.by_slug
        ),
        bases=EXPERIMENT.layout.imported(),
        trainings=EXPERIMENT.trainings.each("training.json"),
    output:
        f"{R}/manifest.json",
    log:
        f"{R}/logs/write_manifest.log",
    localrule: True
    conda:
        environment("write_manifest")
    params:
        config=section(CONFIG),
        trainings=listed("trainings"),
        code=code("write_manifest"),
    shell:
        "python -m scripts.write_manifest --config {params.config:q}"
        " --sources {input.sources:q} --bases {input.bases:q} --trainings $PLUMBLINE_RESULTS/lists/trainings.json"
        " --manifest {output:q} 2>&1 | tee {log:q}"


rule draw_figures:
    input:
        TABLE_FILES,
    output:
        [
            report(
                f"{R}/figures/{name}.svg",
                category=figure.category,
                caption="../report/index.rst",
            )
            for name, figure in FIGURES.items()
        ],
    log:
        f"{R}/logs/draw_figures.log",
    localrule: True
    conda:
        environment("draw_figures")
    params:
        code=code("draw_figures", loaded=CHAPTERS),
    shell:
        "python -m scripts.draw_figures --tables $PLUMBLINE_RESULTS/tables --out $PLUMBLINE_RESULTS/figures"
        " 2>&1 | tee {log:q}"


rule report:
    input:
        tables=TABLE_FILES,
        responses=RESPONSE_SAMPLE,
        answers=f"{R}/tables/answers.json",
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
        environment("write_report")
    params:
        run=CONFIG.run,
        code=code("write_report", PAGE_PARTS, CHAPTERS),
    shell:
        "python -m scripts.write_report --tables $PLUMBLINE_RESULTS/tables --figures $PLUMBLINE_RESULTS/figures"
        " --plan {input.plan:q} --manifest {input.manifest:q} --answers {input.answers:q} --run {params.run}"
        " --out {output:q} 2>&1 | tee {log:q}"
