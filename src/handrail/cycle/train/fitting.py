"""The heavy step of training, as it runs in a process of its own: a table in, an artefact and its figures out."""

from __future__ import annotations

from typing import Any

import numpy as np
from pyarrow import feather

from handrail.cycle.train import artefact
from handrail.cycle.train.model import Column
from handrail.cycle.train.tabular import fit
from handrail.foundation.work.station import Station


def fit_table(station: Station, args: dict[str, Any]) -> dict[str, Any]:
    """Train on the file `table` (Arrow; the label in the column `args.label`) and write the artefact.

    Writes `model.skops` and `out_of_fold.npy` (4 x rows: calibrated confidence, error, index of the predicted
    and of the right class) and returns the classes and the metrics.
    """
    table = feather.read_table(station.files["table"], memory_map=False)
    columns = [Column(name, kind) for name, kind in args["columns"]]
    fitted = fit(
        columns,
        {column.name: table.column(column.name).to_pylist() for column in columns},
        table.column(args["label"]).to_pylist(),
        question=args["question"],
        seed=args["seed"],
        report=station.progress,
    )
    (station.out / "model.skops").write_bytes(artefact.dump(fitted.parts))
    held = np.stack([fitted.scores, *(one.astype(float) for one in (fitted.errors, fitted.values, fitted.targets))])
    np.save(station.out / "out_of_fold.npy", held, allow_pickle=False)
    return {"classes": fitted.parts["classes"], "metrics": fitted.metrics}
