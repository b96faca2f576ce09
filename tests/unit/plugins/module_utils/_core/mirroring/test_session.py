"""What a mirroring session lacks, and what a failover of it may lose: by tables."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.mirroring.session import health, may_be_lost
from mirroring_sides import MIRROR


@pytest.mark.parametrize(
    ("safety", "words"), [("FULL", "only what was committed while"), ("OFF", "what was committed last")]
)
def test_what_may_be_lost(safety, words):
    report = may_be_lost(replace(MIRROR, safety=safety))
    assert report["after_lsn"] == 100 and words in report["reason"]


@pytest.mark.parametrize(("session", "safety", "witness_state", "problems"), [
    ("SYNCHRONIZED", "FULL", "", 0), ("SYNCHRONIZING", "OFF", "", 0), ("SYNCHRONIZING", "FULL", "", 1), ("SUSPENDED", "FULL", "", 1),
    ("DISCONNECTED", "OFF", "", 1), ("SYNCHRONIZED", "FULL", "CONNECTED", 0), ("SYNCHRONIZED", "FULL", "DISCONNECTED", 1),
    ("DISCONNECTED", "FULL", "UNKNOWN", 2), ("PENDING_FAILOVER", "FULL", "", 1), ("SOMETHING NEW", "FULL", "", 1),
])  # fmt: skip
def test_health(session, safety, witness_state, problems):
    assert len(health("PRINCIPAL", session, safety, "TCP://w:5022" if witness_state else "", witness_state)) == problems
