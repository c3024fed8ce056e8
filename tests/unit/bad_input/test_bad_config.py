"""What a configuration may not hold: each mistake is one line that names the key and what to do."""

import copy
import math
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from plumbline.config.written import repeated_keys
from plumbline.experiment import config as experiment
from plumbline.experiment import lineage
from plumbline.sources.source import Source, slug
from plumbline.storage.files import InputError

FOLDER = Path(__file__).parents[3] / "config"
DEFAULT = yaml.safe_load((FOLDER / "config.yaml").read_text(encoding="utf-8"))
BRACE = r"contains a brace or a control character; expected plain text\. Rename"
NAME = "expected letters, digits, '-', '_', '\\+', and single dots inside"


def changed(key: str, value) -> dict:
    """The default with one dotted key set."""
    raw = copy.deepcopy(DEFAULT)
    *path, last = key.split(".")
    at = raw
    for part in path:
        at = at[int(part)] if isinstance(at, list) else at.setdefault(part, {})
    at[int(last) if isinstance(at, list) else last] = value
    return raw


def nested(depth: int) -> list:
    value: list = []
    for _ in range(depth):
        value = [value]
    return value


def endless() -> dict:
    """What a YAML alias that contains itself is read as."""
    value: dict = {}
    value["again"] = value
    return value


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        # YAML's own surprises
        ("seeds", [True], r"seeds\[0\]: found 'true'; expected a whole number"),
        ("slick.samples", True, r"slick\.samples: found 'true'; expected a whole number"),
        ("slick.limit.train", False, r"slick\.limit\.train: found 'false'; expected a whole number"),
        ("mixes.unknown_percent", [0, True], r"mixes\.unknown_percent\[1\]: found 'true'; expected"),
        ("recipes.sft.lora.dropout", True, r"recipes\.sft\.lora\.dropout: found 'true'; expected"),
        ("run", yaml.safe_load("2026-01-01"), r"run: found datetime.*; expected text"),
        ("run", 12, r"run: found 12; expected text"),
        ("recipes.sft.learning_rate", math.nan, r"learning_rate: found nan; expected a finite"),
        ("recipes.sft.lora.alpha", math.inf, r"alpha: found inf; expected a finite number"),
        ("generation.kv_cache_gib", "2 GiB", r"kv_cache_gib: found '2 GiB'; expected a number"),
        ("1", 2, r"1: unknown key\. Allowed: run, device"),
        ("models", nested(5000), r"models.*expected a mapping"),
        ("models.0", nested(5000), r"models\[0\].*nested too deeply; expected a mapping"),
        ("mixes.overrides", {"unknown-0": endless()}, r"again: unknown key\. Allowed"),
        # Names and paths
        ("run", "a" * 101, r"run: found 'a+\.\.\.; expected at most 100 characters"),
        ("run", "\u202egnp", r"run: found '\\u202egnp'; " + NAME),
        ("run", "٣", r"run: found '٣'; " + NAME),
        ("run", "a/../../b", r"run: found 'a/\.\./\.\./b'; " + NAME),
        ("run", ".hidden", r"run: found '\.hidden'; " + NAME),
        ("run", "~", r"run: found '~'; " + NAME),
        ("run", "a b", r"run: found 'a b'; " + NAME),
        ("run", "it's", r"run: found \"it's\"; " + NAME),
        ("run", "$(id)", r"run: found '\$\(id\)'; " + NAME),
        ("run", "-n", r"run: found '-n'; " + NAME),
        ("models.0.name", "Org/Model", r"models\[0\]\.name: found 'Org/Model'; " + NAME),
        ("evaluation.choices.0.name", "../x", r"choices\[0\]\.name: found '\.\./x'; " + NAME),
        ("evaluation.harness", [{"task": "../x", "folder": "file:a"}], r"task: found .*; " + NAME),
        ("evaluation.harness", [{"task": "x", "folder": "hub:a/b@1/c"}], r"expected file:FOLDER"),
        ("facts.relations", {"id": ["../../etc/passwd"]}, r"relations\.id\[0\]: found .*; " + NAME),
        ("facts.relations", {"id": ["a,b"]}, r"relations\.id\[0\]: found 'a,b'; " + NAME),
        ("facts.relations", {"id": [""]}, r"relations\.id\[0\]: found ''; " + NAME),
        # Wildcards and control characters
        ("models.0.source", "file:{model}/x", r"models\[0\]\.source: 'file:\{model\}/x' " + BRACE),
        ("models.0.source", "file:a\0b", r"models\[0\]\.source: 'file:a\\x00b' " + BRACE),
        ("evaluation.long_form.relations", ["{seed}"], r"relations\[0\]: '\{seed\}' " + BRACE),
        ("evaluation.long_form.checkpoints", ["a\x1b[2J"], r"checkpoints\[0\]: 'a\\x1b\[2J' " + BRACE),
        ("recipes.sft.lora.target_modules", ["{seed}"], r"target_modules\[0\]: '\{seed\}' " + BRACE),
        ("recipes.sft.lora.target_modules", [], r"target_modules: found \[\]; expected .* at least 1"),
        # Sources
        ("models.0.source", "file:a\nb", r"source 'file:a\\nb': not of the form file:PATH"),
        ("models.0.source", "file:", r"models\[0\]: source 'file:': not of the form file:PATH"),
        ("models.0.source", "file:" + "x" * 300, r"longer than 255 bytes.*Correct the line"),
        ("models.0.source", "", r"models\[0\]: source '': unknown kind of source\. Expected one of"),
        ("models.0.source", "org/model", r"'org/model': unknown kind of source\. Expected one of"),
        ("models.0.source", "hub:org/na/me@x", r"'hub:org/na/me@x': the revision is missing.*Add"),
        ("models.0.source", "hub:org/name@x/../../y", r"leaves the wheel or repository\. Give a plain"),
        ("models.0.source", "pypi:a==1/../../b", r"leaves the wheel or repository\. Give a plain"),
        ("models.0.source", "https:///x", r"the address has no host\. Expected https://HOST/PATH"),
        ("models.0.source", "file:$NOWHERE_SET/x", r"\$NOWHERE_SET is not set in the env.*\. Set"),
        ("models.0.trust_remote_code", "perhaps", r"trust_remote_code: found 'perhaps'; expected true"),
        # Verifiers
        ("verification", {}, r"verification: found \{\}; expected the key 'kind'"),
        ("verification", {"kind": "endpint"}, r"'kind' to be one of 'table', 'retrieval', 'endpoint'"),
        ("verification",
         {"kind": "endpoint", "url": "h", "model": "m", "passages": {"format": "facts"}},
         r"verification: url: not an address; expected e\.g\. https"),
        ("verification", {"kind": "retrieval", "passages": {"format": "rows"}},
         r"verification\.passages: source: missing; format: rows needs one"),
    ],
)  # fmt: skip
def test_each_mistake_has_one_line(key, value, says):
    raw = changed(key, value)
    if key.startswith("models.0.source"):
        # One thing at a time: no digest is missing or in the way.
        raw["models"][0]["sha256"] = None if value.startswith(("file", "hub")) else "0" * 64
    with pytest.raises(InputError) as caught:
        lineage.build(experiment.load(raw))
    head, *lines = str(caught.value).splitlines()
    assert head == "The configuration has 1 mistake:" and len(lines) == 1, caught.value
    assert re.search(says, lines[0]), lines[0]
    assert len(lines[0]) < 600 and "\x1b" not in lines[0] and "\0" not in lines[0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "run: a\nseeds: [1]\nrun: b\n",
            r"^run: given twice in .*c\.yaml, again in line 3; keep one",
        ),
        ("slick: {samples: 1, samples: 2}\n", r"^slick\.samples: given twice .* line 1; keep one"),
        ("models:\n  - name: a\n    name: b\n", r"^models\[0\]\.name: given twice .* line 3; keep"),
    ],
)
def test_a_key_given_twice_is_told_with_its_line(text, says, tmp_path):
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(InputError) as caught:
        experiment.load(DEFAULT, [tmp_path / "c.yaml"])
    (line,) = str(caught.value).splitlines()[1:]
    assert re.search(says, line.removeprefix("  - "))


