"""Mails as they are shown to people: plain words, with addresses, numbers, links and adult words masked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import Message
from html.parser import HTMLParser

SHOWN = 2_500
"""Characters of a mail that are kept."""
_LARGEST = 400_000
_MOST_PARTS = 50
_LINK = re.compile(r"(?:https?|ftp)://\S+|www\.\S+", re.IGNORECASE)
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*")
_NUMBER = re.compile(r"\+?\d[\d\s().-]{6,}\d")
_ADULT = re.compile(
    r"\b(?:sex\w*|porn\w*|xxx+|nude\w*|naked|penis\w*|fuck\w*|cock\w*|pussy|cum|slut\w*|whore\w*|tits?|erotic\w*|orgasm\w*)\b",
    re.IGNORECASE,
)
_SPACE = re.compile(r"\s+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_TAG = re.compile(r"^(?:\s*(?:re|fwd?)\s*:|\s*\[[^\]]{1,40}\])+", re.IGNORECASE)


@dataclass(frozen=True)
class Mail:
    """What is kept of a mail: `form` is html or plain, `links` a count, `capitals` and `marks` shares of characters."""

    title: str
    body: str
    form: str
    links: float
    characters: float
    capitals: float
    marks: float

    @property
    def data(self) -> dict[str, object]:
        """Its fields, by their names in the schema."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @property
    def near(self) -> str:
        """What near duplicates have in common: its letters, without case and numbers."""
        return re.sub(r"[^a-z]+", " ", self.body.lower())[:400] or self.title.lower()


def read_mail(content: bytes) -> Mail | None:
    """Return what is kept of a raw mail, None where it has no words; nothing of it is rendered, loaded or opened."""
    message = message_from_bytes(content[:_LARGEST], policy=policy.compat32)
    subject = _TAG.sub("", _words(str(message.get("subject", ""))))
    texts = list(_texts(message))
    html = any(kind == "html" for kind, _ in texts)
    raw = "\n".join(_without_tags(text) if kind == "html" else text for kind, text in texts)
    links = sum(len(_LINK.findall(text)) for _, text in texts)
    body = masked(raw)[:SHOWN]
    if not body and not subject:
        return None
    letters = [one for one in body if one.isalpha()]
    return Mail(
        title=masked(subject)[:300] or "(no subject)",
        body=body or "(no words)",
        form="html" if html else "plain",
        links=float(min(links, 200)),
        characters=float(len(raw)),
        capitals=round(sum(one.isupper() for one in letters) / max(len(letters), 1), 4),
        marks=round(sum(one in "!$%*" for one in body) / max(len(body), 1), 4),
    )


def masked(text: str) -> str:
    """Return a text on one line with links, addresses, long numbers and adult words masked; names stay."""
    text = _LINK.sub("[link]", _words(text))
    text = _NUMBER.sub("[number]", _ADDRESS.sub("[address]", text))
    return _ADULT.sub("[adult word]", text)


def _words(text: str) -> str:
    return _SPACE.sub(" ", _CONTROL.sub(" ", text)).strip()


def _texts(message: Message) -> Iterator[tuple[str, str]]:
    """Yield (plain or html, text) of each text part; attachments are not opened."""
    for number, part in enumerate(message.walk()):
        if number >= _MOST_PARTS or part.get_content_maintype() != "text":
            continue
        held = part.get_payload(decode=True)
        if isinstance(held, bytes):
            kind = "html" if part.get_content_subtype() == "html" else "plain"
            yield kind, _decoded(held, part.get_content_charset())


def _decoded(held: bytes, charset: str | None) -> str:
    """Return the text in its declared charset where that is one; old mail often declares none, or a wrong one."""
    for name in (charset, "utf-8"):
        try:
            return held.decode(name or "utf-8")
        except (LookupError, UnicodeDecodeError, ValueError):
            continue
    return held.decode("latin-1")


class _Words(HTMLParser):
    """Keeps the words between tags, but not those of scripts and styles."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.kept: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._silent = max(0, self._silent - (tag in ("script", "style")))

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.kept.append(data)


def _without_tags(text: str) -> str:
    reader = _Words()
    reader.feed(text[:100_000])
    reader.close()
    return " ".join(reader.kept)
