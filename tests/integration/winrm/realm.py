"""A domain with a real KDC for the twins of this folder: WEB takes Kerberos, on ports of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._winrm.connection.options import Kerberos, WinrmConnection
from prs_lab.estate.kdc import KeyDistributionCenter, missing_programs
from prs_lab.windows.winrm import WinRm, WinRmSettings

from .windows_twins import Twins

__all__ = ["ACCOUNT", "PASSWORD", "Realm", "needs_kerberos"]

ACCOUNT = "dba@PRS.LAB"
PASSWORD = "Dba pass: 'word' 1"
HTTP_PORT, HTTPS_PORT = 5995, 5996

WHY_NOT = missing_programs() or ("" if find_spec("kerberos") else "no Kerberos without pywinrm[kerberos] (pykerberos)")
needs_kerberos = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)


class Realm:
    """PRS.LAB with the account dba, a Domain Admin."""

    def __init__(self, twins: Twins, folder: Path, *, ticket_life: int = 36000, clock_skew: int = 300) -> None:
        self.twins = twins
        self.kdc = KeyDistributionCenter(
            folder=folder / "kdc",
            realm="PRS.LAB",
            address=twins.web.address,
            ticket_life=ticket_life,
            clock_skew=clock_skew,
        )
        self.keytab = folder / "kdc" / "web.keytab"
        self.winrm: WinRm | None = None

    def start(self) -> None:
        self.twins.domain.add_user("dba", PASSWORD, groups=["Domain Admins"])
        names = [f"{service}/web.prs.lab" for service in ("HTTP", "WSMAN", "host")]
        self.kdc.start(users={"dba": PASSWORD}, services={self.keytab: names})

    @contextmanager
    def listening(self, **settings: Any) -> Iterator[WinRm]:
        """WEB's second WinRM service, which takes Kerberos."""
        self.winrm = WinRm(
            self.twins.web,
            WinRmSettings(http_port=HTTP_PORT, https_port=HTTPS_PORT, keytab=self.keytab, **settings),
        )
        self.winrm.open()
        try:
            yield self.winrm
        finally:
            self.winrm.close()

    def connection(self, *, kerberos: dict[str, Any] | None = None, **different: Any) -> WinrmConnection:
        ticket = {"environment": ("KRB5_CONFIG",), "hostname_override": "web.prs.lab", **(kerberos or {})}
        given = {
            "port": HTTP_PORT,
            "user": ACCOUNT,
            "password": PASSWORD,
            "transports": ("kerberos",),
            "kerberos": Kerberos(**ticket),
            **different,
        }
        return self.twins.connection(**given)

    def logons(self) -> list[dict[str, Any]]:
        """What WEB's event log says of logons by now: (package, account, delegated)."""
        return [entry for entry in self.twins.web.record.entries("logon") if not entry["failed"]]
