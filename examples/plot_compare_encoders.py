"""
Evaluating and comparing two encoders
=====================================

One encoder scores 0.95 and another 0.96. Is it the better one? ``evaluate`` gives every
metric with a confidence interval, and says what the numbers mean; ``compare`` looks at
the difference that each single query sees.
"""

# %%
# Two encoders
# ------------
# The losses von Mises-Fisher and dual hinge at 16 bits, trained on 300 digits. Another
# 1197 are the database, and 300 more the queries.

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skhash import DeepHashEncoder
from skhash.metrics import compare, evaluate

X, y = load_digits(return_X_y=True)
X, X_queries, y, y_queries = train_test_split(
    X, y, test_size=300, stratify=y, random_state=0
)
X_train, X, y_train, y = train_test_split(
    X, y, train_size=300, stratify=y, random_state=0
)
codes, reports = {}, {}
for loss in ("von_mises_fisher", "dual_hinge"):
    encoder = DeepHashEncoder(16, loss=loss, max_epochs=40, random_state=0)
    encoder.fit(X_train, y_train)
    codes[loss] = encoder.transform(X_queries), encoder.transform(X)
    reports[loss] = evaluate(
        *codes[loss], y_queries, y, n_bits=16, X_queries=X_queries, X_database=X
    )

# %%
# A report
# --------
# Intervals are of the mean over queries. "Checks" says what should be known before
# the numbers are believed: queries that are in the database themselves, ties
# across rank k, queries that find nothing within the radius.

print(reports["dual_hinge"])

# %%
# The comparison
# --------------
# Some queries are hard for every encoder. That makes both intervals wide, but it says
# nothing about the difference. ``compare`` resamples the differences query by query.

comparison = compare(reports["von_mises_fisher"], reports["dual_hinge"])
print(comparison)

# %%
# A second seed
# -------------
# The interval is about other queries, not other trainings. The same loss with
# another seed may differ as much; only several seeds tell.

again = DeepHashEncoder(16, loss="dual_hinge", max_epochs=40, random_state=1)
again.fit(X_train, y_train)
other_seed = evaluate(again.transform(X_queries), again.transform(X), y_queries, y)
chance = compare(other_seed, reports["dual_hinge"]).differences["mAP"]
print(f"dual hinge, another seed: {chance.mean:+.4f}, p = {chance.p_value:.3g}")

# %%
# The picture
# -----------
# Left, precision and recall over the ranks. Middle, the precision of the first n
# images, with a band from the worst to the best order of ties: an encoder that gives
# many items the same code owes more to it. Right, the paired differences: an interval
# that leaves out zero tells the two apart. The grey bars are all that the two reports'
# own intervals leave open; they tell nothing apart.

import matplotlib.pyplot as plt

from skhash.plots import PrecisionAtNDisplay, PrecisionRecallDisplay

figure = plt.figure(figsize=(13, 4.4), layout="constrained")
left, middle, right = figure.subplots(1, 3, width_ratios=[1, 1, 1.2])
for loss, (queries, database) in codes.items():
    labelled = queries, database, y_queries, y
    PrecisionRecallDisplay.from_codes(*labelled, name=loss, ax=left)
    PrecisionAtNDisplay.from_codes(*labelled, tie_bounds=True, name=loss, ax=middle)

metrics = ["mAP", "mAP@100", "precision@100", "recall@100", "precision within 2"]
first, second = (report.scores for report in reports.values())
for place, metric in enumerate(metrics):
    a, b, paired = first[metric], second[metric], comparison.differences[metric]
    right.plot([b.low - a.high, b.high - a.low], [place] * 2, color="0.8", lw=9)
    right.plot([paired.low, paired.high], [place] * 2, color="black", lw=3)
    right.plot(paired.mean, place, "ko", ms=7)
right.axvline(0, color="0.5", ls="--")
right.set_yticks(range(len(metrics)), metrics)
right.locator_params(axis="x", nbins=5)
right.set(xlabel="dual_hinge minus von_mises_fisher")
right.set_title("Paired difference, 95% interval")
right.invert_yaxis()
plt.show()
