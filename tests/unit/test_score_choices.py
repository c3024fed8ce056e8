"""The program that scores choice questions."""

import json

import pytest
import torch
from plumbline.evaluation.choice_scores import ChoiceScore
from plumbline.models import checkpoints
from plumbline.records import ChoiceQuestion
from plumbline.scoring.prompts import encode
from plumbline.storage.files import read_unique_rows, write_rows
from programs import program


def question(name, **changes):
    row = dict(id=name, question="Which?", choices=["Oslo", "Rome", "Paris"], labels=[1, 0, 0])
    return ChoiceQuestion(**row | changes)


@pytest.mark.parametrize(
    ("name", "prompt", "questions", "expected"),
    [
        ("letters", "letters", [question("q1"), question("q2", domain="id")],
         [("letters/q1", "ood", "q1"), ("letters/q2", "id", "q2")]),
        ("plain", "qa", [question("q1", best=0, subject="fjords")],
         [("plain/q1", "ood", "fjords")]),
    ],
)  # fmt: skip
def test_scores_are_what_they_are_by_definition(
    tiny_base, tmp_path, monkeypatch, name, prompt, questions, expected
):
    write_rows(tmp_path / "questions.jsonl", questions)
    program(
        monkeypatch, "score_choices", questions=tmp_path / "questions.jsonl", name=name,
        prompt=prompt, checkpoint=tiny_base, scoring=json.dumps({"dtype": "float32"}),
        harness_compat=0, device="cpu", threads=1, scores=tmp_path / "scores.jsonl",
    )  # fmt: skip
    rows = read_unique_rows(tmp_path / "scores.jsonl", ChoiceScore)
    assert [(row.id, row.domain, row.cluster) for row in rows] == expected
    assert all((r.metrics["acc"] == r.metrics["acc_norm"]) or name == "plain" for r in rows)
    model = checkpoints.load_model(tiny_base, "float32").eval()
    tokenizer = checkpoints.load_tokenizer(tiny_base)
    for row in rows:
        item = encode(tokenizer, question("q"), prompt)
        for found, tokens in zip(row.logprobs, item.continuations, strict=True):
            with torch.no_grad():
                logits = model(torch.tensor([item.prompt + tokens])).logits[0]
            logp = torch.log_softmax(logits, -1)[len(item.prompt) - 1 :]
            wanted = sum(logp[place, token].item() for place, token in enumerate(tokens))
            assert found == pytest.approx(wanted, abs=1e-4)
