"""Stands in for the command `conda` where none can be had: it answers what Snakemake asks of it.

It is not conda. Solving and installing are rattler's, which conda itself can use; the pip section
goes to the new environment's own pip. Channels are folders: CONDA_LAB_CHANNEL is taken for every
channel that an environment names.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import yaml


async def make(file: Path, prefix: Path) -> None:
    """Make the environment that a YAML file describes."""
    from rattler import VirtualPackage, install, solve

    dependencies = yaml.safe_load(file.read_text())["dependencies"]
    with_pip = [line for part in dependencies if isinstance(part, dict) for line in part["pip"]]
    records = await solve(
        [Path(os.environ["CONDA_LAB_CHANNEL"]).as_uri()],
        [part for part in dependencies if isinstance(part, str)],
        platforms=["linux-64", "noarch"],
        virtual_packages=VirtualPackage.detect(),
    )
    cache = Path(sys.argv[0]).resolve().parents[1] / "packages"
    await install(records, target_prefix=prefix, cache_dir=cache, show_progress=False)
    (prefix / "conda-meta/history").touch()
    if with_pip:
        wanted = prefix / "conda-meta/pip.txt"
        wanted.write_text("".join(f"{line}\n" for line in with_pip))
        clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        command = [prefix / "bin/python", "-m", "pip", "install", "--requirement", wanted]
        subprocess.run(command, env=clean, check=True)


def main() -> None:
    match sys.argv[1:]:
        case ["--version"]:
            print("conda 26.7.1")
        case ["info", "--json"]:
            root = str(Path(sys.argv[0]).resolve().parents[1])
            print(json.dumps({"conda_prefix": root, "platform": "linux-64"}))
        case ["config", "--get", "channel_priority", "--json"]:
            print(json.dumps({"get": {"channel_priority": "strict"}}))
        case ["env", "create", *_, "--file", file, "--prefix", prefix]:
            asyncio.run(make(Path(file), Path(prefix)))
        case ["clean", *_]:
            pass  # nothing is downloaded that would have to be
        case other:
            raise SystemExit(f"the stand-in for conda does not know: {' '.join(other)}")


try:
    main()
    status = 0
except SystemExit as end:
    print(end.code, file=sys.stderr)
    status = 1
except Exception as error:
    print(f"{type(error).__name__}: {error}", file=sys.stderr)
    status = 1
sys.stdout.flush()
sys.stderr.flush()
os._exit(status)  # rattler's threads can make an ordinary end crash, after all is done
