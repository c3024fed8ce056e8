"""docs/rule-graph.md shows the rules of a run, and which waits for which."""

import pytest
from graph import Graphs
from project import ROOT, called
from scripts.write_rule_graph import arrows, as_markdown, jobs, rule_files, variants

pytestmark = pytest.mark.workflow


def test_the_page_is_of_the_jobs_that_there_are(tmp_path):
    found = Graphs(tmp_path).jobs({})
    rules = {name: job.rule for name, job in found.items()}
    waits = [(one, name) for name, job in found.items() for one in job.behind]
    page = (ROOT / "docs/rule-graph.md").read_text(encoding="utf-8")
    made = as_markdown(arrows(rules, waits), rule_files())
    assert page == made, "run `python -m scripts.write_rule_graph`"
    drawn = set(arrows(rules, waits))
    assert {("build_mix", "measure_contamination"), ("train", "generate")} <= drawn
    assert {rule for edge in drawn for rule in edge} == set(rules.values())


def test_what_jobs_wait_for_anyway_is_not_drawn():
    dot = (
        '\t0[label = "all", color = "0"];\n\t1[label = "train\\nseed: 1"];\n\t2[label = "build"];\n'
        '\t3[label = "gate"];\n\t4[label = "train\\nseed: 2"];\n'
        "\t1 -> 0\n\t2 -> 1\n\t3 -> 1\n\t2 -> 3\n\t1 -> 4\n\t4 -> 0\n"
    )
    drawn = arrows(*jobs(dot))
    # All waits for the second training, which waits for the first; a rule for itself is no arrow.
    assert drawn == [("build", "gate"), ("gate", "train"), ("train", "all")]
    page = as_markdown(drawn, {"data": ["build", "z"], "train": ["gate", "train"]})
    assert "  subgraph data\n    build\n  end\n" in page and "  gate --> train\n" in page
    assert "z" not in page.split("mermaid")[1] and "all" not in page.split("mermaid")[1]


def test_rules_are_found_in_their_files():
    files = rule_files()
    assert "train" in files["train"] and "generate_shard" in files["generate"]
    # What the tests take for one rule is drawn as one.
    assert all(called(rule) == one for rule, one in variants().items() if one == "generate")
    assert "generate_shard" not in variants()
