"""A conda channel in a folder: the Python of this machine and its pip, as two packages.

Used by the tests of `--use-conda` where no channel can be reached. Both packages are in conda's
older format, a bzip2 tar with a description in info/.
"""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import tarfile
import zipfile
from pathlib import Path


def build(channel: Path, interpreter: Path) -> None:
    """Put the packages of `interpreter` into `channel`, which still has to be indexed."""
    code = (
        "import sys, glob, os, ensurepip; print('.'.join(map(str, sys.version_info[:3])));"
        "print(sys.base_prefix); print(*glob.glob(os.path.dirname(ensurepip.__file__)"
        " + '/_bundled/pip-*.whl'))"
    )
    answer = subprocess.run([interpreter, "-c", code], capture_output=True, text=True, check=True)
    version, home, wheel = answer.stdout.splitlines()
    short = version.rpartition(".")[0]
    library = f"lib/python{short}/site-packages"
    # Not a copy of the interpreter but what a virtual environment has: a link, and its folder.
    settings = f"home = {home}/bin\ninclude-system-site-packages = false\nversion = {version}\n"
    _package(
        channel / "linux-64",
        {"name": "python", "version": version, "arch": "x86_64", "platform": "linux"},
        {"pyvenv.cfg": settings.encode(), f"{library}/README.txt": b"packages go here\n"},
        {
            f"bin/python{short}": f"{home}/bin/python{short}",
            "bin/python": f"python{short}",
            "bin/python3": f"python{short}",
        },
    )
    with zipfile.ZipFile(wheel) as archive:
        members = [name for name in archive.namelist() if not name.endswith("/")]
        files = {f"{library}/{name}": archive.read(name) for name in members}
    version = Path(wheel).name.split("-")[1]
    about = {"name": "pip", "version": version, "noarch": "generic", "depends": ["python"]}
    _package(channel / "noarch", about, files, {})


def _package(folder: Path, about: dict, files: dict[str, bytes], links: dict[str, str]) -> None:
    about = {"build": "0", "build_number": 0, "depends": [], "subdir": folder.name} | about
    paths = [_path(name, "softlink", b"") for name in links]
    paths += [_path(name, "hardlink", content) for name, content in files.items()]
    inside = files | {
        "info/index.json": json.dumps(about).encode(),
        "info/paths.json": json.dumps({"paths": paths, "paths_version": 1}).encode(),
        "info/files": "\n".join([*links, *files]).encode(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{about['name']}-{about['version']}-0.tar.bz2"
    with tarfile.open(target, "w:bz2", compresslevel=1) as archive:
        for name, content in inside.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o644
            archive.addfile(member, io.BytesIO(content))
        for name, aim in links.items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, aim
            archive.addfile(member)


def _path(name: str, kind: str, content: bytes) -> dict:
    digest = hashlib.sha256(content).hexdigest()
    return {"_path": name, "path_type": kind, "sha256": digest, "size_in_bytes": len(content)}
