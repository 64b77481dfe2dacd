"""One seed gives one model, byte for byte, in whatever process it is trained (too slow for the unit tests)."""

from __future__ import annotations

import subprocess
import sys

from handrail.cycle.train.tabular import fit
from tests.integration.cycle.train.test_tabular import mixed


def test_the_same_seed_gives_the_same_bytes_in_every_process() -> None:
    code = (
        "import sys,hashlib;sys.path[:0]=['src','.'];"
        "from tests.integration.cycle.train.test_tabular import mixed;"
        "from handrail.cycle.train import artefact;from handrail.cycle.train.tabular import fit;"
        "columns,table,labels=mixed(120,3);"
        "f=fit(columns,table,labels,question='q',seed=5);"
        "print(hashlib.sha256(artefact.dump(f.parts)).hexdigest(), hashlib.sha256(f.scores.tobytes()).hexdigest())"
    )
    said = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    }
    assert len(said) == 1
    columns, table, labels = mixed(120, 3)
    other = fit(columns, table, labels, question="q", seed=6)
    assert (fit(columns, table, labels, question="q", seed=6).scores == other.scores).all()
