"""What is kept of a finished run: the items that the study's contrasts need, and fit curves."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from plumbline.evaluation.rank_shift import SHIFTED as SHIFTED_CLASS
from plumbline.evaluation.rank_shift import TokenShift, shift_class
from plumbline.jobs.benchmarks import measured
from plumbline.names import BASE
from plumbline.records import Annotation, Fit, Item, Probe
from plumbline.storage.files import InputError, read_json, read_rows, read_unique_rows
from plumbline.study.contrasts import CONTROL, FIT, PRIMARY, SHIFT, SHIFTED, StudyContrast
from plumbline.study.records import FitRow, MeasuredRow, MixAbout, StageTime
from plumbline.training.sets import Composition

MIX = "mix."


def measured_rows(
    root: Path, checkpoints: Sequence[Mapping], contrasts: Iterable[StudyContrast]
) -> list[MeasuredRow]:
    """The values of all checkpoints that the contrasts name, in an order that compresses well.

    root: results/<run>; checkpoints: the rows of the run's list `checkpoints`, for one model and seed.
    InputError if a contrast that decides something has no values; others may have none.
    """
    wanted: dict[str, set[tuple[str, str]]] = defaultdict(set)
    needed: dict[tuple[str, str, str], str] = {}
    for contrast in (one for one in contrasts if one.task != FIT):
        for side in filter(None, (contrast.first, contrast.second)):
            wanted[side.checkpoint].add((contrast.task, contrast.metric))
            if contrast.role in (PRIMARY, CONTROL):
                needed[side.checkpoint, contrast.task, contrast.metric] = contrast.name
    rows = [
        MeasuredRow(
            checkpoint=row["checkpoint"],
            item=item.id,
            value=item.metrics[metric],
            metric=metric,
            **item.model_dump(include={"task", "domain", "category", "cluster"}),
        )
        for row in checkpoints
        for item in _items(root / row["folder"], row["scored"])
        for metric in item.metrics
        if (item.task, metric) in wanted[row["checkpoint"]]
    ]
    found = {(row.checkpoint, row.task, row.metric) for row in rows}
    if lacking := sorted(needed.keys() - found):
        checkpoint, task, metric = lacking[0]
        raise InputError(
            f"{root}: {checkpoint} has no {metric} of {task}, which the contrast "
            f"{needed[lacking[0]]!r} needs. Run the claim's own configuration to its end."
        )
    return sorted(rows, key=lambda r: (r.task, r.metric, r.domain, r.item, r.checkpoint))


def _items(folder: Path, scored: Iterable[str]) -> Iterator[Item]:
    for name in scored:
        yield from read_rows(folder / name, Item)
    ranks = folder / SHIFT / f"{BASE}.jsonl"
    if ranks.is_file():
        for row in read_rows(ranks, TokenShift):
            classes = [shift_class(rank) == SHIFTED_CLASS for rank in row.ranks]
            yield Item(
                id=row.id,
                task=SHIFT,
                domain=row.domain,
                cluster=row.cluster,
                metrics={SHIFTED: sum(classes) / len(classes)} if classes else {},
            )


def mixes(root: Path, checkpoints: Sequence[Mapping]) -> tuple[list[FitRow], dict[str, MixAbout]]:
    """The questions after each epoch of every mix with their results, and what the mixes are."""
    rows, about = [], {}
    folders = {(root / row["folder"]).parent: row["parent"] for row in checkpoints
               if row["checkpoint"].startswith(MIX)}  # fmt: skip
    for folder, parent in folders.items():
        fits = list(read_rows(folder / "fit.jsonl", Fit))
        if not fits:
            continue  # the training that only teaches the form is asked nothing
        right = defaultdict(set)
        for fit in fits:
            right[fit.epoch].update(fit.right)
        last = max(fit.epoch for fit in fits)
        for probe in read_unique_rows(folder / "probes.jsonl", Probe):
            digits = "".join(str(int(probe.id in right[epoch])) for epoch in range(last + 1))
            fields = probe.model_dump(include={"part", "domain", "category", "subject"})
            rows.append(FitRow(tuning=folder.name, item=probe.id, right=digits, **fields))
        stops = read_json(folder / "training.json")["stops"]
        about[folder.name] = MixAbout(
            parent=parent,
            composition=Composition.read(folder / "composition.json"),
            stops={name: stop["epoch"] for name, stop in stops.items()},
        )
    return sorted(rows, key=lambda r: (r.part, r.domain, r.item, r.tuning)), about


def labels_digest(path: Path) -> str:
    """A digest of annotations.jsonl: each question's category, whatever the order."""
    lines = sorted(f"{row.id}\t{row.category}\n" for row in read_rows(path, Annotation))
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:16]


def stage_times(benchmarks: Path, seed: int) -> list[StageTime]:
    """Wall and processor seconds of the jobs below results/<run>/benchmarks, by stage.

    Jobs of other seeds that ran in the same folder are left out.
    """
    found = defaultdict(lambda: [0, 0.0, 0.0])
    for job in measured(benchmarks):
        if set(re.findall(r"seed-(\d+)", str(job.path))) - {str(seed)}:
            continue
        total = found[job.stage]
        total[0] += 1
        total[1] += job.wall
        total[2] += job.processor or 0.0
    return [
        StageTime(
            stage=stage,
            jobs=jobs,
            wall_seconds=round(wall, 1),
            processor_seconds=round(processor, 1),
        )
        for stage, (jobs, wall, processor) in found.items()
    ]
