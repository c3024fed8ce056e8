"""Links between the project's pages lead somewhere: to a file that is there, and a heading in it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for pattern in ("*.md", "config/**/*.md", "docs/**/*.md", "tests/**/*.md", "workflow/**/*.md")
    for path in ROOT.glob(pattern)
)


def prose(page: Path) -> str:
    """The text without blocks of code and code within lines."""
    text = re.sub(r"(?ms)^ *```.*?^ *```", "", page.read_text(encoding="utf-8"))
    return re.sub(r"`[^`\n]*`(?!\])", "", text)


def anchors(page: Path) -> set[str]:
    """What a heading is called in links, as hubs of code write it."""
    found: dict[str, int] = {}
    text = re.sub(r"(?ms)^ *```.*?^ *```", "", page.read_text(encoding="utf-8"))
    for heading in re.findall(r"(?m)^#+ +(.+?) *#*$", text):
        words = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower())
        name = words.replace(" ", "-")
        found[name] = found.get(name, -1) + 1
    return {
        name if n == 0 else f"{name}-{n}" for name, last in found.items() for n in range(last + 1)
    }


def links(page: Path) -> list[str]:
    found = re.findall(r"\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)", prose(page))
    return [link for link in found if not re.match(r"[a-z]+:", link)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    broken = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists():
            broken.append(f"{link}: no such file")
        elif anchor and (target.suffix != ".md" or anchor not in anchors(target)):
            broken.append(f"{link}: no such heading")
    assert not broken


def test_there_are_links_to_look_at():
    every = [link for page in PAGES for link in links(page)]
    assert len(PAGES) > 10 and len(every) > 30 and any("#" in link for link in every)
    headings = anchors(ROOT / "docs/rules.md")
    assert {"the-rule", "what-makes-a-job-run-again"} <= headings
