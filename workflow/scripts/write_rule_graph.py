"""Write docs/rule-graph.md: which rule waits for which, in the default configuration."""

import re
import subprocess
import sys
from collections.abc import Hashable, Iterable, Mapping
from functools import cache
from pathlib import Path

from plumbline.jobs import program
from plumbline.storage.files import atomic_write

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "rule-graph.md"
HEAD = """# The rules of a run

Written by `python -m scripts.write_rule_graph` from the jobs of `config.yaml`. An arrow leads from a
rule to a rule that reads its files. It is left out where jobs in between make the second rule wait
anyway. There are circles, since a method's second step generates, builds pairs and trains again. Rules
that differ only in when they run are shown as one. Each box is a file of `workflow/rules`.

"""


def jobs(dot: str) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Rules by job, and (job, a job that waits for it), from what `snakemake --dag` prints."""
    rules = dict(re.findall(r'(\d+)\[label = "(\w+)', dot))
    return rules, re.findall(r"(\d+) -> (\d+)", dot)


def arrows(
    rules: Mapping[Hashable, str], waits: Iterable[tuple[Hashable, Hashable]]
) -> list[tuple[str, str]]:
    """(rule, a rule that waits for it), without pairs that follow from others."""
    behind: dict[Hashable, set] = {job: set() for job in rules}
    for one, other in waits:
        behind[other].add(one)

    @cache
    def all_behind(job: Hashable) -> frozenset:
        return frozenset().union(behind[job], *map(all_behind, behind[job]))

    needed = set()
    for job, direct in behind.items():
        farther = set().union(*map(all_behind, direct))
        needed |= {(rules[one], rules[job]) for one in direct - farther}
    return sorted((one, other) for one, other in needed if one != other)


def as_markdown(drawn: Iterable[tuple[str, str]], files: Mapping[str, list[str]]) -> str:
    """The page. drawn: arrows; files: rules by their file."""
    drawn = [edge for edge in drawn if "all" not in edge]
    there = {rule for edge in drawn for rule in edge}
    lines = ["```mermaid", "flowchart TD"]
    for file, rules in files.items():
        if shown := [rule for rule in rules if rule in there]:
            lines += [f"  subgraph {file}", *(f"    {rule}" for rule in shown), "  end"]
    lines += [f"  {one} --> {other}" for one, other in drawn]
    return HEAD + "\n".join([*lines, "```"]) + "\n"


def rule_files() -> dict[str, list[str]]:
    """The rules of each file of workflow/rules."""
    return {
        path.stem: re.findall(r"(?m)^(?:rule|use rule \w+ as) (\w+)", path.read_text("utf-8"))
        for path in sorted((ROOT / "workflow/rules").glob("*.smk"))
    }


def variants() -> dict[str, str]:
    """Rules that differ from another only in when they run and in threads, with that rule's name."""
    found = {}
    for path in sorted((ROOT / "workflow/rules").glob("*.smk")):
        for block in re.split(r"(?m)^(?=use rule |rule )", path.read_text("utf-8")):
            made = re.match(r"use rule (\w+) as (\w+) with:", block)
            if made and "\n    output:" not in block:
                found[made[2]] = made[1]
    return found


def main() -> None:
    command = [sys.executable, "-m", "snakemake", "--dag", "dot", "--forceall", "--cores", "2"]
    dot = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    rules, waits = jobs(dot)
    one_of = variants()
    rules = {job: one_of.get(rule, rule) for job, rule in rules.items()}
    with atomic_write(PAGE) as stream:
        stream.write(as_markdown(arrows(rules, waits), rule_files()))


if __name__ == "__main__":
    program.cli(main)
