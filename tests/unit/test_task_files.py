"""Which files a task of the LM evaluation harness is made from, inside its folder and outside."""

import sys

import pytest
from plumbline.evaluation.task_files import files_of


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Files of several tasks around a folder `tasks`, which is below the working directory."""
    monkeypatch.chdir(tmp_path)

    def write(name, text=""):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    for name in (
        "data/a.jsonl", "data/b.jsonl", "data/part-1.json", "data/part-2.json", "rows/x.json",
        "rows/deep/y.json", "corpus/train.json", "corpus/test.json", "shared/helpers.py",
        "tasks/notes", "tasks/__pycache__/utils.cpython-311.pyc", "tasks/utils.py", "own/f.json",
        "site-packages/base.yaml",
    ):  # fmt: skip
        write(name)
    write("shared/base_yaml", "include: more.yaml\noutput_type: multiple_choice\n"
          "process_docs: !function helpers.prepare\n")  # fmt: skip
    write("shared/more.yaml", "dataset_path: json\ndataset_kwargs: {data_files: data/a.jsonl}\n")
    write("tasks/inherits.yaml", "task: inherits\ninclude: ../shared/base_yaml\n"
          "doc_to_text: !function utils.text\n")  # fmt: skip
    write("tasks/overrides.yaml", "task: overrides\ninclude: ../shared/more.yaml\n"
          "dataset_kwargs: {data_files: {test: [data/b.jsonl, 'data/part-*.json']}}\n")  # fmt: skip
    write(
        "tasks/folder.yaml", "task: folder\ndataset_path: json\ndataset_kwargs: {data_dir: rows}\n"
    )
    write("tasks/inside.yaml", "task: inside\ndataset_path: corpus\n"
          "dataset_kwargs: {data_files: {test: test.json}}\n")  # fmt: skip
    write("tasks/group.yaml", "group: many\ntask:\n - {task: listed, dataset_path: json,\n"
          "   dataset_kwargs: {data_files: own/f.json}}\n")  # fmt: skip
    write("tasks/python.yaml", "task: python\ncustom_dataset: !function utils.load\n"
          "dataset_kwargs: {where: data/b.jsonl, split: test}\n"
          "include: ../site-packages/base.yaml\n")  # fmt: skip
    write("tasks/round.yaml", "task: round\ninclude: round.yaml\n")
    write("tasks/broken.yaml", "task: [\n")
    return tmp_path / "tasks"


@pytest.mark.parametrize(
    ("task", "outside"),
    [
        ("inherits", {"shared/base_yaml", "shared/more.yaml", "shared/helpers.py", "data/a.jsonl"}),
        (
            "overrides",
            {"shared/more.yaml", "data/b.jsonl", "data/part-1.json", "data/part-2.json"},
        ),
        ("folder", {"rows/x.json", "rows/deep/y.json"}),
        ("inside", {"corpus/test.json"}),
        ("python", {"data/b.jsonl"}),
        ("round", set()),
        ("nowhere", set()),
    ],
)
@pytest.mark.parametrize("relative", [True, False])
def test_files_of_a_task(place, task, outside, relative):
    folder = place.relative_to(place.parent) if relative else place
    found = files_of(task, folder)
    inside = {str(path) for path in folder.rglob("*") if path.is_file()}
    inside = {path for path in inside if "__pycache__" not in path}
    assert f"{folder}/notes" in inside and len(inside) == 10
    theirs = {path.removeprefix(f"{place.parent}/") for path in set(found) - inside}
    assert theirs == outside and set(found) >= inside
    assert found == sorted(found)


def test_what_the_harness_is_not_needed_for(place):
    files_of("inherits", place)
    assert "utils" not in sys.modules and "helpers" not in sys.modules
