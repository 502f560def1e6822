"""
Halving: many settings for few epochs, few settings for many
============================================================

A full grid search gives each setting the same training. Successive halving starts with
short trainings of all settings, keeps the best third, trains these three times as
long, and so on. The resource that it hands out is ``max_epochs``.
"""

# %%
# The search
# ----------
# Four families and five learning rates make 20 candidates. Each round trains from
# scratch, by a schedule of the learning rate that fits its number of epochs.

from sklearn.datasets import load_digits
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    HalvingGridSearchCV,
    StratifiedKFold,
    train_test_split,
)

from skhash import DeepHashEncoder
from skhash.metrics import mean_average_precision, mean_average_precision_scorer

X, y = load_digits(return_X_y=True)
X, X_queries, y, y_queries = train_test_split(
    X, y, test_size=300, stratify=y, random_state=0
)
search = HalvingGridSearchCV(
    DeepHashEncoder(16, random_state=0),
    {
        "loss": ["dual_hinge", "hashnet", "dcwh", "von_mises_fisher"],
        "lr": [1e-4, 1e-3, 3e-3, 1e-2, 3e-2],
    },
    resource="max_epochs",
    min_resources=2,
    max_resources=18,
    factor=3,
    scoring=mean_average_precision_scorer,
    cv=StratifiedKFold(2, shuffle=True, random_state=0),
    random_state=0,
).fit(X, y)

rounds = zip(search.n_candidates_, search.n_resources_, strict=True)
for number, (n_candidates, n_epochs) in enumerate(rounds, start=1):
    print(f"round {number}: {n_candidates:2} candidates for {n_epochs:2} epochs")
trained = sum(
    n * epochs
    for n, epochs in zip(search.n_candidates_, search.n_resources_, strict=True)
)
whole = search.n_candidates_[0] * search.n_resources_[-1]
print(f"{trained} epochs a fold; the full grid takes {whole}")

# %%
# What it found
# -------------
# The winner was trained on all training images, for as long as the last round.

best = search.best_estimator_
score = mean_average_precision(
    best.transform(X_queries), best.transform(X), y_queries, y
)
print({name: search.best_params_[name] for name in ("loss", "lr", "max_epochs")})
print(f"mAP of held-out images {score:.3f}")

# %%
# The picture
# -----------
# A line joins the scores of one setting over the rounds; faint marks are settings that
# cost two epochs and no more. Upwards is better, on a scale of what is missing to a
# perfect ranking. Watch for lines that cross: a setting that starts slowly and would
# have won in the end is lost if the first round is too short for it.

import matplotlib.pyplot as plt

styles = {
    "dual_hinge": ("#0072B2", "o"),
    "hashnet": ("#D55E00", "s"),
    "dcwh": ("#444444", "^"),
    "von_mises_fisher": ("#7b3294", "D"),
}
results = search.cv_results_
courses = {}
for params, score in zip(results["params"], results["mean_test_score"], strict=True):
    setting = params["loss"], params["lr"]
    courses.setdefault(setting, []).append((params["max_epochs"], 1 - score))

figure, ax = plt.subplots(figsize=(8.5, 4.8), layout="constrained")
for (loss, _), course in courses.items():
    colour, marker = styles[loss]
    alpha = 1 if len(course) > 1 else 0.4
    ax.plot(*zip(*course, strict=True), color=colour, marker=marker, alpha=alpha)
for loss, (colour, marker) in styles.items():
    ax.plot([], [], marker=marker, color=colour, label=loss)

winner = search.best_params_["loss"], search.best_params_["lr"]
ax.plot(*courses[winner][-1], "o", ms=15, mfc="none", mec="black")
ax.annotate(
    f"{winner[0]},\nlearning rate {winner[1]:g}",
    courses[winner][-1],
    xytext=(14, 4),
    textcoords="offset points",
    va="top",
)
ax.set_xscale("log")
ax.set_yscale("log")
ax.invert_yaxis()
ticks = [0.8, 0.4, 0.2, 0.1, 0.05, 0.03]
ax.set_yticks(ticks, [f"{1 - tick:.2f}" for tick in ticks])
ax.set_xticks(search.n_resources_, search.n_resources_)
ax.minorticks_off()
ax.set_xlim(1.8, 36)
ax.set(xlabel="epochs of the round", ylabel="mAP in the folds")
ax.set_title("Only what is good after 2 epochs is trained for 6, and then for 18")
ax.legend(loc="lower right")
plt.show()
