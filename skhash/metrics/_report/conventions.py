"""What an evaluation's numbers mean, in words."""

from typing import Any


def conventions_in_words(
    k: int,
    radius: int,
    normalizer: str,
    exclude_self: bool,
    graded: bool,
    relevance: Any,
    confidence: float,
) -> dict[str, str]:
    """One sentence for every choice that published numbers differ by."""
    divisor = {
        "min_k_r": f"min({k}, number of relevant items)",
        "hits": f"the number of relevant items among the first {k}",
        "relevant": "the number of relevant items in the database",
    }[normalizer]
    if relevance is not None:
        relevant = "as the given relevance says (above 0)"
    else:
        relevant = "an item that shares a class" if graded else "an item of equal label"
    return {
        "relevant": relevant,
        "ranking": "all items of the database by Hamming distance",
        "ties": "exact expectation over all orders of equally distant items",
        "mAP": "whole ranking, divided by the number of relevant items",
        f"mAP@{k}": f"divided by {divisor}",
        "nDCG": "gain 2^grade - 1, discount 1 / log2(1 + rank)",
        f"within {radius}": f"distance at most {radius} bits; precision of none is 0",
        "queries without relevant items": "left out of every mean",
        "self": (
            "query i does not find item i"
            if exclude_self
            else "queries and database are taken to be different items"
        ),
        "mean": "over queries",
        "interval": (
            f"{confidence:.0%} percentile bootstrap over queries; codes and database "
            "are taken as they are"
        ),
    }
