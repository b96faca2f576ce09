"""What travels over WinRM: requests, names and hashes. Never the files themselves."""

from __future__ import annotations

from .windows_twins import APPLICATION, CONTENT, ON_SHARE, REMOTE, Twins
from .wire import Wire

LARGE = 64 << 20
"""More than ever may travel over WinRM."""


def test_a_large_archive_does_not_travel_over_winrm(twins: Twins, wire: Wire) -> None:
    path = f"{APPLICATION}\\App_Data\\large.dat"
    twins.write(path, b"")
    with twins.files.real_path(path).open("r+b") as file:
        file.truncate(LARGE)
    backup = twins.backup(destination=REMOTE, stage_path="D:\\stage", **ON_SHARE)
    twins.files.remove_tree(APPLICATION)
    twins.restore(source=REMOTE, **ON_SHARE)
    assert twins.files.stat(path).size == LARGE
    assert backup["archive"]["content_bytes"] == LARGE + sum(map(len, CONTENT.values()))
    assert 0 < wire.bytes < 1 << 20


def test_no_content_of_a_file_is_said(twins: Twins, wire: Wire) -> None:
    """Keys above all: they go from the server's disk into the archive."""
    twins.backup(destination=REMOTE, **ON_SHARE)
    twins.write(f"{APPLICATION}\\encryption.config", b"<encryptionSettings>another key</encryptionSettings>")
    twins.restore(source=REMOTE, replace="always", **ON_SHARE)
    assert b"encryption.config" in wire.said
    for content in (b"the key", b"another key", b"opaque", b"Page %"):
        assert content not in wire.said
