"""Names of archive entries: which may become files of a Windows server. Tables, and what must hold for any names at
all.
"""

from __future__ import annotations

import ntpath

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.application.archive_entries import (
    ArchiveEntry,
    Limits,
    name_key,
    name_problem,
    screen_entries,
)
from hypothesis import given
from hypothesis import strategies as st

GOOD = [
    "web.config", "bin/Prs.Web.dll", "App_Data/", "a/b/c/d/e.txt", "Größe naïve 日本.txt", "two  spaces.txt", " leading space.txt", ".hidden", "...a",
    "console.txt", "com.txt", "com10", "nul1", "lpt.config", "a" * 255, "x" * 200 + "/" + "y" * 200, "auxiliary/con1", "emoji \U0001f600.txt",
]  # fmt: skip

BAD = [
    ("", "has no name"),
    ("/", "has no name"),
    ("..", "climbs out"),
    ("../x", "climbs out"),
    ("a/../../x", "climbs out"),
    ("a/..", "climbs out"),
    ("..\\x", "climbs out"),
    ("a\\..\\..\\x", "climbs out"),
    ("/etc/passwd", "absolute path"),
    ("\\Windows\\x", "absolute path"),
    ("//server/share/x", "absolute path"),
    ("\\\\?\\C:\\x", "absolute path"),
    ("C:/x", "absolute path"),
    ("c:x", "absolute path"),
    ("a//b", "empty part"),
    ("./a", "empty part"),
    ("a/./b", "empty part"),
    ("ab:c", "names a stream"),
    ("web.config::$DATA", "names a stream"),
    ("a\0b", "does not allow"),
    ("a\nb", "does not allow"),
    ("a<b", "does not allow"),
    ("a|b", "does not allow"),
    ('a"b', "does not allow"),
    ("what?", "does not allow"),
    ("*.dll", "does not allow"),
    ("a.", "dot or a space"),
    ("a ", "dot or a space"),
    ("a/b./c", "dot or a space"),
    ("...", "dot or a space"),
    ("con", "device"),
    ("CON.txt", "device"),
    ("bin/Aux", "device"),
    ("nul.tar.gz", "device"),
    ("com1", "device"),
    ("LPT9.x", "device"),
    ("com²", "device"),
    ("COM0", "device"),
    ("conin$", "device"),
    ("con .txt", "device"),
    ("a" * 256, "too long"),
    ("\U0001f600" * 128, "too long"),
    ("x/" * 16_001, "too long"),
    ("\ud800", "Unicode"),
]


@pytest.mark.parametrize("name", GOOD)
def test_good_names(name: str) -> None:
    assert name_problem(name) is None


@pytest.mark.parametrize("name, problem", BAD)
def test_bad_names(name: str, problem: str) -> None:
    assert problem in (name_problem(name) or "")


@given(st.text(alphabet=st.sampled_from("ab./\\: \0CONcon1?é")) | st.text())
def test_a_good_name_stays_below_its_folder(name: str) -> None:
    """Whatever is let through lies in the folder by Windows' own rules, and is the same file after Windows has tidied
    it.
    """
    if name_problem(name) is None:
        path = ntpath.normpath(ntpath.join("C:\\target", name.replace("/", "\\")))
        assert path.startswith("C:\\target\\") and path[len("C:\\target\\") :] == name.replace("/", "\\").rstrip("\\")
        assert ":" not in name and not any(part.endswith((" ", ".")) for part in path.split("\\")[1:])


def entry(name: str, *, size: int = 1, packed: int = 1, attributes: int = 0) -> ArchiveEntry:
    return ArchiveEntry(index=0, name=name, size=size, packed=packed, attributes=attributes)


REFUSED = [
    (["a", "a"], "is there twice"),
    (["a", "A"], "is the same name as a to Windows"),
    (["é.txt", "É.TXT"], "is the same name as é.txt to Windows"),
    (["a", "a/b"], "lies below a, which is a file"),
    (["a/b", "a"], "is a file where a/b needs a folder"),
    (["A", "a/b/c"], "lies below A, which is a file"),
    (["a", "a/"], "is a folder where a is a file"),
    (["a/", "A"], "is a file where a needs a folder"),
    (["a/b", "a\\B"], "is the same name as a/b to Windows"),
]


@pytest.mark.parametrize("names, reason", REFUSED)
def test_names_that_clash(names: list[str], reason: str) -> None:
    screened = screen_entries([entry(name) for name in names])
    assert [refusal.reason for refusal in screened.refused] == [reason]


def test_letters_in_an_unknown_code_page_are_refused_unless_a_manifest_vouches_for_them() -> None:
    odd = [entry("Gr\ufffd\ufffde.txt")]
    [refusal] = screen_entries(odd).refused
    assert refusal.reason == "has letters in a code page that the archive does not name"
    assert not screen_entries(odd, vouched={name_key(odd[0].name): 1}).refused


@pytest.mark.parametrize("names", [["a/", "a/"], ["a/", "a/b", "A/c"], ["ß", "ss"], ["ﬁ", "fi"], ["a/b", "a/"]])
def test_names_that_do_not_clash(names: list[str]) -> None:
    assert screen_entries([entry(name) for name in names]).refused == ()


ATTRIBUTES = [
    (0o120777 << 16, "is a link"),
    (0x400, "is a link"),
    (0o010644 << 16, "is neither a file nor a folder"),
    (0o100644 << 16, None),
    (0o040755 << 16 | 0x10, None),
    (0x20, None),
]


@pytest.mark.parametrize("attributes, reason", ATTRIBUTES)
def test_kinds_of_entries(attributes: int, reason: str | None) -> None:
    screened = screen_entries([entry("x", attributes=attributes)])
    assert [refusal.reason for refusal in screened.refused] == ([reason] if reason else [])


SIZES = [
    (15 << 20, 1, False),
    (16 << 20, 16 << 20, False),
    (16 << 20, (16 << 20) // 250 + 1, False),
    (16 << 20, (16 << 20) // 251, True),
    (1 << 40, 0, True),
]


@pytest.mark.parametrize("size, packed, refused", SIZES)
def test_absurd_ratios(size: int, packed: int, refused: bool) -> None:
    assert bool(screen_entries([entry("x", size=size, packed=packed)]).refused) is refused
    assert not screen_entries([entry("X", size=size, packed=packed)], vouched={name_key("x"): size}).refused
    assert (
        bool(screen_entries([entry("x", size=size, packed=packed)], vouched={name_key("x"): size - 1}).refused)
        is refused
    )


def test_too_many_entries() -> None:
    screened = screen_entries([entry(str(number)) for number in range(5)], limits=Limits(entries=3))
    assert [refusal.name for refusal in screened.refused] == ["3"]


@given(st.lists(st.text(alphabet=st.sampled_from("aA/b"), min_size=1, max_size=6), max_size=8))
def test_accepted_entries_can_be_written_one_after_the_other(names: list[str]) -> None:
    """Against a model of a file system that knows no case: nothing is overwritten, no file is in the way of a folder."""
    files: set[str] = set()
    folders: set[str] = set()
    for accepted in screen_entries([entry(name) for name in names]).accepted:
        key = accepted.name.lower()
        parts = key.split("/")
        above = {"/".join(parts[:length]) for length in range(1, len(parts))}
        assert not above & files
        folders |= above
        if accepted.folder:
            assert key not in files
            folders.add(key)
        else:
            assert key not in files | folders
            files.add(key)
