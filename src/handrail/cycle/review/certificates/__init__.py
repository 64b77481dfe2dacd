"""How far a model may decide alone, from few labels: P(error above alpha at the certified threshold) <= delta.

Both tests need calibration items that are a random sample of the traffic (or of its part above a region fixed before),
every one of them labelled, and right labels. See docs/explanation/certificates.md.
"""

from handrail.cycle.review.certificates.evidence import CertificateInvalid, Evidence
from handrail.cycle.review.certificates.grounds import Grounds
from handrail.cycle.review.certificates.issuing import certified_threshold, certify, certify_designed, design
from handrail.cycle.review.certificates.losses import (
    LossCertificate,
    LossDesign,
    certify_loss,
    certify_loss_designed,
    cost_of,
    design_loss,
    loss_labels_needed,
    set_loss,
    span_loss,
)
from handrail.cycle.review.certificates.plan import Certificate, Design, Mode, Step
from handrail.cycle.review.certificates.until import (
    Progress,
    UntilCertificate,
    UntilPlan,
    conclude,
    labels_to_come,
    plan_until,
    progress,
)

__all__ = [
    "Certificate",
    "CertificateInvalid",
    "Design",
    "Evidence",
    "Grounds",
    "LossCertificate",
    "LossDesign",
    "Mode",
    "Progress",
    "Step",
    "UntilCertificate",
    "UntilPlan",
    "certified_threshold",
    "certify",
    "certify_designed",
    "certify_loss",
    "certify_loss_designed",
    "conclude",
    "cost_of",
    "design",
    "design_loss",
    "labels_to_come",
    "loss_labels_needed",
    "plan_until",
    "progress",
    "set_loss",
    "span_loss",
]
