"""How pivots and their lists are laid out, for `pivots` and for its kernels.

Apart from both, since kernels are loaded late: numba takes longer than all the rest.
"""

# Codes that lists compare in the time it takes to look one up.
LIST_COST = 24
# Kernels look through pivots in columns: pivot i stands in column i % COLUMNS.
COLUMNS = 64
