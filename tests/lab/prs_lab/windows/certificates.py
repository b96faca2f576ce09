"""The certificate stores of one host's LocalMachine, with private keys as files whose rights decide who may use them.

As on Windows, the key of a certificate in ``My`` lies below ``C:\\ProgramData\\Microsoft\\Crypto``, in
``RSA\\MachineKeys`` where a legacy provider keeps it and in ``Keys`` where a key storage provider (CNG) does;
SYSTEM and Administrators may read it, anybody else only after being let. (The file holds the plain key; DPAPI is not
imitated.)
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12
from cryptography.x509.oid import NameOID

from .character import Character
from .errors import WinError
from .parts import Part, host_part
from .security import WELL_KNOWN, Ace, Descriptor, Rights

__all__ = [
    "KEY_FOLDER",
    "BadCertificateFile",
    "Certificate",
    "CertificateStores",
    "dns_names",
    "read_file",
    "windows_name",
]

KEY_FOLDER = r"C:\ProgramData\Microsoft\Crypto\RSA\MachineKeys"
CNG_FOLDER = r"C:\ProgramData\Microsoft\Crypto\Keys"
_PBES2 = bytes.fromhex("06092a864886f70d01050d")
STORES = (
    "My",
    "Root",
    "CA",
    "AuthRoot",
    "Trust",
    "TrustedPeople",
    "TrustedPublisher",
    "Disallowed",
    "ClientAuthIssuer",
    "WebHosting",
)
_SYSTEM = "NT AUTHORITY\\SYSTEM"


class BadCertificateFile(Exception):
    """A file that holds no certificate, or whose password is wrong; the text is .NET's."""


@dataclass(kw_only=True)
class Certificate:
    """A certificate in a store. ``key_name`` is the file of its private key, '' without one; ``keys``: who keeps it,
    csp or cng.
    """

    der: bytes
    key_name: str = ""
    friendly_name: str = ""
    exportable: bool = True
    keys: str = "csp"

    @property
    def x509(self) -> x509.Certificate:
        return x509.load_der_x509_certificate(self.der)

    @property
    def thumbprint(self) -> str:
        return self.x509.fingerprint(hashes.SHA1()).hex().upper()

    @property
    def pem(self) -> bytes:
        return self.x509.public_bytes(serialization.Encoding.PEM)


@host_part("certificates")
class CertificateStores(Part):
    """LocalMachine's stores by name."""

    def reset(self) -> None:
        self._stores: dict[str, dict[str, Certificate]] = {name.lower(): {} for name in STORES}
        # Domain members and lab servers alike trust the lab's CA, as group policy would have it.
        for pem in getattr(self.host.estate, "trusted_roots", ()):
            certificate = Certificate(der=x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER))
            self._stores["root"][certificate.thumbprint] = certificate

    def exists(self, store: str) -> bool:
        return _key(store) in self._stores

    def list(self, store: str) -> list[Certificate]:
        """Every certificate of a store, by thumbprint; KeyError when there is no such store."""
        return [certificate for _, certificate in sorted(self._stores[_key(store)].items())]

    def find(self, store: str, thumbprint: str) -> Certificate | None:
        """By thumbprint in any case, blanks left out as Windows does."""
        return self._stores.get(_key(store), {}).get(re.sub(r"[^0-9A-Fa-f]", "", thumbprint).upper())

    def add(
        self,
        store: str,
        certificate: x509.Certificate,
        key: Any = None,
        *,
        friendly_name: str = "",
        exportable: bool = True,
    ) -> Certificate:
        """Puts a certificate into a store; its key, where given, becomes a file that SYSTEM and Administrators may
        read.
        """
        stored = Certificate(
            der=certificate.public_bytes(serialization.Encoding.DER),
            friendly_name=friendly_name,
            exportable=exportable,
            keys=self.host.character.keys,
        )
        known = self.find(store, stored.thumbprint)
        if key is not None:
            stored.key_name = known.key_name if known and known.key_name else self._write_key(stored, key)
        elif known:
            stored.key_name = known.key_name
        with self.host.lock:
            self._stores[_key(store)][stored.thumbprint] = stored
        return stored

    def remove(self, store: str, thumbprint: str) -> None:
        with self.host.lock:
            self._stores[_key(store)].pop(thumbprint.upper(), None)

    def has_key(self, certificate: Certificate) -> bool:
        return bool(certificate.key_name) and self.host.files(_SYSTEM).exists(self.key_path(certificate))

    def key_path(self, certificate: Certificate) -> str:
        return f"{CNG_FOLDER if certificate.keys == 'cng' else KEY_FOLDER}\\{certificate.key_name}"

    def key_for(self, thumbprint: str, account: str, *, legacy: bool = False) -> tuple[bytes, bytes]:
        """(certificate PEM, private key PEM) out of My, read with the account's rights.

        KeyError: no such certificate, it has no key, or (``legacy``) not in a legacy provider. PermissionError: the
        account may not read the key.
        """
        certificate = self.find("My", thumbprint)
        if certificate is None or not certificate.key_name or (legacy and certificate.keys != "csp"):
            raise KeyError(thumbprint)
        try:
            return certificate.pem, self.host.files(account).read(self.key_path(certificate))
        except WinError as error:
            if error.number == 5:
                raise PermissionError(f"{account} may not read the private key of {thumbprint}") from error
            raise KeyError(thumbprint) from error

    def readers(self, certificate: Certificate) -> set[str]:
        """The SIDs that the key's file lets read."""
        entries = self.host.drives.entries(self.key_path(certificate), folder=False)
        return {ace.sid for ace in entries if ace.allow and ace.mask & Rights.READ == Rights.READ}

    def let_read(self, certificate: Certificate, sid: str) -> None:
        """Gives an account the right to read the key."""
        path = self.key_path(certificate)
        descriptor = self.host.drives.descriptor(path)
        descriptor.entries = [*descriptor.entries, Ace(sid=sid, mask=Rights.READ | Rights.SYNCHRONIZE)]
        self.host.drives.set_descriptor(path, descriptor)

    def _write_key(self, certificate: Certificate, key: Any) -> str:
        name = f"{certificate.thumbprint[:32].lower()}_{self.host.name.lower()}"
        view = self.host.files(_SYSTEM)
        certificate.key_name = name
        path = self.key_path(certificate)
        view.make_dir(path.rpartition("\\")[0])
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        view.write(path, pem)
        full = [Ace(sid=WELL_KNOWN[who], mask=Rights.FULL) for who in (_SYSTEM, "BUILTIN\\Administrators")]
        self.host.drives.set_descriptor(path, Descriptor(entries=full, protected=True))
        return name

    def to_state(self) -> Any:
        return {
            store: [
                {
                    "der": base64.b64encode(item.der).decode(),
                    "key_name": item.key_name,
                    "friendly_name": item.friendly_name,
                    "exportable": item.exportable,
                    "keys": item.keys,
                }
                for item in certificates.values()
            ]
            for store, certificates in self._stores.items()
        }

    def load_state(self, state: Any) -> None:
        for store, items in state.items():
            found = [Certificate(**{**item, "der": base64.b64decode(item["der"])}) for item in items]
            self._stores[store] = {certificate.thumbprint: certificate for certificate in found}


