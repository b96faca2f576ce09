"""Connections between mirroring endpoints: found by address, let in by certificate or Windows account, kept until
something breaks them.

A connection is a handshake that succeeded. It holds as long as packets get through and both endpoints listen unaltered;
what was checked at the handshake (certificates and their dates, accounts, CONNECT) is not looked at again before the
next one, as on a real server.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import uuid
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..instance import Instance

__all__ = ["Address", "Connection", "Refused", "Transport", "parse_address"]

_ALGORITHMS = {"AES": ("AES",), "RC4": ("RC4",), "AES RC4": ("AES", "RC4"), "RC4 AES": ("RC4", "AES")}


class Refused(Exception):
    """No connection; `reason` as the error log has it, "" when nothing answers at all."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason or "nothing answers there")
        self.reason = reason


@dataclass(frozen=True)
class Address:
    """TCP://host:port"""

    host: str
    port: int


@dataclass(frozen=True, kw_only=True)
class Connection:
    """Of `near` to `far`. principal_name: whom the near instance let the far one in as. peer_certificate_id: by which
    certificate.
    """

    near: Instance
    far: Instance
    since: dt.datetime
    method: str
    algorithm: str
    principal_name: str
    peer_certificate_id: int | None
    epochs: tuple[int, int]
    id: str = dataclasses.field(default_factory=lambda: str(uuid.uuid4()).upper())


def parse_address(text: str) -> Address | None:
    """None when it is no server network address."""
    found = re.fullmatch(r"TCP://([^:/\s]+|\[[0-9a-f:]+\]):(\d{1,5})", text.strip(), re.IGNORECASE)
    return Address(found.group(1), int(found.group(2))) if found and 0 < int(found.group(2)) < 65536 else None


class Transport:
    """The mirroring connections of all instances that run in this process."""

    def __init__(self) -> None:
        self._running: weakref.WeakSet[Instance] = weakref.WeakSet()
        self._connections: dict[tuple[int, int], Connection] = {}

    def running(self) -> list[Instance]:
        """Instances that run, in an order that does not change."""
        return sorted(self._running, key=lambda one: (one.host.name, one.instance_name))

    def join(self, instance: Instance) -> None:
        self._running.add(instance)

    def leave(self, instance: Instance) -> None:
        """The instance stops: whoever was connected with it is not any more."""
        self._running.discard(instance)
        self._connections = {
            pair: one for pair, one in self._connections.items() if instance not in (one.near, one.far)
        }

    def of(self, instance: Instance) -> list[Connection]:
        return [one for one in self._connections.values() if one.near is instance]

    # ---- finding

    def at(self, near: Instance, address: str) -> Instance | None:
        """Whose endpoint answers at an address, asked from `near`."""
        wanted = parse_address(address)
        if wanted is None:
            return None
        where = near.host.route(wanted.host, wanted.port)
        for other in self._running:
            found = endpoint(other)
            if where is not None and found is not None and other.host.address == where and found["port"] == wanted.port:
                return other
        return None

    def connected(self, near: Instance, address: str) -> Instance | None:
        """The instance at an address when there is a connection, or one can be made now."""
        try:
            return self.connect(near, address).far
        except Refused:
            return None

    def connect(self, near: Instance, address: str) -> Connection:
        """Raises Refused."""
        far = self.at(near, address)
        if far is None or far is near:
            raise Refused
        ours, theirs = _listening(near), _listening(far)
        epochs = ours.get("epoch", 0), theirs.get("epoch", 0)
        pair = id(near), id(far)
        known = self._connections.get(pair)
        if known is not None and known.epochs == epochs and known.far is far:
            return known
        self._connections.pop(pair, None)
        try:
            algorithm = agree(ours, theirs)
            method, principal, certificate = _authenticate(near, far)
        except Refused as refused:
            if refused.reason:
                _log_refusal(near, far, refused)
            raise
        made = Connection(
            near=near, far=far, since=near.now(), method=method, algorithm=algorithm, principal_name=principal, peer_certificate_id=certificate,
            epochs=epochs,
        )  # fmt: skip
        self._connections[pair] = made
        return made


def endpoint(instance: Instance) -> dict[str, Any] | None:
    """The mirroring endpoint of an instance when it listens."""
    found = next(iter(instance.certificates.endpoints.values()), None)
    return found if found is not None and found["state"] == "STARTED" and instance.started is not None else None


