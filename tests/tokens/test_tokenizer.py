import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import maze_sets

from mazelib.errors import MazelibError
from mazelib.tokens.parsing import TokenError
from mazelib.tokens.tokenizer import SCHEMES, Sample, Tokenizer


def same(a: Sample, b: Sample) -> bool:
    paths = (a.path is None and b.path is None) or np.array_equal(a.path, b.path)
    return a[:3] == b[:3] and paths


@pytest.mark.parametrize("scheme", SCHEMES)
@given(mazes=maze_sets(), key=st.none() | st.integers(0, 2**64 - 1))
def test_decode_undoes_encode(scheme, mazes, key):
    tokenizer = Tokenizer(scheme, mazes.n)
    for sample in mazes:
        ids = tokenizer.encode(*sample, key=key)
        assert same(tokenizer.decode(ids), sample)
        text = tokenizer.to_text(ids)
        assert tokenizer.from_text(text).tolist() == ids.tolist()
        prompt = tokenizer.encode(*sample[:3], key=key)
        assert same(tokenizer.decode(prompt), sample._replace(path=None))
        assert ids[: len(prompt)].tolist() == prompt.tolist()


@pytest.mark.parametrize("scheme", SCHEMES)
@given(mazes=maze_sets(grids=(2, 5), count=2), data=st.data())
def test_decode_undoes_encode_at_any_offset(scheme, mazes, data):
    tokenizer = Tokenizer(scheme, 7)
    offset = tuple(data.draw(st.integers(0, 7 - mazes.n)) for _ in range(2))
    for sample in mazes:
        ids = tokenizer.encode(*sample, key=1, offset=offset)
        assert same(tokenizer.decode(ids, mazes.n, offset), sample)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_batch_is_encoded_as_its_samples_are(scheme, few):
    tokenizer = Tokenizer(scheme, 5)
    plain = few[:]
    ids = plain.encode(tokenizer).ids
    for i in range(len(plain)):
        first = tokenizer.encode(*plain[i], key=int(plain.key[i]))
        assert ids[i, : len(first)].tolist() == first.tolist()


def test_post_example_is_read_and_printed_token_for_token(post_example):
    tokenizer = Tokenizer("ut", 6)
    sample, edges = tokenizer.read(tokenizer.from_text(post_example))
    assert sample.maze.is_tree
    assert (sample.origin, sample.target) == (0, 20)
    best = sample.maze.shortest_path(sample.origin, sample.target)
    assert sample.path.tolist() == best.tolist()
    assert len(best) == 24
    again = tokenizer.encode(*sample, edges=edges)
    assert tokenizer.to_text(again) == post_example


def test_known_sequence(maze):
    text = Tokenizer("ut", 3).to_text(
        Tokenizer("ut", 3).encode(maze, 4, 1, [4, 3, 0, 1])
    )
    assert text == (
        "<ADJLIST_START> (0,0) <--> (0,1) ; (0,1) <--> (0,2) ; (1,0) <--> (1,1) ; "
        "(2,0) <--> (2,1) ; (2,1) <--> (2,2) ; (0,0) <--> (1,0) ; (0,2) <--> (1,2) ; "
        "(1,0) <--> (2,0) ; <ADJLIST_END> <ORIGIN_START> (1,1) <ORIGIN_END> "
        "<TARGET_START> (0,1) <TARGET_END> <PATH_START> (1,1) (1,0) (0,0) (0,1) "
        "<PATH_END>"
    )


def test_pairs_and_walls_of_a_known_maze(maze):
    pairs = Tokenizer("ctt", 3)
    text = pairs.to_text(pairs.encode(maze, 4, 1))
    assert text.startswith("<ADJLIST_START> ( 0 , 0 ) <--> ( 0 , 1 ) ; ")
    assert text.endswith("<TARGET_START> ( 0 , 1 ) <TARGET_END> <PATH_START>")
    walls = Tokenizer("walls", 3)
    assert walls.to_text(walls.encode(maze, 4, 1)).startswith(
        "<ADJLIST_START> (1,1) <XX> (1,2) ; (0,1) <XX> (1,1) ; (1,1) <XX> (2,1) ; "
        "(1,2) <XX> (2,2) ; <ADJLIST_END>"
    )


