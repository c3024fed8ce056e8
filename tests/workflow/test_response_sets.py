"""Where responses are collected, and which instructions and sources are made ready for them."""

import re

import pytest
from project import Project, overlaid, rules

pytestmark = pytest.mark.workflow


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return Project(tmp_path_factory.mktemp("project"))


def test_each_place_says_what_becomes_of_responses_that_were_cut_off(project):
    jobs = rules(project.snakemake("--dry-run", "--printshellcmds"), "collect_responses")
    found = {}
    for job in jobs:
        place = re.search(r"(flame|apeft|long_form|win_rate)(/\w+)?/responses\.jsonl", job)[1]
        how = re.search(r" (--unfinished|--whole-sentences|)\s+--stage (\w+)", job)
        found.setdefault(place, set()).add(how.groups())
    assert found == {
        "flame": {("", "flame")},
        "apeft": {("--whole-sentences", "apeft")},
        "long_form": {("--unfinished", "long_form")},
        "win_rate": {("--unfinished", "long_form")},
    }


def test_what_is_lost_is_counted_wherever_responses_are_collected(project):
    output = project.snakemake("--dry-run")
    [table] = rules(output, "count_dropped")
    made = {name for job in rules(output, "collect_responses")
            for name in re.findall(r"\S+/dropped\.json", job)}  # fmt: skip
    assert len(made) > 10 and made <= set(re.findall(r"[^\s,]+", table))


def test_a_source_is_fetched_if_something_reads_it(project):
    (project.folder / "asked.jsonl").write_text('{"instruction": "Who are you?"}\n')
    asked = '[{format: rows, source: "file:asked.jsonl"}]'
    without = overlaid(project, f"flame: {{dpo: [], prompts: {asked}}}\n", "without.yaml")
    assert "asked.jsonl" not in project.snakemake("--dry-run", *without, "fetch")
    reading = overlaid(project, f"apeft: {{prompts: {asked}}}\n", "reading.yaml")
    assert "asked.jsonl" in project.snakemake("--dry-run", *reading, "fetch")
