"""Lists that are too long for a command line, in files."""

import re

import pytest
from plumbline.storage import lists
from plumbline.storage.files import InputError


def test_a_list_is_written_when_it_changed_and_read_as_what_it_holds(tmp_path):
    works = {"slick": ("base", "base/checkpoint.json", "slick/requests.jsonl")}
    path = tmp_path / "lists/works.json"
    lists.write(path.parent, {"works": works, "none": []})
    assert lists.read(path, dict[str, tuple[str, str, str]]) == works
    first = path.stat()
    lists.write(path.parent, {"works": works})
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (first.st_ino, first.st_mtime_ns)
    with path.open() as read_by_a_job:
        lists.write(path.parent, {"works": works | {"more": works["slick"]}})
        assert '"more"' not in read_by_a_job.read()  # the file was replaced, not rewritten
    assert [*lists.read(path, dict)] == ["slick", "more"]
    assert sorted(one.name for one in path.parent.iterdir()) == ["none.json", "works.json"]


def test_a_list_that_is_missing_or_damaged_is_told_in_one_line(tmp_path):
    path = tmp_path / "works.json"
    with pytest.raises(InputError, match=f"^{re.escape(str(path))}: cannot be read .*--no-hooks"):
        lists.read(path, dict)
    for damaged in ('{"works": ["ba', '["base"]'):
        path.write_text(damaged)
        with pytest.raises(InputError, match=f"^{re.escape(str(path))}: .*Delete it and start"):
            lists.read(path, dict[str, list[str]])
