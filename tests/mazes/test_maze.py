import itertools
import re
import xml.etree.ElementTree as ET

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from samples import maze_sets

from mazelib.behaviour import baselines
from mazelib.errors import MazelibError
from mazelib.mazes.drawing import Beside, ColouredTokens, Drawing, Gallery
from mazelib.mazes.generators import MazeConfig, generate
from mazelib.mazes.maze import Maze
from mazelib.tokens.tokenizer import Sample


def brute_force_paths(maze: Maze, origin: int, target: int) -> list[list[int]]:
    """Every path without revisits, by exhaustion."""
    paths, stack = [], [[origin]]
    while stack:
        path = stack.pop()
        if path[-1] == target:
            paths.append(path)
            continue
        stack += [[*path, c] for c in maze.neighbours(path[-1]) if c not in path]
    return paths


@given(maze_sets(grids=(2, 3), count=2))
def test_shortest_paths_agree_with_brute_force(mazes):
    for maze, origin, target, path in mazes:
        everything = brute_force_paths(maze, origin, target)
        least = min(map(len, everything))
        shortest = sorted(p for p in everything if len(p) == least)
        assert [p.tolist() for p in maze.shortest_paths(origin, target)] == shortest
        assert maze.count_shortest_paths(origin, target) == len(shortest)
        assert path.tolist() in shortest
        assert maze.distances(origin)[target] == least - 1


@given(maze_sets(grids=(4, 6), count=2))
def test_graph_properties_agree_with_networkx(mazes):
    for maze, origin, target, _ in mazes:
        graph = maze.to_networkx()
        assert maze.is_connected == nx.is_connected(graph)
        assert maze.is_tree == nx.is_tree(graph)
        assert maze.degree.tolist() == [graph.degree(c) for c in range(maze.n_cells)]
        paths = list(
            itertools.islice(nx.all_shortest_paths(graph, origin, target), 2000)
        )
        if len(paths) < 2000:
            assert maze.count_shortest_paths(origin, target) == len(paths)
        assert set(maze.bottlenecks) == set(nx.articulation_points(graph))


@given(maze_sets(count=2))
def test_connection_list_and_edges_round_trip(mazes):
    for maze, *_ in mazes:
        assert Maze.from_connection_list(maze.to_connection_list()) == maze
        assert Maze.from_edges(maze.n, maze.edges()) == maze
        walls = Maze.from_edges(maze.n, maze.edges(walls=True))
        assert Maze(~walls.right, ~walls.down) == maze


def test_connection_list_has_down_first(maze):
    connections = maze.to_connection_list()
    assert connections[0, 0, 0]  # (0,0) is joined to (1,0) below it
    assert connections[1, 0, 1]  # (0,1) is joined to (0,2) on its right
    assert not connections[0, 0, 1]
    assert not connections[1, 1, 1]


def test_forks_dead_ends_and_bottlenecks_of_a_known_maze(maze):
    path = maze.shortest_path(2, 8)
    assert path.tolist() == [2, 1, 0, 3, 6, 7, 8]
    assert maze.options(path).tolist() == [2, 1, 1, 2, 1, 1]
    assert maze.forks(path).tolist() == [0, 3]
    assert maze.dead_ends.tolist() == [4, 5, 8]
    assert maze.bottlenecks.tolist() == [0, 1, 2, 3, 6, 7]
    assert maze.betweenness.argmax() == 3
    assert maze.neighbours(3) == (0, 4, 6)
    assert maze.is_tree


def test_open_field_counts_lattice_paths():
    n = 12
    field = Maze(np.ones((n, n - 1), bool), np.ones((n - 1, n), bool))
    assert field.count_shortest_paths(0, n * n - 1) == 705432  # 22 choose 11


def test_maze_is_frozen_and_equal_by_value(maze):
    twin = Maze(maze.right.copy(), maze.down.copy())
    assert twin == maze
    assert hash(twin) == hash(maze)
    assert len({twin, maze}) == 1
    with pytest.raises(ValueError, match="read-only"):
        maze.right[0, 0] = False
    assert maze != Maze(~maze.right, maze.down)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.shortest_path(0, 9), "cell 9 is outside the grid"),
        (lambda m: m.distances(-1), "cell -1 is outside the grid"),
        (lambda m: m.neighbours(99), "cell 99 is outside"),
        (lambda m: Maze(m.right, m.right), r"right has shape \(3, 2\)"),
        (lambda m: Maze.from_edges(3, np.array([[0, 4]])), "no neighbours"),
        (lambda m: Maze.from_edges(3, np.array([[2, 3]])), "no neighbours"),
        (
            lambda m: Maze.from_connection_list(np.ones((2, 3, 3), bool)),
            "outside the grid",
        ),
        (lambda m: Maze.from_connection_list(np.ones((3, 3), bool)), "has shape"),
    ],
)
def test_bad_input_is_named(maze, call, message):
    with pytest.raises(MazelibError, match=message):
        call(maze)


