"""vLLM's CPU build on every architecture: the answers of plain transformers, or one line why not."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import pytest
from architectures import ARCHITECTURES, FLAVOURS, build
from plumbline.models.importing import import_model
from test_architectures import Imported, plain_answers, plain_model

pytestmark = [
    pytest.mark.whole,
    pytest.mark.skipif(find_spec("vllm") is None, reason="vLLM is not installed"),
]
# vLLM takes the factors of long RoPE by the longest text that an engine may meet: see
# test_vllm_engine.py.
ASKED = [one for one in ARCHITECTURES if "long RoPE" not in one.name]
# One process, since importing vLLM takes longer than what it does here.
PROGRAM = """
import json, sys
from pathlib import Path
from architectures import BY_NAME, FLAVOURS
from plumbline.storage.files import InputError
from test_architectures import answers

if __name__ == "__main__":
    root = Path(sys.argv[1])
    settings = {"engine": "vllm", "max_model_len": 128, "max_num_seqs": 8, "kv_cache_gib": 1}
    for name in sys.argv[2:]:
        flavour = FLAVOURS[BY_NAME[name].flavour]
        try:
            found = answers(root / name / "base", flavour, root / "work", **settings)
        except InputError as error:
            found = str(error)
        (root / name / "found.json").write_text(json.dumps(found))
"""


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """A folder for each architecture: the model, its import, and what vLLM made of it."""
    root = tmp_path_factory.mktemp("vllm")
    for one in ASKED:
        original = build(one, root / one.name / "original")
        import_model(original, root / one.name / "base", "base", dtype="float32")
    program = root / "program.py"
    program.write_text(PROGRAM)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    left = [one.name for one in ASKED]
    with (root / "log.txt").open("w") as log:
        while left:  # a crash ends the process: it is that architecture's, and the next is asked
            command = [sys.executable, program, root, *left]
            subprocess.run(command, env=environment, stdout=log, stderr=log, check=False)
            done = [name for name in left if (root / name / "found.json").exists()]
            left = left[len(done) + 1 :]
    return root


@pytest.mark.parametrize("architecture", ASKED, ids=lambda one: one.name)
def test_answers_are_those_of_plain_transformers_or_refused_in_one_line(asked, architecture, tell):
    folder = asked / architecture.name
    assert (folder / "found.json").exists(), f"vLLM crashed; see {asked / 'log.txt'}"
    found = json.loads((folder / "found.json").read_text())
    if isinstance(found, str):
        tell(f"{architecture.name}: {found}")
        assert "vLLM" in found and "\n" not in found
        return
    flavour = FLAVOURS[architecture.flavour]
    model = Imported(architecture, flavour, folder / "original", folder / "base")
    assert found == plain_answers(model, plain_model(folder / "original"))
