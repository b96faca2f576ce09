# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do about an error of Windows, by its number or by the class of the .NET exception.

One table for all who meet such an error: modules over WinRM, SQL Server's service, the account that reads the shares.
What lets each of them in differs, and is the Access.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Access", "advice_for", "of_share_user", "of_sql_service", "over_winrm"]


@dataclass(frozen=True, kw_only=True)
class Access:
    """Who met an error. host: where; account: who, in words; rights: what he needs there.

    second_hop: more about missing rights; credentials: what to do where a server refuses the account; session: where
    there is none to go on with; removed: what became of a half-written file.
    """

    host: str
    account: str
    rights: str
    credentials: str
    session: str
    second_hop: str = ""
    removed: str = ""


def over_winrm(host: str) -> Access:
    """A module's WinRM session on a host."""
    return Access(
        host=host,
        account="the account",
        rights="Modify",
        credentials=(
            "check share_user (DOMAIN\\user, or SERVER\\user for an account of that server) and share_password"
        ),
        session=(
            "without share_user and share_password, give them; with them, write the account with its domain "
            "(DOMAIN\\user, or SERVER\\user for an account of that server)"
        ),
        second_hop=". On a share WinRM's own logon counts for nobody: give share_user and share_password",
        removed=". What was written so far was removed",
    )


def of_sql_service(account: str = "") -> Access:
    """SQL Server itself. account: its service account, where it is known."""
    return Access(
        host="the database server",
        account=f"the service account {account}" if account else "the SQL Server service account",
        rights="Modify",
        credentials="give rights to the server's own account (DOMAIN\\SERVER$), or use a domain account",
        session="restart the service of SQL Server, or use a domain account",
    )


def of_share_user(host: str) -> Access:
    """The account that the inventory names for the shares, on a host."""
    return Access(
        host=host,
        account="the account",
        rights="the right to read",
        credentials=("correct prs_share_user and prs_share_password in the inventory"),
        session=f"try again after a restart of {host}",
    )


_IN_USE = "stop it (an application pool, a backup, a virus scanner) or wait until it has ended, and run this again"
_PRESENT = (
    "Something of that name is there already: another run may be at work; if none is, remove it and run this again"
)

BY_NUMBER = {
    2: "The file does not exist for {account}: put it there, or correct the path, which is one of {host}",
    3: (
        "The folder does not exist for {account}: create it, or correct the path, which is one of {host}; drive "
        "letters of people are unknown to services"
    ),
    5: "{account} has no rights there: give it {rights} on the folder, and on the share if it is one{second_hop}",
    32: f"Another program has the file open: {_IN_USE}",
    33: f"Another program has locked a part of the file: {_IN_USE}",
    53: "The file server does not answer: switch it on, check its name, and that {host} reaches it on TCP port 445",
    64: "The file server ended the connection: check that it runs, and the network, then run this again",
    67: "The server has no share of that name: check the second part of \\\\server\\share",
    80: _PRESENT,
    86: "The password is wrong: {credentials}",
    112: "The disk is full: free space there, or choose another folder, and run this again{removed}",
    123: 'Windows cannot have a file of that name: leave out < > : " / \\ | ? *',
    183: _PRESENT,
    206: "The name is too long for that file system",
    1219: (
        "{host} is connected to that server under another account: end that connection (net use /delete), use that "
        "account here as well, or name the server differently (its full name, or its address)"
    ),
    1312: "Windows has no logon session with which to go on to that server: {session}",
    1326: "The file server refuses {account}, user name or password is wrong: {credentials}",
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


def advice_for(*, number: int | None, access: Access, kind: str = "") -> str:
    """A sentence for a person, or nothing when there is nothing to say."""
    template = BY_NUMBER.get(number or 0) or BY_KIND.get(kind) or ""
    advice = template.format(**vars(access))
    return advice[:1].upper() + advice[1:]