def test_key_orders_the_list_and_each_pair_at_random(maze):
    tokenizer = Tokenizer("ut", 3)
    orders, turns = [], []
    for key in range(400):
        _, edges = tokenizer.read(tokenizer.encode(maze, 4, 1, key=key))
        lattice = [tuple(sorted(e)) for e in edges.tolist()]
        orders.append(lattice)
        turns.append([a < b for a, b in edges.tolist()])
    first = sorted(orders[0])
    assert all(sorted(order) == first for order in orders)
    places = np.array([[order.index(e) for e in first] for order in orders])
    assert abs(places.mean(0) - 3.5).max() < 0.5
    assert abs(np.mean(turns, 0) - 0.5).max() < 0.12


@pytest.mark.parametrize("scheme", SCHEMES)
def test_leading_cells_stop_at_the_first_other_token(scheme, maze):
    tokenizer = Tokenizer(scheme, 5)
    ids = tokenizer.encode(maze, 4, 1, [4, 3, 0, 1], offset=(1, 2))
    prompt = tokenizer.encode(maze, 4, 1, offset=(1, 2))
    answer = ids[len(prompt) :]
    assert tokenizer.leading_cells(answer, 3, (1, 2)) == [4, 3, 0, 1]
    assert tokenizer.leading_cells(answer, 3, (0, 0)) == [-1, 8, 5, -1]
    assert tokenizer.leading_cells(prompt) == []


def test_roles_name_the_four_parts(maze):
    tokenizer = Tokenizer("ut", 3)
    tokens = tokenizer.to_tokens(tokenizer.encode(maze, 4, 1, [4, 3, 0, 1]))
    roles = tokenizer.roles(tokens)
    assert [roles.count(r) for r in ("wall", "origin", "target", "path")] == [
        34,
        3,
        3,
        6,
    ]
    assert len(roles) == len(tokens)


def test_vocabularies_have_no_token_twice():
    for scheme in SCHEMES:
        for side in (2, 7, 20):
            vocabulary = Tokenizer(scheme, side).vocabulary
            assert len(set(vocabulary)) == len(vocabulary)
    assert len(Tokenizer("ut", 7).vocabulary) == 11 + 49
    assert len(Tokenizer("ctt", 7).vocabulary) == 11 + 3 + 7


@pytest.mark.parametrize(
    ("change", "position", "expected"),
    [
        (lambda t: "", 0, "<ADJLIST_START>"),
        (lambda t: "   \n", 0, "<ADJLIST_START>"),
        (lambda t: t.replace("<ADJLIST_START> ", ""), 0, "<ADJLIST_START>"),
        (lambda t: t.replace("(0,1)", "(0,3)"), 3, r"inside the grid, \(0,0\)"),
        (lambda t: t.replace("(0,1)", "zebra", 1), 3, "a token of the 'ut'"),
        (lambda t: t.replace("(0,1)", "(1,1)", 1), 3, "a neighbour"),
        (lambda t: t.replace("(0,1)", "(0,0)", 1), 3, "a neighbour"),
        (lambda t: t.replace("<-->", ";", 1), 2, "<-->"),
        (lambda t: t.replace(" ;", "", 1), 4, ";"),
        (lambda t: t.replace(" <ADJLIST_END>", ""), 33, "a cell.*or <ADJLIST_END>"),
        (lambda t: t.replace(" <ORIGIN_END>", ""), 36, "<ORIGIN_END>"),
        (lambda t: t.replace("<ORIGIN_START> (1,1)", "<ORIGIN_START>"), 35, "a cell"),
        (lambda t: t.replace("<PATH_START> (1,1)", "<PATH_START> (0,1)"), 41, "origin"),
        (lambda t: t[: t.index(" <PATH_END>")], 45, "<PATH_END>"),
        (lambda t: t[: t.index("<TARGET_END>")], 39, "<TARGET_END>"),
        (lambda t: t + " ;", 46, "nothing after"),
        (lambda t: t + " <PADDING>", 46, "a token of the"),
        (lambda t: t.encode() + b"\xff\xfe", 45, "text in UTF-8"),
    ],
)
def test_bad_text_is_named_with_its_place(maze, change, position, expected):
    tokenizer = Tokenizer("ut", 3)
    text = tokenizer.to_text(tokenizer.encode(maze, 4, 1, [4, 3, 0, 1]))
    with pytest.raises(TokenError, match=expected) as caught:
        tokenizer.parse(change(text))
    assert caught.value.position == position
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("reader", SCHEMES)
@pytest.mark.parametrize("writer", SCHEMES)
def test_text_of_another_scheme_is_named_with_the_side_it_needs(maze, reader, writer):
    source = Tokenizer(writer, 5)
    text = source.to_text(source.encode(maze, 4, 1, offset=(0, 2)))
    if reader == writer:
        with pytest.raises(TokenError, match=r"expected a c.* to ") as caught:
            Tokenizer(reader, 3).parse(text)
    else:
        looks = f"{reader!r} vocabulary of side 6: this looks like .*{writer!r}"
        with pytest.raises(TokenError, match=looks) as caught:
            Tokenizer(reader, 6).parse(text)
    assert caught.value.vocabulary == (writer, 5)


