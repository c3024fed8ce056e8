"""Where real data lies that tests may use when it is there; the product never needs it."""

import os
from pathlib import Path

DATA = Path(os.environ.get("PLUMBLINE_TEST_DATA") or Path(__file__).parents[2] / "shared/data")
