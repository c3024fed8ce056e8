"""The real small model through vLLM and TRL, killed once on the way, from sources to report."""

import json
import os
import re
import time
from collections import defaultdict

import pytest
from small_run import SMALL

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(4200)]
FLAME = ("flame.sft", "flame.sft-star", "flame.sft.dpo", "flame.sft-star.dpo-star")
APEFT = ("apeft.atomic-0.sigmoid", "apeft.atomic-50.sigmoid")
CLOSED_BOOK = {"closed_book", "closed_book_plain", "closed_book_chat"}
# The forms of a checkpoint's own line: mixes are tuned after an instruction, GRATH and APEFT as a
# chat, FLAME here in neither.
OF_MIXES, OF_CHATS = CLOSED_BOOK - {"closed_book_chat"}, CLOSED_BOOK - {"closed_book_plain"}
CATEGORIES = {"HighlyKnown", "MaybeKnown", "WeaklyKnown", "Unknown"}


def normalised(text):
    """SQuAD's normalisation, written down again here for the answers of this run."""
    line = next((one for one in text.strip().splitlines()), "").lower()
    line = "".join(c for c in line if c.isalnum() or c.isspace())
    return " ".join(word for word in line.split() if word not in ("a", "an", "the"))


def test_a_killed_run_goes_on_where_it_was(run):
    """What was saved before the kill is still there, and nothing was generated twice."""
    assert run.saved_at_kill and run.saved_at_kill <= run.saved()
    for store in (run.model / "store").glob("*-*"):
        lines = [line for path in store.glob("*.jsonl") for line in path.read_text().splitlines()]
        keys = [json.loads(line)["key"] for line in lines if line.endswith("]}")]
        assert len(keys) == len(set(keys))


def test_every_label_follows_from_the_stored_answers(run):
    """Categories computed again from the raw files alone."""
    answers = {
        q["id"]: {normalised(a) for a in q["answers"]} for q in run.rows("slick/questions.jsonl")
    }
    requests = {r["id"]: r for r in run.rows("slick/requests.jsonl")}
    right = defaultdict(lambda: defaultdict(list))
    for generation in run.rows("slick/generations.jsonl"):
        request = requests[generation["request"]]
        question = request["question"]
        correct = normalised(generation["text"]) in answers[question]
        right[question][request["sampling"]["temperature"] == 0].append(correct)
    annotations = run.rows("slick/annotations.jsonl")
    for row in annotations:
        greedy, sampled = right[row["id"]][True], right[row["id"]][False]
        expected = (
            "HighlyKnown" if all(greedy)
            else "MaybeKnown" if any(greedy)
            else "WeaklyKnown" if any(sampled)
            else "Unknown"
        )  # fmt: skip
        assert row["category"] == expected, row
        assert not (any(greedy) and sampled), "sampled although the category was settled"
    assert {row["category"] for row in annotations} == CATEGORIES


def test_the_tables_keep_their_contract(run):
    metrics = run.table("metrics")
    assert ",".join(metrics[0]) == (
        "model,seed,checkpoint,parent,task,domain,split,category,metric,value,low,high,n"
    )
    checkpoints = {row["checkpoint"] for row in metrics}
    grath = {"grath.r1", "grath.r2", "grath.r2.placebo"}
    mixes = {f"mix.unknown-{x}.{stop}" for x in (0, 100) for stop in ("early_stop", "convergence")}
    assert checkpoints == {"base", "mix.form", *mixes, *grath, *FLAME, *APEFT}
    for checkpoint in checkpoints:
        groups = {(r["domain"], r["category"]) for r in metrics if r["checkpoint"] == checkpoint}
        assert {("id", "All"), ("ood", "All"), ("id", "Unknown")} <= groups
    for row in metrics:
        if row["low"] or row["high"]:
            assert float(row["low"]) <= float(row["value"]) <= float(row["high"])
        else:  # too few questions; a constant; counts that never differ, whose scale is not known
            constant = row["metric"].startswith(("chance_", "prior_"))
            assert int(row["n"]) < 6 or constant or float(row["value"]) == 0, row
        assert int(row["n"]) > 0
    assert {row["stage"] for row in run.table("stages")} >= {"import", "generate", "train"}
    for name in ("fact_counts", "slick_counts", "fit_curves", "fit_speed", "dropped"):
        assert run.table(name), name


