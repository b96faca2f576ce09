# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Windows' error numbers mean for somebody who reads a share."""

from __future__ import annotations

__all__ = ["advice_for"]

BY_NUMBER = {
    2: "it does not exist. Put it there, or correct the path in the inventory.",
    3: "the folder does not exist. Make it, or correct the path in the inventory.",
    5: "access is denied. Give the account the right to read, on the share and on the folder.",
    53: "the file server does not answer. Switch it on, and check its name and the network between the two.",
    64: "the file server ended the connection. Check the network between the two.",
    67: "the server has no such share. Correct the path in the inventory.",
    1219: ("the share is already connected under another name on this server. Disconnect it there (net use /delete)."),
    1312: "there is no logon session. Try again after a restart of this server.",
    1326: "user name or password is wrong. Correct prs_share_user and prs_share_password in the inventory.",
    1909: "the account is locked. Unlock it.",
}


def advice_for(number: int) -> str:
    """A sentence for a person, or nothing when there is nothing to say."""
    return BY_NUMBER.get(number, "")
