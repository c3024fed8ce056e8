"""Keep what the study needs of a finished run: one claim at one seed, in docs/study/data."""

import os
import platform
import re
import subprocess
from pathlib import Path
from typing import Annotated

from plumbline.experiment.config import Config
from plumbline.jobs import program
from plumbline.storage import lists
from plumbline.storage.files import InputError, read_json, sha256_json
from plumbline.study.collecting import labels_digest, measured_rows, mixes, stage_times
from plumbline.study.contrasts import contrasts
from plumbline.study.pieces import Piece, write_piece
from plumbline.study.records import PieceManifest

# Keys that do not count: the piece names the seed itself, and the device only affects rounding.
BESIDE = ("seeds", "device", "run")


def main(
    *,
    claim: str,
    seed: int,
    root: Annotated[Path, "results/<run>, finished"],
    data: Annotated[Path, "docs/study/data"],
) -> None:
    manifest = read_json(root / "manifest.json")
    config = manifest["config"]
    if config["seeds"] != [seed]:
        raise InputError(
            f"{root}: was run with seeds {config['seeds']}; expected [{seed}]. Run it with "
            f"--config 'seeds=[{seed}]', so that a piece is one seed's."
        )
    model = config["models"][0]["name"]
    checkpoints = lists.read(root / "lists/checkpoints.json", list[dict])
    fits, about = mixes(root, checkpoints)
    stated = [one for one in contrasts() if one.piece == claim]
    piece = Piece(
        PieceManifest(
            claim=claim,
            seed=seed,
            model=model,
            commit=_commit(),
            configuration=_settings_digest(config),
            labels=labels_digest(root / model / "slick/annotations.jsonl"),
            versions=manifest["versions"] | {"python": manifest["python"]},
            device=config["device"],
            processor=_processor(),
            cores=os.cpu_count(),
            stages=stage_times(root / "benchmarks", seed),
            mixes=about,
        ),
        measured_rows(root, checkpoints, stated),
        fits,
    )
    path = write_piece(data, piece)
    program.log.info(f"{len(piece.items)} values and {len(fits)} fit curves beside {path}")


def _settings_digest(config: dict) -> str:
    """Digest of the keys that a claim's file sets; a new key with its default changes nothing."""
    said = Config.model_validate(config).model_dump(mode="json", exclude_defaults=True)
    return sha256_json({key: value for key, value in said.items() if key not in BESIDE})[:16]


def _commit() -> str:
    """The commit of the sources, with `-dirty` if they differ from it; files in docs do not count."""
    try:
        commit = _git("rev-parse", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", ":!docs")
    except (OSError, subprocess.CalledProcessError) as error:
        raise InputError(
            "the commit cannot be determined, but a piece must name the sources it was made with. Run "
            "it in a git checkout."
        ) from error
    return f"{commit}-dirty" if changed else commit


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _processor() -> str:
    """The processor's name according to Linux, or else to Python."""
    cpuinfo = Path("/proc/cpuinfo")
    found = cpuinfo.is_file() and re.search(r"model name\s*: (.+)", cpuinfo.read_text())
    return found[1] if found else platform.processor()


if __name__ == "__main__":
    program.cli(main)
