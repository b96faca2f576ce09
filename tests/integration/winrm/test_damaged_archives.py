"""Everything that can be wrong with an archive, with names and with the folder: the right result or a clear stop, and
never half a folder.

One row each. The folder is damaged beforehand, so that a restore has every reason to replace it; afterwards it is what
it was, or what was archived.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError
from ansible_collections.prs.recovery.plugins.module_utils._winrm.application import folder_swap

from .windows_twins import APPLICATION, CONTENT, LOCAL, NIGHT, Twins, damage

NAME = "PasswordResetServer_20260301T020000Z.zip"
ARCHIVE = f"{LOCAL}\\{NAME}"
MANIFEST = f"{ARCHIVE}.manifest.jsonl"
INSIDE = ".prs-recovery/manifest.jsonl"
CARRIED = "D:\\carried\\archive.zip"
SITES = "C:\\inetpub\\wwwroot"
BROKEN = {name: data for name, data in CONTENT.items() if name != "bin/Prs.Web.dll"}


@dataclass(frozen=True, kw_only=True)
class Row:
    """wreck: what is done beforehand. stop: what the message says, empty where the folder comes back. source: what is
    restored from.
    """

    about: str
    wreck: Callable[[Twins], object]
    stop: str = ""
    source: str = ARCHIVE
    after: Callable[[Twins], object] = lambda twins: None


def flip(path: str, position: int) -> Callable[[Twins], object]:
    return lambda twins: twins.write(path, damage(data := twins.files.read(path), position % len(data)))


def cut(path: str, count: int) -> Callable[[Twins], object]:
    return lambda twins: twins.write(path, twins.files.read(path)[:-count])


Entries = list[tuple[zipfile.ZipInfo, bytes]]


def carried(change: Callable[[Entries], Entries]) -> Callable[[Twins], object]:
    """An archive that was taken away from the manifest beside it, its entries changed as no honest program would."""

    def wreck(twins: Twins) -> None:
        with zipfile.ZipFile(io.BytesIO(twins.files.read(ARCHIVE))) as opened:
            entries = [(info, opened.read(info)) for info in opened.infolist()]
        result = io.BytesIO()
        with zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as written:
            for info, data in change(entries):
                written.writestr(info, data)
        twins.write(CARRIED, result.getvalue())

    return wreck


def entry(name: str, data: bytes = b"evil", *, attributes: int = 0) -> tuple[zipfile.ZipInfo, bytes]:
    info = zipfile.ZipInfo("x")
    info.filename, info.external_attr, info.compress_type = name, attributes, zipfile.ZIP_DEFLATED
    return info, data


def more(*put_in: tuple[zipfile.ZipInfo, bytes]) -> Callable[[Twins], object]:
    return carried(lambda entries: [*entries, *put_in])


def instead(name: str, other: bytes) -> Callable[[Twins], object]:
    return carried(lambda entries: [(info, other if info.filename == name else data) for info, data in entries])


def anothers_manifest(twins: Twins) -> None:
    """Of the same files at another time: only its name and the archive's hash tell."""
    twins.write(f"{APPLICATION}\\Default.aspx", b"other")
    path = twins.backup(destination="D:\\other", now=NIGHT.replace(hour=3))["archive"]["manifest"]
    twins.write(f"{APPLICATION}\\Default.aspx", CONTENT["Default.aspx"])
    twins.write(MANIFEST, twins.files.read(path))


def another_archive(twins: Twins) -> None:
    """Of the same name and size, with its own good manifest inside: the one beside it is not about it."""
    data = bytearray(twins.files.read(ARCHIVE))
    data[-1:] = bytes([data[-1] ^ 1])
    twins.write(ARCHIVE, bytes(data))


def held(path: str) -> Callable[[Twins], object]:
    return lambda twins: twins.files.hold(path, "virus scanner")


def released(path: str) -> Callable[[Twins], object]:
    return lambda twins: twins.files.release(path, "virus scanner")


ASPX = f"{APPLICATION}\\Default.aspx"

