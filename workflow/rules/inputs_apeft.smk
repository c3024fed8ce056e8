"""What the rules of APEFT need."""

if CONFIG.apeft:
    add_instructions("apeft", CONFIG.apeft.prompts, "train", "id", "apeft.prompts")
    # Facts are judged one by one, so that a response is of use up to where it was cut off.
    PLACES["apeft/responses"] = Place("apeft", "apeft", unfinished="--whole-sentences")


def apeft_parents():
    """Folders of the checkpoints that responses are drawn from, for all seeds."""
    return LINEAGE.folders(CONFIG.apeft.parent, CONFIG.seeds) if CONFIG.apeft else []


def apeft_works():
    """What is generated for APEFT: work, checkpoint's folder, requests."""
    works = []
    for folder in apeft_parents():
        place = f"{folder}/apeft"
        works += [
            (f"{place}/responses", folder, "apeft/responses/requests.jsonl"),
            *claim_works(f"{place}/responses"),
            (f"{place}/answers", folder, f"{place}/answers/requests.jsonl"),
        ]
        if CONFIG.apeft_questions == "model":
            work = f"{place}/questions"
            works.append((work, folder, f"{work}/requests.jsonl"))
    return works


def apeft_response_options():
    """Responses as options of write_responses.py."""
    apeft = CONFIG.apeft
    if apeft is None:
        return []
    return [
        *("--form", apeft.prompt, "--samples", str(apeft.responses)),
        *("--temperature", str(apeft.temperature), "--top-p", "1"),
        *("--max-tokens", str(apeft.max_tokens)),
    ]


def apeft_question_inputs(wildcards):
    """Claims, and what their questions are made from."""
    place = f"{R}/{wildcards.model}/{wildcards.folder}/apeft"
    found = {
        "claims": f"{place}/responses/claims.jsonl",
        "verdicts": f"{place}/responses/verdicts.jsonl",
    }
    if CONFIG.apeft_questions == "table":
        found["facts"] = f"{R}/facts/questions.jsonl"
    else:
        found["requests"] = f"{place}/questions/requests.jsonl"
        found["generations"] = f"{place}/questions/generations.jsonl"
    return found


def limit_option(option, limit):
    """An option with its number, where there is a limit."""
    return [option, str(limit)] if limit else []


def apeft_question_options(wildcards):
    """The same, and how many questions are asked how often, as options of write_apeft_answers.py."""
    apeft, files = CONFIG.apeft, apeft_question_inputs(wildcards)
    return [
        *optional("--facts", files.get("facts")),
        *optional("--question-requests", files.get("requests")),
        *optional("--question-generations", files.get("generations")),
        *limit_option("--per-entity", apeft.atomic_per_entity),
        *("--samples", str(apeft.samples), "--temperature", str(apeft.temperature)),
    ]


def apeft_pair_inputs(wildcards):
    """What the parent wrote and answered, what was verified of it, and what the filter reads."""
    folder = LINEAGE.folder(CONFIG.apeft.parent).format(seed=wildcards.seed)
    place = f"{R}/{wildcards.model}/{folder}/apeft"
    return {
        "responses": f"{place}/responses/responses.jsonl",
        "verdicts": f"{place}/responses/verdicts.jsonl",
        "questions": f"{place}/questions.jsonl",
        "answers": f"{place}/atomic/claims.jsonl",
        "answer_verdicts": f"{place}/atomic/verdicts.jsonl",
        **knowledge_inputs("apeft", wildcards),
    }


def apeft_pair_options(wildcards):
    """Both kinds of pairs and their mix as options of build_apeft_pairs.py."""
    apeft = CONFIG.apeft
    return [
        *("--samples", str(apeft.samples), "--form", apeft.prompt),
        *limit_option("--general-per-entity", apeft.general_per_entity),
        *("--max-length-gap", str(apeft.max_length_gap)),
        # With a size of its own, a file does not depend on which others there are.
        *(
            ("--size", str(apeft.pairs))
            if apeft.pairs
            else ("--percents", *(f"{percent:g}" for percent in apeft.atomic_percent))
        ),
        *knowledge_options("apeft", wildcards),
    ]


def apeft_rows():
    """Every training file: model, seed, name, and where its counts are."""
    if CONFIG.apeft is None:
        return []
    rows = []
    for model in MODELS:
        for seed in CONFIG.seeds:
            parent = LINEAGE.folder(CONFIG.apeft.parent).format(seed=seed)
            for variant in variants("apeft"):
                for percent in CONFIG.apeft.atomic_percent:
                    data = f"{R}/{model}/seed-{seed}/{variant}/atomic-{percent:g}"
                    rows.append(
                        {
                            "model": model,
                            "seed": seed,
                            "set": f"{variant}.atomic-{percent:g}",
                            "composition": f"{data}/composition.json",
                            "questions": f"{R}/{model}/{parent}/apeft/dropped.json",
                        }
                    )
    return rows


def apeft_states():
    """What states are counted of: the responses pairs are made of, and answers to questions."""
    rows = []
    for model in MODELS:
        for folder in apeft_parents():
            name, seed = LINEAGE.at(folder)
            place, about = f"{R}/{model}/{folder}/apeft", {"model": model, "seed": seed}
            rows.append(
                {**about, "checkpoint": f"{name}, for APEFT"}
                | state_files(f"{place}/responses")
            )
            rows.append(
                {
                    **about,
                    "checkpoint": f"{name}, answers for APEFT",
                    "verdicts": f"{place}/atomic/verdicts.jsonl",
                }
            )
    return rows


def apeft_dropped():
    """What was left out of claims to ask about, and of answers."""
    return [
        f"{R}/{model}/{folder}/apeft/{name}"
        for model in MODELS
        for folder in apeft_parents()
        for name in ("dropped.json", "atomic/dropped.json")
    ]


def apeft_results(wildcards):
    """APEFT's trainings, and what became of facts and pairs."""
    if CONFIG.apeft is None:
        raise WorkflowError(
            "apeft is null in the configuration, so there is nothing to train."
        )
    trainings = [
        f"{R}/{row['folder']}/training.json"
        for row in tuning_rows()
        if is_of("apeft", row["tuning"])
    ]
    return [*trainings, f"{R}/tables/apeft_pairs.csv"]
