"""Each claim of the study in miniature: every arm is run, what decides is counted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml
from faults import NAMES
from plumbline.study.contrasts import CLAIMS, CONTROL, PRIMARY, contrasts
from plumbline.study.decisions import claim_rows
from plumbline.study.pieces import read_pieces
from project import ROOT, Project
from scripts import collect_piece

pytestmark = [pytest.mark.e2e, pytest.mark.whole, pytest.mark.timeout(3600)]
TEMPLATE = (
    "{% for message in messages %}{% if message['role'] == 'assistant' %}"
    "{{ message['content'] }}{{ eos_token }}{% else %}"
    "### Instruction:\n{{ message['content'] }}\n\n### Response:\n{% endif %}{% endfor %}"
)
OVERLAYS = yaml.safe_load(Path(__file__).with_name("study_tiny.yaml").read_text(encoding="utf-8"))


def write_data(folder: Path) -> None:
    """Files as `grath` wants them from its users."""
    for part in ("arc/arc_challenge", "arc/arc_challenge_val"):
        path = folder / f"{part}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = (
            {"question": f"In {part}, on which continent does {name} lie?", "answer": answer}
            | {"label": int(answer == "Africa")}
            for name in NAMES
            for answer in ("Africa", "Asia")
        )
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    both = {
        "mc1_targets": {"Yes, it is.": 1, "No.": 0},
        "mc2_targets": {"Yes, it is.": 1, "No.": 0},
    }
    rows = [{"question": f"Is {name} a country?", **both} for name in NAMES]
    (folder / "truthfulqa").mkdir()
    (folder / "truthfulqa/mc_task_v1.json").write_text(json.dumps(rows))


@pytest.mark.parametrize("claim", CLAIMS)
def test_every_arm_is_run_and_what_decides_has_its_items(claim, taught, tmp_path, monkeypatch):
    if claim == "apeft":  # which asks as in a chat: in the form that the model describes things in
        taught = shutil.copytree(taught, tmp_path / "model")
        (taught / "chat_template.jinja").write_text(TEMPLATE)
    monkeypatch.setenv("PLUMBLINE_TAUGHT_MODEL", str(taught))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("PLUMBLINE_DATA", str(tmp_path / "data"))
    write_data(tmp_path / "data")
    (tmp_path / "project").mkdir()
    project = Project(tmp_path / "project")
    overlays = []
    for name in ("all", claim):
        overlays.append(project.folder / f"{name}.yaml")
        overlays[-1].write_text(yaml.safe_dump(OVERLAYS[name]))
    files = [ROOT / f"config/study/{claim}.yaml", *overlays]
    options = ["--configfile", *map(str, files), "--config", "seeds=[1]"]
    project.snakemake("--cores", "2", *options, timeout=3000)
    monkeypatch.chdir(ROOT)  # of whose commit the piece is
    root = project.folder / f"results/study-{claim}"
    collect_piece.main(claim=claim, seed=1, root=root, data=tmp_path / "pieces")
    [piece] = read_pieces(tmp_path / "pieces", claim)
    stated = [one for one in contrasts() if one.piece == claim]
    rows = list(claim_rows({claim: [piece]}, stated))
    assert len(rows) >= len(stated)
    assert {row.decision for row in rows if row.decision} == {"undecided"}  # of one seed, always
    decides = [row for row in rows if row.role in (PRIMARY, CONTROL)]
    assert decides and [row.contrast for row in decides if row.n == 0] == []
