"""Intervals and exact tests that hold at every sample size; scipy and numpy load on first use, not on import."""

from handrail.foundation.statistics.binomial import (
    StatisticsRefused,
    fisher,
    lower_tail,
    mcnemar,
    smallest_sample,
    upper_tail,
    zero_error_labels,
)
from handrail.foundation.statistics.intervals import (
    Interval,
    clopper_pearson,
    lower_limit,
    paired_bootstrap,
    upper_limit,
    wilson,
)
from handrail.foundation.statistics.isotonic import nondecreasing
from handrail.foundation.statistics.kolmogorov import kolmogorov_smirnov
from handrail.foundation.statistics.multiplicity import holm

__all__ = [
    "Interval",
    "StatisticsRefused",
    "clopper_pearson",
    "fisher",
    "holm",
    "kolmogorov_smirnov",
    "lower_limit",
    "lower_tail",
    "mcnemar",
    "nondecreasing",
    "paired_bootstrap",
    "smallest_sample",
    "upper_limit",
    "upper_tail",
    "wilson",
    "zero_error_labels",
]
