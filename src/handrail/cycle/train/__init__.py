"""Trainers, model versions and their predictions, runs."""

from handrail.cycle.train.model import (
    Column,
    ModelNotFound,
    ModelVersion,
    NotACandidate,
    NoTrainingRows,
    Prediction,
    Predictor,
    Run,
    RunHasEnded,
    RunNotFound,
)
from handrail.cycle.train.runs import Runs
from handrail.cycle.train.service import Train

__all__ = [
    "Column",
    "ModelNotFound",
    "ModelVersion",
    "NoTrainingRows",
    "NotACandidate",
    "Prediction",
    "Predictor",
    "Run",
    "RunHasEnded",
    "RunNotFound",
    "Runs",
    "Train",
]
