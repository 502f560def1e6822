"""Ranking metrics the slow, obvious way: every order of tied items, one by one."""

from itertools import permutations, product

import numpy as np


def all_orders(distances, relevance):
    """Every relevance sequence that sorting by distance could give, equally likely."""
    groups = [
        [r for d, r in zip(distances, relevance, strict=True) if d == distance]
        for distance in sorted(set(distances))
    ]
    return [
        [r for group in order for r in group]
        for order in product(*[list(permutations(group)) for group in groups])
    ]


def average_precision_of(sequence, k, normalizer):
    """Average precision of one definite order that holds a relevant item."""
    n_relevant = sum(sequence)
    k_ = len(sequence) if k is None else min(k, len(sequence))
    total = hits = 0
    for rank in range(1, k_ + 1):
        if sequence[rank - 1]:
            hits += 1
            total += hits / rank
    divisor = {
        "hits": hits,
        "relevant": n_relevant,
        "min_k_r": n_relevant if k is None else min(k, n_relevant),
    }[normalizer]
    return total / divisor if divisor else 0.0


def stable_order(distances, relevance):
    order = sorted(range(len(distances)), key=lambda i: (distances[i], i))
    return [relevance[i] for i in order]


def first_or_last(distances, relevance, relevant_first):
    sign = -1 if relevant_first else 1
    order = sorted(
        range(len(distances)), key=lambda i: (distances[i], sign * relevance[i])
    )
    return [relevance[i] for i in order]


def average_precision(distances, relevance, k=None, ties="expected", normalizer=None):
    """Average precision of one query; NaN without relevant items."""
    normalizer = normalizer or "min_k_r"
    distances, relevance = list(map(int, distances)), list(map(int, relevance))
    if not any(relevance):
        return np.nan
    if ties == "expected":
        orders = all_orders(distances, relevance)
    elif ties == "index":
        orders = [stable_order(distances, relevance)]
    else:
        orders = [first_or_last(distances, relevance, ties == "optimistic")]
    return np.mean([average_precision_of(order, k, normalizer) for order in orders])


def histograms(distances, relevance, n_bins):
    """The two histograms of one query, as arrays of one row."""
    totals = np.zeros((1, n_bins), dtype=np.int64)
    relevants = np.zeros((1, n_bins), dtype=np.int64)
    for d, r in zip(distances, relevance, strict=True):
        totals[0, d] += 1
        relevants[0, d] += r > 0
    return totals, relevants


def distance(code, other):
    """Hamming distance of two rows of bytes."""
    return sum(int(a ^ b).bit_count() for a, b in zip(code, other, strict=True))


def is_relevant(label, other):
    if np.ndim(label) == 0:
        return label == other
    return any(a and b for a, b in zip(label, other, strict=True))


def distances_and_relevance(
    query, query_label, database, database_labels, leave_out=None
):
    """Both for one query, in database order, without item `leave_out`."""
    items = [i for i in range(len(database)) if i != leave_out]
    distances = [distance(query.tolist(), database[i].tolist()) for i in items]
    relevance = [int(is_relevant(query_label, database_labels[i])) for i in items]
    return distances, relevance


def precision_at_k(sequence, k):
    return sum(sequence[:k]) / k


def recall_at_k(sequence, k):
    return sum(sequence[:k]) / sum(sequence)


def hit_rate_at_k(sequence, k):
    return float(any(sequence[:k]))


def reciprocal_rank(sequence, k=None):
    rank = sequence.index(1) + 1
    return 1 / rank if k is None or rank <= k else 0.0


def r_precision(sequence):
    return precision_at_k(sequence, sum(sequence))


def average_precision_at_r(sequence):
    return average_precision_of(sequence, sum(sequence), "relevant")


def over_orders(metric, distances, relevance, ties, *args):
    """Mean, best or worst of a metric of one order over all orders of ties."""
    if not any(relevance):
        return np.nan
    if ties == "index":
        return metric(stable_order(distances, relevance), *args)
    values = [metric(order, *args) for order in all_orders(distances, relevance)]
    return {"expected": np.mean, "optimistic": max, "pessimistic": min}[ties](values)


def ndcg(sequence, every_grade, k=None, gain=lambda grade: 2.0**grade - 1):
    """nDCG of one definite order of grades."""

    def dcg(grades):
        return sum(gain(g) / np.log2(i + 2) for i, g in enumerate(grades[:k]))

    return dcg(sequence) / dcg(sorted(every_grade, reverse=True))
