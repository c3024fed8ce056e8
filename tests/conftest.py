"""What all tests share: no network, no programs but the set-up's, and one tiny base model."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}

import pytest
import reach
from filelock import FileLock
from hypothesis import settings

settings.register_profile("plumbline", deadline=None, max_examples=60, derandomize=True)
settings.load_profile("plumbline")


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory) -> Path:
    """A tiny random model imported as a base checkpoint, in float32. Not to be changed."""
    from plumbline.models.importing import import_model
    from tiny import tiny_model

    folder = tmp_path_factory.mktemp("tiny-base")
    original = tiny_model(folder / "original", ["Paris", "Rome", "Oslo", "capital", "France"])
    import_model(original, folder / "base", "base", dtype="float32", source="file:tiny")
    return folder / "base"


@pytest.fixture(scope="session")
def taught(tmp_path_factory) -> Path:
    """The folder of a tiny model that gives every stage of the workflow work. Not to be changed."""
    from taught import teach

    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # one model for all workers: it takes a minute to teach
    with FileLock(folder / "taught.lock"):
        model = folder / "taught"
        if not model.exists():
            teach(folder / "teaching").rename(model)
    return model


@pytest.fixture(scope="session")
def tell(request) -> Callable[[str], None]:
    """Writes a figure worth noting where it is seen also if every test passes."""
    reporter = request.config.pluginmanager.getplugin("terminalreporter")
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def write(text: str) -> None:
        if reporter is None:  # in a worker of several
            return
        with capture.global_and_fixture_disabled():
            reporter.ensure_newline()
            reporter.write_line(text)

    return write


def pytest_configure(config: pytest.Config) -> None:
    """Programs, and files of the tests: what is found must not depend on what else is there."""
    base = reach.base_only()
    base.__enter__()
    config.add_cleanup(lambda: base.__exit__(None, None, None))
    # No two files of one name: which of them an `import` finds would depend on the tests run.
    names: dict[str, Path] = {}
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        other = names.setdefault(path.name, path)
        if other is not path and path.name != "conftest.py":
            raise pytest.UsageError(f"{path} has the name of {other}: rename one of them")


# Of the folders whose files share a run or a cluster, those that do not.
ALONE = ("test_harness_parity.py", "test_study_miniatures.py")


@pytest.hookimpl(optionalhook=True)  # one process knows no such hook
def pytest_xdist_make_scheduler(config: pytest.Config, log):
    """Side by side, a file's tests stay together, and those of a folder that share a costly fixture."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFixture(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.split("::")[0]
            folder = Path(file).parent.name
            shared = folder in ("e2e", "slurm") and Path(file).name not in ALONE
            return folder if shared else file

    return ByFixture(config, log)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("whole") and not reach.whole():
        pytest.skip("takes long: `make test-ops` runs it (PLUMBLINE_WHOLE=1)")


def pytest_terminal_summary(terminalreporter) -> None:
    """Why tests were skipped: one line for a reason, however many tests it holds for."""
    reasons = Counter(
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", [])
    )
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"SKIPPED [{count}] {reason}")
