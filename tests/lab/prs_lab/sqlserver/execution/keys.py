"""Master key, certificates, endpoints: kept in master; certificates are real ones, so what they encrypt needs their
key.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from ...windows.errors import WinError
from ..errors import SqlError, Unmodelled
from ..parse import ir_objects as ir
from ..parse.ir import BackupCertificate
from ..query.dates import parse_time
from ..wire.items import Done, Item
from .batch import Batch
from .registry import executes

if TYPE_CHECKING:
    from ..instance import Instance

__all__ = ["Certificate", "Certificates", "drop_key", "give_certificate"]

_OAEP = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
_INVALID = (
    "The certificate, asymmetric key, or private key file is not valid or does not exist; or you do not have "
    "permissions for it."
)


@functools.lru_cache(maxsize=64)
def _private_key(der: bytes) -> rsa.RSAPrivateKey:
    """It is asked for at each message between mirrors, and reading it checks its primes."""
    return serialization.load_der_private_key(der, None)  # type: ignore[return-value]


@dataclass(kw_only=True)
class Certificate:
    """der: the certificate; key: its private key (PKCS 8, DER), None without; by_password: the key's password when no
    master key protects it; key_backed_up: when the private key was last written to a file, local time, ISO 8601.
    """

    name: str
    certificate_id: int
    der: bytes
    key: bytes | None = field(default=None, repr=False)
    by_password: str | None = field(default=None, repr=False)
    owner: str = "dbo"
    key_backed_up: str | None = None

    @property
    def certificate(self) -> x509.Certificate:
        return x509.load_der_x509_certificate(self.der)

    @property
    def expires(self) -> dt.datetime:
        return self.certificate.not_valid_after_utc

    @property
    def private_key(self) -> rsa.RSAPrivateKey | None:
        return _private_key(self.key) if self.key else None

    @property
    def thumbprint(self) -> bytes:
        return hashlib.sha1(self.der, usedforsecurity=False).digest()

    def encrypt(self, data: bytes) -> bytes:
        """A few bytes (the key of a backup) for the owner of the private key."""
        return self.certificate.public_key().encrypt(data, _OAEP)  # type: ignore[union-attr]

    def decrypt(self, data: bytes) -> bytes:
        """Raises ValueError when it was not made for this key, or there is no private key."""
        key = self.private_key
        if key is None:
            raise ValueError(f"certificate {self.name} has no private key")
        return key.decrypt(data, _OAEP)


class Certificates:
    """The certificates of master, and its endpoints and master key."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._lock = threading.RLock()
        self._certificates: dict[str, Certificate] = {}
        self.endpoints: dict[str, dict[str, Any]] = {}
        self.has_master_key = False

    def __iter__(self) -> Iterator[Certificate]:
        return iter(list(self._certificates.values()))

    def load(self) -> None:
        with self._instance.master() as metadata:
            self._certificates = {
                document["name"].lower(): Certificate(**document) for document in metadata.all("certificate")
            }
            self.endpoints = {document["name"].lower(): document for document in metadata.all("endpoint")}
            self.has_master_key = metadata.get("key", "master key") is not None

    def get(self, name: str) -> Certificate | None:
        return self._certificates.get(name.lower())

    def by_thumbprint(self, thumbprint: bytes) -> Certificate | None:
        return next((certificate for certificate in self if certificate.thumbprint == thumbprint), None)

    def save(self, certificate: Certificate) -> None:
        with self._lock, self._instance.master() as metadata:
            metadata.put("certificate", certificate.name, vars(certificate))
            self._certificates[certificate.name.lower()] = certificate

    def drop(self, name: str) -> None:
        with self._lock, self._instance.master() as metadata:
            metadata.delete("certificate", name)
            self._certificates.pop(name.lower(), None)

    def next_id(self) -> int:
        return max([256, *(certificate.certificate_id for certificate in self)]) + 1

    def set_master_key(self, present: bool) -> None:
        with self._lock, self._instance.master() as metadata:
            if present:
                metadata.put("key", "master key", {"name": "##MS_DatabaseMasterKey##"})
            else:
                metadata.delete("key", "master key")
            self.has_master_key = present

    def save_endpoint(self, endpoint: dict[str, Any]) -> None:
        with self._lock, self._instance.master() as metadata:
            metadata.put("endpoint", endpoint["name"], endpoint)
            self.endpoints[endpoint["name"].lower()] = endpoint

    def drop_endpoint(self, name: str) -> None:
        with self._lock, self._instance.master() as metadata:
            metadata.delete("endpoint", name)
            self.endpoints.pop(name.lower(), None)


