"""
Optuna, and trials that are cut short
=====================================

A poor setting shows after a few epochs. `Optuna <https://optuna.org>`_ suggests
settings one after the other, hears the validation score of each epoch, and stops trials
that fall behind. This example needs ``pip install optuna``.
"""

# %%
# The score of each epoch
# -----------------------
# With ``early_stopping=True`` the encoder holds a part of the data out and writes its
# retrieval score into the history after each epoch, as ``valid_score``. A callback of
# skorch is told of each epoch, and passes the score on. Raising ``TrialPruned`` ends
# the training.

import optuna
from skorch.callbacks import Callback


class ReportTo(Callback):
    """Reports the score of each epoch to a trial, and stops if the trial says so."""

    def __init__(self, trial):
        self.trial = trial

    def on_epoch_end(self, net, **kwargs):
        self.trial.report(net.history[-1, "valid_score"], len(net.history))
        if self.trial.should_prune():
            raise optuna.TrialPruned


# %%
# What is searched
# ----------------
# The learning rate, and the rate and shape of the dual hinge loss. ``loss__rate`` is
# the parameter ``rate`` of the loss.

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skhash import DeepHashEncoder
from skhash.metrics import mean_average_precision

X, y = load_digits(return_X_y=True)
X, X_queries, y, y_queries = train_test_split(
    X, y, test_size=300, stratify=y, random_state=0
)
N_EPOCHS = 10


def new_encoder(params):
    encoder = DeepHashEncoder(
        16, loss="dual_hinge", max_epochs=N_EPOCHS, random_state=0
    )
    return encoder.set_params(**params)


def objective(trial):
    encoder = new_encoder(
        {
            "lr": trial.suggest_float("lr", 1e-4, 0.1, log=True),
            "loss__rate": trial.suggest_float("loss__rate", 0.1, 10, log=True),
            "loss__shape": trial.suggest_float("loss__shape", 0.25, 4, log=True),
        }
    )
    encoder.set_params(
        early_stopping=True,
        validation_fraction=0.2,
        n_iter_no_change=N_EPOCHS,
        callbacks=[ReportTo(trial)],
    )
    encoder.fit(X, y)
    return max(row["valid_score"] for row in encoder.history_)


# %%
# The study
# ---------
# A trial is pruned when its best score so far is below the median of the earlier
# trials at the same epoch. The first five run to their end.

optuna.logging.set_verbosity(optuna.logging.WARNING)
study = optuna.create_study(
    direction="maximize",
    sampler=optuna.samplers.TPESampler(seed=0),
    pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=2),
)
study.optimize(objective, n_trials=24)

pruned = [trial for trial in study.trials if trial.state.name == "PRUNED"]
n_epochs = sum(len(trial.intermediate_values) for trial in study.trials)
print(f"{len(study.trials)} trials, {len(pruned)} of them pruned")
print(f"{n_epochs} epochs instead of {N_EPOCHS * len(study.trials)}")
print(f"best validation mAP {study.best_value:.3f} with")
for name, value in study.best_params.items():
    print(f"    {name:12} {value:.3g}")

# %%
# The best setting, trained on everything
# ---------------------------------------
# The validation part chose the setting, so it cannot say how good it is. Queries that
# no trial has seen can.

for name, params in [("defaults", {}), ("best trial", study.best_params)]:
    encoder = new_encoder(params).fit(X, y)
    score = mean_average_precision(
        encoder.transform(X_queries), encoder.transform(X), y_queries, y
    )
    print(f"{name:12} mAP of held-out images {score:.3f}")

# %%
# The picture
# -----------
# Left, each trial's course: the grey ones were given up, most of them after few epochs.
# Right, where the trials lay: the sampler soon keeps to the region that pays.

import matplotlib.pyplot as plt

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
for trial in study.trials:
    epochs, course = zip(*sorted(trial.intermediate_values.items()), strict=True)
    if trial in pruned:
        left.plot(epochs, course, color="#999999", lw=1)
        left.plot(epochs[-1], course[-1], "x", color="#555555", ms=5)
    elif trial.number != study.best_trial.number:
        left.plot(epochs, course, color="#67a9cf", lw=1)
    else:
        left.plot(epochs, course, color="#D55E00", lw=2.5, zorder=3)
left.plot([], [], "x-", color="#777777", label="pruned")
left.plot([], [], color="#67a9cf", label="complete")
left.plot([], [], color="#D55E00", lw=2.5, label="best")
left.set(xlabel="epoch", ylabel="validation mAP", ylim=(0, 1.02))
left.set_title("Poor trials end early")
left.legend(loc="lower right")

rates, lrs, best = zip(
    *(
        (t.params["loss__rate"], t.params["lr"], max(t.intermediate_values.values()))
        for t in study.trials
    ),
    strict=True,
)
points = right.scatter(rates, lrs, c=best, cmap="cividis", s=60, edgecolor="white")
best_params = study.best_params
right.plot(
    best_params["loss__rate"],
    best_params["lr"],
    "o",
    ms=14,
    mfc="none",
    mec="#D55E00",
    mew=2,
)
right.set(xscale="log", yscale="log", xlabel="rate of the loss", ylabel="learning rate")
right.set_title("The sampler moves to where it pays")
figure.colorbar(points, ax=right, label="best validation mAP of the trial")
plt.show()
