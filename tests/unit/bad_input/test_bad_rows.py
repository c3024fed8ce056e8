"""Every kind of row file, damaged in every way: one message, no output."""

import re

import pytest
from bad_rows import DAMAGES, FORMATS
from checked import check, run

CASES = [
    pytest.param(form, damage, id=f"{form.name}-{damage.name}")
    for form in FORMATS
    for damage in DAMAGES
    if (damage.says != "twice" or form.twice) and (damage.says != "empty" or form.empty)
]


@pytest.mark.parametrize(("form", "damage"), CASES)
def test_a_damaged_file_is_told_in_one_message(form, damage, tmp_path, monkeypatch):
    path, out = tmp_path / "my rows.jsonl", tmp_path / "out"
    out.mkdir()
    content = damage.make(form.rows, form.field)
    if content is not None:
        path.write_bytes(content)
    says = {"twice": form.twice, "empty": form.empty}.get(damage.says, damage.says)
    says = says.replace("{file}", re.escape(path.name)).replace("{field}", form.field)
    arguments = form.arguments(tmp_path, path, out)
    check(run(form.program, arguments, monkeypatch), says, out)
