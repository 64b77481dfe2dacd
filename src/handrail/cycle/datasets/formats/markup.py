"""Reads XML that strangers wrote: no DTD, no entities of its own, nothing loaded, bounded in depth and size. Pure.

Python's own parser (expat) does the reading; what makes XML dangerous (a document type, entities that grow or fetch)
is refused where it is declared, so that no part of it is ever expanded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from handrail.foundation.errors import Invalid

MAX_BYTES = 4 << 20
MAX_TAGS = 50_000
MAX_DEPTH = 100


class MarkupInvalid(Invalid):
    """The text is not the XML that is asked for, or holds what is never read (a document type, entities)."""

    code = "datasets.markup_invalid"


@dataclass(slots=True)
class Tag:
    """One element: its name, attributes, line (from 1), children, and the text directly inside it."""

    name: str
    attributes: dict[str, str]
    line: int = 0
    children: list[Tag] = field(default_factory=list)
    text: str = ""

    def get(self, name: str, otherwise: str = "") -> str:
        """Return an attribute, found whatever its letters' case, as the field's tools do."""
        if name in self.attributes:
            return self.attributes[name]
        wanted = name.lower()
        return next((value for key, value in self.attributes.items() if key.lower() == wanted), otherwise)

    def walk(self) -> Iterator[Tag]:
        """Yield this element and everything below it, in the order of the document."""
        yield self
        for child in self.children:
            yield from child.walk()

    def child(self, name: str) -> Tag | None:
        """Return the first child of this name, or None."""
        return next((one for one in self.children if one.name == name), None)

    def said(self, name: str) -> str:
        """Return the text of the first child of this name, without the space around it."""
        found = self.child(name)
        return "" if found is None else found.text.strip()


class _Reader:
    def __init__(self) -> None:
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._refuse_type
        self.parser.EntityDeclHandler = self._refuse_entity
        self.open: list[Tag] = []
        self.root: Tag | None = None
        self.tags = 0

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.tags += 1
        line = self.parser.CurrentLineNumber
        if self.tags > MAX_TAGS or len(self.open) >= MAX_DEPTH:
            raise MarkupInvalid(f"Line {line}: the document has too many tags or is nested too deeply.", line=line)
        made = Tag(name, dict(attributes), line)
        if self.open:
            self.open[-1].children.append(made)
        else:
            self.root = made
        self.open.append(made)

    def _end(self, name: str) -> None:
        self.open.pop()

    def _text(self, text: str) -> None:
        if self.open:
            self.open[-1].text += text

    def _refuse_type(self, *_: object) -> None:
        self._refuse("a document type (DTD)")

    def _refuse_entity(self, *_: object) -> None:
        self._refuse("an entity of its own")

    def _refuse(self, what: str) -> None:
        line = self.parser.CurrentLineNumber
        raise MarkupInvalid(
            f"Line {line}: the document declares {what}, which is never read.",
            hint="Remove the declaration; a plain document needs none.",
            line=line,
        )


def read_markup(text: bytes | str) -> Tag:
    """Return the root element of a document; raises MarkupInvalid with the line of what is wrong."""
    content = text.encode() if isinstance(text, str) else text
    if len(content) > MAX_BYTES:
        raise MarkupInvalid(f"The document is larger than {MAX_BYTES >> 20} MiB.")
    reader = _Reader()
    try:
        reader.parser.Parse(content, True)
    except expat.ExpatError as error:
        why = expat.errors.messages.get(error.code, "is not XML")
        raise MarkupInvalid(f"Line {error.lineno}: {why}.", line=error.lineno) from None
    except (ValueError, LookupError):
        raise MarkupInvalid("The document says an encoding that is not known.") from None
    assert reader.root is not None  # expat refuses a document without an element
    return reader.root


def write_markup(tag: Tag, depth: int = 0) -> str:
    """Return an element as indented text that reads back as it is."""
    space = "  " * depth
    head = space + "<" + tag.name + "".join(f" {key}={quoteattr(value)}" for key, value in tag.attributes.items())
    if not tag.children:
        return head + (f">{escape(tag.text)}</{tag.name}>" if tag.text else "/>")
    inner = "\n".join(write_markup(one, depth + 1) for one in tag.children)
    return f"{head}>\n{inner}\n{space}</{tag.name}>"
