"""What Ansible's own modules for Windows do with files, and the twin must do like them: cases as data.

A case is one run of a module in a folder of its own, {root}. Every case was seen with the module itself, in PowerShell
for Windows; where that runs under Wine, `not_under_wine` says what cannot be had there.
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["CASES", "Case"]


@dataclass(frozen=True, kw_only=True)
class Case:
    """result: what must be in the module's answer; a pattern is looked for in a text. gone: keys that it has not.
    error: a pattern of its msg, "" when it does not fail. after: files below {root} then, None where that does not matter.
    """

    module: str
    about: str
    arguments: dict[str, Any]
    files: dict[str, bytes] = field(default_factory=dict)
    check: bool = False
    diff: bool = False
    result: dict[str, Any] = field(default_factory=dict)
    gone: tuple[str, ...] = ()
    error: str = ""
    after: dict[str, bytes] | None = None
    not_under_wine: str = ""


def zipped(**entries: bytes) -> bytes:
    """| stands for / in the names."""
    result = io.BytesIO()
    with zipfile.ZipFile(result, "w") as archive:
        for name, data in entries.items():
            archive.writestr(zipfile.ZipInfo(name.replace("|", "/")), data)
    return result.getvalue()


MARK = b"\xef\xbb\xbf"
WEB_CONFIG = (
    MARK
    + b'<?xml version="1.0" encoding="utf-8"?>\r\n<configuration>\r\n    <!-- note -->\r\n\r\n    <appSettings>\r\n'
    b'        <add key="a" value="1" />\r\n    </appSettings>\r\n    <system.web>\r\n        <compilation   debug="false"/>\r\n'
    b"        <text>a &amp; b</text>\r\n    </system.web>\r\n</configuration>\r\n"
)
WRITTEN = (
    MARK + b'<?xml version="1.0" encoding="utf-8"?>\r\n<configuration>\r\n  <!-- note -->\r\n  <appSettings>\r\n'
    b'    <add key="a" value="1" />\r\n  </appSettings>\r\n  <system.web>\r\n    <compilation debug="false" />\r\n'
    b"    <text>a &amp; b</text>\r\n  </system.web>\r\n  <x />\r\n</configuration>"
)
ADD_X = {"xpath": "/configuration[not(x)]", "fragment": "<x/>"}
FILE, COPY, COMMAND = (f"ansible.windows.win_{name}" for name in ("file", "copy", "command"))
TEMPORARY = "ansible.windows.win_tempfile"
UNZIP, XML = "community.windows.win_unzip", "community.windows.win_xml"
MEDIA = {"media/setup.exe": b"MZ", "media/a.txt": b"a", "media/x64/a.dll": b"a" * 10}
INSPECT_PATHS = (Path(__file__).resolve().parents[3] / "roles/preflight/files/inspect_paths.ps1").read_text()
"""The only script of a role that Wine can run as a whole: the others ask CIM, services, IIS or stores of certificates."""
ARCHIVE = zipped(**{"web.config": b"<x/>", "bin|a.dll": b"MZ"})
NO_DRIVE = r"^Cannot find drive\. A drive with the name 'Q' does not exist\.$"


def inspected(about: str, files: dict[str, bytes], result: dict[str, Any], **parameters: list[str]) -> Case:
    arguments = {"script": INSPECT_PATHS, "depth": 5, "parameters": parameters}
    return Case(
        module="ansible.windows.win_powershell", about=f"inspect_paths {about}", arguments=arguments, files=files,
        result={"changed": False, "result": result},
    )  # fmt: skip


CASES = [
    inspected(
        "a folder, a file, a program, nothing", {"d [1]/it's.txt": b"four", "setup.exe": b"no program"},
        {"paths": [
            {"exists": True, "is_folder": True, "error": 0}, {"exists": True, "bytes": 4, "error": 0}, {"bytes": 10, "version": "", "error": 0},
            {"exists": False, "error": 2}, {"exists": False, "error": 3},
        ]},
        Path=["{root}\\d [1]", "{root}\\d [1]\\it's.txt", "{root}\\setup.exe", "{root}\\none", "{root}\\none\\x"],
    ),
    inspected(
        "archives", {"GOOD.ZIP": ARCHIVE, "short.zip": b"PK1234", "empty.zip": b"", "half.zip": ARCHIVE[:-30]},
        {"paths": [{"missing": ["none.txt"], "error": 0}, {"error": 13}, {"error": 13}, {"error": 13}]},
        Path=["{root}\\GOOD.ZIP", "{root}\\short.zip", "{root}\\empty.zip", "{root}\\half.zip"], ZipEntry=["Web.Config", "bin/", "none.txt"],
    ),
    inspected(
        "the newest", {"sub/a.json": '{"x": "\u00e4"}'.encode(), "a.jsonx": b"{}", "x[ab].bak": b"1", "xa.bak": b"12"},
        {"newest": [
            {"count": 1, "path": re.compile(r"\\sub\\a\.json$"), "text": '{"x": "\u00e4"}', "error": 0}, {"count": 1, "bytes": 1}, {"count": 0, "path": ""},
            {"error": 3},
        ]},
        Newest=["{root}\\*.json", "{root}\\x[ab].bak", "{root}\\*.zip", "{root}\\none\\*.bak"],
    ),
    Case(module=FILE, about="a folder on a drive that is not there", arguments={"path": "Q:\\a\\b", "state": "directory"}, error=NO_DRIVE),
    Case(module=FILE, about="the same in check mode", arguments={"path": "Q:\\a\\b", "state": "directory"}, check=True, error=NO_DRIVE),
    Case(module=FILE, about="a folder in check mode", arguments={"path": "{root}\\a\\b", "state": "directory"}, check=True, result={"changed": True}, after={}),
    Case(
        module=FILE, about="a folder where a file is", arguments={"path": "{root}\\f", "state": "directory"}, files={"f": b"x"},
        error=r"^path .*\\f is not a directory$", after={"f": b"x"},
    ),
    Case(module=FILE, about="nothing to remove", arguments={"path": "{root}\\f", "state": "absent"}, result={"changed": False}),
    Case(
        module=FILE, about="a folder to remove", arguments={"path": "{root}\\d", "state": "absent"}, files={"d/e/f": b"x", "g": b"y"},
        result={"changed": True}, after={"g": b"y"},
    ),
    Case(
        module=XML, about="a byte order mark and a declaration are kept, white space is not", arguments={"path": "{root}\\w", **ADD_X},
        files={"w": WEB_CONFIG}, result={"changed": True, "msg": "element changed"}, after={"w": WRITTEN},
    ),
    Case(
        module=XML, about="a declaration of UTF-8 brings a byte order mark", arguments={"path": "{root}\\w", **ADD_X},
        files={"w": b'<?xml version="1.0" encoding="UTF-8"?><configuration><a/></configuration>'}, result={"changed": True},
        after={"w": MARK + b'<?xml version="1.0" encoding="UTF-8"?>\r\n<configuration>\r\n  <a />\r\n  <x />\r\n</configuration>'},
    ),
    Case(
        module=XML, about="without a declaration none is added", arguments={"path": "{root}\\w", **ADD_X},
        files={"w": b"<configuration>\n  <a>t</a>\n  <e></e>\n</configuration>\n"}, result={"changed": True},
        after={"w": b"<configuration>\r\n  <a>t</a>\r\n  <e>\r\n  </e>\r\n  <x />\r\n</configuration>"},
    ),
    Case(
        module=XML, about="another encoding and CDATA are kept", arguments={"path": "{root}\\w", **ADD_X},
        files={"w": '<?xml version="1.0" encoding="iso-8859-1"?>\n<configuration a=\'q"\'><t>\u00fc &lt;</t><d><![CDATA[c<]]></d></configuration>'.encode("latin-1")},
        result={"changed": True},
        after={
            "w": '<?xml version="1.0" encoding="iso-8859-1"?>\r\n<configuration a="q&quot;">\r\n  <t>\u00fc &lt;</t>\r\n  <d><![CDATA[c<]]></d>\r\n  <x />\r\n</configuration>'.encode("latin-1"),
        },
    ),
    Case(module=XML, about="what is there already is not written", arguments={"path": "{root}\\w", "xpath": "/configuration[not(a)]", "fragment": "<a/>"},
        files={"w": b"<configuration>\n  <a/>\n</configuration>"}, result={"changed": False, "msg": re.compile("did not match any nodes")},
        after={"w": b"<configuration>\n  <a/>\n</configuration>"}),
    Case(
        module=XML, about="in check mode", arguments={"path": "{root}\\w", **ADD_X}, files={"w": WEB_CONFIG}, check=True,
        result={"changed": True, "msg": re.compile("check mode$")}, after={"w": WEB_CONFIG},
    ),
    Case(
        module=UNZIP, about="an archive", arguments={"src": "{root}\\p.zip", "dest": "{root}\\to"}, files={"p.zip": zipped(**{"a.txt": b"a", "d|b.txt": b"b"})},
        result={"changed": True, "removed": False}, after={"p.zip": zipped(**{"a.txt": b"a", "d|b.txt": b"b"}), "to/a.txt": b"a", "to/d/b.txt": b"b"},
    ),
    Case(
        module=UNZIP, about="an entry outside, behind a good one", arguments={"src": "{root}\\p.zip", "dest": "{root}\\to"},
        files={"p.zip": zipped(**{"a.txt": b"a", "..|evil.txt": b"b"})}, error=r"relative paths which would extract outside the destination: .*\\to\\\.\.[\\/]evil\.txt$",
        result={"changed": True, "removed": False, "src": re.compile(r"p\.zip$"), "dest": re.compile(r"to$")},
        after={"p.zip": zipped(**{"a.txt": b"a", "..|evil.txt": b"b"}), "to/a.txt": b"a"},
    ),
    Case(
        module=UNZIP, about="no archive leaves the folder behind", arguments={"src": "{root}\\p.zip", "dest": "{root}\\to"}, files={"p.zip": b"no zip"},
        error=r"Method: System\.IO\.Compression\.ZipFile, Exception: Exception calling \"Open\" with \"3\" argument\(s\): \"", result={"changed": False},
        after={"p.zip": b"no zip", "to/": b""},
    ),
    Case(
        module=UNZIP, about="a damaged directory is an empty archive", arguments={"src": "{root}\\p.zip", "dest": "{root}\\to"},
        files={"p.zip": zipped(a=b"a").replace(b"PK\x01\x02", b"PK\x01\x09")}, result={"changed": False},
        after={"p.zip": zipped(a=b"a").replace(b"PK\x01\x02", b"PK\x01\x09"), "to/": b""},
    ),
    Case(
        module=UNZIP, about="another kind of archive leaves the folder behind", arguments={"src": "{root}\\p.7z", "dest": "{root}\\to"}, files={"p.7z": b"7z"},
        error="PowerShellCommunityExtensions PowerShell Module", after={"p.7z": b"7z", "to/": b""},
    ),
    Case(
        module=COPY, about="folders come first", arguments={"src": "{root}\\media\\", "dest": "{root}\\work", "remote_src": True, "_copy_mode": "remote", "force": True},
        files=MEDIA, check=True, diff=True, result={
            "changed": True, "operation": "folder_copy",
            "diff": {"prepared": re.compile(r"^\+[^\n]*\\work\\x64\\\n(\+[^\n]*\\\n)?\+[^\n]*a\.dll\n(\+[^\n]*\\work\\\n)?\+[^\n]*a\.txt\n")},
        },
    ),
    Case(
        module=COPY, about="nothing there", arguments={"src": "{root}\\none\\", "dest": "{root}\\work", "remote_src": True, "_copy_mode": "remote"},
        error=r"^Cannot copy src file: '.*none\\' as it does not exist$",
    ),
    Case(
        module=TEMPORARY, about="a folder", arguments={"path": "{root}", "state": "directory", "prefix": "prs-roots."},
        result={"changed": True, "state": "directory", "path": re.compile(r"^C:\\.*\\prs-roots\.[a-z0-9]{8}\.[a-z0-9]{3}$")},
    ),
    Case(
        module=TEMPORARY, about="a file, with variables in its name", arguments={"path": "{root}", "prefix": "%OS%-", "suffix": ".%OS%"},
        result={"changed": True, "state": "file", "path": re.compile(r"\\Windows_NT-[a-z0-9]{8}\.[a-z0-9]{3}\.Windows_NT$")},
    ),
    Case(
        module=TEMPORARY, about="in check mode", arguments={"path": "{root}", "state": "directory"}, check=True, after={},
        result={"changed": True, "path": re.compile(r"\\ansible\.[a-z0-9]{8}\.[a-z0-9]{3}$")},
    ),
    Case(
        module=TEMPORARY, about="a file in a folder that is not there", arguments={"path": "{root}\\none"}, after={},
        error=r"^No random temporary file worked in 5 attempts\. Error: .*Could not find a part of the path '.*\\none\\ansible\..*'\.",
    ),
    Case(
        module=COMMAND, about="a program whose folder is not there", arguments={"argv": ["{root}\\none\\setup.exe", "/x"]},
        error=r'^Failed to run: \'.*\': Exception calling "CreateProcess" with "7" argument\(s\): "CreateProcessW\(\) failed \(.*, Win32ErrorCode 3 - 0x00000003\)"$',
        result={"rc": 3},
    ),
    Case(
        module=COMMAND, about="a program that is not there", arguments={"_raw_params": "{root}\\setup.exe /x"}, error=r"Win32ErrorCode 2 - 0x00000002\)\"$", result={"rc": 2},
    ),
]  # fmt: skip
