"""What the profile and the rules ask of a cluster, without one: as Snakemake plans it."""

import re

import pytest
import yaml
from cluster_run import GPU_RULES, PROFILE, SETTINGS
from project import ROOT, Project, called

pytestmark = pytest.mark.workflow
# They ask for a GPU only if their verifier does, or never.
WITHOUT_GPU = {"import_model", "verify_claims", "check_verifier", "write_rag_answers"}


def submitted_rules() -> set[str]:
    """Rules that are jobs of the cluster: those that are not said to be local."""
    found = set()
    for path in sorted((ROOT / "workflow/rules").glob("*.smk")):
        for block in re.split(r"^(?=rule |use rule )", path.read_text(), flags=re.MULTILINE)[1:]:
            name = re.match(r"rule (\w+):|use rule \w+ as (\w+) with:", block)
            if "\n    shell:" in block and "localrule: True" not in block:
                found.add(name[1] or name[2])
    return found


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    pytest.importorskip("snakemake_executor_plugin_slurm")
    return Project(tmp_path_factory.mktemp("plan"))


def planned(project, *arguments) -> dict[str, list[str]]:
    """What a dry run tells of the jobs of each rule."""
    said = project.snakemake(
        "--dry-run", "--forceall", "--workflow-profile", PROFILE, *arguments
    ).split("Job stats:")[1]
    found = {}
    # Those that are submitted as one are indented.
    for block in re.split(r"^ *\[.*$", said, flags=re.MULTILINE)[1:]:
        name = re.search(r"^ *(?:local)?rule (\w+):", block, flags=re.MULTILINE)
        if name:
            found.setdefault(called(name[1]), []).append(block)
    return found


def test_a_run_is_tens_of_jobs_and_the_documentation_names_their_rules(project):
    rules = submitted_rules()
    jobs = {name: len(found) for name, found in planned(project).items() if name in rules}
    del jobs["verify_claims"], jobs["check_verifier"]  # local here: the verifier is a table
    assert 10 < sum(jobs.values()) < 200, jobs
    text = (ROOT / "docs/slurm.md").read_text()
    table = [line for line in text.splitlines() if line.startswith("| `")]
    table = " ".join(line.split("|")[1] for line in table)
    told = int(re.search(r"(\d+) jobs of \d+ go through sbatch", text)[1])
    assert told == pytest.approx(sum(jobs.values()), rel=0.2)
    assert [name for name in jobs if f"`{name}`" not in table] == []
    assert [name for name in rules if f"`{name}`" not in text] == []


def test_every_job_has_its_needs_in_its_rule(project):
    rules = submitted_rules()
    asked = planned(project, "--config", "device=cuda", "flame={judge: base}")
    for name, blocks in asked.items():
        for block in blocks if name in rules else ():
            assert re.search(r"\bruntime=\d+", block), block
            assert int(re.search(r"\bmem_mb=(\d+)", block)[1]) >= 8000, block
            if name not in WITHOUT_GPU:
                assert re.search(r"\bgpu=1\b", block), block
                assert "cpus_per_gpu=6" in block and "nodes=1" in block


def test_a_cpu_asks_for_no_gpu(project):
    for blocks in planned(project).values():
        for block in blocks:
            assert not re.search(r"\bgpu=[1-9]", block), block


def test_models_over_several_gpus_ask_for_them(project):
    (project.folder / "wide.yaml").write_text("device: cuda\ngeneration: {tensor_parallel: 4}\n")
    for block in planned(project, "--configfile", "wide.yaml")["generate"]:
        assert re.search(r"\bgpu=4\b", block)


def test_memory_grows_by_attempt():
    """Every rule says so, since Snakemake plans first attempts only."""
    for path in (ROOT / "workflow/rules").glob("*.smk"):
        for line in path.read_text().splitlines():
            if line.strip().startswith("mem_mb="):
                assert re.fullmatch(r"mem_mb=memory\(\d+\),", line.strip()), f"{path.name}: {line}"


def test_the_tests_give_gpus_to_the_rules_that_ask_for_them(project, tiny_source):
    wanted = planned(project, *SETTINGS, "device=cuda")
    asking = {name for name, blocks in wanted.items() if re.search(r"\bgpu=1\b", blocks[0])}
    assert asking == set(map(called, GPU_RULES))


def test_every_line_of_the_profile_says_why():
    """A setting follows a comment, or another setting that follows one."""
    lines = (ROOT / PROFILE / "config.yaml").read_text().splitlines()
    settings = yaml.safe_load("\n".join(lines))
    for key in (*settings, *settings["default-resources"]):
        (at,) = (n for n, line in enumerate(lines) if line.strip().startswith(f"{key}:"))
        before = lines[at - 1].strip()
        assert before.startswith("#") or key == "default-resources", key
