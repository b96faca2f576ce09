"""ansible.windows.win_certificate_store and win_certificate_info."""

from __future__ import annotations

import base64
import datetime as dt
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtensionOID, NameOID

from ..certificates import BadCertificateFile, Certificate, read_file
from ..languages import calling
from ..models import Task, module

__all__: list[str] = []


@module("ansible.windows.win_certificate_store")
def win_certificate_store(task: Task) -> dict[str, Any]:
    params, stores = task.params, task.host.certificates
    _need(task)
    store = params["store_name"]
    if params["store_type"] != "system" or params["store_location"].lower() != "localmachine":
        task.host.record.unmodelled(
            task.host.name, "module win_certificate_store on another store than LocalMachine", params["store_location"]
        )
        task.fail("The lab models certificate stores of LocalMachine only")
    if not stores.exists(store):
        task.fail(
            f"unable to find store '{store}': (CertOpenStore failed (The system cannot find the file specified, "
            "Win32ErrorCode 2 - 0x00000002))"
        )
    if params["state"] == "exported":
        return _export(task, store)
    if params["state"] == "absent" and params["path"] is None:
        thumbprints = [params["thumbprint"]]
        items: list[tuple[x509.Certificate, Any]] = []
    else:
        items = _load(task)
        thumbprints = [certificate.fingerprint(_sha1()).hex().upper() for certificate, _ in items]
    changed = False
    if params["state"] == "absent":
        for thumbprint in thumbprints:
            if stores.find(store, thumbprint):
                changed = True
                if not task.check_mode:
                    stores.remove(store, thumbprint)
    else:
        for certificate, key in items:
            found = stores.find(store, certificate.fingerprint(_sha1()).hex())
            if found is None or (key is not None and not stores.has_key(found)):
                changed = True
                if not task.check_mode:
                    stores.add(store, certificate, key, exportable=bool(params["key_exportable"]))
    return {"changed": changed, "thumbprints": thumbprints}


def _need(task: Task) -> None:
    """required_if of the module, which its documentation does not show."""
    params = task.params
    if params["state"] == "absent" and params["path"] is None and params["thumbprint"] is None:
        task.fail("state is absent but any of the following are missing: path, thumbprint")
    if params["state"] == "exported" and (params["path"] is None or params["thumbprint"] is None):
        task.fail("state is exported but all of the following are missing: path, thumbprint")
    if params["state"] == "present" and params["path"] is None:
        task.fail("state is present but all of the following are missing: path")


def _load(task: Task) -> list[tuple[x509.Certificate, Any]]:
    path = task.params["path"]
    if not task.files.is_file(path):
        task.fail(f"File at '{path}' either does not exist or is not a file")
    try:
        return read_file(task.files.read(path), task.params["password"], task.host.character)
    except BadCertificateFile as error:
        task.fail(f"Failed to load cert from file: {calling('Import', 3, str(error))}")


def _export(task: Task, store: str) -> dict[str, Any]:
    params, stores = task.params, task.host.certificates
    path, thumbprint = params["path"], params["thumbprint"]
    if task.files.is_dir(path):
        task.fail(f"Cannot export cert to path '{path}' as it is a directory")
    found = stores.find(store, thumbprint)
    result: dict[str, Any] = {"changed": False, "thumbprints": [thumbprint]}
    if task.files.is_file(path):
        try:
            present = read_file(task.files.read(path), params["password"], task.host.character)
        except BadCertificateFile:
            present = []
        if [certificate.fingerprint(_sha1()).hex().upper() for certificate, _ in present] == [thumbprint.upper()]:
            return result
    if found is None:
        task.fail("Found 0 certs when only expecting 1")
    if params["file_type"] == "pkcs12":
        data, result["key_exportable"] = _pkcs12(task, found), found.exportable
        result["key_exported"] = False
    elif params["file_type"] == "pem":
        data = found.pem.replace(b"\n", b"\r\n")
    else:
        data = found.der
    if not task.check_mode:
        task.files.write(path, data)
    return {**result, "changed": True}


def _pkcs12(task: Task, found: Certificate) -> bytes:
    if found.key_name and not found.exportable:
        task.fail("Failed to export certificate as bytes: Key not valid for use in specified state.")
    key = None
    if found.key_name:
        key = serialization.load_pem_private_key(
            task.host.certificates.key_for(found.thumbprint, "NT AUTHORITY\\SYSTEM")[1], password=None
        )
    password = task.params["password"]
    how = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    return pkcs12.serialize_key_and_certificates(None, key, found.x509, None, how)


@module("ansible.windows.win_certificate_info")
def win_certificate_info(task: Task) -> dict[str, Any]:
    stores, store, thumbprint = task.host.certificates, task.params["store_name"], task.params["thumbprint"]
    if task.params["store_location"].lower() != "localmachine" or not stores.exists(store):
        return {"exists": False, "certificates": []}
    found = [item for item in stores.list(store) if thumbprint is None or item.thumbprint == thumbprint.upper()]
    return {"exists": bool(found), "certificates": [_describe(task, item) for item in found]}


def _describe(task: Task, item: Certificate) -> dict[str, Any]:
    certificate = item.x509
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    info: dict[str, Any] = {
        "friendly_name": item.friendly_name,
        "thumbprint": item.thumbprint,
        "subject": certificate.subject.rfc4514_string(),
        "issuer": certificate.issuer.rfc4514_string(),
        "valid_from": start.timestamp(),
        "valid_from_iso8601": _iso(start),
        "valid_to": end.timestamp(),
        "valid_to_iso8601": _iso(end),
        "serial_number": f"{certificate.serial_number:X}",
        "archived": False,
        "version": 3,
        "has_private_key": task.host.certificates.has_key(item),
        "issued_by": _common_name(certificate.issuer),
        "issued_to": _common_name(certificate.subject),
        "signature_algorithm": "sha256RSA",
        "dns_names": [_common_name(certificate.subject)],
        "raw": base64.b64encode(item.der).decode(),
        "public_key": base64.b64encode(
            certificate.public_key().public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        ).decode(),
        "extensions": [],
    }
    for extension in certificate.extensions:
        info["extensions"].append(
            {"critical": extension.critical, "field": extension.oid._name, "value": str(extension.value)}
        )
        if extension.oid == ExtensionOID.BASIC_CONSTRAINTS:
            info["is_ca"], info["path_length_constraint"] = extension.value.ca, extension.value.path_length or 0
        elif extension.oid == ExtensionOID.SUBJECT_ALTERNATIVE_NAME:
            info["dns_names"] += extension.value.get_values_for_type(x509.DNSName)
        elif extension.oid == ExtensionOID.SUBJECT_KEY_IDENTIFIER:
            info["ski"] = extension.value.digest.hex().upper()
        elif extension.oid == ExtensionOID.EXTENDED_KEY_USAGE:
            info["intended_purposes"] = [
                {"1.3.6.1.5.5.7.3.1": "Server Authentication"}.get(use.dotted_string, use.dotted_string)
                for use in extension.value
            ]
    return info


def _common_name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else ""


def _iso(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _sha1() -> Any:
    from cryptography.hazmat.primitives import hashes

    return hashes.SHA1()
