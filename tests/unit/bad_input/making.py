"""Makes the files of a kind of bad input, and the arguments of the program that reads them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bad_rows import facts, marker


@dataclass(frozen=True)
class Kind:
    """A kind of bad input. arguments: make it in a folder; the program's arguments, given the
    folder for outputs and a sound base checkpoint (which must not be changed).
    """

    name: str
    program: str
    arguments: Callable[[Path, Path, Path], list]
    says: str


def put(folder: Path, name: str, content: object) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, list | dict):
        content = json.dumps(content)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def parquet_file(folder: Path, columns: dict) -> Path:
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(pyarrow.table(columns), folder / "rows.parquet")
    return folder / "rows.parquet"


def of_choices(format: str, name: str, content: object) -> Callable[[Path, Path, Path], list]:
    def arguments(folder: Path, out: Path, base: Path) -> list:
        path = parquet_file(folder, content) if callable(content) else put(folder, name, content)
        source = json.dumps({"format": format, "source": f"file:{path}"})
        return [
            *("--choices", source, "--source-marker", marker(folder, path), "--name", "mine"),
            *("--out", out / "choices.jsonl", "--dropped", out / "dropped.json"),
        ]

    return arguments


def of_instructions(format: str, name: str, content: object) -> Callable[[Path, Path, Path], list]:
    def arguments(folder: Path, out: Path, base: Path) -> list:
        path = put(folder, name, content)
        source = json.dumps([{"format": format, "source": f"file:{path}"}])
        return [
            *("--sources", source, "--markers", marker(folder, path), "--facts", facts(folder)),
            *("--entities-split", "train", "--entities-domains", "id", "--name", "mine"),
            *("--out", out / "instructions.jsonl", "--dropped", out / "dropped.json"),
        ]

    return arguments


def of_passages(format: str, make: Callable[[Path], Path]) -> Callable[[Path, Path, Path], list]:
    def arguments(folder: Path, out: Path, base: Path) -> list:
        path = make(folder)
        verifier = {
            **{"kind": "endpoint", "url": "http://127.0.0.1:9/v1", "model": "none"},
            "passages": {"format": format, "source": f"file:{path}"},
        }
        claims = put(folder, "claims.jsonl", "")
        return [
            *("--verifier", json.dumps(verifier), "--passages", path, "--store", out / "store"),
            *("--claims", claims, "--verdicts", out / "verdicts.jsonl"),
        ]

    return arguments


def of_questions(source: str, make: Callable[[Path], Path | None], *more: str) -> Callable:
    def arguments(folder: Path, out: Path, base: Path) -> list:
        path = make(folder)
        given = ["--path", path] if path else []
        return ["--source", source, *given, *more, "--questions", out / "q", "--counts", out / "c"]

    return arguments


def lines(*rows: object) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def own_question(**changes) -> dict:
    row = {"relation": "capital", "subject": "A", "question": "What of A?", "answers": ["B"]}
    return row | changes


def fact_tables(**changed: str) -> Callable[[Path], Path]:
    """The smallest folder of fact tables, with some of its files changed."""
    files = {
        "relations": "relation\ttemplate\tdomain\tlicence\tsource\n"
        "capital\tWhat is the capital of [X]?\tid\tCC0\tmade up\n",
        "capital": "subject\tanswers\tpopularity\nAland\tBtown\t\n",
        "ambiguous": "relation\tsubject\n",
    }

    def make(folder: Path) -> Path:
        for name, content in (files | changed).items():
            put(folder, f"tables/{name}.tsv", content)
        return folder / "tables"

    return make


def entityquestions_with(damaged: object) -> Callable[[Path], Path]:
    from plumbline.data.entityquestions import TEMPLATES

    def make(folder: Path) -> Path:
        for split in ("train", "dev", "test"):
            for relation, template in TEMPLATES.items():
                row = {"question": template.replace("[X]", f"Aland {split}"), "answers": ["B"]}
                put(folder, f"eq/{split}/{relation}.{split}.json", [row])
        put(folder, "eq/dev/P36.dev.json", damaged)
        return folder / "eq"

    return make


def of_source(line: str, sha256: str | None = None) -> Callable[[Path, Path, Path], list]:
    def arguments(folder: Path, out: Path, base: Path) -> list:
        checksum = ["--sha256", sha256] if sha256 else []
        return [
            *("--source", line.replace("FOLDER", str(folder)), *checksum),
            *("--folder", out, "--marker", out / "source.json"),
        ]

    return arguments


def of_model(make: Callable[[Path, Path], Path]) -> Callable[[Path, Path, Path], list]:
    def arguments(folder: Path, out: Path, base: Path) -> list:
        path = make(folder, base)
        return [
            *("--source-marker", marker(folder, path), "--name", "base", "--dtype", "float32"),
            *("--out", out / "base"),
        ]

    return arguments


def base_with(**files: object) -> Callable[[Path, Path], Path]:
    """The base with files changed (dots written as two underscores); None removes one."""

    def make(folder: Path, base: Path) -> Path:
        shutil.copytree(base, folder / "model")
        for name, content in files.items():
            path = folder / "model" / name.replace("__", ".")
            if content is None:
                path.unlink()
            elif callable(content):
                put(path.parent, path.name, content(path.read_bytes()))
            else:
                put(path.parent, path.name, content)
        return folder / "model"

    return make


def of_checkpoint(make: Callable[[Path, Path], Path]) -> Callable[[Path, Path, Path], list]:
    """A checkpoint that is scored."""

    def arguments(folder: Path, out: Path, base: Path) -> list:
        row = {"id": "q", "question": "Which?", "choices": ["a", "b"], "labels": [1, 0]}
        questions, checkpoint = put(folder, "choices.jsonl", lines(row)), make(folder, base)
        return [
            *("--questions", questions, "--name", "mine", "--prompt", "qa"),
            *("--checkpoint", checkpoint, "--device", "cpu", "--threads", 1),
            *("--scoring", '{"dtype": "float32"}', "--harness-compat", 0),
            *("--scores", out / "mine.jsonl"),
        ]

    return arguments


def adapter_with(**changes: object) -> Callable[[Path, Path], Path]:
    """An adapter on the base whose checkpoint.json differs in some keys; None removes one."""

    def make(folder: Path, base: Path) -> Path:
        about = {
            "name": "mine",
            "kind": "adapter",
            "parent": str(base),
            "parent_weights_sha256": json.loads((base / "checkpoint.json").read_text())[
                "weights_sha256"
            ],
            "weights_sha256": "0" * 64,
        } | changes
        for file in base.glob("token*"):
            shutil.copy(file, folder)
        for file in ("special_tokens_map.json", "chat_template.jinja"):
            if (base / file).exists():
                shutil.copy(base / file, folder)
        put(folder, "checkpoint.json", {k: v for k, v in about.items() if v is not None})
        settings = {"base_model_name_or_path": "base", "peft_type": "LORA", "r": 2}
        put(folder, "adapter_config.json", settings | {"target_modules": ["q_proj"]})
        return folder

    return make


def of_training(method: str, content: object, **recipe) -> Callable[[Path, Path, Path], list]:
    how = {"method": method, "learning_rate": 0.001, "epochs": 1, "global_batch_size": 1}
    few = {"min_pairs": 1} if method != "sft" else {}

    def arguments(folder: Path, out: Path, base: Path) -> list:
        (folder / "root").mkdir()
        (folder / "root/base").symlink_to(base)
        return [
            *("--root", folder / "root", "--name", "mine", "--seed", 1, "--parent", "base"),
            *("--examples", put(folder, "rows.jsonl", content), "--max-tokens", 4),
            *(
                "--recipe",
                json.dumps(how | few | {"dtype": "float32"} | recipe),
                "--stops",
                "final",
            ),
            *("--match", "squad", "--device", "cpu", "--threads", 1),
            *("--fit", out / "fit.jsonl", "--training", out / "training.json"),
        ]

    return arguments


def of_tasks(task: str, files: dict[str, object], shots: int = 0) -> Callable:
    def arguments(folder: Path, out: Path, base: Path) -> list:
        for name, content in files.items():
            put(folder, f"tasks/{name}", content)
        return [
            *("--checkpoint", base, "--task", task, "--folder", folder / "tasks"),
            *("--shots", shots, "--scoring", '{"dtype": "float32"}', "--device", "cpu"),
            *("--threads", 1, "--domain", "ood", "--scores", out / "scores.jsonl"),
        ]

    return arguments
