"""Means over queries with the interval that a bootstrap gives them."""

from __future__ import annotations

from typing import Any

import numpy as np

from skhash.metrics.averages import bootstrap_means, interval


def with_interval(name: str, per_query: np.ndarray) -> dict[str, Any]:
    """The mean of a value that each query has, and its 95 % interval, as a row has.

    Queries without a value, as those without any relevant item, are left out.
    """
    column = np.asarray(per_query, np.float64)[:, None]
    column = column[~np.isnan(column[:, 0])]
    low, high = interval(bootstrap_means(column, 1000, 0), 0.95)
    return {
        name: round(float(column.mean()), 5),
        f"{name}_interval": [round(float(low[0]), 5), round(float(high[0]), 5)],
    }
