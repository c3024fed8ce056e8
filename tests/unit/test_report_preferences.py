"""What the report says of preference training, whichever method it is of."""

from plumbline.methods.registry import METHODS
from plumbline.report import preference_sections
from plumbline.report.figures import draw_figures
from plumbline.report.names import FIGURES
from plumbline.report.tables import Run
from report_data import metric, tables_of, texts


def test_preference_training_is_told_from_its_steps(tmp_path):
    about = dict(model="m", seed=1, tuning="grath.r1", chosen=0.1, rejected=-0.4)
    steps = [
        about | dict(step=n, epoch=n / 4, loss=loss, margin=margin, accuracy=accuracy)
        for n, loss, margin, accuracy in [
            (1, 0.693147, 0, 0),
            (2, 0.6, 0.2, 0.5),
            (3, 0.5, 0.4, 0.75),
            (4, 0.4, 0.6, 0.875),
        ]
    ]
    kto = dict(model="m", seed=1, tuning="other", step=1, epoch=1, loss=0.5, margin="", accuracy="")
    kto |= dict(chosen=0.0, rejected=0.0)
    tables = tables_of(tmp_path, [metric()], preference_curves=[*steps, kto])
    told, picture, table = preference_sections.curves(Run(tables, {}, {}))
    assert told.lines == [
        "GRATH, round 1, 4 steps: loss 0.693 at first, 0.400 at the end, margin 0.60, the chosen "
        "answer preferred in 88 % of pairs.",
        "Other, 1 steps: loss 0.500 at first, 0.500 at the end.",
    ]
    assert picture.name == "preference_curves"
    first = ["m", "GRATH, round 1", "1", "4", "0.693", "0.400", "0.600", "0.875", "0.10", "−0.40"]
    assert texts(table)[0] == first
    draw_figures(tables, tmp_path / "figures")
    figure = (tmp_path / "figures" / "preference_curves.svg").read_text()
    assert "m, GRATH, round 1: loss 0.693 at step 1, 0.400 at step 4" in figure
    assert figure.count('class="mark"') == 3 + 1  # without accuracy and margin: the loss alone


def test_a_figure_is_filed_under_a_method_only_if_that_method_draws_it():
    filed = {
        name: method.name
        for name, figure in FIGURES.items()
        for method in METHODS
        if figure.category == method.label
    }
    drawn = {
        "mix": ["slick_categories", "fit_curves", "accuracy_by_unknown", "linear_model"],
        "grath": ["grath_rounds", "grath_similarity"],
    }
    assert filed == {name: method for method, names in drawn.items() for name in names}
