import matplotlib as mpl
import numpy as np
import pytest

mpl.use("agg")
from mazelib.figures import plots
from mazelib.mazes.drawing import PALETTE


def contrast(a: str, b: str) -> float:
    """The WCAG contrast of two colours, from 1 to 21."""

    def luminance(colour: str) -> float:
        rgb = np.array(mpl.colors.to_rgb(colour))
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("page", ["#ffffff", "#121212"])
def test_colours_can_be_told_from_either_page(page):
    assert contrast(plots.INK, page) > 4
    for role, colour in PALETTE.items():
        assert contrast(colour, page) > 2.1, role


def test_every_role_has_its_own_colour():
    assert len(set(PALETTE.values())) == len(PALETTE)


def test_marks_stand_where_the_numbers_say():
    figure, axes = plots.panels(1, 2)
    plots.intervals(axes[0], ["a", "b"], [0.2, 0.4], [0.1, 0.3], [0.3, 0.6])
    bars = axes[0].collections[0].get_segments()
    assert [bar[:, 0].tolist() for bar in bars] == [
        pytest.approx([0.1, 0.3]),
        pytest.approx([0.3, 0.6]),
    ]
    assert [t.get_text() for t in axes[0].get_yticklabels()] == ["a", "b"]
    plots.band(axes[1], [1, 2], [3, 4], [2, 3], [4, 5], "model", "exact")
    plots.floor_line(axes[1], 3.5, "random")
    assert axes[1].lines[0].get_ydata().tolist() == [3, 4]
    plots.squares(axes[0], np.eye(3, dtype=bool), "path")
    assert axes[0].images[0].get_array().mask.sum() == 6
    mpl.pyplot.close(figure)


def test_a_head_is_a_square_as_strong_as_its_number():
    _, [ax] = plots.panels(1, 1)
    drawn = plots.heads(ax, np.array([[0.0, 0.5], [1.0, 0.2]]), "entries")
    assert drawn.get_array().tolist() == [[0.0, 0.5], [1.0, 0.2]]
    assert drawn.get_clim() == (0, 1)
    assert "entries" in [ax.get_title(where) for where in ("left", "center")]
    mpl.pyplot.close("all")