@pytest.mark.parametrize(
    "text", ["", "- a", "a: &x [*x]", "a: [", "\0", "[" * 5000, "a: 1\na", "{a: 1}"]
)
def test_what_is_no_mapping_has_no_repeated_keys(text, tmp_path):
    (tmp_path / "c.yaml").write_text(text)
    assert repeated_keys(tmp_path / "c.yaml") == []


TEXTS = st.text(max_size=30) | st.from_regex(
    r"(\.\./|/|\{seed\}|\*|~|%2e){1,3}[a-z]{0,3}", fullmatch=True
)


@given(TEXTS)
def test_no_name_leaves_its_folder(text):
    """Whatever is accepted as a name is one plain file name."""
    for key in ("run", "models.0.name", "evaluation.choices.0.name"):
        try:
            experiment.load(changed(key, text))
        except InputError:
            continue
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}", text) and ".." not in text


@given(TEXTS)
def test_no_source_leaves_its_folder(text):
    """The folder that a source is put into is one plain file name too."""
    for line in (f"file:{text}", f"https://h/{text}", f"hub:a/b@1/{text}", f"pypi:a==1/{text}"):
        try:
            source = Source.parse(line, None if line[0] in "fh" and line[1] != "t" else "0" * 64)
        except InputError:
            continue
        assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*-[0-9a-f]{8}", slug(source)), slug(source)
        assert "/" not in source.filename and source.filename not in ("", ".", "..")
        assert source.filename.isprintable() and len(source.filename.encode()) <= 200


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
KEYS = [
    *DEFAULT,
    *(f"{section}.{key}" for section in ("facts", "slick", "mixes", "grath", "flame", "generation",
                                         "scoring", "evaluation", "claims", "verification")
      for key in (DEFAULT.get(section) or {"kind": 0})),
    *("models.0.name", "models.0.source", "recipes.sft.loss", "recipes.sft.lora", "recipes.grath.beta"),
]  # fmt: skip


@given(st.sampled_from(KEYS), VALUES)
def test_any_value_is_taken_or_told(key, value):
    """No value anywhere gives anything but a configuration or a message with lines."""
    try:
        lineage.build(experiment.load(changed(key, value)))
    except InputError as error:
        assert str(error) and len(str(error)) < 5000
