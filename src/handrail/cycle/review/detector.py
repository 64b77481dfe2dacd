"""The arithmetic of the brake: the gain of an audit, what a stretch without audits does, evidence, where to look more.

Every function takes plain numbers or arrays of them alike, so that the product and a simulation of many streams run the
same code. X: 1 if the automatic decision was wrong. pi: its audit probability. rho: the nominal audit rate then in
force. q = pi / rho. c: its control value, any guess of X made before the draw. Z = c + (drawn / pi)(X - c) has the
traffic's error as its mean for every c and pi; a level's gain is rho (Z - null), its wealth is multiplied by
1 + bet * gain. All of it holds whatever the model of the risk, the rate and the traffic do.

Source: Shiryaev-Roberts recursion as an e-detector, Shin, Ramdas and Rinaldo (2023).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# About 1.5, 2 and 5 times the certified error, in that order, with the shares of the starting wealth.
BETS = (0.6, 1.3, 4.0)
SHARES = (0.25, 0.55, 0.2)
GROUP_BETS = (0.5, 1.0, 2.0, 5.0, 10.0)
GROUP_SHARES = (0.2, 0.3, 0.25, 0.15, 0.1)
# A control value is at most this part of q, and at most _MOST_CONTROL: then no factor comes near zero.
ROOM_OF_Q = 0.15
_MOST_CONTROL = 0.5
_ROOM = 0.9
# Between two audits exp(x - x^2) stands for 1 + x; that is a lower bound for x >= -1/2.
_IDLE_ROOM = 0.5

PRIOR, HORIZON = 1.0, 300  # docs/decisions/0007
LEAST_MULTIPLIER, MOST_MULTIPLIER = 0.3, 12.0


def overall_bets(null: float, least_q: float) -> tuple[float, ...]:
    """Return the bets on all automatic decisions, cut so that one right answer never takes nearly all of a wealth."""
    most = min(_ROOM * least_q / null, _ROOM / (null + ROOM_OF_Q), _IDLE_ROOM / null)
    return tuple(min(bet, most) for bet in BETS)


def group_bets(null: float) -> tuple[float, ...]:
    """Return the bets on a certified group; its factor is at least 1 - 2 * bet * null, at any rate."""
    return tuple(min(bet, _ROOM * _IDLE_ROOM / null) for bet in GROUP_BETS)


def relative_weight(risk: Any, scale: Any, phi: float) -> Any:
    """Return q: a floor phi everywhere, the rest by the square root of the risk; `scale` is its mean over traffic."""
    return phi + (1.0 - phi) * risk**0.5 / scale


def control_value(risk: Any, mean: Any, null: float, q: Any, least: Callable[[Any, Any], Any] = min) -> Any:
    """Return c: the least favourable error profile of mean `null`, cut so that every factor stays positive.

    `mean`: mean risk over the traffic. `least`: the smaller of two, element by element for arrays.
    """
    return least(least(null * risk / mean, _MOST_CONTROL), ROOM_OF_Q * q)


def audited_gain(wrong: Any, q: Any, control: Any, rate: Any, null: float) -> Any:
    """Return rho (Z - null) of an audited decision."""
    return rate * (control - null) + (wrong - control) / q


def idle_gain(control: Any, rate: Any, null: float) -> Any:
    """Return rho (Z - null) of a decision that was not audited; 0 on average where controls have mean `null`."""
    return rate * (control - null)


def audited_group_gain(wrong: Any, q: Any, mean_q: Any, rate: Any, null: Any) -> Any:
    """Return the gain of an audited decision for its group: control null * q / mean_q, rate rho * mean_q.

    `mean_q`: the mean of q over the group's traffic as it was known then; `idle_group_gain` makes up for a wrong one.
    """
    return null * rate * (q - mean_q) + (wrong * mean_q / q - null)


def idle_group_gain(probability: Any, mean_q: Any, rate: Any, null: Any) -> Any:
    """Return the gain of a decision of the group that was not audited."""
    return null * (probability - rate * mean_q)


def audited_wealth(wealth: Any, begun: Any, bet: Any, gain: Any) -> Any:
    """Return a wealth after an audit; `begun`: 1 where the audit starts a process of its own, 0 after the lifetime."""
    return (wealth + begun) * (1.0 + bet * gain)


def idle_growth(bet: Any, gains: Any, squares: Any) -> Any:
    """Return the logarithm of a lower bound of the product of 1 + bet * gain over decisions without an audit.

    `gains`, `squares`: sums of their gains and squared gains. log(1 + x) >= x - x^2 for x >= -1/2.
    """
    return bet * gains - bet * bet * squares


def certifying_bet(level: float, planned: float, phi: float) -> float:
    """Return the one bet that certifies "error under level" by audits, for an error planned from training data.

    Fixed before the first audit. Near the best for the planned error, and such that no error takes all of the wealth.
    """
    return min(0.97 * phi, max(0.05, 1.0 - planned / level))


def certifying_control(risk: Any, mean: Any, level: float, least: Callable[[Any, Any], Any] = min) -> Any:
    """Return the control value while certifying: the least favourable profile of mean `level`, 0.7 at most."""
    return least(level * risk / mean, 0.7)


def multiplier(found: Any, expected: Any) -> Any:
    """Return how much riskier a group is than its risk says: errors found over errors expected, before clipping."""
    return (PRIOR + found) / (PRIOR + expected)


def decayed(total: Any) -> Any:
    """Return a learning sum one audit later."""
    return total * (1.0 - 1.0 / HORIZON)
