"""What makes a Windows host an odd one: its character, of a few traits, each of which changes what the twin answers.

A trait that the twin cannot follow is refused where the estate is read: a host is as odd as it says, or not at all.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from .languages import LANGUAGES, Language

__all__ = ["RELEASES", "Character", "Release", "character_from"]


@dataclass(frozen=True, kw_only=True)
class Release:
    """A Windows: as its registry names it, the release key of the .NET Framework that it brought, whether its Schannel
    speaks TLS 1.3, and whether it reads a PFX that is encrypted by AES-256.
    """

    product: str
    build: str
    dotnet: int
    installation: str = "Server"
    tls_1_3: bool = True
    aes_pfx: bool = True

    @property
    def newest_tls(self) -> ssl.TLSVersion:
        return ssl.TLSVersion.MAXIMUM_SUPPORTED if self.tls_1_3 else ssl.TLSVersion.TLSv1_2


RELEASES = {
    "server-2016": Release(
        product="Windows Server 2016 Standard", build="14393", dotnet=394802, tls_1_3=False, aes_pfx=False
    ),
    "server-2019": Release(product="Windows Server 2019 Standard", build="17763", dotnet=461814, tls_1_3=False),
    "server-2022": Release(product="Windows Server 2022 Standard", build="20348", dotnet=528449),
    "server-2022-core": Release(
        product="Windows Server 2022 Standard", build="20348", dotnet=528449, installation="Server Core"
    ),
    "server-2025": Release(product="Windows Server 2025 Standard", build="26100", dotnet=533509),
    "windows-11": Release(product="Windows 11 Pro", build="22631", dotnet=533320, installation="Client"),
}
KEYS = ("csp", "cng")
POLICIES = ("module-logging", "constrained-language")


@dataclass(frozen=True, kw_only=True)
class Character:
    """language: of LANGUAGES. release: of RELEASES. dotnet_release: another than it brought. deduplicated: letters of
    volumes that Data Deduplication has gone over. keys: what the PFX files that come here name as the keeper of their
    key: a legacy provider (csp) or a key storage provider (cng). proxy: what the machine's environment names as proxy,
    where nobody answers. firewall_service: whether the Windows Firewall's service runs. policies: of POLICIES.
    slow_start: seconds that the first PowerShell takes after each start of Windows. scanner: seconds for which an
    antivirus keeps open what was just written, so that nobody renames or removes it.
    """

    language: str = "en"
    release: str = "server-2022"
    dotnet_release: int = 0
    deduplicated: tuple[str, ...] = ()
    keys: str = "csp"
    proxy: str = ""
    firewall_service: bool = True
    policies: tuple[str, ...] = ()
    slow_start: float = 0.0
    scanner: float = 0.0

    @property
    def windows(self) -> Release:
        return RELEASES[self.release]

    @property
    def speech(self) -> Language:
        return LANGUAGES[self.language]

    @property
    def dotnet(self) -> int:
        return self.dotnet_release or self.windows.dotnet


_CHOICES = {"language": LANGUAGES, "release": RELEASES, "keys": KEYS}


def character_from(data: Mapping[str, Any], *, drives: frozenset[str], wrong: Callable[[str, str], None]) -> Character:
    """A host's character as the estate's file has it; `wrong(trait, what)` is called for what no twin can be."""
    known = {field.name: getattr(Character, field.name) for field in fields(Character)}
    traits: dict[str, Any] = {}
    for name, value in data.items():
        if name not in known:
            wrong(name, f"is no trait that the twin can have; there are {', '.join(known)}")
            continue
        default = known[name]
        if isinstance(default, tuple) and isinstance(value, list):
            value = tuple(value)
        if isinstance(default, float) and type(value) is int:
            value = float(value)
        if type(value) is not type(default):
            wrong(name, f"must be of type {type(default).__name__}, not {value!r}")
        elif name in _CHOICES and value not in _CHOICES[name]:
            wrong(name, f"must be one of {', '.join(_CHOICES[name])}")
        else:
            traits[name] = value
    character = Character(**traits)
    for letter in character.deduplicated:
        if letter not in drives or letter == "C":
            wrong("deduplicated", f"names {letter}, which is no drive of the host beside the system's")
    for policy in character.policies:
        if policy not in POLICIES:
            wrong("policies", f"must be of {', '.join(POLICIES)}")
    return character
