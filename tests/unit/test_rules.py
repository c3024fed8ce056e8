"""The form of the rules, and that their page says what is there."""

import re
import subprocess
from pathlib import Path

from plumbline.experiment.experiment import Experiment

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/rules.md").read_text(encoding="utf-8")
FILES = {
    path.name: path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "workflow/rules").glob("*.smk"))
}
SHARED = FILES["common.smk"]
OTHERS = {name: text for name, text in FILES.items() if name != "common.smk"}


def test_rules_hold_no_functions():
    assert {name for name, text in OTHERS.items() if re.search(r"^\s*def ", text, re.M)} == set()


def test_no_name_of_one_file_is_used_in_another():
    """So that the order of files counts for nothing but `use rule`."""
    made = {name: set(re.findall(r"^(\w+) = ", text, re.M)) for name, text in OTHERS.items()}
    assert made["grath.smk"] == {"GRATH"}
    for user, text in OTHERS.items():
        code = re.sub(r'"""(.|\n)*?"""|"[^"\n]*"|#.*', "", text)
        words = set(re.findall(r"(?<!\.)\b[A-Z_]{3,}\b", code))
        foreign = set().union(*(names for file, names in made.items() if file != user))
        assert words & foreign <= made[user], user


def test_the_table_of_contents_is_short_and_whole():
    contents = (ROOT / "Snakefile").read_text(encoding="utf-8")
    assert len(contents.splitlines()) <= 60
    assert set(re.findall(r"workflow/rules/(\w+\.smk)", contents)) == set(FILES)


def test_what_the_page_names_is_there():
    for path in re.findall(r"`((?:\w+/)+\w+\.py)`", PAGE):
        folder = ROOT if path.startswith("tests/") else ROOT / "workflow/plumbline"
        assert (folder / path.removeprefix("plumbline/")).is_file(), path
    themes = set(re.findall(r"`(?:EXPERIMENT)?\.([a-z_]+)", PAGE))
    assert {"layout", "judges"} <= themes
    init = Experiment.__init__.__code__.co_names
    assert {
        theme for theme in themes if theme not in init and not hasattr(Experiment, theme)
    } == set()
    [rule] = re.findall(r"rule (\w+):", PAGE)
    assert f"rule {rule}:" in FILES["grath.smk"] and f"`{rule}`" in PAGE


def test_the_page_names_every_variable_that_commands_use():
    used = set(re.findall(r"\$(PLUMBLINE_\w+)", "".join(FILES.values())))
    assert used and used <= set(re.findall(r"PLUMBLINE_\w+", PAGE))


def test_what_stands_for_tee_while_a_run_tells_its_progress_writes_as_tee_does(tmp_path):
    [function] = re.findall(r"'(tee\(\) .*; )'", SHARED)
    script = function.format() + 'echo one | tee "a log"; echo two | tee -a "a log"'
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, check=True)
    assert done.stdout == b"" and (tmp_path / "a log").read_text() == "one\ntwo\n"
    assert [path.name for path in tmp_path.iterdir()] == ["a log"]