@pytest.mark.parametrize("strange", ["3", "(", "zebra", "<PADDING>", "(1,2"])
def test_a_stray_token_alone_speaks_of_no_other_scheme(maze, strange):
    tokenizer = Tokenizer("ut", 3)
    text = tokenizer.to_text(tokenizer.encode(maze, 4, 1))
    for changed in (strange, text.replace("(0,1)", strange, 1)):
        with pytest.raises(TokenError, match="expected a token of the 'ut'") as caught:
            tokenizer.parse(changed)
        assert caught.value.vocabulary in (None, ("ctt", 2))


def mutated(text: str, data: st.DataObject) -> str:
    """A valid text with tokens dropped, doubled, swapped, cut or replaced."""
    tokens = text.split()
    for _ in range(data.draw(st.integers(1, 4))):
        if not tokens:
            break
        at = data.draw(st.integers(0, len(tokens) - 1))
        kind = data.draw(st.sampled_from(["drop", "double", "swap", "cut", "replace"]))
        if kind == "drop":
            del tokens[at]
        elif kind == "double":
            tokens.insert(at, tokens[at])
        elif kind == "swap":
            other = data.draw(st.integers(0, len(tokens) - 1))
            tokens[at], tokens[other] = tokens[other], tokens[at]
        elif kind == "cut":
            tokens = tokens[:at]
        else:
            strange = ["(9,9)", "(", "1", ")", "<PADDING>", "(-1,0)", "(0,0", "é", ";"]
            tokens[at] = data.draw(st.sampled_from(strange))
    return " ".join(tokens)


@pytest.mark.parametrize("scheme", SCHEMES)
@given(mazes=maze_sets(grids=(2, 3), count=1), data=st.data())
def test_mutated_prompts_raise_nothing_but_token_errors(scheme, mazes, data):
    tokenizer = Tokenizer(scheme, mazes.n)
    text = mutated(tokenizer.to_text(tokenizer.encode(*mazes[0], key=0)), data)
    with contextlib.suppress(TokenError):
        sample, edges = tokenizer.read(tokenizer.from_text(text))
        ids = tokenizer.encode(*sample, edges=edges)
        assert tokenizer.to_text(ids) == text.replace("<PADDING>", "").strip()


@given(st.text() | st.binary())
def test_arbitrary_text_raises_nothing_but_token_errors(text):
    for scheme in SCHEMES:
        with pytest.raises(TokenError):
            Tokenizer(scheme, 4).parse(text)


@given(st.lists(st.integers(-3, 40), max_size=30))
def test_arbitrary_ids_raise_nothing_but_token_errors(ids):
    with pytest.raises(TokenError):
        Tokenizer("ut", 4).decode(ids)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: Tokenizer("bpe", 4), "no token scheme 'bpe': choose one of ut"),
        (lambda m: Tokenizer("ut", 1), "side is 1, but must be from 2"),
        (lambda m: Tokenizer("ut", 2).encode(m, 0, 1), "a maze of side 3 at offset"),
        (
            lambda m: Tokenizer("ut", 4).encode(m, 0, 1, offset=(2, 0)),
            "use a Tokenizer of side ≥ 5",
        ),
        (lambda m: Tokenizer("ut", 3).encode(m, 0, 9), "cell 9 is outside"),
        (lambda m: Tokenizer("ut", 3).encode(m, 0, 1, key=-1), "key is -1"),
    ],
)
def test_bad_arguments_are_named(maze, call, message):
    with pytest.raises(MazelibError, match=message):
        call(maze)
