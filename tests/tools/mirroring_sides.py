"""Two servers of a mirrored database, for tables of tests."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.prs.recovery.plugins.module_utils._core.mirroring.session import Side

__all__ = ["MIRROR", "PRINCIPAL", "A", "B"]

A = Side(
    server="a",
    address="TCP://a:5022",
    edition="Developer Edition (64-bit)",
    state="ONLINE",
    recovery_model="FULL",
    endpoint="STARTED",
    endpoint_role="ALL",
)
B = replace(A, server="b", address="TCP://b:5022", state="", recovery_model="")
SESSION = {
    "guid": "G",
    "session": "SYNCHRONIZED",
    "safety": "FULL",
    "timeout": 10,
    "failover_lsn": 100,
    "end_of_log_lsn": 100,
}
PRINCIPAL = replace(A, role="PRINCIPAL", partner=B.address, **SESSION)
MIRROR = replace(B, role="MIRROR", state="RESTORING", recovery_model="FULL", partner=A.address, **SESSION)
