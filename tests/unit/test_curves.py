import csv
import json
import subprocess
import sys
from pathlib import Path

from plumbline.report.names import TABLES
from plumbline.report.tables import read_table
from programs import listed

WORKFLOW = Path(__file__).resolve().parents[2] / "workflow"
POINT = {
    "step": 1,
    "epoch": 0.0714,
    "loss": 0.6931471805599453,
    "margin": 0.0,
    "accuracy": 0.0,
    "chosen": 0.0,
    "rejected": 0.0,
    "grad_norm": 5.3,
    "learning_rate": 0.0001,
}


def tabulate(root: Path, trainings: dict[str, dict | str]):
    """Run the program on these training.json by tuning; its process."""
    rows = []
    for tuning, training in trainings.items():
        folder = root / "m/seed-3" / tuning
        folder.mkdir(parents=True)
        text = training if isinstance(training, str) else json.dumps(training)
        (folder / "training.json").write_text(text)
        place = str(folder.relative_to(root))
        rows.append({"model": "m", "seed": 3, "tuning": tuning, "folder": place})
    options = ["--root", root, "--tunings", listed(root, rows), "--curves", root / "curves.csv"]
    return subprocess.run(
        [sys.executable, "-m", "scripts.tabulate_curves", *map(str, options)],
        capture_output=True,
        text=True,
        cwd=root,
        env={"PYTHONPATH": str(WORKFLOW)},
    )


def test_every_step_of_every_preference_training(tmp_path):
    second = POINT | {"step": 2, "loss": 0.512345678, "margin": -0.1234564, "accuracy": 0.875}
    unpaired = {"step": 1, "epoch": 0.5, "loss": 0.5}  # KTO logs no accuracy
    done = tabulate(
        tmp_path,
        {
            "mix.unknown-0": {"name": "mix.unknown-0", "loss": [{"epoch": 1, "loss": 0.3}]},
            "grath.r1": {"name": "grath.r1", "curve": [POINT, second]},
            "kto": {"name": "kto", "curve": [unpaired]},
        },
    )
    assert done.returncode == 0, done.stderr
    with (tmp_path / "curves.csv").open() as stream:
        header, *rows = csv.reader(stream)
    assert header == [
        "model",
        "seed",
        "tuning",
        "step",
        "epoch",
        "loss",
        "margin",
        "accuracy",
        "chosen",
        "rejected",
    ]
    assert rows == [
        ["m", "3", "grath.r1", "1", "0.0714", "0.693147", "0.0", "0.0", "0.0", "0.0"],
        ["m", "3", "grath.r1", "2", "0.0714", "0.512346", "-0.123456", "0.875", "0.0", "0.0"],
        ["m", "3", "kto", "1", "0.5", "0.5", "", "", "", ""],
    ]
    assert "3 steps" in done.stderr


def test_the_report_reads_what_is_written_even_if_nothing(tmp_path):
    assert tabulate(tmp_path, {"mix.unknown-0": {"loss": []}}).returncode == 0
    table = read_table(tmp_path / "curves.csv", "preference_curves")
    assert table.empty
    assert set(table.columns) == set(TABLES["preference_curves"].model_fields)


def test_a_broken_training_file_is_named(tmp_path):
    done = tabulate(tmp_path, {"grath.r1": '{"curve": ['})
    assert done.returncode == 1 and not (tmp_path / "curves.csv").exists()
    assert "grath.r1/training.json: cannot be read as JSON" in done.stderr
    assert "Traceback" not in done.stderr
