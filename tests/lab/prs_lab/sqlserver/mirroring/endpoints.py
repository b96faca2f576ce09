"""CREATE, ALTER and DROP ENDPOINT ... FOR DATABASE_MIRRORING. The documents themselves lie with the certificates in
master.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import SqlError
from ..execution.batch import Batch
from ..execution.registry import executes
from ..parse import ir_objects as ir
from ..wire.items import Done, Item
from .machine import settle_all

__all__ = ["drop_endpoint"]

_PROPERTIES = ("state", "port", "authentication", "encryption", "algorithm", "role", "owner")


@executes(ir.Endpoint)
def _endpoint(batch: Batch, statement: ir.Endpoint) -> Iterator[Item]:
    if not batch.session.login.may("ALTER ANY ENDPOINT"):
        raise SqlError(15247, "User does not have permission to perform this action.")
    known = batch.instance.certificates
    found = known.endpoints.get(statement.name.lower())
    if statement.create:
        _check_new(batch, statement)
        found = {
            "name": statement.name, "endpoint_id": 65536, "state": "STOPPED", "authentication": "NEGOTIATE", "encryption": "REQUIRED", "algorithm": "AES",
            "role": "PARTNER", "port": 0, "certificate": None, "owner": batch.session.login_name, "epoch": 0,
        }  # fmt: skip
    elif found is None:
        raise SqlError(
            15151,
            f"Cannot alter the endpoint '{statement.name}', because it does not exist or you do not have permission.",
        )
    if statement.certificate is not None:
        _check_certificate(batch, statement.certificate)
    changed = {name: getattr(statement, name) for name in _PROPERTIES if getattr(statement, name) is not None}
    if "authentication" in changed:
        changed["certificate"] = statement.certificate
    # Whatever is altered, connections are made anew.
    known.save_endpoint({**found, **changed, "epoch": found.get("epoch", 0) + 1})
    settle_all()
    yield Done()


def _check_new(batch: Batch, statement: ir.Endpoint) -> None:
    known = batch.instance.certificates.endpoints
    if statement.name.lower() in known:
        raise SqlError(7874, f"An endpoint already exists with the bindings specified: '{statement.name}'.")
    if known:
        raise SqlError(
            7862,
            "An endpoint of the requested type already exists.  Only one endpoint of this type is supported.  Use "
            "ALTER ENDPOINT or DROP the "
            "existing endpoint and execute the CREATE ENDPOINT statement.",
        )
    if batch.instance.settings.edition.lower().startswith("express") and statement.role != "WITNESS":
        raise SqlError(7878, 'This "CREATE ENDPOINT" statement is not supported on this edition of SQL Server.')


def _check_certificate(batch: Batch, name: str) -> None:
    found = batch.instance.certificates.get(name)
    if found is None:
        raise SqlError(
            15151, f"Cannot find the certificate '{name}', because it does not exist or you do not have permission."
        )
    dates = found.certificate
    valid = dates.not_valid_before_utc <= batch.instance.utc_now() <= dates.not_valid_after_utc
    if found.key is None or found.by_password is not None or not valid:
        raise SqlError(
            28055,
            f"The certificate '{name}' is not valid for endpoint authentication. The certificate must have a "
            "private key encrypted with the database master "
            "key and current UTC date has to be between the certificate start date and the certificate expiration "
            "date.",
        )


def drop_endpoint(batch: Batch, name: str) -> None:
    """DROP ENDPOINT: what was granted on it goes with it."""
    batch.instance.certificates.drop_endpoint(name)
    prefix = f"endpoint:{name} ".lower()
    for login in batch.instance.logins:
        if any(known.startswith(prefix) for known in (*login.granted, *login.denied)):
            login.granted = [known for known in login.granted if not known.startswith(prefix)]
            login.denied = [known for known in login.denied if not known.startswith(prefix)]
            batch.instance.logins.save(login)
    settle_all()
