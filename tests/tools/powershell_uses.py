"""What a text of PowerShell uses of .NET and of PowerShell: types, their members, commands and their parameters.

Of a member that is asked of a value, the type is not in the text: it stands with the type "". So do the keys of tables
and the properties of objects that the text made itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import tree_sitter_powershell
from tree_sitter import Language, Node, Parser

__all__ = ["Uses", "uses_of"]

PARSER = Parser(Language(tree_sitter_powershell.language()))
SHORT = {
    "string": "System.String", "char": "System.Char", "byte": "System.Byte", "int": "System.Int32", "long": "System.Int64", "uint32": "System.UInt32",
    "bool": "System.Boolean", "object": "System.Object", "array": "System.Array", "hashtable": "System.Collections.Hashtable",
    "nullstring": "System.Management.Automation.Language.NullString",
    "scriptblock": "System.Management.Automation.ScriptBlock", "psobject": "System.Management.Automation.PSObject", "xml": "System.Xml.XmlDocument",
    "switch": "System.Management.Automation.SwitchParameter", "datetime": "System.DateTime", "version": "System.Version", "regex": "System.Text.RegularExpressions.Regex",
    "pscustomobject": "System.Management.Automation.PSObject", "ordered": "System.Collections.Specialized.OrderedDictionary", "double": "System.Double",
    "cimsession": "Microsoft.Management.Infrastructure.CimSession", "guid": "System.Guid", "ref": "System.Management.Automation.PSReference",
    "math": "System.Math", "convert": "System.Convert", "environment": "System.Environment", "bitconverter": "System.BitConverter",
    "timespan": "System.TimeSpan", "uri": "System.Uri", "type": "System.Type", "securestring": "System.Security.SecureString",
}  # fmt: skip
"""PowerShell's own short names, as Microsoft's about_Type_Accelerators has them, and System's types without it."""


@dataclass
class Uses:
    types: set[str] = field(default_factory=set)
    members: set[tuple[str, str]] = field(default_factory=set)
    """(type, member): static ones with the type's full name, others with ""."""
    commands: dict[str, set[str]] = field(default_factory=dict)

    def add(self, other: Uses) -> None:
        self.types |= other.types
        self.members |= other.members
        for command, parameters in other.commands.items():
            self.commands.setdefault(command, set()).update(parameters)


def uses_of(script: str) -> Uses:
    uses = Uses()
    for node in _nodes(PARSER.parse(script.encode()).root_node):
        if (
            node.type == "type_spec"
            and node.parent is not None
            and node.parent.type in ("type_literal", "generic_type_arguments")
        ):
            uses.types |= set(_names(_text(node)))
        elif node.type in ("member_access", "invokation_expression"):
            _add_member(uses, node)
        elif node.type == "command":
            _add_command(uses, node)
    return uses


def _add_member(uses: Uses, node: Node) -> None:
    name = next((_text(child) for child in node.children if child.type == "member_name"), "")
    owner = node.children[0]
    is_static = owner.type == "type_literal" and any(_text(child) == "::" for child in node.children)
    if re.fullmatch(r"\w+", name):
        uses.members.add((next(iter(_names(_text(owner)[1:-1]))) if is_static else "", name))


def _add_command(uses: Uses, node: Node) -> None:
    name = next((_text(child) for child in node.children if child.type == "command_name"), "")
    if not re.fullmatch(r"[A-Z]\w+-\w+", name):
        return
    parameters = uses.commands.setdefault(name, set())
    for elements in node.children:
        if elements.type == "command_elements":
            parameters |= {_text(child).strip("-:") for child in elements.children if child.type == "command_parameter"}
    if name == "New-Object":
        uses.types |= {f"COM {found}" for found in re.findall(r"-ComObject\s+'?([\w.]+)", _text(node))}
        uses.types |= set(re.findall(r"-TypeName\s+'?([A-Z][\w.]+)", _text(node)))


def _names(text: str) -> Iterator[str]:
    """List[string] is two types: System.Collections.Generic.List, System.String."""
    for name in re.findall(r"[A-Za-z_][\w.]*", text):
        yield SHORT.get(name.lower(), name if "." in name else f"System.{name}")


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _nodes(child)


def _text(node: Node) -> str:
    return node.text.decode() if node.text is not None else ""
