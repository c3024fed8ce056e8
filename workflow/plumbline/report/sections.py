"""The page's sections in order, each by a function that turns the run's tables into blocks."""

from __future__ import annotations

import pandas as pd

from plumbline.report import grand_sections as grand
from plumbline.report import preference_sections as preferences
from plumbline.report import shift_sections as shift
from plumbline.report.answers import answers
from plumbline.report.blocks import (
    Block,
    Cell,
    Downloads,
    Prose,
    ReportSection,
    Table,
    Tree,
    count,
    duration,
    number,
)
from plumbline.report.chapters import chapters, pages_off
from plumbline.report.closed_book_sections import closed_book
from plumbline.report.contamination_sections import contamination
from plumbline.report.contrast_sections import findings
from plumbline.report.long_form_sections import long_answers
from plumbline.report.parts import Page
from plumbline.report.reading import how_to_read
from plumbline.report.tables import Run
from plumbline.report.task_sections import id_ood


def losses(run: Run) -> list[Block]:
    blocks: list[Block] = []
    dropped, facts = run.tables.dropped, run.tables.fact_counts
    if len(dropped):
        rows = [
            [Cell(r.stage), Cell(r.model), Cell(r.seed), Cell(r.item), Cell(r.reason), number(r.n)]
            for r in dropped.itertuples()
        ]
        blocks.append(
            Table(
                "Everything that the stages left out, by reason.",
                ["stage", "model", "seed", "item", "reason", "n"],
                rows,
            )
        )
    if len(facts):
        columns = ["kept", *[c for c in facts if c not in ("relation", "domain", "split", "kept")]]
        total = facts[columns].sum()
        listed = ", ".join(f"{count(total[c])} {c.replace('_', ' ')}" for c in columns)
        blocks.append(Prose([f"Facts on the way into the question sets: {listed}."]))
        rows = [
            [
                Cell(r["relation"]),
                Cell(r["domain"].upper()),
                Cell(r["split"]),
                *[number(r[c]) for c in columns],
            ]
            for _, r in facts.iterrows()
        ]
        blocks.append(
            Table(
                "Facts kept and dropped by relation and split.",
                ["relation", "domain", "split", *[c.replace("_", " ") for c in columns]],
                rows,
                folded=True,
            )
        )
    return blocks


def costs(run: Run) -> list[Block]:
    columns = ["stage", "jobs", "prompts", "tokens", "steps", "disk_mib", "seconds"]
    planned = pd.DataFrame(run.plan.get("stages", []), columns=columns)
    planned = planned.astype({c: str if c == "stage" else float for c in columns})
    both = planned.merge(run.tables.stages, on="stage", how="outer", suffixes=("", "_done"))
    if both.empty:
        return []
    order = list(dict.fromkeys([*planned.stage, *run.tables.stages.stage]))
    rows = [
        [
            Cell(r.stage),
            number(r.jobs),
            number(r.jobs_done),
            number(r.prompts),
            number(r.tokens),
            number(r.steps),
            number(r.seconds, duration(r.seconds)),
            number(r.wall_seconds, duration(r.wall_seconds)),
            number(r.peak_memory_mib),
            number(r.disk_mib),
        ]
        for r in sorted(both.itertuples(), key=lambda r: order.index(r.stage))
    ]
    device = f" on {run.plan['device']}" if run.plan.get("device") else ""
    planned, taken = duration(both.seconds.sum()), duration(both.wall_seconds.sum())
    heads = "stage,jobs planned,jobs run,prompts,tokens,steps,time planned,time taken"
    heads += ",peak memory MiB,disk planned MiB"
    return [
        Prose([f"Planned{device}: {planned} in all; the jobs' own times add up to {taken}."]),
        Table("What was planned before the run, and what it took.", heads.split(","), rows),
    ]


def provenance(run: Run) -> list[Block]:
    tables = [Downloads("Every number of this page, as CSV", list(run.files))] if run.files else []
    return tables + [Tree(key.replace("_", " "), value) for key, value in run.manifest.items()]


PAGES = [
    Page("headline", "What was asked and what was found", findings, "contrasts.csv"),
    Page("closed_book", "Closed-book questions, form by form", closed_book, "metrics.csv", True),
    Page("answers", "Question by question", answers, "answers.json"),
    *(page for chapter in chapters() for page in chapter.pages),
    Page("long_form", "Long answers: how many claims are right", long_answers, "metrics.csv", True),
    Page("token_shift", "Token distribution shift", shift.shares, "token_shift.csv", True),
    Page(
        "preferences",
        "Preference training, step by step",
        preferences.curves,
        "preference_curves.csv",
    ),
    Page("grand", "All checkpoints on all tasks", grand.grand, "comparisons.csv", True),
    Page("domains", "In and out of the domain", id_ood, "metrics.csv", True),
    Page(
        "contamination",
        "Whether training files contain what is evaluated",
        contamination,
        "contamination.csv",
    ),
    Page("losses", "Everything dropped", losses, "dropped.csv"),
    Page("costs", "Plan and actual cost", costs, "stages.csv"),
    Page("manifest", "Where it comes from", provenance, "manifest.json"),
    Page("reading", "How to read this", lambda run: [how_to_read()], ""),
]


def build_sections(run: Run) -> list[ReportSection]:
    """All sections in order; if anything was trained, a section without data says what it would need.

    A run that trains nothing leaves out the sections on trainings, and every run those of methods that
    are turned off.
    """
    sections = []
    trained = run.manifest.get("checkpoints") != {}
    off = pages_off(run.manifest.get("config", {}))
    for page in PAGES:
        blocks = page.build(run)
        if not blocks and (not trained or page.key in off):
            continue
        left_out = "" if blocks else f"Left out: {page.needs} has no rows for it."
        sections.append(ReportSection(page.key, page.title, blocks, left_out, page.exploratory))
    return sections
