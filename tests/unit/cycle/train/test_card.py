from __future__ import annotations

from typing import Any

from handrail.cycle.train import card


def made(**changes: Any) -> dict[str, Any]:
    share = {"value": 0.95, "low": 0.86, "high": 0.99, "n": 60, "level": 0.95}
    none = {"value": 0.0, "low": 0.0, "high": 1.0, "n": 0, "level": 0.95}
    given: dict[str, Any] = {
        "question": "diagnosis",
        "meaning": "",
        "commit_id": "c" * 64,
        "kind": "tabular",
        "seed": 7,
        "digest": "d" * 64,
        "columns": ["area"],
        "unused": [],
        "metrics": {
            "method": "10-fold cross-validation, stratified",
            "rows": 60,
            "accuracy": share,
            "log_loss": 0.2,
            "brier": 0.1,
            "classes": {
                "benign": {"rows": 40, "recall": share, "precision": share},
                "malignant": {"rows": 20, "recall": share, "precision": none},
            },
        },
        "simulated": 0,
    }
    return card.build(**(given | changes))


def test_limits_name_what_is_thin_unseen_or_simulated() -> None:
    limits = " ".join(made(unused=["note"], simulated=3)["limits"])
    assert "Fewer than 30 labels of malignant" in limits
    assert "does not see note" in limits
    assert "3 of 60 labels were given by simulated people" in limits
    plain = " ".join(made()["limits"])
    assert "simulated" not in plain
    assert "does not see" not in plain


def test_the_page_shows_intervals_and_never_a_rate_without_cases() -> None:
    page = card.markdown(made(meaning="Is the mass malignant?"), "model 3")
    assert page.startswith("# model 3: diagnosis\n\nIs the mass malignant?")
    assert "accuracy 95.0% [86.0%, 99.0%], n = 60" in page
    assert "| malignant | 20 | 95.0% [86.0%, 99.0%], n = 60 | no case |" in page
    assert "seed 7" in page
