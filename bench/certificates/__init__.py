"""Certificates: validity, automation and labels, measured on populations whose truth is known."""

import sys
from pathlib import Path

# What only this benchmark needs lies beside the environment: where pandas can be imported, scikit-learn does so, and
# every other benchmark would weigh 80 MB more than what a user installs.
sys.path.append(str(Path(sys.prefix) / "peers"))
