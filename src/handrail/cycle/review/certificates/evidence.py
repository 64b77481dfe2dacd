"""Scores and errors as certificates take them: checked, copied, and told by a hash."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handrail.foundation.errors import Invalid

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[float64]


class CertificateInvalid(Invalid):
    """The numbers handed to the certificate are not what it needs."""

    code = "review.certificate_invalid"


@dataclass(frozen=True)
class Evidence:
    """Scores (confidence, higher is surer) and errors (1 wrong, 0 right) of the same items."""

    scores: Floats
    errors: Floats

    @classmethod
    def read(cls, name: str, scores: Sequence[float] | ArrayLike, errors: Sequence[float] | ArrayLike) -> Evidence:
        """Check and copy arrays; `name` says in the error which set is meant."""
        import numpy as np

        read = finite(name, scores)
        wrong = np.asarray(errors, dtype=float).reshape(-1)
        if len(read) != len(wrong):
            raise CertificateInvalid(f"The {name} set has {len(read)} scores but {len(wrong)} errors.")
        if not np.isin(wrong, (0.0, 1.0)).all():
            raise CertificateInvalid(f"The {name} errors must be 0 (right) or 1 (wrong).")
        return cls(read, wrong)

    @classmethod
    def of_training(cls, pairs: tuple[Sequence[float] | ArrayLike, Sequence[float] | ArrayLike] | None) -> Evidence:
        """Return training pairs, or an empty set where there are none."""
        import numpy as np

        return cls(np.zeros(0), np.zeros(0)) if pairs is None else cls.read("training", *pairs)

    def joined(self, other: Evidence) -> Evidence:
        """Return both sets as one."""
        import numpy as np

        return Evidence(np.concatenate([self.scores, other.scores]), np.concatenate([self.errors, other.errors]))

    def above(self, region: float | None) -> Evidence:
        """Return the items with a score of at least `region`; all without one."""
        if region is None:
            return self
        inside = self.scores >= region
        return Evidence(self.scores[inside], self.errors[inside])

    def digest(self) -> str:
        """Return the SHA-256 of scores and errors, in order."""
        return digest(self.scores, self.errors)


def finite(name: str, values: Sequence[float] | ArrayLike) -> Floats:
    """Return scores as numbers; raises CertificateInvalid for none, and for one that is not finite."""
    import numpy as np

    read = np.array(values, dtype=float).reshape(-1)
    if not len(read) or not np.isfinite(read).all():
        raise CertificateInvalid(
            f"The {name} scores must be finite numbers, at least one.", hint="Drop rows without a score before."
        )
    return read


def digest(*arrays: Floats) -> str:
    """Return the SHA-256 of arrays, each with its length."""
    content = hashlib.sha256()
    for array in arrays:
        content.update(len(array).to_bytes(8, "little"))
        content.update(array.astype("<f8").tobytes())
    return content.hexdigest()
