"""Archives of the product's own backup page: no manifest, so their checksums count, and that is said."""

from __future__ import annotations

import io
import zipfile

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.errors import RecoveryError

from .verb_cases import (
    BESIDE_A_CODE_PAGE,
    NOT_UTF_8,
    encrypted,
    other_names,
    packed_by,
    told_to_hold,
    told_to_take,
    with_fields,
)
from .windows_twins import APPLICATION, CONTENT, LOCAL, Twins

ARCHIVE = "D:\\product\\backup 2026-03-01.zip"


def zipped(content: dict[str, bytes], *, below: str = "", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    result = io.BytesIO()
    with zipfile.ZipFile(result, "w", method) as archive:
        for name, data in content.items():
            info = zipfile.ZipInfo("x", date_time=(2026, 3, 1, 2, 0, 0))
            info.filename, info.compress_type = f"{below}{name}", method
            archive.writestr(info, data)
    return result.getvalue()


@pytest.mark.parametrize("below", ["", "PasswordResetServer/"])
def test_it_comes_back_and_says_what_cannot_be_proven(twins: Twins, below: str) -> None:
    twins.write(ARCHIVE, zipped(CONTENT, below=below))
    twins.files.remove_tree(APPLICATION)
    planned = twins.restore(source=ARCHIVE, check_mode=True)
    assert planned["changed"] and not twins.files.exists(APPLICATION)
    result = twins.restore(source=ARCHIVE)
    assert twins.tree() == CONTENT
    assert result["archive"]["proven_by"] == "checksums" and result["archive"]["files"] == len(CONTENT)
    assert any("has no manifest" in text and "cannot be proven" in text for text in result["warnings"])
    assert not twins.restore(source=ARCHIVE)["changed"]


def test_names_with_backslashes(twins: Twins) -> None:
    twins.write(
        ARCHIVE, zipped({f"PasswordResetServer/{name}".replace("/", "\\"): data for name, data in CONTENT.items()})
    )
    twins.files.remove_tree(APPLICATION)
    assert twins.restore(source=ARCHIVE)["restored"] and twins.tree() == CONTENT


@pytest.mark.parametrize("stroke", ["/", "\\"])
def test_names_in_a_code_page_with_others_in_utf_8_beside_them(twins: Twins, stroke: str) -> None:
    """As 7-Zip and WinRAR write them. Also the key in such a folder is found again: what is in its place and is no key
    is no other installation's.
    """
    content = {"web.config": b"<a/>", "encryption.config": b"<key/>", "\u00c4nderung.txt": b"x", "\u00d6.txt": b"x"}
    content["database.config"] = b"<database/>"
    names = {name.encode("cp850"): name for name in (f"Z\u00fcrich{stroke}{name}" for name in content)}
    twins.write(ARCHIVE, other_names(names, [*content.values()]))
    twins.files.remove_tree(APPLICATION)
    assert twins.restore(source=ARCHIVE)["restored"] and twins.tree() == content
    twins.write(f"{APPLICATION}\\encryption.config", bytes(6))
    assert twins.restore(source=ARCHIVE)["restored"] and twins.tree() == content


def test_another_name_in_info_zips_field_leads_nowhere(twins: Twins) -> None:
    """Of a name in ASCII .NET reads only the first one, and so does whoever restores: nothing is written where the
    second one leads.
    """
    before = twins.tree("C:\\inetpub")
    names = {b"web.config": "../../evil.txt", b"Default.aspx": "C:\\Windows\\evil.txt"}
    twins.write(ARCHIVE, other_names(names))
    twins.files.remove_tree(APPLICATION)
    assert twins.restore(source=ARCHIVE)["restored"]
    assert twins.tree() == {"web.config": b"x", "Default.aspx": b"x"}
    assert not [path for path in twins.tree("C:\\") if "evil" in path]
    assert before.keys() > twins.tree("C:\\inetpub").keys()


def flipped(data: bytes, content: bytes) -> bytes:
    position = data.index(content)
    return data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]


