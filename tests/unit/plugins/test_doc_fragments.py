"""A doc fragment and its argument spec carry one name, and say the same of every option."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
import yaml

COLLECTION = "ansible_collections.prs.recovery.plugins"
FOLDER = Path(__file__).resolve().parents[3] / "plugins" / "doc_fragments"
WHERE = {
    "backup_encryption": "_sql.instance.backup_encryption",
    "recovery_place": "_winrm.recovery_set.repository",
    "retention": "_core.retention_rules",
    "sql_connection": "_sql.module",
    "table_rows": "_backup_files.tables",
    "sql_partner": "_sql.connection.partner",
    "winrm_connection": "_winrm.connection.options",
}
"""Fragment -> the module that declares what it describes."""


def fragments() -> list[tuple[str, str]]:
    """Name and section of every fragment that describes options."""
    found = []
    for path in sorted(FOLDER.glob("*.py")):
        made = importlib.import_module(f"{COLLECTION}.doc_fragments.{path.stem}").ModuleDocFragment
        found += [
            (path.stem, name)
            for name, text in vars(made).items()
            if name.isupper() and yaml.safe_load(text).get("options")
        ]
    return found


def spec_of(name: str, section: str) -> dict[str, Any]:
    module = importlib.import_module(f"{COLLECTION}.module_utils.{WHERE[name]}")
    if (name, section) == ("retention", "COPY"):
        return module.retention_argument_spec("copy_retention")
    added = "" if section == "DOCUMENTATION" else f"_{section.lower()}"
    return getattr(module, f"{name}{added}_argument_spec")()


def described(options: dict[str, Any]) -> dict[str, Any]:
    """What a fragment says, in the words of an argument spec."""
    words = ("type", "elements", "required", "default", "choices", "aliases")
    return {
        name: {word: option[word] for word in words if word in option}
        | ({"options": described(option["suboptions"])} if "suboptions" in option else {})
        for name, option in options.items()
    }


def declared(spec: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {word: value for word, value in option.items() if word not in ("no_log", "options", "fallback")}
        | ({"options": declared(option["options"])} if "options" in option else {})
        for name, option in spec.items()
    }


@pytest.mark.parametrize(("name", "section"), fragments())
def test_a_fragment_describes_what_the_spec_of_its_name_declares(name, section):
    made = importlib.import_module(f"{COLLECTION}.doc_fragments.{name}").ModuleDocFragment
    assert described(yaml.safe_load(getattr(made, section))["options"]) == declared(spec_of(name, section))
