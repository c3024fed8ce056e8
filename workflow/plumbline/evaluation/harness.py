"""Tasks of the LM evaluation harness over local data, as measured items."""

from __future__ import annotations

import math
from collections.abc import Collection
from itertools import islice
from numbers import Real
from pathlib import Path

from plumbline.evaluation.overlaps import EvaluatedText
from plumbline.jobs import effort
from plumbline.jobs.memory import first_that_fits, halves
from plumbline.models.caches import attends_only
from plumbline.models.finite import check_logits
from plumbline.records import Domain, HarnessItem
from plumbline.storage.files import InputError


def task_manager(task: str, folder: Path, shots: int):
    """The harness's task manager over the task files (*.yaml) of a folder.

    InputError if none of them defines the task, if the task's data is not in local files, or if its
    file rules out the few-shot examples that are asked for.
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
) -> list[HarnessItem]:
    """Run a task on a model in memory: an item for each question, with its numeric metrics.

    Data files named in a task file are relative to the working directory. A metric with another filter
    than `none` is called `metric,filter`, as in the harness's own tables. As in the harness, prompts
    that are too long for the model lose their beginning; the items say which do. InputError also if the
    task's data cannot be loaded, if it measures nothing for each question, if a single choice or answer
    is too long, and if a logit is not a number.
    """
    from lm_eval import simple_evaluate

    manager = task_manager(task, folder, shots)
    loaded = _load(manager, task, folder)
    cut: set[str] = set()
    # The harness pads batches of prompts on the left to generate answers.
    alone = loaded.OUTPUT_TYPE == "generate_until" and not attends_only(model)
    try:
        output = first_that_fits(
            [1] if alone else halves(batch_size),
            lambda size: effort.passes()(simple_evaluate)(
                model=_watched(cut, pretrained=model, tokenizer=tokenizer, batch_size=size),
                tasks=[loaded],
                num_fewshot=shots,
                limit=limit,
                bootstrap_iters=0,
                task_manager=manager,
            ),
            "scoring.harness_batch",
            "Use a device with more memory, or fewer shots.",
        )
    except AssertionError as error:
        if "max tokens to generate" not in str(error):
            raise
        raise InputError(
            f"task {task}: {error} Lower max_gen_toks in the generation_kwargs of the task's file."
        ) from error
    return _items(output["samples"][task], task, domain, cut)


def _watched(cut: set[str], **options):
    """The harness's model; adds prompts that it cuts to `cut`, and refuses NaN among logits."""
    from lm_eval.models.huggingface import HFLM

    class Watched(HFLM):
        def _loglikelihood_tokens(self, requests, *args, **more):
            for texts, prompt, continuation in requests:
                if len(continuation) > self.max_length:
                    raise InputError(
                        f"a choice alone has {len(continuation):,} tokens, but the model reads at most "
                        f"{self.max_length:,}: {texts[1][:60]!r} … Shorten it in the task's data."
                    )
                if len(prompt) + len(continuation) > self.max_length + 1:
                    cut.add(texts[0])
            return super()._loglikelihood_tokens(requests, *args, **more)

        def tok_batch_encode(self, strings, *args, left_truncate_len=None, **more):
            for text in strings if left_truncate_len else ():
                if len(self.tok_encode(text)) > left_truncate_len:
                    cut.add(text)
            options = {"left_truncate_len": left_truncate_len, **more}
            return super().tok_batch_encode(strings, *args, **options)

        def _model_call(self, *args, **more):
            logits = super()._model_call(*args, **more)
            check_logits(logits, self.model, "scoring.dtype")
            return logits

        def _model_generate(self, *args, **more):
            def checked(ids, logits):
                check_logits(logits, self.model, "scoring.dtype")
                return logits

            return super()._model_generate(*args, logits_processor=[checked], **more)

    return Watched(**options)


def questions(task: str, folder: Path, *, shots: int, limit: int | None) -> list[EvaluatedText]:
    """A task's questions with their choices, for the comparison with training files.

    The question is the task's own decontamination query if it has one, otherwise its prompt without the
    label and the lines that all prompts share (`Question:`, `Answer:`; ours). InputError like
    `measure`.
    """
    loaded = _load(task_manager(task, folder, shots), task, folder)
    docs = list(islice(loaded.eval_docs, limit))
    choices = [
        list(map(str, loaded.doc_to_choice(doc))) if loaded.config.doc_to_choice else []
        for doc in docs
    ]
    if loaded.should_decontaminate():
        asked = [_query(loaded, doc) for doc in docs]
    else:
        prompts = map(loaded.doc_to_text, docs)
        # A number stands for several prompts, one per choice, which contain the choices.
        asked = _without_form(
            ["\n".join(offered) if isinstance(prompt, int) else prompt
             for prompt, offered in zip(prompts, choices, strict=True)]
        )  # fmt: skip
    return [
        EvaluatedText(id=f"{task}/{n}", question=text, choices=offered)
        for n, (text, offered) in enumerate(zip(asked, choices, strict=True))
    ]


def _query(loaded, doc: dict) -> str:
    """A task's decontamination query. The harness mistakes a rendered template for Python code."""
    from lm_eval.utils import apply_template

    query = loaded.config.doc_to_decontamination_query
    if isinstance(query, str) and query not in loaded.features:
        return apply_template(query, doc)
    return str(loaded.doc_to_decontamination_query(doc))


def _load(manager, task: str, folder: Path):
    try:
        return manager.load([task])["tasks"][task]
    except (OSError, ValueError) as error:
        raise InputError(
            f"{folder}: the data of task {task} cannot be loaded ({error})."
        ) from error


def _without_form(prompts: list[str]) -> list[str]:
    """Prompts without the lines that all of them have, and without a common label before the first
    other.
    """
    if len(prompts) < 2:
        return prompts
    lines = [prompt.splitlines() for prompt in prompts]
    form = set.intersection(*map(set, lines))
    left = ["\n".join(line for line in prompt_lines if line not in form) for prompt_lines in lines]
    if len({text.partition(":")[0] for text in left}) == 1:
        left = [text.partition(":")[2] for text in left]
    return [text.strip() or prompt for text, prompt in zip(left, prompts, strict=True)]


def _items(
    samples: list[dict], task: str, domain: Domain, cut: Collection[str] = ()
) -> list[HarnessItem]:
    """Items of the harness's samples, one per question; `cut`: prompts that lost their beginning."""
    measured: dict[int, dict[str, float]] = {}
    shortened = set()
    for sample in samples:
        if any(arguments[0] in cut for arguments in sample["arguments"]):
            shortened.add(sample["doc_id"])
        values = measured.setdefault(sample["doc_id"], {})
        suffix = "" if sample["filter"] == "none" else f",{sample['filter']}"
        for metric in sample["metrics"]:
            value = sample[metric]
            if not isinstance(value, Real):
                continue  # parts of a measure of the whole task, such as perplexity
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
        HarnessItem(
            id=f"{task}/{doc}",
            task=task,
            domain=domain,
            cluster=f"{task}/{doc}",
            metrics=values,
            prompt_cut=doc in shortened,
        )
        for doc, values in sorted(measured.items())
    ]
