"""Signed checkpoints: C2SP tlog-checkpoint text in a C2SP signed note, signed with Ed25519."""

from __future__ import annotations

import base64
import binascii
import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from handrail.foundation.errors import Broken, Invalid

_ED25519 = b"\x01"
_DASH = "\u2014 "
_KEY_FILE = "journal.ed25519"
_MOST_SIGNATURES = 100
_MOST_DIGITS = 20  # of a size: 64 bits


class CheckpointInvalid(Invalid):
    """The text is no checkpoint, or no known key signed it."""

    code = "journal.checkpoint_invalid"


class KeyUnreadable(Broken):
    """The journal's signing key cannot be read."""

    code = "journal.key_unreadable"


@dataclass(frozen=True)
class Checkpoint:
    """A tree as somebody vouched for it: its name, number of leaves and root."""

    origin: str
    size: int
    root: bytes


class Signer:
    """Signs checkpoints in the name of one home. `name` is origin and key name at once."""

    def __init__(self, name: str, private: Ed25519PrivateKey) -> None:
        self.name = name
        self._private = private
        self._public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @classmethod
    def of_home(cls, keys: Path) -> Signer:
        """Return the signer of a home; the key is made on first use, readable by its owner only."""
        place = keys / _KEY_FILE
        try:
            if not place.exists():
                _make(place)
            private = Ed25519PrivateKey.from_private_bytes(place.read_bytes())
        except (OSError, ValueError) as error:
            raise KeyUnreadable(f"The signing key {place.name} cannot be read: {error}.") from None
        public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return cls(f"handrail.local/{sha256(public).hexdigest()[:16]}", private)

    @property
    def verifier(self) -> str:
        """Return the verifier key, in the text form that other tools read: name+id+key."""
        key = base64.b64encode(_ED25519 + self._public).decode()
        return f"{self.name}+{_key_id(self.name, self._public).hex()}+{key}"

    def sign(self, size: int, root: bytes) -> str:
        """Return the signed note of a checkpoint."""
        return self.sign_text(f"{self.name}\n{size}\n{base64.b64encode(root).decode()}\n")

    def sign_text(self, text: str) -> str:
        """Return a signed note of whole lines of text; a first line with this name would make it a checkpoint."""
        blob = _key_id(self.name, self._public) + self._private.sign(text.encode())
        return f"{text}\n{_DASH}{self.name} {base64.b64encode(blob).decode()}\n"


def read(note: str, verifier: str) -> Checkpoint:
    """Return the checkpoint of a note that the verifier key signed; raises CheckpointInvalid."""
    return _parse(opened(note, verifier), _verifier(verifier)[0])


def opened(note: str, verifier: str) -> str:
    """Return the text of a note that the verifier key signed.

    Signatures of unknown keys are passed over; a wrong one of the known key, or none, raises CheckpointInvalid, as
    does any departure from the format.
    """
    _check_characters(note)
    name, key_id, public = _verifier(verifier)
    text, gap, tail = note.rpartition("\n\n")
    if not gap or not tail.endswith("\n"):
        raise CheckpointInvalid("The checkpoint has no signature part.")
    text += "\n"
    lines = tail.removesuffix("\n").split("\n")
    if len(lines) > _MOST_SIGNATURES:
        raise CheckpointInvalid("The checkpoint has too many signatures.")
    verified = False
    for line in lines:
        who, blob = _signature(line)
        if who != name or blob[:4] != key_id:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(blob[4:], text.encode())
        except InvalidSignature:
            raise CheckpointInvalid("The signature of the checkpoint is wrong.") from None
        verified = True
    if not verified:
        raise CheckpointInvalid("The checkpoint is not signed by the known key.")
    return text


def _check_characters(text: str) -> None:
    if any((ord(one) < 0x20 and one != "\n") or 0xD800 <= ord(one) < 0xE000 for one in text):
        raise CheckpointInvalid("The checkpoint holds a control character or half a character.")


def _parse(text: str, name: str) -> Checkpoint:
    lines = text.split("\n")
    if len(lines) < 4 or lines[0] != name:
        raise CheckpointInvalid("The checkpoint is of another log.")
    digits = lines[1]
    plain = digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS
    if not plain or (digits[0] == "0" and digits != "0"):
        raise CheckpointInvalid("The size of the checkpoint is not a plain number.")
    root = _decode(lines[2])
    if len(root) != 32:
        raise CheckpointInvalid("The root of the checkpoint does not have 32 bytes.")
    return Checkpoint(lines[0], int(digits), root)


def _signature(line: str) -> tuple[str, bytes]:
    if not line.startswith(_DASH):
        raise CheckpointInvalid("A signature line does not begin with a dash.")
    name, space, text = line[len(_DASH) :].partition(" ")
    blob = _decode(text)
    if not space or not name or len(blob) < 5:
        raise CheckpointInvalid("A signature line cannot be read.")
    return name, blob


def _verifier(text: str) -> tuple[str, bytes, bytes]:
    _check_characters(text)
    name, _, rest = text.partition("+")
    key_id, _, key = rest.partition("+")
    raw = _decode(key)
    if len(raw) != 33 or raw[:1] != _ED25519 or _key_id(name, raw[1:]).hex() != key_id:
        raise CheckpointInvalid("The verifier key cannot be read.")
    return name, bytes.fromhex(key_id), raw[1:]


def _decode(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise CheckpointInvalid("A part of the checkpoint is not base64.") from None
    if base64.b64encode(raw).decode() != text:
        raise CheckpointInvalid("A part of the checkpoint is not canonical base64.")
    return raw


def _key_id(name: str, public: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]


def _make(place: Path) -> None:
    """Write a new key whole; when another process of the home was faster, its key stays."""
    raw = Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    incoming = place.with_name(f".{place.name}.{os.getpid()}")
    handle = os.open(incoming, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as target:
            target.write(raw)
        os.link(incoming, place)
    except FileExistsError:
        return
    finally:
        incoming.unlink()
