"""Arrows begin and end at their tokens; longer ones rise above shorter ones."""

import matplotlib as mpl
import numpy as np

mpl.use("agg")
from mazelib.figures import plots
from mazelib.figures.diagrams import ROW, Arrow, streams, token_row
from mazelib.mazes.drawing import PALETTE


def test_arrows_go_from_token_to_token():
    figure, [ax] = plots.panels(1, 1)
    arrows = [Arrow(0, 3, "naming"), Arrow(2, 3, "telling", "path")]
    arrows += [Arrow(1, 3, "under", below=True)]
    token_row(ax, ["(1,2)", "<-->", "(1,3)", ";", "…"], arrows)
    drawn = [patch.get_path().vertices for patch in ax.patches]
    for arrow, bend in zip(arrows, drawn, strict=True):
        side = -1 if arrow.below else 1
        np.testing.assert_allclose(bend[0], (arrow.begin, side * ROW), atol=1e-9)
        assert abs(bend[:, 0].max() - arrow.end) < 0.5
    assert drawn[0][:, 1].max() > drawn[1][:, 1].max()
    said = {text.get_text(): text for text in ax.texts}
    assert said["…"].get_bbox_patch() is None
    assert said[";"].get_bbox_patch() is not None
    assert said["telling"].get_color() == PALETTE["path"]
    assert said["telling"].get_position()[0] == 2.5
    assert ax.get_ylim()[0] < said["under"].get_position()[1] < -ROW
    assert ax.get_ylim()[1] > said["naming"].get_position()[1]
    mpl.pyplot.close(figure)


def test_streams_rise_and_heads_lead_from_one_to_another():
    figure, [ax] = plots.panels(1, 1)
    heads = {1.0: Arrow(0, 2, "telling", "path"), 2.0: Arrow(2, 3, "finding")}
    streams(ax, ["(1,2)", "…", ";", "(1,2)"], heads, ["", "", "", "(1,3)"])
    *lines, telling, finding = [patch.get_path().vertices for patch in ax.patches]
    starts = [line[0, 0] for line in lines]  # none for what is left out
    np.testing.assert_allclose(starts, [0, 2, 3], atol=1e-9)
    for line in lines:
        assert line[0, 1] < 1
        assert line[:, 1].max() > 2.5
    for arrow, drawn in ((heads[1], telling), (heads[2], finding)):
        assert abs(drawn[0, 0] - arrow.begin) < 0.2
        assert abs(drawn[:, 0].max() - arrow.end) < 0.2
    np.testing.assert_allclose([telling[0, 1], finding[0, 1]], [1, 2])
    places = [t.get_position() for t in ax.texts if t.get_text() == "MLP"]
    assert places == [(2, 1.5), (3, 2.5)]
    [answer] = [text for text in ax.texts if text.get_text() == "(1,3)"]
    assert answer.get_position()[0] == 3
    assert answer.get_position()[1] > lines[0][:, 1].max()
    mpl.pyplot.close(figure)
