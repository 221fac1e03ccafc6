"""Pages as tests read them: their tables, links, forms and text."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

from typing_extensions import override

_VOID = frozenset({"br", "hr", "img", "input", "link", "meta", "path", "line", "circle", "rect"})
_SILENT = frozenset({"script", "style", "template"})


@dataclass
class Element:
    """An element with what it holds."""

    tag: str
    attributes: dict[str, str]
    children: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Its text, with white space as it is shown."""
        return " ".join("".join(self._texts()).split())

    @property
    def exact(self) -> str:
        """Its text as it stands, as a button that copies takes it."""
        return "".join(child if isinstance(child, str) else child.exact for child in self.children)

    def all(self, tag: str | None = None, **attributes: str) -> list[Element]:
        """The elements in it with a tag and attributes; `class_` is a class among others."""
        found = []
        for child in self.children:
            if isinstance(child, Element):
                if child.fits(tag, attributes):
                    found.append(child)
                found += child.all(tag, **attributes)
        return found

    def one(self, tag: str | None = None, **attributes: str) -> Element:
        """The only such element."""
        (found,) = self.all(tag, **attributes)
        return found

    def fits(self, tag: str | None, attributes: dict[str, str]) -> bool:
        """Whether it has this tag and these attributes."""
        if tag is not None and self.tag != tag:
            return False
        for name, value in attributes.items():
            given = self.attributes.get(name.strip("_").replace("_", "-"))
            if given is None or (
                value not in given.split() if name == "class_" else value != given
            ):
                return False
        return True

    def rows(self) -> list[dict[str, str]]:
        """A table's rows as text by the words of its head."""
        head = [cell.text for cell in self.one("thead").all("th")]
        return [
            dict(zip(head, [cell.text for cell in row.cells()], strict=True))
            for row in self.one("tbody").all("tr")
        ]

    def cells(self) -> list[Element]:
        """The cells of a row."""
        return [
            child
            for child in self.children
            if isinstance(child, Element) and child.tag in {"td", "th"}
        ]

    def _texts(self) -> list[str]:
        texts: list[str] = []
        for child in self.children:
            if isinstance(child, str):
                texts.append(child)
            elif child.tag not in _SILENT:
                texts += [
                    *child._texts(),
                    " " if child.tag in {"td", "th", "p", "dt", "dd"} else "",
                ]
        return texts


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("document", {})
        self._open = [self.root]

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(element)
        if tag not in _VOID:
            self._open.append(element)

    @override
    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open[-1].children.append(Element(tag, {name: value or "" for name, value in attrs}))

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        while len(self._open) > 1:
            if self._open.pop().tag == tag:
                return

    @override
    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


def read(text: str) -> Element:
    """The elements of a page."""
    reader = _Reader()
    reader.feed(text)
    return reader.root
