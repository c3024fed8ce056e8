"""Command lines that are derived from a program's signature."""

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import pytest
from plumbline.jobs.command_line import arguments, call, parser
from plumbline.storage.files import InputError
from pydantic import BaseModel, Field

ROOT = Path(__file__).parents[2]


class Settings(BaseModel):
    rate: float
    form: Literal["plain", "chat"] = "plain"


@dataclass
class Drawing:
    samples: Annotated[int, "answers drawn a question"]
    top_p: float = 1.0


def read(main, *words):
    return dict(arguments(main, words).arguments)


def test_words_become_what_the_annotations_say():
    def main(
        *, out: Path, n: int, share: float, name: str, form: Literal["plain", "chat"]
    ) -> None: ...

    words = "--out a/b --n 3 --share 1e-3 --name 7 --form chat"
    found = read(main, *words.split())
    assert found == {"out": Path("a/b"), "n": 3, "share": 0.001, "name": "7", "form": "chat"}


def test_options_that_are_not_given_are_left_to_the_defaults():
    def main(*, files: list[Path] | None = None, n: int = 2, strict: bool = False) -> None:
        given.append((files, n, strict))

    given = []
    call(main, [])
    call(main, ["--files", "a", "--n", "3", "--strict"])
    assert given == [(None, 2, False), ([Path("a")], 3, True)]


def test_lists_take_several_words_and_tuples_their_number():
    def main(
        *, k: list[int], pair: tuple[str, str] | None = None, more: tuple[Path, ...] = ()
    ) -> None: ...

    found = read(main, "--k", "1", "2", "--pair", "a", "b", "--more")
    assert found == {"k": [1, 2], "pair": ("a", "b"), "more": ()}
    for words in (["--k"], ["--k", "1", "--pair", "a"]):
        with pytest.raises(InputError, match=r"^--(k|pair): expected .* argument"):
            read(main, *words)


def test_sections_and_rows_are_json_or_a_file_of_it(tmp_path):
    def main(*, settings: Settings, rows: list[Settings], by: dict[str, Path] | None = None): ...

    rows = [{"rate": 1}, {"rate": 2, "form": "chat"}]
    file = tmp_path / "rows.json"
    file.write_text(json.dumps(rows))
    for given in (json.dumps(rows), str(file)):
        found = read(main, "--settings", '{"rate": 0.5}', "--rows", given, "--by", '{"a": "b"}')
        assert found["settings"] == Settings(rate=0.5)
        assert found["rows"] == [Settings(rate=1), Settings(rate=2, form="chat")]
        assert found["by"] == {"a": Path("b")}


def test_a_dataclass_stands_for_its_fields():
    def main(*, name: str, drawing: Drawing) -> None: ...

    found = read(main, "--samples", "4", "--name", "a")
    assert found == {"name": "a", "drawing": Drawing(4)}


def test_a_parameter_says_that_it_is_a_path_and_its_option_does_not():
    def main(*, claims_path: Path, all_questions_paths: list[Path]) -> None: ...

    found = read(main, "--claims", "a", "--all-questions", "b", "c")
    assert found == {"claims_path": Path("a"), "all_questions_paths": [Path("b"), Path("c")]}


def test_a_positional_parameter_is_a_word_without_a_name():
    def main(plan_path: Path, /, *, lines: int = 0) -> None:
        given.append((plan_path, lines))

    given = []
    call(main, ["a.json", "--lines", "2"])
    assert given == [(Path("a.json"), 2)]
    with pytest.raises(InputError, match=r"required: plan\. See --help\.$"):
        call(main, [])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("--n x", r"^--n: Input should be a valid integer.*; found 'x'\.$"),
        ("--n 0", r"^--n: Input should be greater than or equal to 1; found '0'\.$"),
        ("--form Chat", r"^--form: Input should be 'plain' or 'chat'; found 'Chat'\.$"),
        ("--k 1 b", r"^--k: 1: Input should be a valid integer.*; found 'b'\.$"),
        ('--settings {"rate":"fast"}', r"^--settings: rate: .* valid number.*; found 'fast'\.$"),
        ('--settings {"rate":', r"^--settings: Invalid JSON.*; found .*\.$"),
        ("--settings gone.json", r"^gone.json: cannot be read"),
        ("--out", r"^--out: expected one argument\. See --help\.$"),
        ("--nn 1", r"^unrecognized arguments: --nn 1\. See --help\.$"),
        ("--setting {}", r"^unrecognized arguments: --setting {}\. See --help\.$"),
    ],
)
def test_a_bad_value_is_told_in_one_line_with_its_option(words, says):
    def main(
        *,
        n: Annotated[int, Field(ge=1)] = 1,
        form: Literal["plain", "chat"] = "plain",
        k: list[int] | None = None,
        settings: Settings | None = None,
        out: Path = Path("a"),
    ) -> None: ...

    with pytest.raises(InputError, match=says) as error:
        read(main, *words.split())
    assert "\n" not in str(error.value)


def test_a_missing_option_is_named():
    def main(*, out: Path, drawing: Drawing) -> None: ...

    with pytest.raises(InputError, match=r"required: --out, --samples\. See --help\.$"):
        read(main)


def test_help_shows_every_option_with_its_text_values_and_default():
    def main(
        *,
        form: Annotated[Literal["plain", "chat"], "of its prompts"],
        settings: Annotated[Settings, "50 % of it"],
        drawing: Drawing,
        k: list[int],
        strict: Annotated[bool, "as the paper"] = False,
    ) -> None: ...

    text = " ".join(parser(main).format_help().split())
    assert __doc__ in text
    for shown in (
        "--form {plain,chat} of its prompts",
        "--settings JSON 50 % of it",
        "--samples int answers drawn a question",
        "--top-p float default: 1.0",
        "--k int [int ...]",
        "--strict as the paper",
    ):
        assert shown in text


PROGRAM = '''"""Say a number."""

from pathlib import Path

from plumbline.jobs import program


def main(*, n: int) -> None:
    program.log.info(f"it is {n}")


if __name__ == "__main__":
    program.cli(main)
'''


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--n", "3"], 0, r"\d\d:\d\d:\d\d say: it is 3\n"),
        (["--n", "x"], 1, r"say: --n: [^\n]*; found 'x'\.\n"),
        (["--n", "x", "--debug"], 1, r"Traceback .*InputError: --n: .*"),
        (["--help"], 0, r""),
    ],
)
def test_a_program_tells_bad_options_as_it_does_bad_input(words, code, said, tmp_path):
    (tmp_path / "say.py").write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, tmp_path / "say.py", *words],
        env={"PYTHONPATH": str(ROOT / "workflow")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == code
    assert re.fullmatch(said, done.stderr, flags=re.DOTALL), done.stderr
    assert ("Say a number." in done.stdout) == (words == ["--help"])
