"""Checkpoints: the C2SP forms, and every departure from them refused."""

from __future__ import annotations

import base64
import stat
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from handrail.foundation.journal.checkpoint import Checkpoint, CheckpointInvalid, KeyUnreadable, Signer, read

NAME = "example.org/log"
OURS = Signer(NAME, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
THEIRS = Signer("example.org/witness", Ed25519PrivateKey.from_private_bytes(bytes(32)))
ROOT = sha256(b"root").digest()
PLAIN = base64.b64encode(ROOT).decode()


def signed(text: str, *, signer: Signer = OURS) -> str:
    """Return a signature line over any text."""
    blob = base64.b64decode(signer.verifier.split("+", 2)[2])
    key_id = sha256(f"{signer.name}\n".encode() + blob).digest()[:4]
    return f"\u2014 {signer.name} {base64.b64encode(key_id + signer._private.sign(text.encode())).decode()}\n"


def note(text: str, *signatures: str) -> str:
    return f"{text}\n{''.join(signatures or (signed(text),))}"


def body(size: str = "5", root: str = PLAIN, *, origin: str = NAME, more: str = "") -> str:
    return f"{origin}\n{size}\n{root}\n{more}"


def test_what_was_signed_is_read() -> None:
    assert read(OURS.sign(5, ROOT), OURS.verifier) == Checkpoint(NAME, 5, ROOT)
    assert read(OURS.sign(0, ROOT), OURS.verifier).size == 0
    assert OURS.sign(5, ROOT) == note(body()), "the form is the published one"
    assert read(note(body(size=str(2**63))), OURS.verifier).size == 2**63


def test_the_published_example_of_the_form() -> None:
    """A known answer for key id and signature: the example of the signed-note package of the Go project."""
    text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
    blob = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    line = f"\u2014 PeterNeumann {blob}\n"
    key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    with pytest.raises(CheckpointInvalid, match="of another log"):  # the signature is right, the text no checkpoint
        read(note(text, line), key)
    with pytest.raises(CheckpointInvalid, match="signature of the checkpoint is wrong"):
        read(note(text.replace("you", "yov"), line), key)


def test_signatures_of_unknown_keys_are_passed_over() -> None:
    text = body()
    cosigned = signed(text, signer=THEIRS)
    wrong = signed("something else\n", signer=THEIRS)
    newer = f"\u2014 example.org/newer {base64.b64encode(bytes(100)).decode()}\n"
    same_name = f"\u2014 {NAME} {base64.b64encode(bytes(68)).decode()}\n"  # another key of the same name
    for others in ([cosigned], [wrong], [newer], [same_name], [newer, wrong, cosigned, same_name] * 6):
        assert read(note(text, *others, signed(text)), OURS.verifier).size == 5
        assert read(note(text, signed(text), *others), OURS.verifier).size == 5
        with pytest.raises(CheckpointInvalid, match="not signed by the known key"):
            read(note(text, *others), OURS.verifier)
    assert read(note(text, cosigned, signed(text)), OURS.verifier).root == ROOT


def test_a_wrong_signature_of_the_known_key_spoils_the_right_one() -> None:
    text, other = body(), body("6")
    for signatures in ([signed(other)], [signed(text), signed(other)], [signed(other), signed(text)]):
        with pytest.raises(CheckpointInvalid, match="signature of the checkpoint is wrong"):
            read(note(text, *signatures), OURS.verifier)
    short = base64.b64encode(base64.b64decode(signed(text).split(" ")[2])[:40]).decode()
    with pytest.raises(CheckpointInvalid, match="wrong"):
        read(note(text, f"\u2014 {NAME} {short}\n"), OURS.verifier)


@pytest.mark.parametrize(
    "size", ["05", "00", "", "-1", "+5", " 5", "5 ", "5.0", "0x5", "5e3", "\u0665", "five", "9" * 5000]
)
def test_a_size_that_is_no_plain_number_is_refused(size: str) -> None:
    with pytest.raises(CheckpointInvalid, match="size"):
        read(note(body(size)), OURS.verifier)


def _other_ending(text: str) -> str:
    """Return base64 of the same bytes whose last unused bits are not zero."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    bare = text.rstrip("=")
    other = bare[:-1] + letters[letters.index(bare[-1]) ^ 1] + "=" * (len(text) - len(bare))
    assert base64.b64decode(other) == base64.b64decode(text)
    return other


@pytest.mark.parametrize(
    "root",
    [
        _other_ending(PLAIN),
        PLAIN.rstrip("="),
        PLAIN + "=",
        PLAIN + " ",
        PLAIN[:10] + " " + PLAIN[10:],
        base64.urlsafe_b64encode(b"\xff" * 32).decode(),
        base64.b64encode(ROOT[:-1]).decode(),
        base64.b64encode(ROOT + b"\0").decode(),
        "",
        ROOT.hex(),
    ],
)
def test_a_root_in_another_form_is_refused(root: str) -> None:
    with pytest.raises(CheckpointInvalid):
        read(note(body(root=root)), OURS.verifier)


def test_a_signature_in_another_form_is_refused() -> None:
    text = body()
    good = signed(text)
    blob = good.split(" ")[2].strip()
    bad = [
        good.replace(blob, _other_ending(blob)),
        good.replace(blob, blob.rstrip("=")),
        good.replace("\u2014", "-"),
        good.replace("\u2014 ", "\u2014"),
        good.replace(f" {blob}", f"  {blob}"),
        good.replace(f" {blob}", ""),
        f"\u2014  {blob}\n",
        f"{good}\n",
        f"{good}hello\n",
        f"\u2014 x {base64.b64encode(b'1234').decode()}\n{good}",
    ]
    for line in bad:
        with pytest.raises(CheckpointInvalid):
            read(note(text, line), OURS.verifier)
    with pytest.raises(CheckpointInvalid):
        read(note(text)[:-1], OURS.verifier)
    with pytest.raises(CheckpointInvalid, match="too many"):
        read(note(text, *[signed(text, signer=THEIRS)] * 200, good), OURS.verifier)


@pytest.mark.parametrize("character", ["\r", "\t", "\0", "\x1b"])
def test_control_characters_are_refused_wherever_they_stand(character: str) -> None:
    whole = note(body())
    for place in range(0, len(whole), 9):
        with pytest.raises(CheckpointInvalid):
            read(whole[:place] + character + whole[place:], OURS.verifier)
    with pytest.raises(CheckpointInvalid, match="control"):
        read(note(body(more=f"more{character}\n")), OURS.verifier)


def test_the_text_ends_at_the_last_empty_line() -> None:
    assert read(note(body(more="an extension\n")), OURS.verifier).size == 5
    other = body("6")
    inner = f"{other}\n{signed(other)}"  # a whole signed note as the text of another one
    found = read(note(inner), OURS.verifier)
    assert found.size == 6
    with pytest.raises(CheckpointInvalid):
        read(f"{body('7')}\n{inner}", OURS.verifier)
    for text in ("", "\n", "\n\n", f"{NAME}\n", "hello", body()):
        with pytest.raises(CheckpointInvalid):
            read(text, OURS.verifier)


def test_a_checkpoint_of_another_log_is_refused_though_the_key_signed_it() -> None:
    with pytest.raises(CheckpointInvalid, match="another log"):
        read(note(body(origin="example.org/other")), OURS.verifier)


def test_every_changed_character_is_found() -> None:
    whole = OURS.sign(12345, ROOT)
    for place in range(len(whole)):
        changed = whole[:place] + chr(ord(whole[place]) ^ 1) + whole[place + 1 :]
        with pytest.raises(CheckpointInvalid):
            read(changed, OURS.verifier)


@pytest.mark.parametrize(
    "verifier",
    [
        "",
        NAME,
        f"{NAME}+00000000",
        OURS.verifier.replace("example", "exemple"),
        OURS.verifier[:-4],
        OURS.verifier + "A",
        OURS.verifier.upper(),
        f"{NAME}+{'0' * 8}+{OURS.verifier.split('+', 2)[2]}",
    ],
)
def test_a_broken_verifier_key_is_refused(verifier: str) -> None:
    with pytest.raises(CheckpointInvalid):
        read(OURS.sign(5, ROOT), verifier)


def test_the_key_of_a_home_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    first = Signer.of_home(tmp_path)
    (place,) = tmp_path.iterdir()
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert len(place.read_bytes()) == 32
    again = Signer.of_home(tmp_path)
    assert again.verifier == first.verifier
    assert read(first.sign(3, ROOT), again.verifier).size == 3
    assert first.name.startswith("handrail.local/")
    assert "+" not in first.name


def test_a_key_that_cannot_be_read_is_told_and_not_replaced(tmp_path: Path) -> None:
    Signer.of_home(tmp_path)
    (place,) = tmp_path.iterdir()
    for content in (b"", b"short", bytes(33)):
        place.write_bytes(content)
        with pytest.raises(KeyUnreadable):
            Signer.of_home(tmp_path)
        assert place.read_bytes() == content
    place.unlink()
    place.mkdir()
    with pytest.raises(KeyUnreadable):
        Signer.of_home(tmp_path)
    with pytest.raises(KeyUnreadable):
        Signer.of_home(tmp_path / "no such folder")
