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


class Sides:
    """Both ways of patching, and how far apart they are."""

    def __init__(self, some: int):
        trained = zoo.load("dfs5")
        self.network, self.bridge = Network(trained), open_lens(trained).bridge
        self.pairs, self.rng = pairs_as_long(self.network), np.random.default_rng(0)
        self.some, self.found, self.apart = some, {}, []
        self.columns = self.pairs.clean.ids.shape[1]
        clean, self.corrupted = (
            torch.from_numpy(prompts.ids).long()
            for prompts in (self.pairs.clean, self.pairs.corrupted)
        )
        _, self.cache = self.bridge.run_with_cache(clean)

    @property
    def sites(self) -> int:
        """The stream before the first layer and after each, at each token."""
        return (self.network.layers + 1) * self.columns

    def ours(self) -> int:
        """All sites."""
        each = np.arange(self.columns)
        places = {at: self.pairs.inside & (each == at) for at in each.tolist()}
        self.found = sweep(self.network, self.pairs, places, ("stream",)).patched
        return self.sites

    def metric(self, logits: torch.Tensor) -> torch.Tensor:
        """The mean difference of the two answers' logits."""
        said, each = logits[:, -1], torch.arange(len(logits))
        return (said[each, self.pairs.right] - said[each, self.pairs.wrong]).mean()

    def theirs(self) -> int:
        """Some sites, drawn by chance, by TransformerLens."""
        layer = self.rng.integers(self.network.layers, size=self.some)
        pos = self.rng.integers(self.columns, size=self.some)
        values = patching.generic_activation_patch(
            *(self.bridge, self.corrupted, self.cache, self.metric),
            patching.layer_pos_patch_setter,
            activation_name="resid_pre",
            index_df=pd.DataFrame({"layer": layer, "pos": pos}),
        )
        mine = [
            self.found["stream", at].difference[number].mean()
            for number, at in zip(layer, pos.tolist(), strict=True)
        ]
        self.apart.append(np.abs(values.numpy() - mine).max())
        return self.some


def main() -> None:
    """Run the comparison, turn by turn."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--some", type=int, default=40, help="by TransformerLens")
    arguments = parser.parse_args()
    one_thread()
    sides = Sides(arguments.some)
    sides.ours()
    both = {"batched": sides.ours, "TransformerLens": sides.theirs}
    rates = compare(both, arguments.rounds)
    title = f"{sides.sites} sites, {len(sides.pairs)} pairs"
    print(table(title, "a second", rates, "batched"))
    print(f"logit differences differ by {max(sides.apart):.1e} at most")


if __name__ == "__main__":
    main()
