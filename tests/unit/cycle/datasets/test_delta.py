from __future__ import annotations

import pytest

from handrail.cycle.datasets.delta import DoesNotFit, Manifest, Part, Row, apply, commit_id, differences

ROW = Row("ab" * 32, "diagnosis", None, "benign", None, "train", "review", 0.5, "person:anna", "looked twice")


def test_the_id_is_over_everything_a_version_says_and_nothing_else() -> None:
    other = ROW._replace(item="cd" * 32)
    made = commit_id(["p"], "s", ["x", "y"], [ROW, other])
    assert made == commit_id(["p"], "s", ["y", "x"], [other, ROW])
    assert len(made) == 64
    changed = {
        commit_id(["q"], "s", ["x", "y"], [ROW, other]),
        commit_id([], "s", ["x", "y"], [ROW, other]),
        commit_id(["p"], "t", ["x", "y"], [ROW, other]),
        commit_id(["p"], "s", ["x"], [ROW, other]),
        commit_id(["p"], "s", ["x", "y"], [ROW]),
    }
    parts = {
        "question": "grade", "old": "malignant", "new": "malignant", "old_purpose": "train", "new_purpose": "holdout",
        "source": "audit", "probability": None, "actor": "simulated:anna", "reason": "",
    }  # fmt: skip
    changed |= {commit_id(["p"], "s", ["x", "y"], [ROW._replace(**{k: v}), other]) for k, v in parts.items()}  # type: ignore[arg-type]
    assert len(changed) == 5 + len(parts)
    assert made not in changed


def test_a_row_fits_only_on_what_it_says_was_there() -> None:
    state = {}  # type: ignore[var-annotated]
    apply(state, [ROW])
    with pytest.raises(DoesNotFit):
        apply(state, [ROW])
    with pytest.raises(DoesNotFit):
        apply(state, [ROW._replace(old="benign", old_purpose="holdout", new="malignant")])
    apply(state, [ROW._replace(old="benign", old_purpose="train", new=None, new_purpose=None)])
    assert state == {}


def test_changed_and_changed_back_is_no_difference() -> None:
    there = ROW._replace(old="benign", old_purpose="train", new="malignant")
    back = ROW._replace(old="malignant", old_purpose="train", new="benign")
    assert list(differences([], [[there], [back]])) == []
    (one,) = differences([[there]], [[there._replace(new="other")]])
    assert (one.old[0], one.new[0]) == ("malignant", "other")
    (undone,) = differences([[there]], [])
    assert (undone.old[0], undone.new[0], undone.by) == ("malignant", "benign", there)


def test_a_manifest_goes_through_its_text() -> None:
    import json

    made = Manifest(("p",), {"fields": []}, Part("ab", 3), None)
    assert Manifest.from_dict(json.loads(made.to_text())) == made
    for broken in (
        7,
        {},
        {**json.loads(made.to_text()), "format": 2},
        {**json.loads(made.to_text()), "items": {"file": 1, "rows": 1}},
    ):
        with pytest.raises((ValueError, TypeError, KeyError)):
            Manifest.from_dict(broken)
