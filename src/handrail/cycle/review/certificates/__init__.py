"""How far a model may decide alone, from few labels: P(error above alpha at the certified threshold) <= delta.

Both tests need calibration items that are a random sample of the traffic (or of its part above a region fixed before),
every one of them labelled, and right labels. See docs/explanation/certificates.md.
"""

from handrail.cycle.review.certificates.evidence import CertificateInvalid, Evidence
from handrail.cycle.review.certificates.issuing import certified_threshold, certify, certify_designed, design
from handrail.cycle.review.certificates.plan import Certificate, Design, Mode, Step

__all__ = [
    "Certificate",
    "CertificateInvalid",
    "Design",
    "Evidence",
    "Mode",
    "Step",
    "certified_threshold",
    "certify",
    "certify_designed",
    "design",
]
