"""Turns what was measured into the figures that are printed, with their limits."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import numpy as np

from bench.certificates import shapes
from bench.certificates.labels import Labels
from bench.certificates.measure import ALPHAS, CURVES, DELTA, MODES, SIZES, Setting, significant
from bench.certificates.populations import CORE, Population
from bench.certificates.shares import each_share, of_oracle, share, standard_error
from bench.report import Line

NAMES = {"closed": "closed", "strict": "strict", "lazy": "closed, lazy labels"}
METHODS = (
    "closed",
    "lazy",
    "strict",
    "envelope",
    "envelope everywhere",
    "sgr",
    "naive",
    "mapie bonferroni_holm",
    "mapie fixed_sequence",
)


def worst(settings: list[Setting], method: str) -> Setting:
    """Return the setting with the most violations of a method."""
    return max((one for one in settings if method in one.tallies), key=lambda one: one.tallies[method].violation)


def place(setting: Setting) -> str:
    """Name a setting."""
    return f"{setting.population}, n {setting.labels}, alpha {100 * setting.alpha:g} %"


def ordinary(settings: list[Setting]) -> list[Setting]:
    """Return the settings of populations that are not built against a test."""
    return [one for one in settings if one.kind != shapes.HOSTILE]


def violations(settings: list[Setting]) -> list[Line]:
    """For each mode: settings significantly above delta, and the worst one."""
    lines = []
    for mode in MODES:
        bad = significant(settings, mode)
        what = f"{NAMES[mode]}: settings of {len(settings)} significantly above delta {DELTA:g}"
        lines.append(Line(what, len(bad), at_most=0, peer="; ".join(place(one) for one in bad)))
    for mode in MODES:
        found = worst(settings, mode)
        lines.append(
            Line(f"{NAMES[mode]}: worst violation", found.tallies[mode].violation, "of repeats", peer=place(found))
        )
    for mode in MODES:
        pooled = np.mean([one.tallies[mode].violation for one in settings])
        lines.append(Line(f"{NAMES[mode]}: mean violation", float(pooled), "of repeats"))
    for method in ("envelope", "sgr"):
        found = worst(settings, method)
        lines.append(
            Line(f"peer {method}: worst violation", found.tallies[method].violation, "of repeats", peer=place(found))
        )
    return lines


def automation(settings: list[Setting]) -> list[Line]:
    """Shares of the envelope's automation, then automation relative to the oracle beside every peer."""
    usual = ordinary(settings)
    enough = [one for one in usual if one.labels >= 500]
    core = [one for one in usual if one.population in CORE]
    clear = [one for one in usual if one.oracle >= 0.5]
    error = f"standard error over populations {standard_error(usual, 'closed'):.3f}"
    lazy_error = f"standard error over populations {standard_error(enough, 'lazy'):.3f}"
    lines = [
        Line("closed: share of the envelope's automation", share(usual, "closed"), at_least=0.93, peer=error),
        Line("closed, lazy labels, n >= 500: the same", share(enough, "lazy"), at_least=1.0, peer=lazy_error),
        Line("strict: the same", share(usual, "strict")),
        Line("peer sgr: the same", share(usual, "sgr")),
        Line("closed: the same of six real populations", share(core, "closed")),
        Line("closed: the same where the oracle automates half", share(clear, "closed")),
        Line("closed: share of an envelope at every label", share(usual, "closed", "envelope everywhere")),
        Line("closed: share of the envelope, each setting alike", each_share(usual, "closed")),
        Line("closed, lazy labels, n >= 500: the same", each_share(enough, "lazy")),
    ]
    for alpha in ALPHAS:
        chosen = [one for one in core if one.alpha == alpha and one.labels == 1000]
        beside = ", ".join(f"{method} {of_oracle(chosen, method):.2f}" for method in METHODS[1:])
        what = f"closed: automation of the oracle's, six real, n 1000, alpha {100 * alpha:g} %"
        lines.append(Line(what, of_oracle(chosen, "closed"), peer=beside))
    return lines


