"""Which instructions ask for facts: whether the model finds Yes likelier than No."""

import pytest
from flame_stages import ASKED
from plumbline.data.instruction_sets import read_instructions
from plumbline.methods.flame.fact_based import ANSWERS, classify
from plumbline.responses.decisions import FactBased
from plumbline.storage.files import InputError, read_unique_rows
from programs import program


def test_the_same_id_for_two_instructions_is_an_error(files):
    changed = ASKED[1].model_copy(update={"instruction": "Hum."})
    paths = [files("a.jsonl", ASKED), files("b.jsonl", [changed])]
    with pytest.raises(InputError, match=r"b\.jsonl: 'b' is another instruction"):
        read_instructions(paths)


@pytest.mark.parametrize("form", ["plain", "chat"])
def test_the_likelier_answer_decides(form):
    asked = []

    def ask(questions):
        asked.extend(questions)
        return [[0.9, 0.1], [0.4, 0.6], [0.5, 0.5], [0.51, 0.49]]

    found = classify(ASKED, ask, form)
    assert [(one.id, one.fact_based) for one in found] == [
        ("a", True), ("b", False), ("c", False), ("d", True)
    ]  # fmt: skip
    assert {one.options for one in asked} == {ANSWERS}
    text = asked[0].prompt or asked[0].messages[-1].content
    assert "Request: Who was Ada?" in text and (asked[0].prompt is None) == (form == "chat")
    assert (asked[0].prompt or "Answer:").endswith("Answer:")


@pytest.mark.parametrize("trust", [False, True])
def test_marks_are_compared_and_gone_by_if_trusted(files, monkeypatch, tmp_path, caplog, trust):
    from plumbline.models.importing import import_model
    from tiny import tiny_model

    caplog.set_level("INFO")
    original = tiny_model(tmp_path / "original", [" Yes", " No"], context=4096)
    import_model(original, tmp_path / "base", "base", dtype="float32", source="file:tiny")
    more = {"trust_labels": True} if trust else {}
    program(
        monkeypatch, "decide_fact_based", instructions=[files("a.jsonl", ASKED)], form="plain",
        judge="base", checkpoint=tmp_path / "base", scoring='{"dtype": "float32"}', device="cpu",
        threads=1, decisions=files("decisions.jsonl"), **more,
    )  # fmt: skip
    found = {one.id: one for one in read_unique_rows(files("decisions.jsonl"), FactBased)}
    assert [found[name].label for name in "abcd"] == [True, False, None, False]
    assert [found[name].taken for name in "ab"] == ([True, False] if trust else [None, None])
    right = sum(found[name].fact_based == found[name].label for name in "abd")
    assert f"{right} of 3 labelled ones decided as labelled" in caplog.text
