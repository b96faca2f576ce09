"""Misspelt variables are told, with what was meant; those of the example inventories are all known."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible_collections.prs.recovery.plugins.lookup import unknown_variables
from ansible_collections.prs.recovery.plugins.lookup.unknown_variables import LookupModule, known_names, unknown

ROOT = Path(__file__).parents[4]


def looked(variables: dict[str, object], **options: bool) -> list[str]:
    lookup = LookupModule(loader=DataLoader())
    lookup._load_name = "prs.recovery.unknown_variables"
    return lookup.run([], variables=variables, **options)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("prs_bakup_keep", "prs_backup_keep"),
        ("prs_alow_data_loss", "prs_allow_data_loss"),
        ("prs_sahre_path", "prs_share_path"),
    ],
)
def test_a_misspelt_name_is_told_with_the_near_one(name: str, said: str):
    [sentence] = looked({name: 1, "prs_share_path": "x", "other": 2})
    assert sentence.startswith(f"{name} is no variable")
    assert said in sentence


def test_the_command_line_can_be_looked_at_alone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(
        unknown_variables,
        "load_extra_vars",
        lambda _loader: {"prs_bakup_type": "log", "prs_share_path": "x", "mine": 1},
    )
    assert [sentence.split()[0] for sentence in looked({"prs_of_the_inventory": 1}, extra_vars=True)] == [
        "prs_bakup_type"
    ]


def test_a_name_that_nothing_is_near():
    assert unknown(["prs_zzz"], known=["prs_share_path"]) == [
        "prs_zzz is no variable of this collection, so nothing reads it."
    ]


@pytest.mark.parametrize("inventory", ["two_sites", "single_server"])
def test_what_the_examples_set_is_known(inventory: str):
    files = (ROOT / "inventory.example" / inventory).rglob("*.yml")
    names = {
        name for file in files for name in yaml.safe_load(file.read_text(encoding="utf-8")) if name.startswith("prs_")
    }
    assert names
    assert names <= known_names()
