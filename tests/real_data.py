"""Files as others publish them, for tests that compare with them; the product never needs them."""

import os
from pathlib import Path

import pytest

DATA = Path(os.environ.get("PLUMBLINE_TEST_DATA") or Path(__file__).parents[2] / "shared/data")


def published(*names: str) -> Path:
    """The folder that has these files and folders; a skipped test where there is none."""
    if not all((DATA / name).exists() for name in names):
        pytest.skip(
            "PLUMBLINE_TEST_DATA names no folder of published data: arc/, factscore/, instructions/, "
            "longfact/, truthfulqa/"
        )
    return DATA
