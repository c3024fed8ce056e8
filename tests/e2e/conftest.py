"""The small run is one for all files that look at it."""

import pytest
from project import Project
from small_run import Run


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    return Run(Project(tmp_path_factory.mktemp("small")))
