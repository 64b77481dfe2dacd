"""Files kept under the SHA-256 of their content."""

from handrail.foundation.blobs.blobs import BlobDamaged, Blobs, BlobUnknown, NotADigest

__all__ = ["BlobDamaged", "BlobUnknown", "Blobs", "NotADigest"]
