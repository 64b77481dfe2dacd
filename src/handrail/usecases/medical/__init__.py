"""Medical: breast masses from digitised images, decided under a certificate, watched by people.

Data: the Wisconsin diagnostic set that scikit-learn ships, 569 cases of 30 measured features with a recorded
diagnosis. Simulated, and marked so: the reviewers (they repeat the record, wrong one time in a hundred), the order and
the days of the stream, the service that acts on decisions, and the shift of the last day (areas measured 60 % too
large). Groups are small and large masses, by a stated cut of the mean radius: a teaching example, because the record
names neither site nor age.
"""

from __future__ import annotations

from handrail.usecases.medical.story import run

__all__ = ["run"]
