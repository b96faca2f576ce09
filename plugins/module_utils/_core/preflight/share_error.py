# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an error of Windows means for the account that reads a share, as the end of a sentence."""

from __future__ import annotations

from ..advice.windows import advice_for, of_share_user
from .facts import HostFacts

__all__ = ["advice_about"]


def advice_about(number: int, facts: HostFacts) -> str:
    """'' where there is nothing better to say than the message of Windows."""
    advice = advice_for(number=number, access=of_share_user(facts.host))
    return f"{advice[:1].lower()}{advice[1:]}." if advice else ""
