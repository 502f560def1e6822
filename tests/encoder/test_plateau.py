"""A training of automatic length ends where its loss is flat."""

import numpy as np
import pytest

from skhash import DeepHashEncoder
from skhash.encoder._callbacks import FollowPlan
from skhash.encoder._schedules import Course, one_cycle
from skhash.losses import HashLoss, Stage

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class Descending(HashLoss):
    """A loss that falls by itself, and is flat from an epoch on."""

    def __init__(self, flat_from=20, borders=(), refresh_every=0):
        super().__init__()
        self.flat_from = flat_from
        self.borders = borders
        self.refresh_every = refresh_every

    def setup(self, n_bits, y, *, sample_weight=None, generator=None):
        super().setup(n_bits, y, sample_weight=sample_weight, generator=generator)
        self.batch_ = 0
        self.seen_ = []
        return self

    def plan(self, n_epochs):
        lengths = np.diff(np.round(np.array([0, *self.borders, 1]) * n_epochs))
        return [
            Stage(int(n), settings={"beta_": i}, refresh_every=self.refresh_every)
            for i, n in enumerate(lengths)
        ]

    def forward(self, z, y):
        epoch = self.batch_ // 10
        if self.training:
            self.batch_ += 1
            self.seen_.append(self.beta_)
        return max(1.0, 2.0 - epoch / self.flat_from) + 0 * z.sum()


def trained(*, max_epochs="auto", lr_schedule="one_cycle", **loss):
    """An encoder after 100 epochs of 10 batches, or fewer."""
    rng = np.random.default_rng(0)
    y = np.arange(100) % 2
    return DeepHashEncoder(
        4,
        loss=Descending(**loss),
        network="linear",
        batch_size=10,
        lr_schedule=lr_schedule,
        max_epochs=max_epochs,
        random_state=0,
    ).fit(rng.normal(size=(100, 3)) + y[:, None], y)


# Windows of 12 epochs, the first of them after 45.
@pytest.mark.parametrize(
    ("flat_from", "n_epochs"),
    [(20, 45 + 24 + 10), (60, 60 + 20 + 10), (1000, 100)],
    ids=["early", "late", "never"],
)
def test_the_end_begins_when_the_loss_is_flat(flat_from, n_epochs):
    model = trained(flat_from=flat_from)
    assert abs(model.n_iter_ - n_epochs) <= 4 * (n_epochs < 100)
    rates = [row["lr"] for row in model.history_]
    assert rates[-1] < 1e-3 * max(rates)  # the schedule has come to its end
    if n_epochs < 100:
        turn = model.n_iter_ - 10
        whole = trained(flat_from=1000)
        before = [row["lr"] for row in whole.history_[:turn]]
        np.testing.assert_allclose(rates[:turn], before)
        shares = np.linspace(turn / 100, 1, 11)[1:]
        expected = [3e-3 * one_cycle(share) for share in shares]
        np.testing.assert_allclose(rates[turn:], expected, rtol=0.05, atol=2e-5)


def test_a_length_that_was_given_is_kept():
    assert trained(max_epochs=70).n_iter_ == 70


@pytest.mark.parametrize("lr_schedule", ["cosine", "constant"])
def test_other_schedules_end_as_well(lr_schedule):
    model = trained(lr_schedule=lr_schedule)
    assert model.n_iter_ < 85
    last = model.history_[-1]["lr"]
    assert last == 3e-3 if lr_schedule == "constant" else last < 1e-5


def test_stages_that_are_left_are_passed_through():
    model = trained(borders=(0.3, 0.9))
    stages = [row["stage"] for row in model.history_]
    assert model.n_iter_ < 85
    assert stages == sorted(stages)
    assert set(stages) == set(range(3))
    assert model.loss_.seen_[-1] == 2  # with the settings of the last one


@pytest.mark.slow
def test_centres_that_move_are_waited_for():
    assert trained(refresh_every=1).n_iter_ == 100


@pytest.mark.slow
def test_two_trainings_end_alike():
    assert trained().n_iter_ == trained().n_iter_


# The parts


@pytest.mark.parametrize("done", [1, 5, 9, 14])
@pytest.mark.parametrize("left", [1, 3, 5])
def test_a_plan_made_shorter(done, left):
    plan = FollowPlan([Stage(5), Stage(5), Stage(10)])
    plan.first_epochs_ = np.array([0, 5, 10, 20])
    plan.shorten(done, left)
    firsts = plan.first_epochs_
    assert firsts[-1] == done + left
    assert firsts[-2] < firsts[-1]
    assert (np.diff(firsts) >= 0).all()
    for before, now in zip([0, 5, 10], firsts, strict=False):
        assert now == before if before <= done else done <= now <= before


def test_a_course_made_shorter():
    course = Course(100)
    assert [course.share(step) for step in (0, 33, 99, 150)] == [0, 33 / 99, 1, 1]
    shorter = course.shortened(33, 12)
    assert shorter.share(33) == course.share(33)
    assert shorter.share(44) == 1
    assert shorter.share(38) == pytest.approx(33 / 99 + 5 / 11 * (1 - 33 / 99))