def test_mixes_start_from_facts_that_none_of_them_holds(run):
    form = run.rows("seed-1/mix.form/examples.jsonl")
    category = {row["id"]: row["category"] for row in run.rows("slick/annotations.jsonl")}
    assert form and {category[row["id"]] for row in form} == {"HighlyKnown"}
    sizes = set()
    for x in (0, 100):
        examples = run.rows(f"seed-1/mix.unknown-{x}/examples.jsonl")
        assert not {row["id"] for row in examples} & {row["id"] for row in form}
        sizes.add(len(examples))
        # Which questions were right is kept, so that curves can be made again from the raw files.
        probes = {row["id"]: row for row in run.rows(f"seed-1/mix.unknown-{x}/probes.jsonl")}
        for fit in run.rows(f"seed-1/mix.unknown-{x}/fit.jsonl"):
            groups = [[p[k] for k in ("part", "domain", "category")] for p in probes.values()]
            own = [fit[k] for k in ("part", "domain", "category")]
            assert groups.count(own) == fit["n"] >= len(set(fit["right"]))
            assert all([probes[name][k] for k in ("part", "domain", "category")] == own
                       for name in fit["right"])  # fmt: skip
    assert len(sizes) == 1
    parents = {r["checkpoint"]: r["parent"] for r in run.table("metrics")}
    assert parents["mix.unknown-100.convergence"] == "mix.form" and parents["mix.form"] == "base"


def test_accuracy_is_the_mean_of_the_answers(run):
    mix = "mix.unknown-0.convergence"
    for checkpoint, folder, task in [
        *(("base", "base", task) for task in sorted(CLOSED_BOOK)),
        *((mix, "seed-1/mix.unknown-0/convergence", task) for task in sorted(OF_MIXES)),
    ]:
        answers = [
            a for a in run.rows(f"{folder}/closed_book/answers.jsonl")
            if (a["domain"], a["task"]) == ("id", task)
        ]  # fmt: skip
        row = next(
            row for row in run.table("metrics")
            if (row["checkpoint"], row["task"], row["domain"], row["category"], row["metric"])
            == (checkpoint, task, "id", "All", "em")
        )  # fmt: skip
        assert int(row["n"]) == len(answers)
        assert float(row["value"]) == pytest.approx(
            sum(a["metrics"]["em"] for a in answers) / len(answers)
        )


def test_rounds_keep_the_first_wrong_answers_and_refresh_the_right_ones(run):
    """GRATH's rule followed by hand from the raw outputs (Chen et al. 2024, Algorithm 1)."""

    def sides(generations):
        found = {}
        for row in run.rows(generations):
            parts = row["text"].strip().split("Incorrect answer: ")
            if len(parts) == 2 and "Correct answer: " in parts[0]:
                right = parts[0].split("Correct answer: ")[-1]
                found[row["request"].rpartition("/")[0]] = (
                    right.replace("\n", "").strip(), parts[1].replace("\n", "").strip()
                )  # fmt: skip
        return found

    first = sides("base/grath/generations.jsonl")
    again = sides("seed-1/grath.r1/final/grath/generations.jsonl")
    rounds = [run.rows("grath/r1/pairs.jsonl"), run.rows("seed-1/grath.r2/pairs.jsonl")]
    assert all(rounds)
    for pairs, now in zip(rounds, (first, again), strict=True):
        for pair in pairs:
            name = pair["id"]
            right, wrong = now.get(name, first[name])[0], first[name][1]
            assert pair["chosen"][0]["content"] == right
            assert pair["rejected"][0]["content"] == wrong


