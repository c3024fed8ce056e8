"""The report's section on what SliCK and P(True) call Unknown (Gekhman et al. 2024, appendix J)."""

from __future__ import annotations

from plumbline.report.blocks import Block, Cell, Prose, Table, named, number, percent
from plumbline.report.tables import DOMAINS, FORMS, Run, over_seeds

PROBES = {"slick": "SliCK", "p_true": "P(True)"}
SIDES = ("Unknown", "Known")


def p_true(run: Run) -> list[Block]:
    table = run.tables.p_true
    if table.empty:
        return []
    means = over_seeds(table, ["model", "checkpoint", "task", "domain", "probe", "called"])
    keys = ["model", "checkpoint", "task", "domain"]
    wide = means.pivot(index=keys, columns=["probe", "called"], values="value")
    sizes = means[means.called == "Unknown"].groupby(keys, sort=False).n.max()
    rows = []
    for key, of in wide.iterrows():
        model, checkpoint, task, domain = key
        values = [of.get((probe, side), float("nan")) for probe in PROBES for side in SIDES]
        rows.append([
            Cell(model), Cell(checkpoint), Cell(FORMS.get(task, task)), Cell(domain.upper()),
            number(sizes.get(key, 0)), *(number(value, percent(value)) for value in values),
        ])  # fmt: skip
    words = []
    unknown = means[means.called == "Unknown"]
    for (model, domain), part in unknown.groupby(["model", "domain"], sort=False):
        shares = part.groupby("probe").value.mean()
        words.append(
            f"{named(table, model, DOMAINS.get(domain, domain))}: over all mixes and forms, "
            f"{percent(shares['slick'])} % of what SliCK calls Unknown is answered right after "
            f"tuning, and {percent(shares['p_true'])} % of as many facts with the lowest P(True)."
        )
    words.append("The lower the better; the difference was not tested.")
    caption = (
        "Right answers after tuning, in %, among the test facts that each probe calls Unknown and "
        "among the others. P(True): how likely the base considers the proposed right answer to "
        "be true; as many facts as for SliCK count as Unknown, those with the lowest values."
    )
    columns = ["model", "checkpoint", "form", "domain", "Unknown", *SIDES, *SIDES]
    groups = [("", 5), *((name, len(SIDES)) for name in PROBES.values())]
    return [Prose(words), Table(caption, columns, rows, groups, folded=True)]