def _in_master(batch: Batch, what: str) -> None:
    if batch.session.database.lower() != "master":
        raise Unmodelled(f"{what} in a database other than master")
    if not batch.session.login.may("CONTROL SERVER"):
        raise SqlError(15247, "User does not have permission to perform this action.")


@executes(ir.CreateMasterKey)
def _create_master_key(batch: Batch, statement: ir.CreateMasterKey) -> Iterator[Item]:
    _in_master(batch, "CREATE MASTER KEY")
    if batch.instance.certificates.has_master_key:
        raise SqlError(
            15578, "There is already a master key in the database. Please drop it before performing this statement."
        )
    batch.instance.certificates.set_master_key(True)
    yield Done()


@executes(ir.CreateCertificate)
def _create(batch: Batch, statement: ir.CreateCertificate) -> Iterator[Item]:
    _in_master(batch, "CREATE CERTIFICATE")
    known = batch.instance.certificates
    if known.get(statement.name) is not None:
        raise SqlError(
            15232,
            f"A certificate with name '{statement.name}' already exists or this certificate already has been added "
            "to the database.",
        )
    if statement.file is not None or statement.binary is not None:
        der, key = _from_outside(batch, statement)
        if known.by_thumbprint(hashlib.sha1(der, usedforsecurity=False).digest()) is not None:
            raise SqlError(
                15232,
                f"A certificate with name '{statement.name}' already exists or this certificate already has been "
                "added to the database.",
            )
    else:
        der, key = _new(batch, statement)
    if key is not None and statement.encryption_password is None and not known.has_master_key:
        raise SqlError(
            15581,
            "Please create a master key in the database or open the master key in the session before performing "
            "this operation.",
            state=3,
        )
    if statement.owner is not None:
        _check_user(batch, statement.owner)
    password = str(statement.encryption_password) if statement.encryption_password is not None else None
    known.save(
        Certificate(
            name=statement.name,
            certificate_id=known.next_id(),
            der=der,
            key=key,
            by_password=password,
            owner=statement.owner or "dbo",
        )
    )
    yield Done()


def _check_user(batch: Batch, name: str) -> None:
    with batch.instance.master() as metadata:
        if metadata.get("user", name) is None:
            raise SqlError(
                15151, f"Cannot find the user '{name}', because it does not exist or you do not have permission."
            )


def give_certificate(batch: Batch, name: str, owner: str) -> None:
    """ALTER AUTHORIZATION ON CERTIFICATE. Raises 15151."""
    _in_master(batch, "ALTER AUTHORIZATION ON CERTIFICATE")
    found = batch.instance.certificates.get(name)
    if found is None:
        raise SqlError(
            15151, f"Cannot find the certificate '{name}', because it does not exist or you do not have permission."
        )
    _check_user(batch, owner)
    found.owner = owner
    batch.instance.certificates.save(found)


