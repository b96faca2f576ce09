# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do about an error of Windows, by its number or by the class of the .NET exception."""

from __future__ import annotations

__all__ = ["advice_for"]

BY_NUMBER = {
    2: "Check the path; it is a path of {host}",
    3: "Check the path; it is a path of {host}",
    5: (
        "Give the account rights there. On a share WinRM's own logon counts for nobody: give share_user and "
        "share_password, and that account Modify"
    ),
    32: (
        "Another program has the file open: stop the application pool, or wait for a virus scanner or a backup that "
        "reads it, and run this again"
    ),
    33: "Another program has locked a part of the file: stop the application pool and run this again",
    53: (
        "The server of the share cannot be found: check its name, that it runs, and that {host} reaches it on TCP "
        "port 445"
    ),
    64: "The server of the share ended the connection: check that it runs, then run this again",
    67: "The server has no share of that name: check the second part of \\\\server\\share",
    80: "Something of that name is there already: another run may be at work; if none is, remove it and run this again",
    86: "The password in share_password is wrong",
    112: (
        "The drive is full: make room there, or choose another folder, and run this again. What was written so far "
        "was removed"
    ),
    183: (
        "Something of that name is there already: another run may be at work; if none is, remove it and run this again"
    ),
    206: "The name is too long for that file system",
    1219: "{host} is connected to that server under another account, and that connection could not be ended: use "
    "that account here as well, or name "
    "the server differently (its full name, or its address)",
    1312: "Windows has no logon session with which to go on to that server. Without share_user and share_password: "
    "give them. With them: write the "
    "account with its domain (DOMAIN\\user, or SERVER\\user for an account of that server)",
    1326: (
        "The server of the share refuses the account: check share_user (DOMAIN\\user, or SERVER\\user for an "
        "account of that server) and share_password"
    ),
    1330: "The password of that account has expired: set a new one",
    1331: "That account is disabled: enable it, or use another one",
    1385: "That account has no right to log on over the network: grant it on the server of the share",
    1909: "That account is locked: unlock it, and look for what keeps locking it",
    2401: "A file on the share is still open: it is closed when the session ends",
}

BY_KIND = {
    "InvalidDataException": "The archive is damaged or no ZIP archive: use another one",
    "BrokenInput": "Something on the way to {host} changes or drops data: run this again, and look into that",
    "EndOfInput": "The connection to {host} broke off: run this again, it finds out by itself how far it came",
    "LanguageMode": (
        "A policy (AppLocker or Application Control) restricts PowerShell on {host}: allow "
        "administrators the full language"
    ),
    "COMException": "Look at the pool in IIS Manager on {host} and into the host's event log, source WAS",
}


def advice_for(*, number: int, kind: str, host: str) -> str:
    """A sentence for a person, or nothing when there is nothing to say."""
    return (BY_NUMBER.get(number) or BY_KIND.get(kind) or "").format(host=host)
