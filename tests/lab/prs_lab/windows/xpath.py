"""XPath 1.0 over ElementTree, as far as configuration files need it: location paths with predicates.

Understood: ``/a/b``, ``//b``, ``*``, ``.``, ``@name``, ``@*``, ``text()``; predicates with paths, strings, numbers (a
position), ``=``, ``!=``,
``and``, ``or``, ``not()``, ``contains()``, ``starts-with()``, ``count()``, ``last()``. Anything else raises
``UnknownXPath``: it is not guessed at.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from typing import Any

__all__ = ["UnknownXPath", "select"]

Element = ElementTree.Element
_TOKEN = re.compile(
    r"""\s*(?:(?P<literal>"[^"]*"|'[^']*')|(?P<number>\d+(?:\.\d+)?)|(?P<operator>//|!=|::|\.\.|[/@\[\]().,=*|<>+])|(?P<name>[A-Za-z_][\w.-]*))"""
)
_FUNCTIONS = {"not": 1, "contains": 2, "starts-with": 2, "count": 1, "last": 0, "text": 0, "position": 0}


class UnknownXPath(Exception):
    """The expression is beyond what is understood here, or no XPath at all."""


def select(root: Element, expression: str) -> list[Element]:
    """The elements that an absolute path finds, in document order."""
    found = _Parser(_tokens(expression)).whole().nodes(_Context(node=_Document(root), position=1, size=1))
    if not all(isinstance(node, Element) for node in found):
        raise UnknownXPath(f"{expression} finds something else than elements")
    order = {id(node): number for number, node in enumerate(root.iter())}
    return sorted({id(node): node for node in found}.values(), key=lambda node: order[id(node)])


@dataclass(frozen=True)
class _Document:
    root: Element


@dataclass(frozen=True)
class _Context:
    node: Any
    position: int
    size: int


@dataclass(frozen=True)
class _Step:
    """``axis``: child, descendant (of a ``//``), attribute or self; ``test`` a name, ``*`` or ``text()``."""

    axis: str
    test: str
    predicates: tuple[Any, ...]

    def apply(self, node: Any) -> list[Any]:
        found = self._candidates(node)
        for predicate in self.predicates:
            kept = []
            for position, candidate in enumerate(found, 1):
                value = predicate.value(_Context(node=candidate, position=position, size=len(found)))
                if position == value if isinstance(value, float) else _truth(value):
                    kept.append(candidate)
            found = kept
        return found

    def _candidates(self, node: Any) -> list[Any]:
        if self.axis == "self":
            return [node]
        if not isinstance(node, (Element, _Document)):
            return []
        if self.axis == "attribute":
            values = node.attrib if isinstance(node, Element) else {}
            return list(values.values()) if self.test == "*" else [values[self.test]] if self.test in values else []
        if self.test == "text()":
            return (
                []
                if isinstance(node, _Document)
                else [text for text in (node.text, *(child.tail for child in node)) if text]
            )
        children = [node.root] if isinstance(node, _Document) else list(node)
        # A comment's tag is a function, not a name.
        return [child for child in children if isinstance(child.tag, str) and self.test in ("*", child.tag)]


@dataclass(frozen=True)
class _Path:
    absolute: bool
    steps: tuple[_Step | str, ...]

    def nodes(self, context: _Context) -> list[Any]:
        nodes = [context.node]
        for step in self.steps:
            step_nodes = _self_and_below if step == "//" else step.apply  # type: ignore[union-attr]
            nodes = [found for node in nodes for found in step_nodes(node)]
        return nodes

    def value(self, context: _Context) -> Any:
        return self.nodes(context)


@dataclass(frozen=True)
class _Constant:
    constant: str | float

    def value(self, context: _Context) -> Any:
        return self.constant


@dataclass(frozen=True)
class _Operation:
    operator: str
    left: Any
    right: Any

    def value(self, context: _Context) -> Any:
        if self.operator == "and":
            return _truth(self.left.value(context)) and _truth(self.right.value(context))
        if self.operator == "or":
            return _truth(self.left.value(context)) or _truth(self.right.value(context))
        left, right = self.left.value(context), self.right.value(context)
        pairs = [(one, other) for one in _each(left) for other in _each(right)]
        return any((one == other) == (self.operator == "=") for one, other in pairs)


