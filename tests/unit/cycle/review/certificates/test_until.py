"""Label until certified: the plan's chances are exact, and looking after every label is paid for."""

from __future__ import annotations

import json

import numpy as np
import pytest

from handrail.cycle.review.certificates import CertificateInvalid
from handrail.cycle.review.certificates.until import UntilPlan, conclude, labels_to_come, plan_until, progress
from handrail.foundation.statistics import lower_tail, smallest_sample


def population(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    scores = 0.5 + rng.beta(5, 1, n) / 2
    return scores, (rng.random(n) < 3 * np.exp(-14 * (scores - 0.5))).astype(float)


def plan(coverage: float = 0.7, alpha: float = 0.02, delta: float = 0.1) -> UntilPlan:
    return plan_until(population(1000, 1)[0], population(1000, 2), coverage=coverage, alpha=alpha, delta=delta)


def ends(made: UntilPlan, risk: float, streams: int, seed: int) -> np.ndarray:
    """Return the labels at which simulated streams were certified, 0 for never."""
    steps = np.diff(made.counts, prepend=0)
    errors = np.random.default_rng(seed).binomial(steps, risk, size=(streams, len(steps))).cumsum(axis=1)
    passed = errors <= made.first_errors + np.arange(len(steps))
    return np.where(passed.any(axis=1), np.asarray(made.counts)[passed.argmax(axis=1)], 0)


@pytest.mark.parametrize(("coverage", "alpha", "delta"), [(0.7, 0.02, 0.1), (0.5, 0.01, 0.05), (0.9, 0.05, 0.1)])
def test_every_look_is_paid_for(coverage: float, alpha: float, delta: float) -> None:
    made = plan(coverage, alpha, delta)
    share = (ends(made, alpha, 20_000, 3) > 0).mean()
    assert share <= delta + 4 * (delta * (1 - delta) / 20_000) ** 0.5
    assert share > 0.6 * delta
    for index, count in enumerate(made.counts):
        errors = made.first_errors + index
        assert lower_tail(errors, count, alpha) <= made.level < lower_tail(errors, count - 1, alpha)


def test_the_plan_knows_what_it_takes() -> None:
    made = plan()
    found = ends(made, made.risk, 20_000, 4)
    assert (found > 0).mean() == pytest.approx(made.success, abs=0.01)
    assert made.success >= 0.9
    sizes = ((k, smallest_sample(k, 0.02, 0.1)) for k in range(100))
    fixed = next(size for errors, size in sizes if lower_tail(errors, size, made.risk) >= 0.9)
    assert made.mean_labels < fixed


def test_progress_from_the_first_label_to_the_certificate() -> None:
    made = plan()
    scores, errors = population(20_000, 5)
    stream = errors[scores >= made.threshold].astype(int).tolist()
    before = progress(made, [])
    assert (before.status, before.labels, before.chance) == ("open", 0, pytest.approx(made.success))
    assert before.expected_more == pytest.approx(made.mean_labels)
    after = progress(made, stream)
    assert after.status == "certified"
    assert after.at in made.counts
    assert progress(made, stream[: after.at]).status == "certified"
    short = progress(made, stream[: after.at - 1])
    assert short.status == "open"
    assert 0 < short.chance <= 1
    assert short.expected_more >= 1


def test_a_plan_ends_when_it_cannot_be_met() -> None:
    made = plan()
    most = made.first_errors + len(made.counts) - 1
    assert progress(made, [1] * most).status == "open"
    assert progress(made, [1] * (most + 1)).status == "ended"
    late = [0] * (made.counts[0] - 1 - made.first_errors) + [1] * (most + 1)
    assert progress(made, late).status == "ended"


def test_a_plan_concludes_at_its_looks() -> None:
    made = plan()
    first = made.counts[0]
    assert labels_to_come(made, 0) == first
    assert labels_to_come(made, first) == made.counts[1] - first
    assert labels_to_come(made, made.counts[-1]) == 0
    high = [made.threshold] * first
    assert conclude(made, high[:-1], [0] * (first - 1)) is None
    yes = conclude(made, high, [0] * first)
    assert yes is not None
    assert (yes.status, yes.threshold, yes.coverage, yes.at) == ("certified", made.threshold, made.coverage, first)
    assert yes.design_hash == made.digest()
    assert yes.to_dict()["upper"] is None, "labels that stopped when they looked good have no plain limit"
    no = conclude(made, high, [1] * first)
    assert no is not None
    assert (no.status, no.threshold, no.coverage, no.at) == ("refused", None, 0.0, None)
    assert no.needed > made.mean_labels, "errors like these make the next plan longer"
    with pytest.raises(CertificateInvalid, match="under the threshold"):
        conclude(made, [made.threshold - 0.01], [0])


def test_a_plan_that_runs_out_of_items_is_refused() -> None:
    made = plan()
    ended = conclude(made, [made.threshold] * 5, [0] * 5, exhausted=True)
    assert ended is not None
    assert (ended.status, ended.labels) == ("refused", 5)
    assert ended.needed >= made.counts[0]


def test_plans_survive_json_and_repeat() -> None:
    made = plan()
    assert UntilPlan.from_dict(json.loads(json.dumps(made.to_dict()))) == made == plan()


def test_bad_wishes_are_refused() -> None:
    for wrong in ({"coverage": 0.0}, {"coverage": 1.2}, {"alpha": 0.0}, {"delta": 0.9}):
        with pytest.raises(CertificateInvalid):
            plan(**wrong)
    with pytest.raises(CertificateInvalid, match="0 \\(right\\) or 1"):
        progress(plan(), [0, 2])
