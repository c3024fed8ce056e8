"""Tasks of the LM evaluation harness over local data, as measured items."""

from __future__ import annotations

import math
from itertools import islice
from numbers import Real
from pathlib import Path

from plumbline.evaluation.contamination import Evaluated
from plumbline.files import InputError
from plumbline.memory import first_that_fits, halves
from plumbline.records import Domain, Item


def task_manager(task: str, folder: Path, shots: int):
    """The harness's task manager over the task files (*.yaml) of a folder.

    InputError when none of them holds the task, when the task takes its data from elsewhere than
    local files, or when its file rules out the examples that are asked for.
    """
    from datasets.packaged_modules import _PACKAGED_DATASETS_MODULES as loaders
    from lm_eval.tasks import TaskManager

    manager = TaskManager(include_path=str(folder), include_defaults=False)
    if task not in manager.all_subtasks:
        there = ", ".join(sorted(manager.all_subtasks)) or "none"
        raise InputError(
            f"{folder}: no readable *.yaml file in it has `task: {task}`; tasks that it has: {there}."
        )
    entry = manager.task_index[task]
    settings = entry.cfg or {}  # None for a task that is written in Python
    path, fixed = settings.get("dataset_path"), settings.get("num_fewshot")
    if not (path is None or path in loaders or Path(path).exists()):
        raise InputError(
            f"{entry.yaml_path}: dataset_path: {path} is on a hub. Tasks run on local data: expected "
            f"e.g. dataset_path: json with dataset_kwargs: {{data_files: {{test: FILE}}}}."
        )
    if fixed == 0 and shots:
        raise InputError(
            f"{entry.yaml_path}: num_fewshot: 0 rules out the {shots} shots that the configuration "
            f"asks for; remove one of them."
        )
    return manager


def measure(
    model,
    tokenizer,
    task: str,
    folder: Path,
    *,
    shots: int,
    limit: int | None,
    batch_size: int,
    domain: Domain,
) -> list[Item]:
    """Run a task on a model in memory: an item for each question, with its numeric metrics.

    Data files named in a task file are relative to the working directory. A metric of another
    filter than `none` is called `metric,filter`, as in the harness's own tables. InputError also
    when the task's data cannot be loaded, or when it measures nothing for each question.
    """
    from lm_eval import simple_evaluate
    from lm_eval.models.huggingface import HFLM

    manager = task_manager(task, folder, shots)
    loaded = _load(manager, task, folder)
    found = first_that_fits(
        halves(batch_size),
        lambda size: simple_evaluate(
            model=HFLM(pretrained=model, tokenizer=tokenizer, batch_size=size),
            tasks=[loaded],
            num_fewshot=shots,
            limit=limit,
            bootstrap_iters=0,
            task_manager=manager,
        ),
        "scoring.harness_batch",
        "Use a device with more memory, or fewer shots.",
    )
    return _items(found["samples"][task], task, domain)


def questions(task: str, folder: Path, *, shots: int, limit: int | None) -> list[Evaluated]:
    """What a task asks, with its choices, for the comparison with training files.

    The question is the task's own decontamination query if it has one, else its prompt without the
    label and lines that all prompts share (`Question:`, `Answer:`; ours). InputError as `measure`.
    """
    loaded = _load(task_manager(task, folder, shots), task, folder)
    docs = list(islice(loaded.eval_docs, limit))
    choices = [
        list(map(str, loaded.doc_to_choice(doc))) if loaded.config.doc_to_choice else []
        for doc in docs
    ]
    if loaded.should_decontaminate():
        asked = [str(loaded.doc_to_decontamination_query(doc)) for doc in docs]
    else:
        prompts = map(loaded.doc_to_text, docs)
        # A number stands for as many prompts as there are choices, which they hold.
        asked = _without_form(
            ["\n".join(own) if isinstance(prompt, int) else prompt
             for prompt, own in zip(prompts, choices, strict=True)]
        )  # fmt: skip
    return [
        Evaluated(id=f"{task}/{n}", question=text, choices=own)
        for n, (text, own) in enumerate(zip(asked, choices, strict=True))
    ]


def _load(manager, task: str, folder: Path):
    try:
        return manager.load([task])["tasks"][task]
    except (OSError, ValueError) as error:
        raise InputError(
            f"{folder}: the data of task {task} cannot be loaded ({error})."
        ) from error


def _without_form(prompts: list[str]) -> list[str]:
    """Prompts without the lines, and the label before the first other line, that all of them have."""
    if len(prompts) < 2:
        return prompts
    lines = [prompt.splitlines() for prompt in prompts]
    form = set.intersection(*map(set, lines))
    left = ["\n".join(line for line in own if line not in form) for own in lines]
    if len({text.partition(":")[0] for text in left}) == 1:
        left = [text.partition(":")[2] for text in left]
    return [text.strip() or prompt for text, prompt in zip(left, prompts, strict=True)]


def _items(samples: list[dict], task: str, domain: Domain) -> list[Item]:
    """Items of the harness's samples, one a question and filter."""
    measured: dict[int, dict[str, float]] = {}
    for sample in samples:
        values = measured.setdefault(sample["doc_id"], {})
        suffix = "" if sample["filter"] == "none" else f",{sample['filter']}"
        for metric in sample["metrics"]:
            value = sample[metric]
            if not isinstance(value, Real):
                continue  # parts of a measure of the whole, such as perplexity
            if not math.isfinite(value):
                raise InputError(
                    f"task {task}: {metric} of question {sample['doc_id']} is {value}; correct the "
                    f"task's own functions."
                )
            values[f"{metric}{suffix}"] = float(value)
    if not any(measured.values()):
        raise InputError(
            f"task {task}: none of its metrics is a number for each question, so there is nothing "
            f"to pair; expected e.g. acc or exact_match in metric_list."
        )
    return [
        Item(id=f"{task}/{doc}", task=task, domain=domain, cluster=f"{task}/{doc}", metrics=values)
        for doc, values in sorted(measured.items())
    ]