ROWS = [
    Row(about="nothing at all", wreck=lambda twins: None),
    *(Row(about=f"a flipped byte at {at}", wreck=flip(ARCHIVE, at), stop=r"SHA-256 is not the one in its manifest", source=LOCAL) for at in (0, 40, 3000, -30)),
    Row(about="a flipped byte in the manifest", wreck=flip(MANIFEST, -40), stop=r"is damaged: a line of it cannot "
                                                                                r"be read|not what the manifest says"),
    Row(about="truncated by a byte", wreck=cut(ARCHIVE, 1), stop=r"bytes, but its manifest says"),
    Row(about="truncated by most of it", wreck=cut(ARCHIVE, 3000), stop=r"bytes, but its manifest says"),
    Row(about="a truncated manifest", wreck=cut(MANIFEST, 200), stop=r"is not whole: it names|a line of it cannot "
                                                                     r"be read"),
    Row(about="an empty manifest", wreck=lambda twins: twins.write(MANIFEST, b""), stop=r"is no manifest of an archive"),
    Row(about="no manifest in the folder", wreck=lambda twins: twins.files.remove(MANIFEST), stop=r"has no manifest beside it", source=LOCAL),
    Row(about="no manifest beside, the one inside proves it", wreck=lambda twins: twins.files.remove(MANIFEST)),
    Row(about="another archive's manifest", wreck=anothers_manifest, stop=r"has the manifest of another archive "
                                                                          r"beside it"),
    Row(about="another archive under the name", wreck=another_archive, stop=r"SHA-256 is not the one in its manifest"),
    *(
        Row(about=f"climbing out by {name!r}", wreck=more(entry(name)), stop=stop, source=CARRIED)
        for name, stop in (
            ("../../evil.txt", r"climbs out"),
            ("..\\..\\evil.txt", r"climbs out"),
            ("bin/../../evil.txt", r"climbs out"),
            ("bin\\..\\..\\evil.txt", r"climbs out"),
            ("/Windows/evil.txt", r"absolute path"),
            ("C:\\Windows\\evil.txt", r"absolute path"),
            ("C:evil.txt", r"absolute path"),
            ("\\\\files\\backup\\evil.txt", r"absolute path"),
            ("\\\\?\\C:\\evil.txt", r"absolute path"),
            ("//files/backup/evil.txt", r"absolute path"),
        )
    ),
    Row(about="a link", wreck=more(entry("link.txt", attributes=0o120777 << 16)), stop=r"is a link", source=CARRIED),
    Row(about="a stream", wreck=more(entry("web.config::$DATA")), stop=r"names a stream", source=CARRIED),
    Row(about="a device", wreck=more(entry("App_Data/aux.txt")), stop=r"name of a device", source=CARRIED),
    Row(about="a name that Windows shortens", wreck=more(entry("bin/Default.aspx ")), stop=r"ends in a dot or a space", source=CARRIED),
    Row(about="an absurd ratio", wreck=more(entry("bomb.dat", bytes(20 << 20))), stop=r"would grow from", source=CARRIED),
    Row(about="a name twice", wreck=more(entry("web.config")), stop=r"is there twice", source=CARRIED),
    Row(about="names that clash in case", wreck=more(entry("WEB.config")), stop=r"is the same name as web\.config "
                                                                                r"to Windows", source=CARRIED),
    Row(
        about="Unicode names that clash in case", wreck=more(entry("App_Data/GRÖSSE.txt"), entry("App_Data/grösse.txt")),
        stop=r"is the same name as App_Data/GRÖSSE\.txt to Windows", source=CARRIED,
    ),
    Row(about="a file below a file", wreck=more(entry("web.config/inner.txt")), stop=r"lies below web\.config, which is a file", source=CARRIED),
    Row(about="a file that nobody vouches for", wreck=more(entry("unknown.txt")), stop=r"unknown\.txt is not in its manifest", source=CARRIED),
    Row(
        about="a file that is missing", wreck=carried(lambda entries: [one for one in entries if one[0].filename != "bin/Prs.Web.dll"]),
        stop=r"bin/Prs\.Web\.dll is missing", source=CARRIED,
    ),
    Row(about="a file that is another", wreck=instead("bin/Prs.Web.dll", b"MZ other"), stop=r"not what the manifest says: bin/Prs\.Web", source=CARRIED),
    Row(about="a manifest inside that is none", wreck=instead(INSIDE, b"{}"), stop=r"is no manifest of an archive", source=CARRIED),
    Row(
        about="a manifest of a later version", wreck=instead(INSIDE, b'{"format": "prs.recovery application '
                                                                     b'archive", "version": 9}'),
        stop=r"has version 9.*Update the collection", source=CARRIED,
    ),
    Row(about="the archive is locked", wreck=held(ARCHIVE), stop=r"Windows error 32", after=released(ARCHIVE)),
    Row(about="a file in the folder stays locked", wreck=held(ASPX), stop=r"Renaming .* failed.*is as it was before", after=released(ASPX)),
    Row(about="the folder itself is held for ever", wreck=held(APPLICATION), after=released(APPLICATION)),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.about)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_damage(twins: Twins, row: Row) -> None:
    twins.backup()
    twins.files.remove(f"{APPLICATION}\\bin\\Prs.Web.dll")
    row.wreck(twins)
    windows = twins.tree("C:\\Windows")
    if row.stop:
        with pytest.raises(RecoveryError, match=row.stop):
            twins.restore(source=row.source)
    else:
        assert twins.restore(source=row.source)["restored"]
    row.after(twins)
    assert twins.tree() == (BROKEN if row.stop else CONTENT)
    assert [name for name in twins.names(SITES) if "PasswordResetServer" in name] == ["PasswordResetServer"]
    assert twins.tree("C:\\Windows") == windows and twins.tree("E:\\backup", twins.share_host) == {}


