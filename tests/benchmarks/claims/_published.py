"""Numbers that others published for CIFAR-10, with the protocol of each.

None was measured here. Where a number is known from another source than the paper, the
source is named.
"""

from __future__ import annotations

from _claim import Table

I = "I: 1 000 queries, 5 000 to learn from, 54 000 in the database"
I_ALL = "I, those to learn from in the database, too: 59 000"
II = "II: 10 000 queries, 50 000 to learn from, which are the database"
DUAL_HASH = "5 000 queries, 10 000 to learn from"
DHN = "DHN, AAAI 2016, table 1"
DCWH = "README of mzhang367/dcwh"
PYTORCH = "README of swuxyj/DeepHash-pytorch, AlexNet"

ROWS = [
    ("KSH", "12, 24, 32, 48", ".303 .337 .346 .356", I, DHN),
    ("CNNH", "12, 24, 32, 48", ".429 .511 .509 .522", I, DHN),
    ("DNNH", "12, 24, 32, 48", ".552 .566 .558 .581", I, DHN),
    ("DHN", "12, 24, 32, 48", ".555 .594 .603 .621", I, DHN + ", AlexNet"),
    ("DHN without quantisation", "12, 24, 32, 48", ".532 .551 .574 .569", I, "table 2"),
    ("DHN, squared loss", "12, 24, 32, 48", ".485 .512 .521 .535", I, "table 2"),
    (
        "Exponentiated",
        "not stated",
        ".74",
        "not stated; I, by the numbers beside it",
        "abstract",
    ),
    ("DHN", "48", ".781", I_ALL, PYTORCH),
    ("HashNet", "48", ".782", I_ALL, PYTORCH),
    ("GreedyHash", "48", ".817", I_ALL, PYTORCH),
    ("GreedyHash", "48", ".932", II, PYTORCH),
    (
        "DualHash",
        "16 to 64",
        ".822 .848 .853 .854",
        DUAL_HASH,
        "its own README, AlexNet",
    ),
    ("OrthoHash", "64", ".824", DUAL_HASH, "README of DualHash"),
    ("DCWH", "16, 24, 32, 48", ".940 .950 .954 .952", II, f"paper, by {DCWH}"),
    ("DCWH", "16, 24, 32, 48", ".957 .960 .961 .960", II, f"{DCWH}, GoogLeNet"),
]
SAYS = """\
Published mean average precisions on CIFAR-10, over the whole ranking. They differ by
the protocol more than by the method: one method goes from .817 to .932 by learning from
50 000 images instead of 5 000. And they differ by the network: most start from AlexNet
or GoogLeNet as trained on ImageNet, while those of this page are small and start from
nothing. Ties fall in the order of the database or of a sort there, and are averaged
over here.
"""


def table() -> Table:
    """All rows, with their header."""
    head = ["method", "bits", "mAP", "protocol", "source"]
    return Table("Published numbers", [head, *map(list, ROWS)])