def _listening(instance: Instance) -> dict[str, Any]:
    """The endpoint of an instance; one that is dropped or stopped during a handshake answers nothing. Raises Refused."""
    found = endpoint(instance)
    if found is None:
        raise Refused
    return found


def _log_refusal(near: Instance, far: Instance, refused: Refused) -> None:
    line = (
        f"Database Mirroring login attempt failed with error: 'Connection handshake failed. {refused.reason}'.  "
        f"[CLIENT: {near.host.address}]"
    )
    if not any(known.endswith(line) for known in list(far.error_log)[-5:]):
        far.log(line)


# ---- the handshake


def agree(ours: dict[str, Any], theirs: dict[str, Any]) -> str:
    """The algorithm of a connection, NONE for plain. Raises Refused (state 22) when the endpoints have none in common."""
    wishes = {ours["encryption"], theirs["encryption"]}
    if "DISABLED" in wishes:
        if "REQUIRED" in wishes:
            raise Refused("There is no compatible encryption algorithm. State 22.")
        return "NONE"
    # The endpoint that accepts the connection decides between two that both know.
    for algorithm in _ALGORITHMS[theirs["algorithm"]]:
        if algorithm in _ALGORITHMS[ours["algorithm"]]:
            return algorithm
    raise Refused("There is no compatible encryption algorithm. State 22.")


def _methods(found: dict[str, Any]) -> list[str]:
    """In the order in which the endpoint tries them: WINDOWS, CERTIFICATE."""
    return ["CERTIFICATE" if word == "CERTIFICATE" else "WINDOWS" for word in found["authentication"].split(", ")]


def _authenticate(near: Instance, far: Instance) -> tuple[str, str, int | None]:
    """Both sides let each other in; (method, as whom the near side knows the far one, by which of its certificates).
    Raises Refused.
    """
    theirs, last = _methods(_listening(far)), Refused("No authentication method is common to both endpoints. State 21.")
    for method in _methods(_listening(near)):
        if method not in theirs:
            continue
        check = _by_certificate if method == "CERTIFICATE" else _by_account
        try:
            check(near, far)
            return method, *check(far, near)
        except Refused as refused:
            last = refused
    raise last


def _by_certificate(caller: Instance, host: Instance) -> tuple[str, int | None]:
    """The caller proves that it has the private key of its endpoint's certificate; the host must know the public part
    of it.
    """
    own = caller.certificates.get(str(_listening(caller)["certificate"]))
    if own is None or own.key is None:
        raise Refused("The certificate used by this endpoint was not found: it has no private key. State 85.")
    _check_dates(own, caller, "The certificate used by this endpoint")
    known = host.certificates.by_thumbprint(own.thumbprint)
    if known is None:
        raise Refused(
            "The certificate used by the peer is invalid due to the following reason: Certificate not found. State 89."
        )
    _check_dates(known, host, "The certificate used by the peer")
    if known.owner.lower() == "dbo":
        return "dbo", known.certificate_id
    with host.master() as metadata:
        user = metadata.get("user", known.owner)
    login = host.logins.by_sid(user["sid"]) if user and user.get("sid") else None
    if login is None:
        raise Refused(f"The user '{known.owner}', who owns the certificate of the peer, has no login. State 89.")
    _check_connect(host, login)
    return login.name, known.certificate_id


def _check_dates(certificate: Any, instance: Instance, what: str) -> None:
    found, now = certificate.certificate, instance.utc_now()
    if not found.not_valid_before_utc <= now <= found.not_valid_after_utc:
        raise Refused(f"{what} is invalid due to the following reason: Certificate expired or not yet valid. State 89.")


def _by_account(caller: Instance, host: Instance) -> tuple[str, int | None]:
    """The account of the caller's service, as the network knows it, must have a login on the host."""
    account = caller.host.network_name(caller.settings.service_account)
    if account is None or caller.host.domain is None or caller.host.domain != host.host.domain:
        raise Refused("An OS call failed: (8009030c) 0x8009030c(The logon attempt failed). State 67.")
    login = host.logins.get(account)
    if login is None:
        raise Refused(f"The login '{account}' does not have CONNECT permission on the endpoint. State 84.")
    _check_connect(host, login)
    return login.name, None


def _check_connect(host: Instance, login: Any) -> None:
    found = _listening(host)
    permission = f"endpoint:{found['name']} ".lower() + "CONNECT"
    granted = login.is_sysadmin or found["owner"].lower() == login.name.lower() or permission in login.granted
    if permission in login.denied or not granted:
        raise Refused(f"The login '{login.name}' does not have CONNECT permission on the endpoint. State 84.")