def _from_outside(batch: Batch, statement: ir.CreateCertificate) -> tuple[bytes, bytes | None]:
    try:
        files = batch.instance.files()
        raw = statement.binary if statement.binary is not None else files.read(str(statement.file))
        found = (
            x509.load_pem_x509_certificate(raw)
            if raw.lstrip().startswith(b"-----")
            else x509.load_der_x509_certificate(raw)
        )
        key_raw = (
            statement.key_binary
            if statement.key_binary is not None
            else files.read(str(statement.key_file))
            if statement.key_file
            else None
        )
        key = None
        if key_raw is not None:
            password = str(statement.decryption_password or "").encode()
            loaded = serialization.load_der_private_key(key_raw, password or None)
            if loaded.public_key() != found.public_key():
                raise ValueError("the private key does not belong to the certificate")
            key = loaded.private_bytes(
                serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
    except (WinError, ValueError, TypeError) as error:
        raise SqlError(15208, _INVALID, state=6) from error
    return found.public_bytes(serialization.Encoding.DER), key


def _new(batch: Batch, statement: ir.CreateCertificate) -> tuple[bytes, bytes]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    start = parse_time(str(statement.start_date)) if statement.start_date is not None else batch.instance.now()
    end = (
        parse_time(str(statement.expiry_date)) if statement.expiry_date is not None else start + dt.timedelta(days=365)
    )
    if end <= start:
        raise SqlError(
            15297, "The certificate, asymmetric key, or private key data is invalid: it would end before it begins."
        )
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, str(statement.subject)[:64])])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(start).not_valid_after(end).sign(key, hashes.SHA256())
    )  # fmt: skip
    der_key = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made.public_bytes(serialization.Encoding.DER), der_key


@executes(BackupCertificate)
def _backup(batch: Batch, statement: BackupCertificate) -> Iterator[Item]:
    _in_master(batch, "BACKUP CERTIFICATE")
    found = batch.instance.certificates.get(statement.name)
    if found is None:
        raise SqlError(
            15151,
            f"Cannot find the certificate '{statement.name}', because it does not exist or you do not have permission.",
        )
    _write_new(batch, str(statement.file), found.der)
    if statement.key_file is not None:
        key = found.private_key
        if key is None or statement.encryption_password is None:
            raise SqlError(15208, _INVALID)
        encryption = serialization.BestAvailableEncryption(str(statement.encryption_password).encode())
        _write_new(
            batch,
            str(statement.key_file),
            key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, encryption),
        )
        found.key_backed_up = batch.instance.now().replace(microsecond=0, tzinfo=None).isoformat()
        batch.instance.certificates.save(found)
    yield Done()


def _write_new(batch: Batch, path: str, data: bytes) -> None:
    files = batch.instance.files()
    try:
        if files.exists(path):
            raise WinError(80, path)
        files.write(path, data)
    except WinError as error:
        raise SqlError(
            15240,
            f"Cannot write into file '{path}'. Verify that you have write permissions, that the file path is valid, "
            "and that the file does not "
            "already exist.",
        ) from error


def drop_key(batch: Batch, statement: ir.DropObject) -> None:
    """DROP CERTIFICATE, ENDPOINT, MASTER KEY. Raises 15151, 15580, 15352."""
    from ..mirroring.endpoints import drop_endpoint

    known = batch.instance.certificates
    if statement.kind == "master key":
        _in_master(batch, "DROP MASTER KEY")
        if not known.has_master_key:
            raise SqlError(
                15151,
                "Cannot drop the symmetric key 'master key', because it does not exist or you do not have permission.",
            )
        if any(certificate.key and certificate.by_password is None for certificate in known):
            raise SqlError(15580, "Cannot drop master key because certificate is encrypted by it.")
        known.set_master_key(False)
        return
    name = statement.names[0][-1]
    present = known.get(name) is not None if statement.kind == "certificate" else name.lower() in known.endpoints
    if not present or not batch.session.login.may("CONTROL SERVER"):
        raise SqlError(
            15151,
            f"Cannot drop the {statement.kind} '{name}', because it does not exist or you do not have permission.",
        )
    if statement.kind == "endpoint":
        drop_endpoint(batch, name)
        return
    if any(str(endpoint["certificate"] or "").lower() == name.lower() for endpoint in known.endpoints.values()):
        raise SqlError(
            15352,
            "The certificate cannot be dropped because one or more entities are either signed or encrypted using it.",
        )
    known.drop(known.get(name).name)
