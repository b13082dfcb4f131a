"""The residual stream patched at each layer and token, by us and by TransformerLens.

The same pairs, sites and measure on both sides: the mean difference of two logits after
a patch. One passage is swapped in each pair's list, and all are asked at the same
column. TransformerLens patches some of the sites, drawn by chance, and its rate is
compared; how far the two are apart there is printed, too.
"""

import argparse

import numpy as np
import pandas as pd
import torch
from rounds import compare, table
from transformer_lens import patching

from mazelib.dataset.stream import MazeStream
from mazelib.evidence.threads import one_thread
from mazelib.internals.lens import open_lens
from mazelib.interventions import Network, edges_swapped, sweep
from mazelib.interventions.pairs import Pairs
from mazelib.models import zoo

PAIRS = 16


def pairs_as_long(network: Network) -> Pairs:
    """Pairs that are all asked at one column: the one that most are asked at."""
    mazes = MazeStream(zoo.held_out("dfs5")).take(0, 400)
    pairs = edges_swapped(mazes, network.tokenizer, np.random.default_rng(0))
    ends, counts = np.unique(pairs.clean.end, return_counts=True)
    rows = np.flatnonzero(pairs.clean.end == ends[counts.argmax()])
    return pairs.those(rows[:PAIRS])


def main() -> None:
    """Run the comparison, turn by turn."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--some", type=int, default=40, help="by TransformerLens")
    arguments = parser.parse_args()
    one_thread()
    trained = zoo.load("dfs5")
    network, bridge = Network(trained), open_lens(trained).bridge
    pairs, rng = pairs_as_long(network), np.random.default_rng(0)
    columns, layers = pairs.clean.ids.shape[1], network.layers
    clean, corrupted = (
        torch.from_numpy(prompts.ids).long()
        for prompts in (pairs.clean, pairs.corrupted)
    )
    _, cache = bridge.run_with_cache(clean)
    each = torch.arange(len(clean))

    def metric(logits: torch.Tensor) -> torch.Tensor:
        said = logits[:, -1]
        return (said[each, pairs.right] - said[each, pairs.wrong]).mean()

    places = {at: pairs.inside & (np.arange(columns) == at) for at in range(columns)}
    found = {}

    def ours() -> int:
        found["ours"] = sweep(network, pairs, places, ("stream",)).patched
        return (layers + 1) * columns

    apart = []

    def theirs() -> int:
        layer, pos = (
            rng.integers(layers, size=arguments.some),
            rng.integers(columns, size=arguments.some),
        )
        sites = pd.DataFrame({"layer": layer, "pos": pos})
        values = patching.generic_activation_patch(
            *(bridge, corrupted, cache, metric),
            patching.layer_pos_patch_setter,
            activation_name="resid_pre",
            index_df=sites,
        )
        mine = [
            found["ours"]["stream", at].difference[number].mean()
            for number, at in zip(layer, pos, strict=True)
        ]
        apart.append(np.abs(values.numpy() - mine).max())
        return len(sites)

    ours()
    rates = compare({"batched": ours, "TransformerLens": theirs}, arguments.rounds)
    title = f"{(layers + 1) * columns} sites, {len(clean)} pairs"
    print(table(title, "a second", rates, "batched"))
    print(f"logit differences differ by {max(apart):.1e} at most")


if __name__ == "__main__":
    main()
