"""The tables of data/results are of the weights that are in data/models."""

import pytest

from experiments import (
    ahead,
    aligned,
    anew,
    arrows,
    attributed,
    by_scheme,
    by_set,
    circuit,
    clusters,
    decodable,
    edited,
    errors,
    foreseen,
    future,
    grafted,
    growth,
    heads,
    horizons,
    lens,
    list_lengths,
    locality,
    more_mazes,
    parts,
    patched,
    patterns,
    replanned,
    retargeted,
    scorecard,
    steered,
    stops,
    ways,
    which_cells,
)
from experiments.families import is_trained, networks
from mazelib.evidence import tables
from mazelib.models import zoo


def trained(networks) -> set[str]:
    return set(networks) - {heads.UNTRAINED, clusters.UNTRAINED}


def anew_trained() -> set[str]:
    return {name for name in anew.NETWORKS if is_trained(name)}


def of_families() -> dict[str, str]:
    return networks(False, attributed.FAMILIES)


def replanning() -> list[str]:
    return [*of_families(), replanned.CYCLIC]


def grafting() -> dict[str, str]:
    return networks(False, grafted.ASKED)


def there() -> list[str]:
    return [name for name in by_scheme.MODELS if name in zoo.names()]


MEASURED = {
    ahead.TABLE: (None, None),
    anew.TABLE: (anew_trained, lambda: anew.NETWORKS),
    attributed.TABLE: (of_families, of_families),
    by_scheme.TABLE: (there, lambda: by_scheme.networks(there(), there())),
    by_set.TABLE: (by_set.models_asked, None),
    clusters.TABLE: (lambda: trained(clusters.NETWORKS), lambda: clusters.NETWORKS),
    decodable.TABLE: (None, None),
    errors.TABLE: (None, None),
    foreseen.TABLE: (None, None),
    future.TABLE: (None, None),
    growth.TABLE: (lambda: [growth.CLIMBER], lambda: [growth.CLIMBER]),
    horizons.TABLE: (horizons.models_asked, horizons.models_asked),
    lens.TABLE: (lambda: networks(False), lambda: networks(False)),
    list_lengths.TABLE: (list_lengths.models_asked, list_lengths.models_asked),
    locality.TABLE: (of_families, lambda: networks(True, locality.ASKED)),
    heads.TABLE: (lambda: trained(heads.NETWORKS), lambda: heads.NETWORKS),
    more_mazes.TABLE: (None, None),
    parts.TABLE: (of_families, of_families),
    patched.TABLE: (of_families, of_families),
    patterns.TABLE: (None, None),
    steered.TABLE: (None, None),
    stops.TABLE: (of_families, of_families),
    ways.TABLE: (None, None),
    aligned.TABLE: (of_families, of_families),
    arrows.TABLE: (of_families, of_families),
    circuit.TABLE: (of_families, of_families),
    edited.TABLE: (of_families, of_families),
    grafted.TABLE: (grafting, grafting),
    which_cells.TABLE: (of_families, of_families),
    replanned.TABLE: (replanning, replanning),
    retargeted.TABLE: (of_families, of_families),
    scorecard.TABLE: (None, None),
}


@pytest.mark.parametrize("table", MEASURED)
def test_what_is_committed_was_measured_of_these_weights(table):
    facts, (models, rows) = tables.read_table(table), MEASURED[table]
    assert facts["weights"] == zoo.hashes(models() if models else facts["weights"])
    assert rows is None or {row["model"] for row in facts["rows"]} == set(rows())
