"""What the role hands over becomes facts, or an error that names what is missing."""

from __future__ import annotations

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._core.preflight.reading import host_facts
from preflight_facts import ANSWERED, HEALTHY, gathered


def test_numbers_may_be_texts():
    settings = host_facts(gathered()).settings
    assert (settings.dotnet_release, settings.free_gb) == (378675, 20)


@pytest.mark.parametrize("name", sorted(HEALTHY))
def test_every_fact_must_be_there(name):
    facts = gathered()
    del facts[name]
    with pytest.raises(RecoveryError, match=f"the fact facts.{name} was not gathered"):
        host_facts(facts)


@pytest.mark.parametrize(
    ("place", "lists"),
    [
        ("settings", ()),
        ("windows__result", ()),
        ("instance__result", ()),
        ("shares__result", ("paths", "newest")),
        ("backups__result", ("paths", "newest")),
        ("choice", ()),
        ("choice__chosen", ()),
        ("certificates__0__result", ()),
    ],
)
def test_every_part_of_a_fact_must_be_there(place, lists):
    whole = gathered()
    for step in place.split("__"):
        whole = whole[int(step) if step.isdigit() else step]
    for name in whole:
        lacking = {key: value for key, value in whole.items() if key != name}
        with pytest.raises(RecoveryError, match=rf"{name} was not gathered"):
            host_facts(gathered(**{place: lacking}))


@pytest.mark.parametrize(
    "changes",
    [
        {"windows": ANSWERED},
        {"restore": {**ANSWERED, "plan": {"recovery_point": {}, "steps": [{}]}}},
        {"certificates__0": {**ANSWERED, "result": {"names": [], "not_after": "", "key": "", "thumbprint": ""}}},
        {"windows__result__free_bytes": None},
    ],
)
def test_what_is_empty_is_missing(changes):
    with pytest.raises(RecoveryError, match="was not gathered"):
        host_facts(gathered(**changes))
