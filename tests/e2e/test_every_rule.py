"""Every rule of the workflow runs for real: in the small run, or in this one, which has with a tiny
model what is off by default.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import method_overlays
import pytest
import yaml
from faults import new_project
from judge_server import Server
from project import ROOT, Project, shell_rules
from small_run import SMALL
from taught import nudge

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(4200)]
# One core a job, as none can use more with so little: two run at a time.
SINGLE = (
    "generate", "generate_first", "generate_leading", "generate_shard", "train", "decide_fact_based",
    "verify_claims",
    "score_reference", "run_harness",
)  # fmt: skip
CONFIG = [
    "--configfile", str(ROOT / "tests/everything.yaml"), *map(str, method_overlays.FILES),
    str(Path(__file__).with_name("everything_tiny.yaml")),
    "--set-threads", *(f"{rule}=1" for rule in SINGLE),
]  # fmt: skip
MODEL = "results/everything/taught"
LISTED = f"{MODEL}/base/apeft/responses/claims/generations.jsonl"
JUDGED = f"{MODEL}/base/apeft/responses/verdicts.jsonl"
RAG = "seed-1/flame-unknown-50.sft-rag"
TARGETS = [JUDGED] + [
    f"{MODEL}/{path}"
    for path in (
        "seed-1/grath-unknown-50.r1/training.json", f"{RAG}/final/flame/mc/confidence.jsonl",
        "base/apeft/atomic/claims.jsonl", "flame/augmented.jsonl", "base/harness/arc.jsonl",
        "base/closed_book/own/answers.jsonl",
    )
]  # fmt: skip
TASK = {
    "task": "arc", "dataset_path": "json", "test_split": "test", "output_type": "multiple_choice",
    "doc_to_text": "{{question}}", "doc_to_choice": "choices", "doc_to_target": "gold",
    "metric_list": [{"metric": "acc"}],
}  # fmt: skip


class Run:
    """What is made of the targets, and what a server was asked for the last of them."""

    def __init__(self, folder: Path):
        self.project = new_project(folder)
        nudge(Path(os.environ["PLUMBLINE_TAUGHT_MODEL"]), folder / "other")
        tasks = folder / "tasks"
        tasks.mkdir()
        row = {"question": "Which of them is a city?", "choices": ["Paris", "seven"], "gold": 0}
        (tasks / "rows.jsonl").write_text(json.dumps(row) + "\n")
        files = {"data_files": {"test": str(tasks / "rows.jsonl")}}
        (tasks / "arc.yaml").write_text(yaml.safe_dump(TASK | {"dataset_kwargs": files}))
        own = (
            {"relation": "twin", "subject": name, "question": f"Which town is {name}'s twin?"}
            for name in ("Peru", "Chad", "Cuba", "Fiji", "Iran", "Iraq")
        )
        lines = (json.dumps(row | {"answers": [row["subject"]]}) + "\n" for row in own)
        (folder / "own.jsonl").write_text("".join(lines))
        self.make(f"{MODEL}/slick/annotations.jsonl")
        self.make(*TARGETS, "audit", *method_overlays.OVERLAYS, config="generation={shards: 1}")
        self.make(LISTED, config="claims={splitter: model}")
        self.by_retrieval = self.rows(JUDGED)
        server = Server()
        judge = f"{{kind: endpoint, url: '{server.url}', model: m, passages: {{format: facts}}}}"
        self.make(JUDGED, "--forcerun", "verify_claims", config=f"verification={judge}")
        server.stop()
        self.asked = server.asked

    def make(self, *targets: str, config: str = "run=everything") -> None:
        self.project.snakemake(*targets, *CONFIG, "--config", config, timeout=900)

    def rows(self, path: str) -> list[dict]:
        return [json.loads(line) for line in (self.project.folder / path).open()]


@pytest.fixture(scope="module")
def everything(taught, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLUMBLINE_TAUGHT_MODEL", str(taught))
        patch.setenv("OMP_NUM_THREADS", "1")
        yield Run(tmp_path_factory.mktemp("everything") / "project")


def finished(project: Project) -> set[str]:
    """The rules of which a job has ended well, in any of Snakemake's sessions."""
    logs = (project.folder / ".snakemake/log").glob("*.log")
    return {
        rule
        for log in logs
        for rule in re.findall(
            r"^Finished jobid: \d+ \(Rule: (\w+)\)", log.read_text(), re.MULTILINE
        )
    }


def test_no_rule_is_never_run(run, everything):
    run.project.snakemake("plan", "cards", "lm_eval", "--configfile", str(SMALL))
    assert shell_rules() - finished(run.project) - finished(everything.project) == set()


def test_both_verifiers_judge_every_claim(everything):
    claims = {row["id"] for row in everything.rows(JUDGED.replace("verdicts", "claims"))}
    by_endpoint = everything.rows(JUDGED)
    assert claims and everything.asked
    for verdicts in (everything.by_retrieval, by_endpoint):
        assert {row["claim"] for row in verdicts} == claims


def test_parts_of_a_request_file_come_to_the_whole(everything):
    folder = everything.project.folder / MODEL / "slick"
    parts = [json.loads(path.read_text()) for path in folder.glob("shard-*-of-2.json")]
    assert len(parts) == 2 and all(part["generations"] for part in parts)
    answers = everything.rows(f"{MODEL}/slick/generations.jsonl")
    assert sum(part["generations"] for part in parts) == len(answers)
