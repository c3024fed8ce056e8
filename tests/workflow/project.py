"""A copy of the project to try changes on, and what Snakemake would do about them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
PARTS = ["Snakefile", "workflow", "config", "envs", "profiles"]


class Project:
    """A checkout in `folder` whose results are empty files that Snakemake takes for finished.

    The jobs of this workflow are known from the configuration alone, so what would run again can
    be told without running a model.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        for part in PARTS:
            source = ROOT / part
            if source.is_symlink():
                (folder / part).symlink_to(source.readlink())
            elif source.is_dir():
                ignore = shutil.ignore_patterns("__pycache__")
                shutil.copytree(source, folder / part, ignore=ignore)
            else:
                shutil.copy2(source, folder / part)

    def copy(self, folder: Path) -> Project:
        """The project as it is, times of files included, in another folder."""
        shutil.copytree(self.folder, folder, symlinks=True)
        made = Project.__new__(Project)
        made.folder = folder
        return made

    def snakemake(
        self, *arguments: str, check: bool = True, timeout: float = 300, program: str = ""
    ) -> str:
        """Run Snakemake; its output, or an assertion with it when it fails and `check` is set.

        program: a file of the project that runs it, if it is not run itself.
        """
        environment = {**os.environ, "NO_COLOR": "1"}
        environment.pop("PYTHONPATH", None)
        done = subprocess.run(
            [
                sys.executable,
                *([program] if program else ["-m", "snakemake"]),
                "--cores",
                "2",
                *arguments,
            ],
            cwd=self.folder,
            env=environment,
            text=True,
            timeout=timeout,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert done.returncode == 0 or not check, done.stdout[-4000:]
        return done.stdout

    def finish(self, *arguments: str) -> None:
        """Make every output, empty, and have Snakemake record it as up to date."""
        summary = self.snakemake("--summary", *arguments)
        for line in summary.splitlines():
            if line.startswith("results/"):
                path = self.folder / line.split("\t")[0]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
        self.snakemake("--touch", "--forceall", *arguments)

    def jobs(self, *arguments: str) -> dict[str, int]:
        """How many jobs of each rule a run would have now; empty if there is nothing to do."""
        output = self.snakemake("--dry-run", *arguments)
        if "Nothing to be done" in output:
            return {}
        table = output.split("Job stats:")[1]
        found: Counter[str] = Counter()
        for rule, n in re.findall(r"^(\w+) +(\d+)$", table, flags=re.MULTILINE):
            found[called(rule)] += int(n)
        return {rule: n for rule, n in found.items() if rule not in ("all", "total")}

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace a text that must be there."""
        file = self.folder / path
        text = file.read_text()
        assert old in text, f"{old!r} is not in {path}"
        file.write_text(text.replace(old, new))


def shell_rules() -> set[str]:
    """The rules that run a command; one that is made of another has that one's."""
    found = set()
    for path in sorted((ROOT / "workflow/rules").glob("*.smk")):
        for block in re.split(r"^(?=rule |use rule )", path.read_text(), flags=re.MULTILINE)[1:]:
            name = re.match(r"rule (\w+):|use rule \w+ as (\w+) with:", block)
            if name[2] or "\n    shell:" in block:
                found.add(name[1] or name[2])
    return found


def overlaid(project, text, name="mine.yaml"):
    """Arguments for the default configuration with this overlay."""
    (project.folder / name).write_text(text)
    return "--configfile", name, "--"


def called(rule: str) -> str:
    """The rule's name; those that differ in when they come and in threads alone have one."""
    return rule.removesuffix("_first").removesuffix("_leading")


def rules(output, name):
    """The printed jobs of a rule."""
    parts = re.split(r"rule (\w+):", output)
    found = zip(parts[1::2], parts[2::2], strict=True)
    return [part.split("\n[")[0] for rule, part in found if called(rule) == name]
