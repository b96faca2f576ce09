"""XML as .NET's XmlDocument reads and writes it, without its white space between elements.

The elements are ElementTree's. What that does not keep is kept beside them: how an element without content was closed,
CDATA, prefixes, the declaration. Written is what XmlTextWriter writes with Formatting.Indented: two spaces a level, none
where text stands among elements; the encoding is that of the declaration, and with UTF-8 named there comes a byte order
mark, with no declaration none.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from xml.etree import ElementTree
from xml.parsers import expat

__all__ = ["XmlDocument", "XmlNode"]

MARKS = {"utf-8": codecs.BOM_UTF8, "utf-16": codecs.BOM_UTF16_LE}
CODECS = {"utf-16": "utf-16-le"}


class XmlNode(ElementTree.Element):
    """closed: written as <x />. name: with its prefix. declared: (prefix, namespace) of its xmlns attributes.
    prefixed: names of attributes with their prefixes. cdata: its first text is CDATA.
    """

    closed = True
    name = ""
    cdata = False
    declared: tuple[tuple[str, str], ...] = ()
    prefixed: dict[str, str]


class XmlDocument:
    """Raises ElementTree.ParseError for what is no XML."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._declaration: tuple[str, str | None, int] | None = None
        self._before: list[ElementTree.Element] = []
        self._after: list[ElementTree.Element] = []
        self._stack: list[XmlNode] = []
        self._declared: list[tuple[str, str]] = []
        self._root: XmlNode | None = None
        self._parser = expat.ParserCreate(namespace_separator="}")
        self._parser.namespace_prefixes = True
        self._parser.buffer_text = True
        self._parser.XmlDeclHandler = self._on_declaration
        self._parser.StartNamespaceDeclHandler = lambda prefix, uri: self._declared.append((prefix or "", uri or ""))
        self._parser.StartElementHandler = self._on_start
        self._parser.EndElementHandler = self._on_end
        self._parser.CharacterDataHandler = self._on_text
        self._parser.StartCdataSectionHandler = self._on_cdata
        self._parser.CommentHandler = lambda text: self._add(ElementTree.Comment(text))
        try:
            self._parser.Parse(data, True)
        except expat.ExpatError as problem:
            raise ElementTree.ParseError(str(problem)) from None

    @property
    def root(self) -> XmlNode:
        assert self._root is not None
        return self._root

    def save(self) -> bytes:
        pieces = []
        encoding = ""
        if self._declaration:
            version, encoding, standalone = self._declaration[0], self._declaration[1] or "", self._declaration[2]
            text = f'version="{version}"' + (f' encoding="{encoding}"' if encoding else "")
            text += "" if standalone < 0 else f' standalone="{"yes" if standalone else "no"}"'
            pieces.append(f"<?xml {text}?>")
        for node in (*self._before, self.root, *self._after):
            pieces.append("".join(_written(node, level=0, mixed=False)))
        name = (encoding or "utf-8").lower()
        content = "\r\n".join(pieces).encode(CODECS.get(name, name), "xmlcharrefreplace")
        return (MARKS.get(name, b"") if encoding else b"") + content

    def _on_declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        self._declaration = (version, encoding, standalone)

    def _on_start(self, name: str, attributes: dict[str, str]) -> None:
        node = XmlNode(_tag(name), {_tag(key): value for key, value in attributes.items()})
        node.name, node.declared = _prefixed(name), tuple(self._declared)
        node.prefixed = {_tag(key): _prefixed(key) for key in attributes}
        node.closed = False
        self._declared.clear()
        self._add(node)
        self._stack.append(node)

    def _on_end(self, _name: str) -> None:
        """Expat stands behind an element that was closed in its tag, and before the closing tag of another one."""
        node = self._stack.pop()
        node.closed = self._data[: self._parser.CurrentByteIndex].endswith(b"/>") and not len(node) and not node.text

    def _on_cdata(self) -> None:
        self._stack[-1].cdata = not len(self._stack[-1])

    def _on_text(self, text: str) -> None:
        node = self._stack[-1]
        if not text.strip(" \t\r\n"):
            return
        if len(node):
            node[-1].tail = (node[-1].tail or "") + text
        else:
            node.text = (node.text or "") + text

    def _add(self, node: ElementTree.Element) -> None:
        if self._stack:
            self._stack[-1].append(node)
        elif isinstance(node, XmlNode):
            self._root = node
        else:
            (self._before if self._root is None else self._after).append(node)


def _tag(name: str) -> str:
    """ "uri}local}prefix" of expat is "{uri}local" of ElementTree."""
    parts = name.split("}")
    return name if len(parts) == 1 else f"{{{parts[0]}}}{parts[1]}"


def _prefixed(name: str) -> str:
    parts = name.split("}")
    return f"{parts[2]}:{parts[1]}" if len(parts) == 3 else parts[-1]


def _written(node: ElementTree.Element, *, level: int, mixed: bool) -> Iterator[str]:
    """mixed: there is text among the elements, so that no white space may be added."""
    if not isinstance(node.tag, str):
        yield f"<!--{node.text}-->"
        return
    name = getattr(node, "name", "") or node.tag.rpartition("}")[2]
    yield f"<{name}"
    for prefix, uri in getattr(node, "declared", ()):
        yield f' xmlns{":" if prefix else ""}{prefix}="{_attribute(uri)}"'
    for key, value in node.items():
        yield f' {getattr(node, "prefixed", {}).get(key, key.rpartition("}")[2])}="{_attribute(value)}"'
    if not len(node) and not node.text and getattr(node, "closed", True):
        yield " />"
        return
    yield ">"
    if node.text:
        mixed = True
        yield f"<![CDATA[{node.text}]]>" if getattr(node, "cdata", False) else _text(node.text)
    for child in node:
        if not mixed:
            yield "\r\n" + "  " * (level + 1)
        yield from _written(child, level=level + 1, mixed=mixed)
        if child.tail:
            mixed = True
            yield _text(child.tail)
    if not mixed:
        yield "\r\n" + "  " * level
    yield f"</{name}>"


def _text(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _attribute(text: str) -> str:
    return _text(text).replace('"', "&quot;").replace("\r", "&#xD;").replace("\n", "&#xA;")
