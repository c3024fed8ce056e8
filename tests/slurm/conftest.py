"""A real cluster for the tests: one that is up, or one that is started here, or a reason to skip."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from cluster_run import GENERATIONS, RESULTS, SETTINGS, use_partitions
from lab.cluster import COMMANDS, DAEMONS, Cluster, answers, why_not
from project import Project
from reach import within_reach

BROUGHT_BY = "`make test` installs SLURM as root, on Debian"


@pytest.fixture(scope="session")
def commands() -> Iterator[None]:
    """SLURM's commands, for tests and what they start."""
    with within_reach(*COMMANDS, brought_by=BROUGHT_BY):
        yield


@pytest.fixture(
    scope="session",
    params=["accounting", pytest.param("no accounting", marks=pytest.mark.whole)],
)
def cluster(request, commands, tmp_path_factory) -> Iterator[Cluster | None]:
    """A cluster of our own with and without accounting; None where another is up and is used."""
    pytest.importorskip("snakemake_executor_plugin_slurm")
    accounting = request.param == "accounting"
    if answers():
        if not accounting:
            pytest.skip("the cluster that is up is taken as it is")
        yield None
        return
    with within_reach(*DAEMONS, brought_by=BROUGHT_BY):
        if reason := why_not():
            pytest.skip(f"no SLURM cluster is up, and none can be started: {reason}")
        made = Cluster(tmp_path_factory.mktemp("cluster") / "files", accounting)
        try:
            yield made.start()
        finally:
            made.stop()


@pytest.fixture
def own_cluster(cluster) -> Cluster:
    """A cluster whose nodes may be killed."""
    if cluster is None:
        pytest.skip("nodes of a cluster that is not ours are left alone")
    return cluster


@pytest.fixture(scope="session")
def tiny_source(tmp_path_factory) -> Path:
    """The folder of a tiny model, also in the environment of every job."""
    from tiny import tiny_model

    folder = tmp_path_factory.mktemp("tiny") / "model"
    # FLAME's demonstrations are of a thousand of its tokens.
    tiny_model(folder, ["Paris", "Rome", "Oslo", "capital", "France"], context=2048)
    os.environ["PLUMBLINE_TINY_MODEL"] = str(folder)
    return folder


@pytest.fixture(scope="session")
def prepared(tmp_path_factory, tiny_source) -> Project:
    """A project with the base model and what is asked of it, made without a cluster."""
    project = Project(tmp_path_factory.mktemp("prepared"))
    project.snakemake(
        f"{RESULTS}/slick/requests.jsonl", f"{RESULTS}/base/checkpoint.json",
        "results/cluster/choices/facts.jsonl", *SETTINGS,
    )  # fmt: skip
    assert not (project.folder / GENERATIONS).exists()
    return project


@pytest.fixture
def project(cluster, prepared, tmp_path) -> Project:
    """A copy of the prepared project, to be broken."""
    made = prepared.copy(tmp_path / "project")
    use_partitions(made)
    return made