def test_no_way_is_an_error():
    split = Maze(np.array([[True], [True]]), np.array([[False, False]]))
    assert split.distances(0).tolist() == [0, 1, -1, -1]
    with pytest.raises(MazelibError, match="no way from cell 0 to cell 2"):
        split.shortest_path(0, 2)


def test_text_drawing_in_an_encoding_that_has_not_its_signs(maze):
    drawing = maze.draw(origin=0, target=8, path=[0, 1, 2, 5])
    assert drawing.text_in(None) == drawing.text_in("utf-8") == drawing.text
    assert drawing.text_in("cp437") == drawing.text
    for encoding in ("ascii", "cp1252"):
        assert drawing.text_in(encoding).splitlines()[:3] == [
            "+---+---+---+",
            "| O   .   . |",
            "+   +---+   +",
        ]


def test_text_drawing(maze):
    drawing = maze.draw(origin=2, target=7, path=[2, 1, 0, 3, 6, 7], predicted=[2, 1])
    assert str(drawing) == drawing.text
    assert drawing.text.splitlines() == [
        "┼───┼───┼───┼",
        "│ ·   +   O │",
        "┼   ┼───┼   ┼",
        "│ ·     │   │",
        "┼   ┼───┼───┼",
        "│ ·   X     │",
        "┼───┼───┼───┼",
    ]


def test_svg_is_well_formed_and_draws_each_part(maze):
    drawing = maze.draw(2, 7, path=[2, 1, 0], predicted=[2, 5], title="a < b & c")
    root = ET.fromstring(drawing.svg)
    tags = [element.tag.split("}")[1] for element in root.iter()]
    assert tags.count("polyline") == 2
    assert tags.count("circle") == 1
    assert root.attrib["aria-label"].startswith("a < b & c: ")
    assert len(root.attrib["aria-label"]) > 30
    assert ET.fromstring(maze._repr_svg_()) is not None
    assert "<figure" in drawing._repr_html_()


def test_svg_draws_as_many_inner_walls_as_there_are(maze):
    path = ET.fromstring(maze._repr_svg_())[1].attrib["d"]
    assert path.count("M") == 1 + len(maze.edges(walls=True))


def test_a_shaded_cell_is_a_square_as_strong_as_its_number(maze):
    shade = np.zeros(9)
    shade[5], shade[7] = 1, 0.25
    squares = [e for e in ET.fromstring(maze.draw(shade=shade).svg) if "rect" in e.tag]
    found = [(e.attrib["x"], e.attrib["y"], e.attrib["fill-opacity"]) for e in squares]
    assert found == [("48", "24", "1.000"), ("24", "48", "0.250")]


def test_coloured_tokens_escape_and_keep_each_token():
    coloured = ColouredTokens(["<PATH_START>", "(0,1)"], ["path", "path"])
    assert "&lt;PATH_START&gt;" in coloured._repr_html_()
    assert coloured._repr_html_().count("<span") == 2
    assert repr(coloured) == "<PATH_START> (0,1)"


def test_beside_shows_both(maze):
    both = Beside(Drawing(maze), ColouredTokens(["(0,1)"], ["path"]))
    assert both._repr_html_().count("<svg") == 1
    assert "(0,1)" in both._repr_html_()
    assert repr(both).endswith("(0,1)")


def test_gallery_shows_every_title(maze):
    gallery = Gallery([Drawing(maze, title="one"), Drawing(maze, title="two")])
    assert gallery._repr_html_().count("<svg") == 2
    assert "one" in repr(gallery)
    assert "two" in repr(gallery)


def test_long_paths_in_large_grids_are_found():
    right, down = generate(MazeConfig("dfs", 64), 1, seed=0)
    maze = Maze(right[0], down[0])
    far = int(maze.distances(0).argmax())
    path = maze.shortest_path(0, far)
    assert len(path) - 1 == maze.distances(0)[far] > 1000
    assert [p.tolist() for p in maze.shortest_paths(0, far)] == [path.tolist()]
    sample = Sample(maze, 0, far, path)
    chance = baselines.shortest_probability(sample, baselines.random_step)
    assert chance == pytest.approx(1 / np.prod(maze.options(path), dtype=float))


def test_drawings_leave_out_what_is_no_cell(maze):
    drawing = maze.draw(predicted=[0, -1, 1])
    assert drawing.text == maze.draw(predicted=[0, 1]).text
    assert drawing.svg == maze.draw(predicted=[0, 1]).svg


def test_names_stand_in_their_cells_and_nothing_in_them_is_markup(maze):
    svg = maze.draw(labels={4: "fork", 8: "<target>"}).svg
    assert re.findall(r"<text x=\"([\d.]+)\"[^>]*>([^<]+)</text>", svg) == [
        ("36.0", "fork"),
        ("60.0", "&lt;target&gt;"),
    ]