STORED = zipped(CONTENT, method=zipfile.ZIP_STORED)
DAMAGES = [
    (
        flipped(STORED, CONTENT["encryption.config"]),
        r"encryption\.config is damaged: its checksum is not the one that the archive says",
    ),
    *(
        (packed_by(STORED, method), rf"is packed by {name}, which Windows does not unpack")
        for name, method in (("bzip2", 12), ("LZMA", 14), ("Zstandard", 93), ("PPMd", 98), ("method 77", 77))
    ),
    (encrypted(STORED), r"web\.config is encrypted"),
    (encrypted(zipped(CONTENT)), r"web\.config is encrypted"),
    (encrypted(packed_by(STORED, 8)), r"web\.config is encrypted"),
    (packed_by(STORED, 8), r"web\.config cannot be unpacked: it is damaged"),
    (told_to_hold(STORED, 20_000), r"web\.config holds 18 bytes, and not the 20000 that the archive says"),
    (told_to_hold(zipped(CONTENT), 20_000), r"web\.config holds 18 bytes, and not the 20000 that the archive says"),
    (told_to_take(told_to_hold(STORED, 20_000), 20_000), r"web\.config cannot be unpacked: it is damaged"),
    (b"PK\x05\x06" + bytes(6), r"damaged or no ZIP archive"),
    (zipped(CONTENT).replace(b"PK\x01\x02", b"PK\x01\x09", 1), r"damaged or no ZIP archive"),
    (zipped(CONTENT)[:-14] + b"\x05\0\x05\0" + zipped(CONTENT)[-10:], r"damaged or no ZIP archive"),
    (NOT_UTF_8, r"has letters in a code page that the archive does not name"),
    *(
        (with_fields([(b"web.config", b""), *BESIDE_A_CODE_PAGE[about][0]]), reason)
        for about, reason in {
            "one of another name": r"has letters in a code page that the archive does not name",
            "one that climbs out": r"evil\.txt climbs out of the folder",
            "the same one twice": r"\u00c4\.txt is there twice",
        }.items()
    ),
    (b"MZ a program in front" + STORED, r"damaged or no ZIP archive"),
    (STORED[:-40], r"InvalidDataException|damaged or no ZIP archive"),
    (b"", r"damaged or no ZIP archive"),
    (zipped({name: data for name, data in CONTENT.items() if name != "web.config"}), r"no web\.config at its top"),
    (zipped({**CONTENT, "../evil.txt": b""}), r"climbs out of the folder"),
    (zipped({**CONTENT, ".prs-recovery/other": b""}), r"is of app_backup, and its manifest is gone"),
    (zipped({**CONTENT, "bomb.dat": bytes(20 << 20)}), r"would grow from"),
]


@pytest.mark.parametrize("data, message", DAMAGES)
def test_what_is_refused(twins: Twins, data: bytes, message: str) -> None:
    twins.files.remove(f"{APPLICATION}\\Default.aspx")
    before = twins.tree("C:\\inetpub")
    twins.write(ARCHIVE, data)
    with pytest.raises(RecoveryError, match=message):
        twins.restore(source=ARCHIVE)
    assert twins.tree("C:\\inetpub") == before


def test_one_of_ours_without_its_manifest_is_none(twins: Twins) -> None:
    """Its name says that there was one."""
    path = f"{LOCAL}\\PasswordResetServer_20260301T020000Z.zip"
    twins.write(path, zipped(CONTENT))
    twins.files.remove_tree(APPLICATION)
    with pytest.raises(
        RecoveryError, match=r"has no manifest, neither beside it nor in it.*nothing can prove that it is whole"
    ):
        twins.restore(source=path)
    with pytest.raises(RecoveryError, match=r"no whole archive"):
        twins.restore(source=LOCAL)
    assert not twins.files.exists(APPLICATION)