@dataclass(frozen=True)
class _Call:
    function: str
    arguments: tuple[Any, ...]

    def value(self, context: _Context) -> Any:
        values = [argument.value(context) for argument in self.arguments]
        if self.function == "not":
            return not _truth(values[0])
        if self.function == "contains":
            return _text(values[1]) in _text(values[0])
        if self.function == "starts-with":
            return _text(values[0]).startswith(_text(values[1]))
        if self.function == "count":
            return float(len(values[0]))
        return float(context.size if self.function == "last" else context.position)


class _Parser:
    def __init__(self, tokens: list[str]):
        self._tokens = tokens
        self._at = 0

    def whole(self) -> _Path:
        path = self._path()
        if self._peek() or not path.absolute:
            raise UnknownXPath(f"{''.join(self._tokens)}: an absolute path is needed")
        return path

    def _peek(self, ahead: int = 0) -> str:
        return self._tokens[self._at + ahead] if self._at + ahead < len(self._tokens) else ""

    def _take(self, wanted: str = "") -> str:
        token = self._peek()
        if not token or (wanted and token != wanted):
            raise UnknownXPath(f"{''.join(self._tokens)}: expected {wanted or 'more'} at {token or 'the end'}")
        self._at += 1
        return token

    def _path(self) -> _Path:
        absolute = self._peek() in ("/", "//")
        steps: list[_Step | str] = []
        if absolute and self._take() == "//":
            steps.append("//")
        while True:
            steps.append(self._step())
            if self._peek() not in ("/", "//"):
                return _Path(absolute, tuple(steps))
            if self._take() == "//":
                steps.append("//")

    def _step(self) -> _Step:
        axis = "child"
        if self._peek() == ".":
            self._take()
            return _Step("self", "*", self._predicates())
        if self._peek() == "@":
            self._take()
            axis = "attribute"
        test = self._take()
        if test == "text" and self._peek() == "(":
            self._take("(")
            self._take(")")
            test = "text()"
        elif test != "*" and not re.match(r"[A-Za-z_]", test):
            raise UnknownXPath(f"{''.join(self._tokens)}: {test} is no name")
        return _Step(axis, test, self._predicates())

    def _predicates(self) -> tuple[Any, ...]:
        found = []
        while self._peek() == "[":
            self._take()
            found.append(self._or())
            self._take("]")
        return tuple(found)

    def _or(self) -> Any:
        left = self._and()
        while self._peek() == "or":
            self._take()
            left = _Operation("or", left, self._and())
        return left

    def _and(self) -> Any:
        left = self._equal()
        while self._peek() == "and":
            self._take()
            left = _Operation("and", left, self._equal())
        return left

    def _equal(self) -> Any:
        left = self._primary()
        while self._peek() in ("=", "!="):
            left = _Operation(self._take(), left, self._primary())
        return left

    def _primary(self) -> Any:
        token = self._peek()
        if token[:1] in ("'", '"'):
            return _Constant(self._take()[1:-1])
        if token[:1].isdigit():
            return _Constant(float(self._take()))
        if token == "(":
            self._take()
            inside = self._or()
            self._take(")")
            return inside
        if self._peek(1) == "(" and token != "text":
            return self._call()
        return self._path()

    def _call(self) -> _Call:
        name = self._take()
        if name not in _FUNCTIONS:
            raise UnknownXPath(f"the function {name}() is not understood")
        self._take("(")
        arguments = []
        while self._peek() != ")":
            arguments.append(self._or())
            if self._peek() == ",":
                self._take()
        self._take(")")
        if len(arguments) != _FUNCTIONS[name]:
            raise UnknownXPath(f"{name}() takes {_FUNCTIONS[name]} arguments")
        return _Call(name, tuple(arguments))


def _tokens(expression: str) -> list[str]:
    tokens, position = [], 0
    while position < len(expression.rstrip()):
        found = _TOKEN.match(expression, position)
        if not found or found[0].strip() in ("::", "..", "|", "<", ">", "+"):
            raise UnknownXPath(f"{expression}: not understood from {expression[position:]!r} on")
        tokens.append(found[0].strip())
        position = found.end()
    return tokens


def _self_and_below(node: Any) -> list[Any]:
    if isinstance(node, _Document):
        return [node, *node.root.iter()]
    return list(node.iter()) if isinstance(node, Element) else [node]


def _text(value: Any) -> str:
    """XPath's string(): of a node set, of its first node."""
    if isinstance(value, list):
        return _text(value[0]) if value else ""
    return "".join(value.itertext()) if isinstance(value, Element) else str(value)


def _each(value: Any) -> list[str]:
    return [_text(item) for item in value] if isinstance(value, list) else [_text(value)]


def _truth(value: Any) -> bool:
    return bool(value)
