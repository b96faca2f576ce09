#!/bin/sh
# tree-sitter-powershell 0.26.4 finds errors in valid Windows PowerShell 5.1.
#
# Seen: the root node has an error where a switch or a function with a param block stands on one line, while the same with
# line breaks has none; where a script is a param block alone; with an attribute before an enum, and with a labelled
# loop, however they are broken. All are documented (about_Switch, about_Functions, about_Enum, about_Break).
# So a lint that takes has_error for "is no PowerShell" refuses good scripts, and depends on their line breaks.
# Expected: no error, as PowerShell's own parser finds none.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tree-sitter==0.26.1 tree-sitter-powershell==0.26.4
"$folder/venv/bin/python" - <<'PYTHON'
import tree_sitter_powershell
from tree_sitter import Language, Parser

parser = Parser(Language(tree_sitter_powershell.language()))
EXPECTED = {
    "switch ($x) { 'a' { 1 } default { 2 } }\n": True,
    "switch ($x) {\n 'a' { 1 }\n default { 2 }\n}\n": False,
    "function f { param($a) $a }\n": True,
    "function f {\n param($a)\n $a\n}\n": False,
    "param([string] $Name)\n": True,
    "param([string] $Name)\n$Name\n": False,
    "[Flags()]\nenum E {\n a\n}\n": True,
    "enum E {\n a\n}\n": False,
    ":outer foreach ($i in 1) {\n break outer\n}\n": True,
    "foreach ($i in 1) {\n break\n}\n": False,
}
for text, error in EXPECTED.items():
    seen = parser.parse(text.encode()).root_node.has_error
    print(f"{'error' if seen else 'none':6} {text!r}")
    assert seen == error, "changed"
PYTHON
