"""Marker rows as a client reads them that shares no code with the collection or the page: pymssql, straight to the
server.
"""

from __future__ import annotations

import pymssql
from prs_lab.client import Lab

__all__ = ["read_markers"]


def read_markers(lab: Lab, *, host: str = "", database: str = "PasswordResetServer") -> list[tuple[str, str]]:
    """Every marker row in a fixed order: (label, its secret as the application encrypted it). `host`: default the first
    database server.
    """
    description = lab.description
    server = description.host(host) if host else description.in_group("prs_sql")[0]
    with pymssql.connect(
        server=server.address,
        port="1433",
        user="prs_recovery",
        password=description.secrets.sql_admin,
        database=database,
        login_timeout=10,
        timeout=30,
        tds_version="7.4",
    ) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT Label, Secret FROM dbo.tbMarker ORDER BY Label")
        return [(label, secret) for label, secret in cursor.fetchall()]
