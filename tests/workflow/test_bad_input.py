"""Bad configurations and data by Snakemake itself: told before anything runs, nothing left behind."""

import json
import re

import pytest
from programs import processor_seconds
from project import Project

pytestmark = pytest.mark.workflow


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("it's a project") / "with spaces"
    folder.mkdir()
    return Project(folder)


def _own(name: str) -> str:
    return "run: own\nfacts: " + json.dumps({"source": "rows", "path": f"file:{name}"}) + "\n"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", r"must be given as JSON or YAML with keys at top level"),
        (b"- run: a\n", r"must be given as JSON or YAML with keys at top level"),
        (b"slick:\n\tsamples: 4\n", r"not valid JSON or YAML.*tab"),
        (b'run: "abc\n', r"not valid JSON or YAML"),
        (b"run: a\0b\n", r"not valid JSON or YAML"),
        (b"run: a\nrun: b\n", r"run: given twice in .*bad\.yaml, again in line 2; keep one"),
        (b"a: &x [*x]\n", r"a: unknown key\. Allowed"),
        (b"seeds: [yes]\n", r"seeds\[0\]: found 'true'; expected a whole number"),
        (b"run: ../../elsewhere\n", r"run: found '\.\./\.\./elsewhere'; expected letters"),
        (b"run: '*'\n", r"run: found '\*'; expected letters"),
        (_own("{run}.jsonl").encode(), r"facts\.path: 'file:\{run\}\.jsonl' contains a brace"),
        (_own("x" * 300).encode(), r"longer than 255 bytes"),
        (b"evaluation: {harness: [{task: t, folder: 'file:none'}]}\n",
         r"evaluation\.harness.*none.*no task file.*Put"),
    ],
)  # fmt: skip
def test_a_bad_configuration_is_told_before_anything_runs(project, content, says):
    (project.folder / "bad.yaml").write_bytes(content)
    start = processor_seconds()
    output = project.snakemake("-n", "--configfile", "bad.yaml", check=False)
    assert processor_seconds() - start < 10  # of which Snakemake's own start takes most
    assert re.search(says, output, flags=re.DOTALL), output[-2000:]
    assert "Traceback" not in output and "Job stats" not in output
    assert not (project.folder / "results").exists()


def test_bad_rows_end_the_run_and_leave_nothing(project):
    (project.folder / "bad rows.jsonl").write_text('{"relation": "capital"}\n')
    (project.folder / "bad.yaml").write_text(_own("bad rows.jsonl"))
    output = project.snakemake("facts", "--configfile", "bad.yaml", check=False)
    assert re.search(r"bad rows\.jsonl, line 1: subject: Field required\. Expected", output), output
    assert "Traceback" not in output
    left = {path.name for path in (project.folder / "results/own").rglob("*") if path.is_file()}
    lists = {path.name for path in (project.folder / "results/own/lists").iterdir()}
    assert left <= {"build_questions.log", *lists}


NAMES = ['it\'s "quoted" & co; (a) [b] $(id).jsonl', "أسئلة 問題 ‏é.jsonl", "-n --help *.jsonl"]


@pytest.mark.parametrize("name", NAMES)
def test_any_file_name_that_is_no_wildcard_works(project, name):
    """Rows in any script, with CRLF and a BOM, come out as they went in."""
    subjects = ["مصر", "日本", "Åland", "שלום", "a\u2028b", "👩‍🔬"]
    rows = [
        {
            **{"relation": "capital", "subject": one, "question": f"What is {one}?"},
            **{"answers": [f"the {one}"], "split": "test"},
        }
        for one in subjects
    ]
    lines = [json.dumps(row, ensure_ascii=number % 2 == 0) for number, row in enumerate(rows)]
    content = "\ufeff" + "".join(f"{line}\r\n" for line in lines)
    (project.folder / name).write_bytes(content.encode())
    (project.folder / "good.yaml").write_text(_own(name))
    project.snakemake("facts", "--configfile", "good.yaml")
    made = (project.folder / "results/own/facts/questions.jsonl").read_text(encoding="utf-8")
    assert [json.loads(line)["subject"] for line in made.rstrip("\n").split("\n")] == subjects
