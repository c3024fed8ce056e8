"""Hooks of pre-commit are the checks of `make lint`, by the tools that are there."""

from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


def test_hooks_are_the_checks_of_make_lint():
    [repository] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert repository["repo"] == "local"
    hooks = {hook["id"]: hook for hook in repository["hooks"]}
    assert {hook["language"] for hook in hooks.values()} == {"system"}
    lint = (ROOT / "Makefile").read_text().split("\nlint:")[1].split("\n\n")[0]
    for name, command in {
        "ruff": ".venv/bin/ruff check",
        "ruff-format": ".venv/bin/ruff format --check",
        "snakefmt": ".venv/bin/snakefmt --check",
    }.items():
        assert command in lint and hooks[name]["entry"].startswith(command)
