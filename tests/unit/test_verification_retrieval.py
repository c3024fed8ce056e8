"""Passages, search, the judge by logits, and the store of finished judgements."""

import json
import shutil

import numpy as np
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plumbline.claims.records import Claim
from plumbline.config.engines import Scoring
from plumbline.models.checkpoints import load_model, load_tokenizer
from plumbline.records import Question
from plumbline.storage.files import InputError, read_rows
from plumbline.verification import logits
from plumbline.verification.judging import Case, Judgement, JudgingVerifier, Kept
from plumbline.verification.passages import Passage, chunks, fact_passages, read_passages
from plumbline.verification.search import Embedder, PassageStore
from programs import program

PAGES = [
    Passage(id="1", title="Ada Quill", text="Ada Quill was a baker. She was born in Northport."),
    Passage(id="2", title="Northport", text="Northport is a harbour town. It has nine bridges."),
    Passage(id="3", title="Bridges", text="A bridge spans a river. Some bridges are very old."),
]


def claim(text, topic="Ada Quill", name="c1"):
    return Claim(id=name, response="r1", topic=topic, sentence=0, text=text)


# --- passages -----------------------------------------------------------------------------------


def test_rows_of_json_lines_and_parquet_are_the_same_pages(tmp_path):
    rows = [page.model_dump() for page in PAGES]
    (tmp_path / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    pandas.DataFrame(rows).to_parquet(tmp_path / "p.parquet")
    assert read_passages(tmp_path / "p.jsonl", "rows") == PAGES
    assert read_passages(tmp_path / "p.parquet", "rows") == PAGES


def test_columns_that_no_passage_has_are_named(tmp_path, caplog):
    path = tmp_path / "p.parquet"
    pandas.DataFrame([{"id": 7, "title": "A", "text": "b", "section": "c"}]).to_parquet(path)
    (page,) = read_passages(path, "rows")
    assert page.id == "7"
    assert "how many rows have them: section 1" in caplog.text


def test_summaries_begin_with_title_and_description(tmp_path):
    path = tmp_path / "s.json"
    about = {"title": "Ada Quill", "extract": "She baked.", "description": "a baker", "topic": "x"}
    path.write_text(json.dumps({"Ada Quill": about, "Oslo": {"extract": "A city."}}))
    first, second = read_passages(path, "summaries")
    assert (first.title, first.text) == ("Ada Quill", "Ada Quill — a baker. She baked.")
    assert (second.title, second.text) == ("Oslo", "A city.")


def test_every_text_of_a_folder_is_a_page(tmp_path):
    (tmp_path / "cities").mkdir()
    (tmp_path / "cities/New_York.md").write_text("\ufeffA city.\n", encoding="utf-8")
    (tmp_path / "Ada Quill.txt").write_text("She baked.")
    (tmp_path / "notes.pdf").write_bytes(b"%PDF")
    assert read_passages(tmp_path, "texts") == [
        Passage(id="Ada Quill.txt", title="Ada Quill", text="She baked."),
        Passage(id="cities/New_York.md", title="New York", text="A city.\n"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("notes.pdf", b"%PDF", "has no text file. Expected a folder"),
        ("a.txt", b" \n", "a.txt: text: .*Fill it"),
        ("a.md", b"caf\xe9", "a.md: cannot be read as text in UTF-8"),
    ],
)
def test_a_folder_without_usable_texts_is_refused(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_passages(tmp_path, "texts")


def test_facts_make_one_page_a_subject():
    def question(relation, answer):
        return Question(
            id=relation, relation=relation, subject="Peru", question="?", answers=[answer],
            split="test", domain="id",
        )  # fmt: skip

    (page,) = fact_passages(
        [question("country_capital", "Lima"), question("country_language", "Spanish")]
    )
    assert page.title == "Peru"
    assert page.text == "The capital of Peru is Lima. The official language of Peru is Spanish."
    with pytest.raises(InputError, match="no facts to make passages from"):
        fact_passages([question("P36", "Lima")])


@pytest.mark.parametrize(
    ("name", "content", "layout", "message"),
    [
        ("a.json", "[]", "summaries", "no pages"),
        ("b.json", '{"A": {"description": "x"}}', "summaries", "page 'A'.*extract"),
        ("c.json", '{"A": "text"}', "summaries", "page 'A'"),
        ("d.jsonl", '{"id": "1", "title": "A"}', "rows", "line 1: text"),
        ("e.jsonl", "", "rows", "no rows"),
        ("f.parquet", "nonsense", "rows", "f.parquet: cannot be read as parquet"),
    ],
)
def test_malformed_files_are_named_with_the_place(tmp_path, name, content, layout, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=message):
        read_passages(tmp_path / name, layout)


def test_parquet_rows_are_checked(tmp_path):
    path = tmp_path / "p.parquet"
    pandas.DataFrame([{"id": "1", "title": "A", "text": ""}]).to_parquet(path)
    with pytest.raises(InputError, match="row 1: text"):
        read_passages(path, "rows")
    pandas.DataFrame([{"id": 7, "title": "A", "text": "b"}] * 2).to_parquet(path)
    with pytest.raises(InputError, match="rows 1 and 2 have the same id"):
        read_passages(path, "rows")
    pandas.DataFrame([{"id": 7, "title": "A"}]).to_parquet(path)
    with pytest.raises(InputError, match=r"row 1: text: .*fields id, title, text"):
        read_passages(path, "rows")


@given(st.lists(st.integers(1, 30), max_size=12), st.integers(10, 25))
def test_chunks_keep_every_word_and_no_more_than_allowed(lengths, words):
    texts = [" ".join(["Word"] + ["word"] * (length - 1)) + "." for length in lengths]
    page = Passage(id="p", title="T", text=" ".join(texts) or "x")
    parts = list(chunks(page, words))
    assert " ".join(part.text for part in parts).split() == page.text.split()
    assert all(len(part.text.split()) <= words for part in parts)
    assert [part.id for part in parts] == [f"p#{n}" for n in range(len(parts))]


def test_chunks_do_not_cut_sentences_that_fit():
    page = Passage(id="p", title="T", text="One two three four five six. " * 3)
    assert [len(part.text.split()) for part in chunks(page, 13)] == [12, 6]


def test_text_without_spaces_is_cut_and_found_by_its_characters():
    page = Passage(id="p", title="尼罗河", text="尼罗河流经埃及。它很长，流入地中海！")
    assert [part.text for part in chunks(page, 9)] == [
        "尼罗河流经埃及。",
        "它很长，流入地中海",
        "！",
    ]
    others = [
        Passage(id=name, title=name, text=text)
        for name, text in (("a", "巴黎在法国。"), ("b", "दिल्ली भारत में है।"), ("c", "दिल में बात है।"))
    ]
    store = PassageStore([page, *others], 100)
    assert store.search("埃及有一条河", "河流", 1)[0]["title"] == "尼罗河"
    assert store.search("दिल्ली", "?", 3)[0]["id"] == "b#0"
    assert {found["id"] for found in store.search("दिल्ली", "?", 3)} == {"b#0"}


# --- search -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def store():
    return PassageStore(PAGES, words=10)


def test_a_known_topic_restricts_the_search_to_its_page(store):
    found = store.search("Northport has nine bridges.", "ADA QUILL", k=5)
    assert {passage["title"] for passage in found} == {"Ada Quill"}
    assert set(found[0]) == {"id", "title", "text", "bm25"}


def test_an_unknown_topic_searches_everything_best_first(store):
    found = store.search("It has nine bridges.", "Somewhere", k=2)
    assert found[0]["title"] == "Northport"
    assert found[0]["bm25"] > found[1]["bm25"] > 0
    assert store.search("zzz qqq", "Nowhere", k=5) == []
    assert store.search("…", "—", k=5) == []


def test_bm25_is_the_formula(store):
    """Lucene's BM25 by hand: Σ idf · tf / (tf + k1 (1 - b + b length / mean length))."""
    texts = [f"{p.title} {p.text}".lower().replace(".", "").split() for p in PAGES]
    (found,) = store.search("nine", "harbour", k=1)
    mean = np.mean([len(text) for text in texts])
    idf = np.log(1 + (3 - 1 + 0.5) / (1 + 0.5))
    each = idf / (1 + 1.5 * (1 - 0.75 + 0.75 * len(texts[1]) / mean))
    assert found["bm25"] == pytest.approx(2 * each, abs=1e-3)


def test_a_store_without_text_is_refused():
    with pytest.raises(InputError, match="no passages"):
        PassageStore([Passage(id="1", title="A", text="…")], words=10)


class Backwards:
    """Vectors that make the passage with the most e's the most similar one."""

    def embed(self, texts):
        counts = np.array([text.count("e") for text in texts], dtype=np.float32)
        vectors = np.stack([np.where(np.arange(len(texts)) == 0, 1, counts), 0 * counts], axis=1)
        return vectors, [False] * len(texts)


def test_an_embedding_model_orders_what_bm25_finds():
    pages = [
        Passage(id=str(n), title="Ada", text=f"ada {'e' * n} word") for n in (2, 9, 4)
    ]  # fmt: skip
    found = PassageStore(pages, 10, Backwards()).search("ada word", "Ada", k=2)
    assert [passage["id"] for passage in found] == ["9#0", "4#0"]
    assert [passage["similarity"] for passage in found] == [9.0, 4.0]


def test_embeddings_are_masked_means_of_length_one(tiny_base):
    import torch

    embedder = Embedder(tiny_base, "cpu", batch_size=2)
    texts = ["Paris", "a much longer text about the capital of France", "Oslo"]
    vectors, cut = embedder.embed(texts)
    assert cut == [False] * 3
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    ids = embedder._tokenizer(texts[0], return_tensors="pt")
    with torch.inference_mode():
        alone = embedder._model(**ids).last_hidden_state.float().mean(1)[0].numpy()
    assert vectors[0] == pytest.approx(alone / np.linalg.norm(alone), abs=1e-4)  # no padding seen


@pytest.fixture(params=["roberta", "luke", "esm"])
def robertas(request, tmp_path, tiny_base):
    """A model that reads 18 tokens, of the 20 positions in its config, and names no limit."""
    import transformers

    tokenizer = load_tokenizer(tiny_base)
    tokenizer.model_max_length = int(1e30)
    config = transformers.AutoConfig.for_model(
        request.param, vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=1,
        num_attention_heads=2, intermediate_size=32, max_position_embeddings=20, pad_token_id=1,
        mask_token_id=0,
    )  # fmt: skip
    model = transformers.AutoModel.from_config(config).eval()
    for part in (model, tokenizer):
        part.save_pretrained(tmp_path / "roberta")
    return tmp_path / "roberta", model, tokenizer


def test_a_model_that_decodes_too_is_refused(tmp_path, tiny_base):
    import transformers

    config = transformers.T5Config(vocab_size=600, d_model=32, d_ff=32, num_layers=1, num_heads=2)
    transformers.T5Model(config).save_pretrained(tmp_path)
    load_tokenizer(tiny_base).save_pretrained(tmp_path)
    with pytest.raises(InputError, match="t5 is an encoder and decoder"):
        Embedder(tmp_path, "cpu")


def test_longer_texts_are_cut_where_the_positions_end(robertas, caplog):
    import torch

    folder, model, tokenizer = robertas
    texts = ["Oslo", "a b c d e f g h i j k l m n o p"]
    vectors, cut = Embedder(folder, "cpu").embed(texts)
    ids = torch.tensor([tokenizer(texts[1])["input_ids"][:18]])
    with torch.inference_mode():
        expected = model(ids).last_hidden_state.mean(1)[0]
    assert vectors[1] == pytest.approx((expected / expected.norm()).numpy(), abs=1e-5)
    assert cut == [False, True]
    store = PassageStore(PAGES, 60, Embedder(folder, "cpu"))
    store.search("bridges in a town", "Northport", 3)
    assert store.cut == ["2#0"]


def test_a_vector_that_is_no_number_is_refused(robertas):
    folder, model, _ = robertas
    model.encoder.layer[0].output.dense.weight.data[0, 0] = float("nan")
    model.save_pretrained(folder)
    with pytest.raises(InputError, match=r"roberta: this embedding model gives .* not numbers"):
        Embedder(folder, "cpu").embed(["Oslo"])


def test_a_folder_without_a_model_is_named(tmp_path):
    with pytest.raises(InputError, match=r"cannot be loaded as an embedding model"):
        Embedder(tmp_path, "cpu")


# --- the judge by logits ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def judge(tiny_base):
    model = load_model(tiny_base, "float32").eval()
    return logits.LogitJudge(model, load_tokenizer(tiny_base), 4096, "w", "float32")


def evidence(*texts):
    return [{"id": str(n), "title": "T", "text": text, "bm25": 1.0} for n, text in enumerate(texts)]


def test_the_prompt_shows_the_best_passage_last_and_asks_about_the_topic():
    text = logits.prompt("Ada", "Ada {baked}.", evidence("best {1}", "worse"))
    assert text.index("worse") < text.index("best {1}") < text.index("about Ada")
    assert text.endswith("Statement: Ada {baked}.\nTrue or False? Answer:")


def test_the_score_is_the_difference_of_log_probabilities(judge, tiny_base):
    import torch

    cases = [
        Case(claim(f"Statement {n}."), evidence("Paris", "Oslo is north."[:n])) for n in (1, 5, 9)
    ]
    model, tokenizer = judge._model, load_tokenizer(tiny_base)
    judged = dict(judge.judge(cases))
    assert list(judged) == [0, 1, 2]
    for place, case in enumerate(cases):
        text = logits.prompt("Ada Quill", case.claim.text, case.evidence)
        sums = []
        for word in (" True", " False"):
            ids, start = tokenizer(text + word)["input_ids"], len(tokenizer(text)["input_ids"])
            with torch.inference_mode():
                logp = model(torch.tensor([ids])).logits[0].log_softmax(-1)
            sums.append(sum(logp[at - 1, ids[at]].item() for at in range(start, len(ids))))
        assert judged[place].score == pytest.approx(sums[0] - sums[1], abs=1e-4)
        assert judged[place].verdict == ("supported" if sums[0] > sums[1] else "refuted")
        assert judged[place].shown == 2


def test_judgements_of_another_tokenizer_or_precision_are_others(tiny_base, tmp_path):
    shutil.copytree(tiny_base, tmp_path / "other")
    (tmp_path / "other" / "tokenizer_config.json").write_text(
        (tiny_base / "tokenizer_config.json").read_text().replace("512", "500")
    )
    folders = [(tiny_base, "float32"), (tiny_base, "bfloat16"), (tmp_path / "other", "float32")]
    found = [logits.load(folder, Scoring(dtype=dtype), "cpu").identity for folder, dtype in folders]
    assert len({str(one) for one in found}) == 3


def test_passages_that_do_not_fit_are_left_out_worst_first(judge):
    long = "abcdefgh " * 50  # the tiny model reads 512 tokens
    some, none = Case(claim("x"), evidence("short", long)), Case(claim("y" * 600), evidence("s"))
    (_, first), (_, second) = judge.judge([some, none])
    assert first.shown == 1 and first.state == "ok"
    assert (second.verdict, second.state, second.shown) == ("unverifiable", "too long", 0)


# --- verdicts and the store ---------------------------------------------------------------------


class Counting:
    """A judge that supports what mentions bread, and dies when its time has come."""

    def __init__(self, dies_after=None, prompt="p"):
        self.identity, self.asked, self.dies_after = {"prompt": prompt}, [], dies_after

    def judge(self, cases):
        for place, case in enumerate(cases):
            if len(self.asked) == self.dies_after:
                raise InputError("gone")
            self.asked.append(case.claim.text)
            verdict = "supported" if "bread" in case.claim.text else "refuted"
            yield place, Judgement(verdict=verdict, score=0.5, shown=1)


def verify(store, judge, folder, claims, k=2):
    return JudgingVerifier("retrieval", store, k, judge, folder).verify(claims)


def test_a_verdict_has_the_evidence_that_was_shown(store, tmp_path):
    bread, none = claim("She baked bread."), claim("zzz", topic="qqq", name="c2")
    first, second = verify(store, Counting(), tmp_path, [bread, none])
    assert (first.claim, first.verdict, first.state, first.score) == ("c1", "supported", "ok", 0.5)
    assert [passage["title"] for passage in first.evidence] == ["Ada Quill"]
    assert (second.verdict, second.state, second.evidence) == ("unverifiable", "no page", [])


def test_nothing_is_judged_twice_and_nothing_is_lost(store, tmp_path, caplog):
    claims = [claim(f"She baked {n} bread.", name=f"c{n}") for n in range(6)]
    claims.append(claim("She baked 0 bread.", name="again"))
    dying = Counting(dies_after=4)
    with pytest.raises(InputError, match="gone"):
        verify(store, dying, tmp_path, claims)
    (kept,) = tmp_path.glob("*.jsonl")
    with kept.open("a") as stream:
        stream.write('{"key": "half-writ')
    second = Counting()
    verdicts = verify(store, second, tmp_path, claims)
    assert len(dying.asked) == 4 and len(second.asked) == 2
    assert sorted(dying.asked + second.asked) == sorted({c.text for c in claims})
    assert [v.claim for v in verdicts] == [c.id for c in claims]
    assert "1 unreadable line" in caplog.text
    third = Counting()
    assert verify(store, third, tmp_path, claims) == verdicts and third.asked == []
    for changed in (Counting(prompt="other"), Counting()):
        other = store if changed.identity["prompt"] == "other" else PassageStore(PAGES[:1], 5)
        verify(other, changed, tmp_path, claims)
        assert len(changed.asked) == 6  # another prompt or other evidence: judged anew


def test_refusals_are_not_kept(tmp_path, store):
    class Refusing(Counting):
        def judge(self, cases):
            self.asked += cases
            yield 0, Judgement(verdict="unverifiable", state="judge refused", shown=0)

    for _ in range(2):
        judge = Refusing()
        (verdict,) = verify(store, judge, tmp_path, [claim("She baked.")])
        assert verdict.state == "judge refused" and len(judge.asked) == 1
    assert Kept(tmp_path).load({"x"}) == {}


# --- the program --------------------------------------------------------------------------------


def test_the_program_with_a_checkpoint_as_judge(tmp_path, tiny_base, monkeypatch):
    from plumbline.claims.records import Verdict
    from plumbline.storage.files import write_rows

    write_rows(tmp_path / "pages.jsonl", PAGES)
    write_rows(
        tmp_path / "claims.jsonl", [claim("She baked."), claim("zzz", topic="qqq", name="c2")]
    )
    section = {"kind": "retrieval", "passages": {"format": "rows", "source": "file:pages.jsonl"}}
    arguments = {
        "claims": tmp_path / "claims.jsonl",
        "verifier": json.dumps(section),
        "passages": tmp_path / "pages.jsonl",
        "judge": tiny_base,
        "scoring": '{"dtype": "float32"}',
        "store": tmp_path / "store",
        "verdicts": tmp_path / "verdicts.jsonl",
    }
    program(monkeypatch, "verify_claims", **arguments)
    first, second = read_rows(tmp_path / "verdicts.jsonl", Verdict)
    assert first.score is not None and first.verifier == "retrieval"
    assert second.state == "no page"