def label_lines(counted: list[Labels]) -> list[Line]:
    """Labels until certified, relative to a fixed sample."""
    possible = [one for one in counted if one.ratios]
    ratios = [one.ratio for one in possible]
    certified = sum(one.certified for one in possible) / sum(len(one.ratios) for one in possible)
    high = float(np.mean([np.quantile(one.ratios, 0.9) for one in possible]))
    streams, crossed = np.sum([one.at_limit for one in counted], axis=0)
    left_out = sum(one.impossible for one in counted)
    return [
        Line(
            f"label until certified: median labels of a fixed sample's, median of {len(ratios)} settings",
            float(np.median(ratios)),
            at_most=0.5,
            peer=f"{left_out} draws without any fixed sample left out",
        ),
        Line("the same, mean over settings of the ninth tenth of streams", high),
        Line("label until certified: certified", certified, "of streams"),
        Line(
            f"label until certified, error exactly alpha: certified, {streams:,} streams",
            crossed / streams,
            "of streams",
            at_most=DELTA + 3.1 * (DELTA * (1 - DELTA) / streams) ** 0.5,
        ),
    ]


def controls(settings: list[Setting], plateaus: list[Setting]) -> list[Line]:
    """What has no guarantee must break here; if it does not, the benchmark is broken."""
    plateau = worst(plateaus, "envelope")
    core = [one for one in settings if one.population in CORE]
    naive, singleton = worst(core, "naive"), worst(core, "singleton")
    return [
        Line(
            "must fail, envelope on the plateau: worst violation",
            plateau.tallies["envelope"].violation,
            at_least=0.2,
            peer=place(plateau),
        ),
        Line(
            "must fail, naive threshold, six real: worst violation",
            naive.tallies["naive"].violation,
            at_least=0.45,
            peer=place(naive),
        ),
        Line(
            "must fail, conformal singleton, six real: worst violation",
            singleton.tallies["singleton"].violation,
            at_least=0.8,
            peer=place(singleton),
        ),
    ]


def wrong_curves(kinds: list[str], settings: list[Setting]) -> list[Line]:
    """What a wrong training curve costs, and that it does not cost validity."""
    bad = significant(settings, "closed")
    found = worst(settings, "closed")
    lines = [
        Line(
            f"wrong training curve, closed: worst violation of {len(settings)} settings",
            found.tallies["closed"].violation,
            at_most=0.13,
            peer=place(found),
        ),
        Line("wrong training curve, closed: settings significantly above delta", len(bad), at_most=0),
    ]
    for kind in CURVES:
        chosen = [one for one, of in zip(settings, kinds, strict=True) if of == kind]
        lines.append(Line(f"{kind}, closed: share of the envelope", share(chosen, "closed")))
    return lines


def facts(
    settings: list[Setting], counted: list[Labels], populations: list[Population], repeats: int
) -> dict[str, Any]:
    """Return what the figures rest on: populations with their sources, and automation and violation by n and alpha."""
    usual = ordinary(settings)
    by_size = {
        f"alpha {100 * alpha:g} %, n {size}": {
            method: round(of_oracle([one for one in usual if (one.labels, one.alpha) == (size, alpha)], method), 3)
            for method in METHODS[:7]
        }
        for alpha in ALPHAS
        for size in SIZES
    }
    return {
        "delta": DELTA,
        "packages": {name: version(name) for name in ("mapie", "mlxtend", "river")},
        "repeats": {"six real populations": repeats, "others": min(repeats, 100)},
        "populations": {
            one.name: {
                "kind": one.kind,
                "source": one.source,
                "items": len(one.scores),
                "error": float(one.truth(0)[1]),
            }
            for one in populations
        },
        "automation of the oracle's": by_size,
        "labels until certified": {
            f"{one.population}, alpha {100 * one.alpha:g} %": [int(np.median(one.fixed)), int(np.median(one.taken))]
            for one in counted
            if one.ratios
        },
    }


def table(settings: list[Setting], counted: list[Labels]) -> str:
    """Return a table for each population: automation and violation of every method; then the labels."""
    rows = []
    for name in dict.fromkeys(one.population for one in settings):
        rows.append(f"\n{name}")
        for one in sorted((one for one in settings if one.population == name), key=lambda one: (one.alpha, one.labels)):
            parts = [f"{method} {tally.automated:.3f} ({tally.violation:.3f})" for method, tally in one.tallies.items()]
            rows.append(f"  {100 * one.alpha:g} %  n {one.labels:4}  oracle {one.oracle:.3f}  " + "  ".join(parts))
    rows.append("\nlabels: fixed sample, until certified (median), ratio, certified")
    for each in counted:
        if each.ratios:
            rows.append(
                f"  {each.population}, {100 * each.alpha:g} %: {np.median(each.fixed):.0f}  {np.median(each.taken):.0f}"
                f"  {each.ratio:.2f}  {each.certified / len(each.ratios):.2f}"
            )
    return "\n".join(rows) + "\n"
