from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._sql.restore.options import RestoreOptions, RestoreSource
from ansible_collections.prs.recovery.plugins.modules import sql_restore


def defaults(spec):
    """What a task gets that says nothing of its own, as AnsibleModule fills it in."""
    return {
        name: defaults(option["options"]) if option.get("default") == {} else option.get("default")
        for name, option in spec.items()
    }


def given(**options):
    spec = sql_restore.argument_spec()
    source = {**defaults(sql_restore.source_options()), **options.pop("source", {})}
    return {**defaults(spec), "database": "PRS", "source": source, **options}


def test_a_default_of_the_module_is_one_for_everybody():
    """The mirror's seeding makes its options without the module: what it does not say is what a task does not say."""
    assert RestoreOptions.from_params(given()) == RestoreOptions(database="PRS", source=RestoreSource())


def test_every_option_of_the_module_arrives():
    """Each option of a restore changes something in the dataclass; those of the connections are not its business."""
    plain = RestoreOptions.from_params(given())
    others = {"database", "source", "relocate", "lease_owner", "failover_partner", "encrypt", "driver", "ca_file"}
    others |= {"certificate_name", "connect_timeout"}
    sample = {"str": "x", "int": 7, "bool": None, "list": ["x"], "path": "x", "dict": {"certificate": "x"}}
    for name, option in sql_restore.argument_spec().items():
        if name in others or name.startswith(("login_", "winrm_", "share_")):
            continue
        value = not option["default"] if option["type"] == "bool" else sample[option["type"]]
        assert RestoreOptions.from_params(given(**{name: value})) != plain, name


def test_every_part_of_the_source_arrives():
    plain = RestoreOptions.from_params(given())
    samples = {"list": ["x"], "bool": True, "str": "x", "dict": {"data_files": ["x"], "log_files": [], "copy": False}}
    for name, option in sql_restore.source_options().items():
        assert RestoreOptions.from_params(given(source={name: samples[option["type"]]})) != plain, name


@pytest.mark.parametrize(
    ("options", "guarded"),
    [
        ({}, False),
        ({"checkdb": "physical"}, True),
        ({"validation_query": "SELECT 1"}, True),
        ({"checkdb": "full", "recovery": "norecovery"}, False),
    ],
)
def test_only_what_opens_and_is_checked_is_guarded(options, guarded):
    assert RestoreOptions.from_params(given(**options)).is_guarded is guarded


def test_nothing_of_it_can_be_changed_on_the_way():
    with pytest.raises(dataclasses.FrozenInstanceError):
        RestoreOptions.from_params(given()).replace = "always"
