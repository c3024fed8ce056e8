"""Everything that is fetched: the sources that the configuration names."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from plumbline.experiment.layout import Wildcards
from plumbline.sources.source import Source, slug
from plumbline.storage.files import InputError


class Fetched:
    """Sources by their folder <source> in results/sources/<source>; each is fetched only once."""

    def __init__(self, lines: Iterable[tuple[str | None, str | None]]):
        """lines: for each source, its line in the configuration and its checksum; both may be None.

        A checksum that is given once counts wherever the source is named. InputError if two differ.
        """
        self.by_slug: dict[str, Source] = {}
        for source in (Source.parse(line, sha256) for line, sha256 in lines if line):
            known = self.by_slug.setdefault(slug(source), source)
            if known.sha256 is None:
                self.by_slug[slug(source)] = source
            elif source.sha256 not in (None, known.sha256):
                raise InputError(
                    f"{source.text}: is named with two checksums, sha256: {known.sha256} and "
                    f"{source.sha256}; leave the wrong one out."
                )

    def local_files(self, wildcards: Wildcards) -> list[str] | str:
        """The files behind file:, so that changes of them count; other sources have no input."""
        source = self.by_slug[wildcards.source]
        path = Path(source.name)
        if source.kind != "file" or not path.exists():
            return []
        return sorted(map(str, path.rglob("*.*"))) if path.is_dir() else str(path)

    def options(self, wildcards: Wildcards) -> list[str]:
        """The source as options of fetch_source."""
        source = self.by_slug[wildcards.source]
        checksum = ["--sha256", source.sha256] if source.sha256 else []
        return ["--source", source.text, *checksum]


def marker(line: str, sha256: str | None) -> str:
    """The file that says where a fetched source is."""
    return f"results/sources/{slug(Source.parse(line, sha256))}/source.json"


def marker_of(section) -> str:
    """The same for a section of the configuration."""
    return marker(section.source, section.sha256)