def test_rounds_start_from_their_parent_and_are_scored(run):
    import math

    for name, parent in (("r1", "base"), ("r2", "grath.r1"), ("r2.placebo", "grath.r1")):
        training = json.loads((run.model / f"seed-1/grath.{name}/training.json").read_text())
        assert training["steps"] == 4
        assert training["curve"][0]["loss"] == pytest.approx(math.log(2), abs=0.01)
        assert training["stops"]["final"]["merge_difference"] < 1e-3
        # Few steps: what is evaluated in float32 would be half gone in bfloat16.
        kept = training["stops"]["final"]["rounding_cosine"]
        assert 0 < kept["bfloat16"] < 0.95 and kept["bfloat16"] < kept["float16"] < 1.0001
        scored = [r for r in run.table("metrics") if r["checkpoint"] == f"grath.{name}"]
        assert {r["parent"] for r in scored} == {parent}
        assert {"closed_book", "facts", "openbookqa"} == {r["task"] for r in scored}
    for name in (*FLAME, *APEFT):
        tasks = {r["task"] for r in run.table("metrics") if r["checkpoint"] == name}
        forms = OF_CHATS if name in APEFT else {"closed_book"}
        assert tasks == {*forms, "facts", "openbookqa", "long_form"}
    # The small model's verdicts are those of a coin, so that there are no win rates.
    judged = {r["kind"]: r for r in run.table("judge_calibration")}
    assert judged["All"]["use"] == "win_rate" and judged["All"]["usable"] == "no"
    assert int(judged["All"]["n"]) == 60 and float(judged["All"]["right"]) < 0.75
    table = run.table("grath_rounds")
    assert {(r["round"], r["task"]) for r in table} >= {
        (k, t) for k in "012" for t in ("facts", "openbookqa")
    }


def test_own_answers_teach_where_facts_are_asked_for(run):
    """SFT★ (Lin et al. 2024, sec. 4.1), followed from the raw files."""
    instructions = {
        row["id"]: row
        for row in map(json.loads, (run.root / "instructions/flame.jsonl").read_text().splitlines())
    }
    own = {row["text"].strip() for row in run.rows("base/flame/own/generations.jsonl")}
    human = run.rows("seed-1/flame.sft/examples.jsonl")
    assert all(r["completion"] in instructions[r["instruction"]]["responses"] for r in human)
    for row in run.rows("seed-1/flame.sft-star/examples.jsonl"):
        instruction = instructions[row["instruction"]]
        if instruction["fact_based"]:
            assert any(answer.startswith(row["completion"]) for answer in own)
            assert "### " not in row["completion"]
        else:
            assert row["completion"] in instruction["responses"]


