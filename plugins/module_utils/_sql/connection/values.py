# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a driver returns as values that JSON knows, exactly."""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
from typing import Any

__all__ = ["plain"]


def plain(value: Any) -> Any:
    """One value of a row as str, int, float, bool or None.

    Bytes become "0x..." in capitals as T-SQL writes them, GUIDs capitals with hyphens, whole decimals int (LSNs have 25
    digits), other decimals str, times ISO 8601 as the server gave them.
    """
    if isinstance(value, (bool, int, float, str)) or value is None:
        return value
    if isinstance(value, (bytes, bytearray, memoryview)):
        return "0x" + bytes(value).hex().upper()
    if isinstance(value, uuid.UUID):
        return str(value).upper()
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else str(value)
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    return str(value)
