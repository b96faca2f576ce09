#!/bin/sh
# zipfile of Python 3.12 and later: the name of an entry is another one than with Python 3.11, and than with .NET.
#
# Seen: where an entry has Info-ZIP's Unicode path field (0x7075, as Info-ZIP, WinRAR and 7-Zip write it beside a name in
# a code page), zipfile.namelist() gives the name in the header up to Python 3.11, and the one in the field from 3.12 on
# (gh-103861). So read("_.txt") worked, and raises KeyError now; only ZipInfo.orig_filename stays. .NET up to 10 reads
# the header's alone.
# Expected by who reads What's New in Python 3.12, which says nothing of it: the same names as before.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/look.py" <<'PYTHON'
import io
import struct
import sys
import zipfile
import zlib

raw, name = b"_.txt", "\u65e5\u672c.txt"
path = struct.pack("<BL", 1, zlib.crc32(raw)) + name.encode()
info = zipfile.ZipInfo(raw.decode())
info.extra = struct.pack("<HH", 0x7075, len(path)) + path
written = io.BytesIO()
with zipfile.ZipFile(written, "w") as archive:
    archive.writestr(info, b"content")
with zipfile.ZipFile(written) as archive:
    assert archive.testzip() is None
    names = archive.namelist()
    assert archive.infolist()[0].orig_filename == "_.txt"
    print(f"Python {sys.version.split()[0]}: {ascii(names)}")
    assert names == ([name] if sys.version_info >= (3, 12) else ["_.txt"]), "changed"
    try:
        archive.read("_.txt")
    except KeyError:
        assert sys.version_info >= (3, 12), "changed"
    else:
        assert sys.version_info < (3, 12), "changed"
PYTHON
tried=0
for version in 3.11 3.12 3.13 3.14; do
    for python in "python$version" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/python"$version"; do
        "$python" -c '' 2>/dev/null || continue
        "$python" "$folder/look.py"
        tried=$((tried + 1))
        break
    done
done
[ "$tried" -gt 0 ] || { echo "no Python from 3.11 on was found"; exit 1; }
