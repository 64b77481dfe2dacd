"""Exact tests on counts: binomial tails, smallest samples, McNemar, Fisher."""

from __future__ import annotations

import math

from handrail.foundation.errors import Invalid

# Tables whose probability differs from the observed one only by rounding count as equally extreme.
_SAME = 1e-7


class StatisticsRefused(Invalid):
    """The numbers handed to a statistic make no sense (a count above its total, a share outside 0 to 1)."""

    code = "statistics.bad_input"


def check_count(count: int, n: int) -> None:
    """Refuse a count that its total cannot hold."""
    if not 0 <= count <= n:
        raise StatisticsRefused(f"A count of {count} out of {n} is impossible.", hint="Give 0 <= count <= n.")


def check_share(name: str, value: float) -> None:
    """Refuse a share outside the open interval from 0 to 1."""
    if not 0.0 < value < 1.0:
        raise StatisticsRefused(f"{name} must lie between 0 and 1, not {value}.", hint="Use a share such as 0.05.")


def lower_tail(k: int, n: int, p: float) -> float:
    """Return P(Bin(n, p) <= k), the p-value of "the rate is above p" after k errors in n; 1 when n is 0."""
    check_count(k, n)
    if k == n:
        return 1.0
    from scipy.special import bdtr

    return float(bdtr(k, n, p))


def upper_tail(k: int, n: int, p: float) -> float:
    """Return P(Bin(n, p) >= k), the p-value of "the rate is at most p" after k errors in n."""
    check_count(k, n)
    if k == 0:
        return 1.0
    from scipy.special import bdtrc

    return float(bdtrc(k - 1, n, p))


def smallest_sample(errors: int, alpha: float, delta: float) -> int:
    """Return the smallest N with P(Bin(N, alpha) <= errors) <= delta: fewer labels cannot certify alpha."""
    check_share("alpha", alpha)
    check_share("delta", delta)
    if errors < 0:
        raise StatisticsRefused("The number of errors cannot be negative.")
    low, high = errors, max(2 * errors, 16)
    while lower_tail(errors, high, alpha) > delta:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if lower_tail(errors, middle, alpha) <= delta:
            high = middle
        else:
            low = middle
    return high


def zero_error_labels(alpha: float, delta: float) -> int:
    """Return the label floor: the smallest sample that certifies an error of at most alpha if no error is seen."""
    return smallest_sample(0, alpha, delta)


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the exact two-sided McNemar p-value from the two discordant counts of paired yes/no outcomes.

    Under "no difference" each discordant pair falls either way with probability 1/2. Computed in whole numbers.
    """
    if only_first < 0 or only_second < 0:
        raise StatisticsRefused("Counts of discordant pairs cannot be negative.")
    total = only_first + only_second
    tail = sum(math.comb(total, k) for k in range(min(only_first, only_second) + 1))
    return float(min(1.0, 2 * tail / 2**total))


def fisher(first: int, n_first: int, second: int, n_second: int) -> float:
    """Return Fisher's exact two-sided p-value of "both shares are equal".

    The shares are `first` of `n_first` and `second` of `n_second`.
    Two-sided: the total probability of all tables with the same margins that are no more likely than the seen one.
    """
    check_count(first, n_first)
    check_count(second, n_second)
    total, hits = n_first + n_second, first + second
    lowest, highest = max(0, hits - n_second), min(hits, n_first)

    def log_choose(n: int, k: int) -> float:
        return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)

    whole = log_choose(total, hits)
    logs = [log_choose(n_first, k) + log_choose(n_second, hits - k) - whole for k in range(lowest, highest + 1)]
    limit = logs[first - lowest] + _SAME
    return min(1.0, math.fsum(math.exp(value) for value in logs if value <= limit))
