# Copyright (c) 2026 prs.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which certificates of authorities a server lacks: facts of hosts in, data out."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from ..binary.certificate_file import certificates_in, pem_of, thumbprint_of

__all__ = ["missing_roots"]


def missing_roots(facts: Mapping[str, Any]) -> list[dict[str, str]]:
    """{thumbprint, pem} of each certificate that is to be trusted and is not yet.

    facts: contents: of the files, in base64; present: thumbprints in the server's store of roots.
    """
    present = {thumbprint.upper() for thumbprint in facts["present"]}
    certificates = [
        certificate for content in facts["contents"] for certificate in certificates_in(base64.b64decode(content))
    ]
    wanted = {thumbprint_of(certificate): pem_of(certificate) for certificate in certificates}
    return [{"thumbprint": thumbprint, "pem": pem} for thumbprint, pem in wanted.items() if thumbprint not in present]