DENIALS = [
    (0, "renamed"),
    (1, "renamed"),
    (folder_swap.ATTEMPTS - 1, "renamed"),
    (folder_swap.ATTEMPTS, "by its children"),
]


@pytest.mark.parametrize("times, way", DENIALS)
def test_a_rename_that_is_denied_n_times(twins: Twins, monkeypatch: pytest.MonkeyPatch, times: int, way: str) -> None:
    """By an indexer that lets go when the folder has been tried so many times; after that the children are moved
    instead.
    """
    twins.backup()
    twins.files.remove(f"{APPLICATION}\\bin\\Prs.Web.dll")
    twins.files.hold(APPLICATION, "indexer")
    swaps: list[str] = []
    perform = folder_swap.FolderSwap._rename

    def counted(swap: folder_swap.FolderSwap, **given: bool) -> object:
        swaps.append("renamed")
        fault = perform(swap, **given)
        if fault:
            swaps.append("by its children")
        return fault

    waits: list[float] = []

    class Clock:
        @staticmethod
        def sleep(seconds: float) -> None:
            waits.append(seconds)
            if len(waits) == times:
                twins.files.release(APPLICATION, "indexer")

    if times == 0:
        twins.files.release(APPLICATION, "indexer")
    monkeypatch.setattr(folder_swap.FolderSwap, "_rename", counted)
    monkeypatch.setattr(folder_swap, "time", Clock)
    assert twins.restore()["restored"]
    assert swaps[-1] == way and len(waits) == min(times, folder_swap.ATTEMPTS - 1)
    twins.files.release(APPLICATION, "indexer")
    assert twins.tree() == CONTENT


LONG = "\\".join(["a long name of a folder " * 4 + "x"] * 4)
NAMES = {
    "long": f"{LONG}\\file.txt",
    "unicode": "App_Data\\日本語 Ελληνικά naïve é e\u0301 \U0001f511.txt",
    "spaces and brackets": "App_Data\\a [b] (c) 'd' `e` $f %g% & h.txt",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_names_that_are_hard_but_right_come_back(twins: Twins, name: str) -> None:
    path = f"{APPLICATION}\\{name}"
    twins.write(path, b"precious")
    assert name != NAMES["long"] or len(path) > 260
    before = twins.tree()
    assert twins.backup()["not_archived"] == []
    twins.files.remove_tree(APPLICATION)
    twins.restore()
    assert twins.tree() == before and not twins.restore()["changed"]