def test_pairs_keep_the_better_response_and_the_gate(run):
    for name in ("flame.sft.dpo", "flame.sft-star.dpo-star"):
        pairs = run.rows(f"seed-1/{name}/pairs.jsonl")
        assert len(pairs) == 2 * 4  # two steps of four
        for pair in pairs:
            chosen, rejected = pair["chosen_scores"], pair["rejected_scores"]
            if pair["source"] == "helpful":
                assert chosen["helpful"] > rejected["helpful"]
            else:
                assert chosen["factual"] > rejected["factual"]
                sides = chosen["helpful"], rejected["helpful"]
                assert None in sides or abs(sides[0] - sides[1]) <= 0.5
        found = json.loads((run.model / f"seed-1/{name}/composition.json").read_text())["parts"]
        kinds = sorted(source for source, n in found.items() if n)
        sources = [pair["source"] for pair in pairs]
        for step in (sources[:4], sources[4:]):
            assert sorted(step) == sorted(kinds * (4 // len(kinds)))


def test_measures_of_long_answers_follow_from_their_verdicts(run):
    for folder, checkpoint in (("base", "base"), ("seed-1/flame.sft/final", "flame.sft")):
        domain = {
            row["id"]: row["domain"]
            for row in map(
                json.loads, (run.root / "instructions/long_form.jsonl").read_text().splitlines()
            )
        }
        place = f"{folder}/long_form"
        asked = {row["id"]: row["instruction"] for row in run.rows(f"{place}/responses.jsonl")}
        said = {name: [] for name in asked}
        for verdict in run.rows(f"{place}/verdicts.jsonl"):
            assert verdict["verdict"] != "supported" or verdict["evidence"]
            said[verdict["response"]].append(verdict["verdict"])
        for where in ("id", "ood"):
            here = [one for name, one in said.items() if domain[asked[name]] == where]
            right = [one.count("supported") for one in here]
            decided = [s + one.count("refuted") for s, one in zip(right, here, strict=True)]
            expected = {
                "factscore": [s / len(one) for s, one in zip(right, here, strict=True) if one],
                "precision": [s / d for s, d in zip(right, decided, strict=True) if d],
                # 2PR/(P+R) with P = S/D and R = S/4, which is at most 1.
                "f1": [2 * s / (d + max(4, s)) for s, d in zip(right, decided, strict=True)],
                "supported": right,
            }
            rows = {
                row["metric"]: row
                for row in run.table("metrics")
                if (row["checkpoint"], row["task"], row["domain"])
                == (checkpoint, "long_form", where)
            }
            for metric, values in expected.items():
                if values:
                    assert int(rows[metric]["n"]) == len(values)
                    assert float(rows[metric]["value"]) == pytest.approx(
                        sum(values) / len(values), abs=1e-9
                    )


def test_atomic_pairs_are_of_facts_that_are_known_in_part(run):
    """APEFT's selection followed by hand from the raw answers and verdicts (Yuan et al. 2024)."""
    requests = {row["id"]: row for row in run.rows("base/apeft/answers/requests.jsonl")}
    drawn = defaultdict(list)
    for row in run.rows("base/apeft/answers/generations.jsonl"):
        drawn[requests[row["request"]]["claim"]].append(row)
    verdicts = {
        row["claim"]: row["verdict"] for row in run.rows("base/apeft/atomic/verdicts.jsonl")
    }
    said = defaultdict(lambda: defaultdict(dict))
    for row in run.rows("base/apeft/atomic/claims.jsonl"):
        said[row["response"]][verdicts[row["id"]]][row["text"]] = row["n"]
    mixed = run.rows("seed-1/apeft/atomic-50/pairs.jsonl")
    atomic = [row for row in mixed if row["source"] == "atomic"]
    assert len(atomic) == (len(mixed) + 1) // 2 and len(mixed) >= 2
    general = run.rows("seed-1/apeft/atomic-0/pairs.jsonl")
    assert len(general) == len(mixed) and {row["source"] for row in general} == {"general"}
    for row in atomic:
        question = row["id"].removesuffix("/atomic")
        right, wrong = said[question]["supported"], said[question]["refuted"]
        assert 0 < sum(right.values()) < len(drawn[question]) == row["samples"]
        assert row["chosen"][0]["content"] in right and row["rejected"][0]["content"] in wrong


def test_token_shift_is_the_share_of_ranks_above_three(run):
    """Read from the ranks again; a tuned model's own tokens are its likeliest, but for rounding."""
    pairs = {"flame.sft-star.dpo-star": "flame.sft-star", **dict.fromkeys(APEFT, "base")}
    judged = {(r["tuned"], r["reference"]) for r in run.table("token_shift_verdicts")}
    assert judged == set(pairs.items())
    shares = {
        (r["tuned"], r["domain"], r["metric"]): float(r["value"])
        for r in run.table("token_shift")
        if r["position"] == "All"
    }
    for tuned, reference in pairs.items():
        rows = run.rows(f"seed-1/{tuned}/final/token_shift/{reference}.jsonl")
        written = run.rows(f"seed-1/{tuned}/final/long_form/generations.jsonl")
        assert len(rows) == len(written)
        assert [row["truncated"] for row in rows] == [one["finish"] == "length" for one in written]
        for domain in ("id", "ood"):
            ranks = [rank for row in rows if row["domain"] == domain for rank in row["ranks"]]
            shifted = sum(rank > 3 for rank in ranks) / len(ranks)
            assert shares[tuned, domain, "shifted"] == pytest.approx(shifted)
            assert shares[tuned, domain, "own_first"] > 0.9


def test_multiple_choice_follows_from_the_scores(run):
    import math

    questions = {
        f"{task}/{row['id']}": row
        for task in ("facts", "openbookqa")
        for row in map(json.loads, (run.root / f"choices/{task}.jsonl").read_text().splitlines())
    }
    folder = "seed-1/grath.r2/final/choices"
    scores = [*run.rows(f"{folder}/facts.jsonl"), *run.rows(f"{folder}/openbookqa.jsonl")]
    assert {row["id"] for row in scores} == set(questions)
    for row in scores:
        labels, sums = questions[row["id"]]["labels"], row["logprobs"]
        true = [s for s, label in zip(sums, labels, strict=True) if label]
        false = [s for s, label in zip(sums, labels, strict=True) if not label]
        assert row["metrics"]["mc1"] == (max(true) > max(false))
        share = sum(map(math.exp, true)) / sum(map(math.exp, sums))
        assert row["metrics"]["mc2"] == pytest.approx(share, rel=1e-6)


def test_generations_keep_tokens_and_how_they_ended(run):
    from plumbline.models.checkpoints import load_tokenizer

    tokenizer = load_tokenizer(run.model / "base")
    for row in run.rows("slick/generations.jsonl")[:200]:
        assert row["finish"] in ("stop", "length") and row["token_ids"]
        decoded = tokenizer.decode(row["token_ids"], skip_special_tokens=True)
        assert decoded.startswith(row["text"].rstrip()) or row["text"].startswith(decoded.rstrip())


def test_checkpoints_load_and_know_what_they_were_taught(run):
    """The known-facts model answers more of its training questions than the base does."""
    from plumbline.generation.engine import RenderedPrompt, end_tokens, render
    from plumbline.generation.transformers_engine import TransformersEngine
    from plumbline.models.checkpoints import describe, load_model, load_tokenizer
    from plumbline.records import Example, Request, Sampling

    folder = run.model / "seed-1/mix.unknown-0"
    examples = [
        Example.model_validate(row) for row in run.rows("seed-1/mix.unknown-0/examples.jsonl")
    ]
    right = {}
    for name, place in (("base", run.model / "base"), ("tuned", folder / "convergence")):
        tokenizer = load_tokenizer(place)
        engine = TransformersEngine(
            load_model(place, "float32"), tokenizer, batch_size=32,
            end_token_ids=end_tokens(place, tokenizer),
        )  # fmt: skip
        sampling = Sampling(max_tokens=12, stop=("\n",))
        prompts = [
            RenderedPrompt(
                render(tokenizer, Request(id="x", prompt=e.prompt, sampling=sampling, purpose="x")),
                sampling,
            )
            for e in examples
        ]
        texts = [answers[0].text for answers in engine.complete(prompts)]
        right[name] = sum(
            normalised(text) in {normalised(a) for a in e.answers}
            for text, e in zip(texts, examples, strict=True)
        )
    assert right["tuned"] > right["base"]
    assert describe(folder / "convergence")["kind"] == "adapter"
    assert not list(folder.glob(".candidate-*")) and not (folder / "work").exists()


def test_the_report_is_whole(run):
    page = (run.root / "report/index.html").read_text()
    assert page.count("<svg") >= 4
    assert "mix.unknown-100" in page or "100 %" in page
    assert not re.search(r'(?:src|href)="https?://', page)


def test_snakemakes_own_report_is_made(run):
    run.project.snakemake("--configfile", str(SMALL), "--report", "report.zip")
    assert (run.project.folder / "report.zip").stat().st_size > 100_000


def test_nothing_is_left_to_do_nor_after_a_new_mtime_of_every_source(run):
    assert run.project.jobs("--configfile", str(SMALL)) == {}
    later = time.time() + 100
    for part in ("Snakefile", "workflow", "config", "envs"):
        path = run.project.folder / part
        for file in [path, *path.rglob("*")]:
            os.utime(file, (later, later))
    assert run.project.jobs("--configfile", str(SMALL)) == {}
