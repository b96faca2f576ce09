"""The accepting side of Kerberos alone: what it takes of a client with a real ticket, and what it refuses."""

from __future__ import annotations

import base64
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prs_lab.estate.kdc import KeyDistributionCenter, missing_programs
from prs_lab.windows.kerberos import Acceptor, KerberosFailed

kerberos = pytest.importorskip("kerberos", reason="no Kerberos without pywinrm[kerberos] (pykerberos)")
pytestmark = pytest.mark.skipif(bool(missing_programs()), reason=missing_programs())

CHANNEL = b"tls-server-end-point:" + bytes(32)


@pytest.fixture(scope="module")
def keytab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Of web.prs.lab; the process has a ticket of dba."""
    folder = tmp_path_factory.mktemp("realm")
    kdc = KeyDistributionCenter(folder=folder / "kdc", realm="PRS.LAB", address="127.0.0.1")
    keytab = folder / "kdc" / "web.keytab"
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("KRB5_CONFIG", str(kdc.configuration))
        patched.setenv("KRB5CCNAME", f"FILE:{folder}/cache")
        kdc.start(users={"dba": "Dba-1234"}, services={keytab: ["HTTP/web.prs.lab"]})
        try:
            subprocess.run(["kinit", "dba"], input=b"Dba-1234\n", check=True, capture_output=True)
            yield keytab
        finally:
            kdc.stop()


class Client:
    """A security context as pywinrm makes it."""

    def __init__(self, *, channel: bytes | None = None) -> None:
        flags = kerberos.GSS_C_MUTUAL_FLAG | kerberos.GSS_C_SEQUENCE_FLAG
        self.context = kerberos.authGSSClientInit("HTTP@web.prs.lab", gssflags=flags)[1]
        self.bindings = {"channel_bindings": kerberos.channelBindings(application_data=channel)} if channel else {}
        self.step(b"")

    def step(self, answer: bytes) -> None:
        kerberos.authGSSClientStep(self.context, base64.b64encode(answer).decode(), **self.bindings)

    @property
    def token(self) -> bytes:
        return base64.b64decode(kerberos.authGSSClientResponse(self.context))

    def signed(self, text: bytes) -> tuple[bytes, bytes]:
        """(header, data) of a message that is signed and not encrypted."""
        kerberos.authGSSClientWrapIov(self.context, base64.b64encode(text).decode(), 0)
        whole = self.token
        length = int.from_bytes(whole[:4], "little")
        return whole[4 : 4 + length], whole[4 + length :]


def known(keytab: Path) -> tuple[Client, Acceptor]:
    client, acceptor = Client(), Acceptor(keytab)
    client.step(acceptor.step(client.token))
    return client, acceptor


def test_a_ticket_says_whose_it_is_and_messages_are_sealed_both_ways(keytab: Path) -> None:
    client, acceptor = known(keytab)
    assert acceptor.complete and not acceptor.expired and not acceptor.delegated
    assert acceptor.principal == "dba@PRS.LAB"
    sealed, header = kerberos.authGSSWinRMEncryptMessage(client.context, "What are you?")
    assert b"What" not in sealed and acceptor.unwrap(header, sealed) == b"What are you?"
    header, data, padding = acceptor.wrap("Ein Zwilling, größer".encode())
    assert b"Zwilling" not in data and padding == 0
    assert kerberos.authGSSWinRMDecryptMessage(client.context, data, header) == "Ein Zwilling, größer".encode()
    acceptor.close()


def test_a_message_that_was_changed_on_its_way_is_refused(keytab: Path) -> None:
    client, acceptor = known(keytab)
    sealed, header = kerberos.authGSSWinRMEncryptMessage(client.context, "What are you?")
    with pytest.raises(KerberosFailed, match="gss_unwrap_iov"):
        acceptor.unwrap(header, bytes([sealed[0] ^ 1]) + sealed[1:])


def test_a_message_that_is_not_encrypted_is_refused(keytab: Path) -> None:
    client, acceptor = known(keytab)
    header, data = client.signed(b"What are you?")
    assert data.startswith(b"What are you?")
    with pytest.raises(KerberosFailed, match="signed and not encrypted"):
        acceptor.unwrap(header, data)


@pytest.mark.parametrize(("bound_to", "taken"), [(None, True), (CHANNEL, True), (CHANNEL[:-1] + b"x", False)])
def test_a_logon_may_be_bound_to_its_channel_and_to_no_other(keytab: Path, bound_to: Any, taken: bool) -> None:
    client, acceptor = Client(channel=bound_to), Acceptor(keytab)
    if taken:
        client.step(acceptor.step(client.token, channel=CHANNEL))
        assert acceptor.complete
        return
    with pytest.raises(KerberosFailed, match=r"(?i)channel bindings"):
        acceptor.step(client.token, channel=CHANNEL)


def test_what_is_no_token_is_refused(keytab: Path) -> None:
    with pytest.raises(KerberosFailed, match="gss_accept_sec_context"):
        Acceptor(keytab).step(b"no token at all")


OUTLIVED = """
import os, signal, sys
from pathlib import Path
from prs_lab.estate.kdc import KeyDistributionCenter
kdc = KeyDistributionCenter(folder=Path(sys.argv[1]), realm="PRS.LAB", address="127.0.0.1")
kdc.start(users={}, services={})
print(kdc._process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_lab_that_is_killed_leaves_no_kdc(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OUTLIVED, str(tmp_path / "kdc")]
    killed = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert killed.stdout.strip().isdigit(), killed.stderr
    deadline = time.monotonic() + 10
    while is_kdc(int(killed.stdout)):
        assert time.monotonic() < deadline, "the KDC lives on"
        time.sleep(0.05)


def is_kdc(process: int) -> bool:
    try:
        return b"krb5kdc" in Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False