def read_file(
    data: bytes, password: str | None, character: Character | None = None
) -> list[tuple[x509.Certificate, Any]]:
    """The certificates of a PFX, PEM, DER or PKCS#7 file as (certificate, key or None), the one with the key first.

    A PFX by PBES2, which AES needs, is one with a wrong password to a Windows that knows RC2 and 3DES alone.
    """
    if b"-----BEGIN CERTIFICATE-----" in data:
        return [(certificate, None) for certificate in x509.load_pem_x509_certificates(data)]
    if b"-----BEGIN PKCS7-----" in data:
        return [(certificate, None) for certificate in pkcs7.load_pem_pkcs7_certificates(data)]
    for read in (x509.load_der_x509_certificate, pkcs7.load_der_pkcs7_certificates):
        try:
            found = read(data)
        except ValueError:
            continue
        return [(certificate, None) for certificate in (found if isinstance(found, list) else [found])]
    wrong_password = f"{WinError(86).text}\r\n"
    if _PBES2 in data and character is not None and not character.windows.aes_pfx:
        raise BadCertificateFile(wrong_password)
    try:
        key, certificate, others = pkcs12.load_key_and_certificates(data, password.encode() if password else None)
    except ValueError as error:
        if data[:1] == b"\x30":
            raise BadCertificateFile(wrong_password) from error
        raise BadCertificateFile("Cannot find the requested object.\r\n") from error
    first = [(certificate, key)] if certificate is not None else []
    return [*first, *((other, None) for other in others)]


def _key(store: str) -> str:
    return {"certificateauthority": "ca"}.get(store.lower(), store.lower())


def dns_names(certificate: x509.Certificate) -> list[str]:
    """Those that a certificate is for, in their own letters; without any, its common name."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return [str(name.value) for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    return [_in_its_own_letters(name) for name in names.value.get_values_for_type(x509.DNSName)]


def _in_its_own_letters(name: str) -> str:
    try:
        return name.encode("ascii").decode("idna")
    except UnicodeError:
        return name


def windows_name(name: x509.Name) -> str:
    """A distinguished name as CertNameToStr writes it: a value with a separator is quoted, a quote in it doubled."""
    parts = []
    for attribute in reversed(list(name)):
        value = str(attribute.value)
        if re.search(r'[,+="\n<>#;]', value) or value != value.strip():
            value = '"' + value.replace('"', '""') + '"'
        parts.append(f"{attribute.rfc4514_attribute_name}={value}")
    return ", ".join(parts)
