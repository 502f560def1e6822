"""The options that a page names for other programs give those programs' numbers."""

import numpy as np
import pytest

from skhash.metrics import mean_average_precision, mean_average_precision_at_r

PEERS = {"normalizer": "hits", "ties": "index", "zero_relevant": 0}


@pytest.fixture(params=range(4))
def retrieval(request):
    """Short codes with many ties; label sets, one of which nothing else shares."""
    rng = np.random.default_rng(request.param)
    queries, database = rng.random((9, 5)) > 0.5, rng.random((30, 5)) > 0.5
    labels, database_labels = rng.random((9, 4)) > 0.6, rng.random((30, 4)) > 0.7
    labels[0], database_labels[:, 3] = [0, 0, 0, 1], 0
    return queries, database, labels.astype(int), database_labels.astype(int)


def ranked(queries, database, labels, database_labels):
    """Whether the items are relevant, nearest first; equal ones in their order."""
    for query, own in zip(queries, labels, strict=True):
        distance = [int((query != code).sum()) for code in database]
        order = sorted(range(len(database)), key=lambda n: (distance[n], n))
        yield [bool((own * database_labels[n]).any()) for n in order]


@pytest.mark.parametrize("k", [None, 3, 10])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_hits_among_the_first_divide_and_queries_without_any_count(retrieval, k):
    """Deep hashing scripts (CalcTopMap) and torchmetrics: precision at each hit."""
    scores = []
    for relevant in ranked(*retrieval):
        places = [rank for rank, hit in enumerate(relevant[:k], start=1) if hit]
        precisions = [n / rank for n, rank in enumerate(places, start=1)]
        scores.append(sum(precisions) / len(precisions) if precisions else 0.0)
    found = mean_average_precision(*retrieval, k=k, **PEERS)
    assert found == pytest.approx(np.mean(scores))
    assert 0.0 in scores


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_precision_up_to_r_is_divided_by_r(retrieval):
    """pytorch-metric-learning's mean_average_precision_at_r."""
    scores = []
    for relevant in ranked(*retrieval):
        r = sum(relevant)
        hits = [n for n, hit in enumerate(relevant[:r]) if hit]
        if r:
            scores.append(sum(sum(relevant[: n + 1]) / (n + 1) for n in hits) / r)
    found = mean_average_precision_at_r(*retrieval, ties="index")
    assert found == pytest.approx(np.mean(scores))
