"""The report's section on token distribution shift, from hand-made tables."""

from plumbline.report import shift_sections
from plumbline.report.figures import draw_figures
from plumbline.report.tables import Run
from report_data import metric, tables_of, texts

PAIR = dict(model="m", seed=1, tuned="flame.sft.dpo", reference="flame.sft")


def share(domain, name, value, low="", high="", position="All", n=80):
    about = dict(domain=domain, position=position, metric=name)
    return PAIR | about | dict(value=value, low=low, high=high, n=n)


SHARES = [
    share("id", "unshifted", 0.7, 0.6, 0.8),
    share("id", "marginal", 0.1, 0.05, 0.15),
    share("id", "shifted", 0.2, 0.15, 0.25),
    share("id", "shifted", 0.25, 0.1, 0.4, position="1", n=8),
    share("id", "shifted", 0.1, 0.05, 0.15, position="2-5", n=32),
    share("id", "own_first", 0.975, 0.96, 0.99),
    share("id", "shifted_macro", 0.22, 0.16, 0.28, n=8),
    share("id", "ended", 0.5, 0.2, 0.8, n=8),
    share("id", "end_shifted", 0.25, 0.0, 0.75, n=4),
    share("ood", "unshifted", 0.75),
    share("ood", "marginal", 0.25),
    share("ood", "shifted", 0.0),
]
VERDICT = PAIR | dict(
    verdict="under-aligned", reason="fewer tokens are shifted", id_shifted=0.2, id_low=0.15,
    id_high=0.25, ood_shifted=0.0, ood_low="", ood_high="", change=-0.012, change_low=-0.04,
    change_high=0.016, change_n=14, margin=0.05,
)  # fmt: skip
TOKENS = [PAIR | dict(token=token, shifted=n, n=9) for token, n in ((" a\n", 5), ("b", 3))]


def test_the_section_tells_verdict_rule_shares_and_tokens(tmp_path):
    tables = tables_of(
        tmp_path, [metric()], token_shift=SHARES, token_shift_verdicts=[VERDICT],
        token_shift_tokens=TOKENS,
    )  # fmt: skip
    told, bars, shares, positions, tokens = shift_sections.shares(Run(tables, {}, {}))
    assert told.lines[1] == (
        "FLAME: SFT, DPO against FLAME: SFT: under-aligned by the rule below. "
        "Fewer tokens are shifted (shifted 20.0 "
        "% [15.0–25.0] in domain, 0.0 % out of it, change of the claims' F1 out of it −1.2 points "
        "[−4.0 to +1.6], n = 14)."
    )
    assert told.lines[-1].startswith("The rule is ours.") and "±5 points" in told.lines[-1]
    assert (bars.name, positions.name) == ("token_shift", "token_shift_positions")
    label = "FLAME: SFT, DPO"
    assert texts(shares) == [
        ["m", label, "ID", "8", "80", "70.0", "10.0", "20.0", "22.0", "97.5", "50.0", "25.0"],
        ["m", label, "OOD", "–", "80", "75.0", "25.0", "0.0", "–", "–", "–", "–"],
    ]
    assert [cell.sub for cell in shares.rows[0][5:8]] == ["60.0–80.0", "5.0–15.0", "15.0–25.0"]
    assert [row[2:] for row in texts(tokens)] == [["␣a↵", "5", "9"], ["b", "3", "9"]]
    draw_figures(tables, tmp_path / "figures")
    figure = (tmp_path / "figures/token_shift.svg").read_text()
    # No mark for a share of nothing.
    assert figure.count('class="mark"') == 3 + 2
    assert "in domain (ID): shifted 20.0 %, 95 % interval 15.0 to 25.0 %, n = 80" in figure
    figure = (tmp_path / "figures/token_shift_positions.svg").read_text()
    assert figure.count('class="mark"') == 2 and "tokens 2-5: shifted 10.0 %" in figure


def test_a_checkpoint_with_two_references_is_named_with_them(tmp_path):
    rows = [row | {"reference": name} for name in ("base", "flame.sft") for row in SHARES]
    tables = tables_of(tmp_path, [metric()], token_shift=rows, token_shift_verdicts=[VERDICT])
    draw_figures(tables, tmp_path / "figures")
    assert "DPO against base, ID" in (tmp_path / "figures/token_shift.svg").read_text()


def test_verdicts_that_know_nothing_say_so(tmp_path):
    empty = dict.fromkeys([k for k in VERDICT if k.startswith(("id_", "ood_", "change"))], "")
    unknown = VERDICT | empty | dict(verdict="inconclusive", reason="too few answers")
    tables = tables_of(tmp_path, [metric()], token_shift=SHARES, token_shift_verdicts=[unknown])
    told, *_ = shift_sections.shares(Run(tables, {}, {}))
    assert told.lines[1].endswith(
        "inconclusive by the rule below. "
        "Too few answers (shifted not known in domain, not known out of it, change "
        "of the claims' F1 out of it not known)."
    )


def test_without_pairs_there_is_nothing(tmp_path):
    assert shift_sections.shares(Run(tables_of(tmp_path, [metric()]), {}, {})) == []
