"""Write docs/configuration.md from the classes of the configuration."""

from pathlib import Path

from plumbline.experiment.reference import as_markdown
from plumbline.jobs import program
from plumbline.storage.files import atomic_write

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def main() -> None:
    with atomic_write(PAGE) as stream:
        stream.write(as_markdown())


if __name__ == "__main__":
    program.cli(main)
