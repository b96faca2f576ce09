"""The application as it runs in its pool: every request goes through here, from web.config to the page.

``Site`` is made per request and holds nothing: what the application knows lies in its folder and in its database, so
stopping, restoring or damaging either has the consequence that it has in reality. Pages carry ``<meta
name="prs-state">``: ``wizard``,
``ready`` or ``broken``, which spares the lab's own tools a look at the layout.
"""

from __future__ import annotations

import html
from dataclasses import replace
from typing import Any

from ..windows.errors import WinError
from . import schema, wizard
from .database import Database, Partners, SqlFailure
from .keys import BadFile, BadKey, DatabaseConfig, decode_database, decode_key, encode_database
from .messages import PageError, Request, Response, error_response, page, redirect
from .site_files import check_pages, load_assemblies, read_config

__all__ = ["Site"]


class Site:
    """The application in ``folder`` of ``host``, run by a pool.

    ``account`` is the pool's identity, ``clr`` its runtime version (``v4.0``), ``pipeline`` ``Classic`` or
    ``Integrated``, ``wow64`` whether it runs 32-bit, ``aspnet`` whether ASP.NET 4.5 is installed on the host,
    ``partners`` what its worker process remembers of mirrors.
    """

    def __init__(
        self,
        *,
        host: Any,
        folder: str,
        account: str,
        clr: str,
        pipeline: str,
        wow64: bool,
        aspnet: bool,
        partners: Partners | None = None,
    ):
        self.host = host
        self.folder = folder.rstrip("\\")
        self.account = account
        self.view = host.files(account)
        self.wow64 = wow64
        self._clr = clr
        self._pipeline = pipeline
        self._aspnet = aspnet
        self._partners: Partners = {} if partners is None else partners
        self.sql_timeout = 0
        self.version = ""

    def answer(self, request: Request) -> Response:
        """Never raises for what is the application's own trouble: that becomes an error page."""
        try:
            return self._answer(request)
        except PageError as error:
            return error_response(error)
        except BadFile as error:
            return error_response(PageError(500, str(error)))
        except BadKey as error:
            return error_response(PageError(500, f"Decryption failed: {error}", decryption="failed"))
        except SqlFailure as error:
            return error_response(PageError(500, f"SQL error {error.number}: {error}", sql_error=error.number))
        except WinError as error:
            return error_response(PageError(500, str(error), win32=error.number))

    def _answer(self, request: Request) -> Response:
        config = read_config(view=self.view, folder=self.folder)
        if config is not None and request.content_length > config.max_content:
            raise PageError(
                404,
                "The request filtering module is configured to deny a request that exceeds the request content length.",
                substatus=13,
            )
        name = check_pages(view=self.view, folder=self.folder, wanted=request.path)
        if not name.lower().endswith(".aspx"):
            return Response(
                status=200,
                body=self.view.read(f"{self.folder}\\{name}".replace("/", "\\")),
                headers={"Content-Type": "text/plain"},
            )
        if config is None:
            raise PageError(500, "The application did not start: web.config is missing.", file="web.config")
        self._check_runtime(config.target_framework, config.needs_classic)
        self.sql_timeout = config.sql_timeout
        self.version = load_assemblies(view=self.view, folder=self.folder)
        return self._page(name, request)

    def _check_runtime(self, framework: str, needs_classic: bool) -> None:
        """What ASP.NET's registration and the pool's settings make of an .aspx request."""
        if not self._aspnet:
            raise PageError(
                404,
                "The page you are requesting cannot be served because of the extension configuration. "
                "If the page is a script, add a handler.",
                substatus=3,
            )
        if not self._clr:
            raise PageError(
                500,
                'Handler "PageHandlerFactory-ISAPI-4.0_64bit" has a bad module in its module list (pool without '
                "managed code)",
                substatus=21,
            )
        if self._clr.lower() != "v4.0":
            raise PageError(
                500,
                f"Configuration Error: unrecognized attribute 'targetFramework' ({framework}); the pool runs "
                f"{self._clr}",
            )
        if needs_classic and self._pipeline.lower() != "classic":
            raise PageError(
                500,
                "An ASP.NET setting has been detected that does not apply in Integrated managed pipeline mode "
                "(system.web/httpModules).",
                substatus=22,
            )

    def _page(self, name: str, request: Request) -> Response:
        installed = self.view.exists(f"{self.folder}\\database.config")
        if name.lower() == "installer.aspx":
            return wizard.answer(self, request, installed=installed)
        if not installed:
            return redirect(f"{request.base.rstrip('/')}/Installer.aspx")
        config, key = self.read_settings()
        with self.connect(config) as database:
            state = schema.setup_state(database, key=key)
            if state.next_step is not None:
                return redirect(f"{request.base.rstrip('/')}/Installer.aspx")
            if state.force_https and not request.secure:
                return redirect(f"https://{request.host}{request.base}")
            if request.method == "POST" and request.form.get("action") == "mark":
                self._mark(database, key, request)
            if request.method == "POST" and request.form.get("action") == "partner":
                self._set_partner(database, config, request)
            rows = schema.markers(database, key=key)
        return self._markers_page(rows)

    def _mark(self, database: Database, key: bytes, request: Request) -> None:
        self._check_administrator(database, request)
        schema.add_markers(
            database, key=key, labels=[label for label in request.form.get("labels", "").splitlines() if label.strip()]
        )

    def _set_partner(self, database: Database, config: DatabaseConfig, request: Request) -> None:
        """The page Administration > Database, of which only this field is modelled."""
        self._check_administrator(database, request)
        changed = replace(config, failover_partner=request.form.get("failover_partner", "").strip())
        self.view.write(f"{self.folder}\\database.config", encode_database(changed))

    @staticmethod
    def _check_administrator(database: Database, request: Request) -> None:
        form = request.form
        if not schema.administrator_matches(database, name=form.get("user", ""), password=form.get("password", "")):
            raise PageError(403, "The user name or password is incorrect.")

    def _markers_page(self, rows: list[schema.Marker]) -> Response:
        lines = "\n".join(
            f'<tr><td class="number">{row.number}</td><td class="label">{html.escape(row.label)}</td>'
            f'<td class="secret">{html.escape(row.secret)}</td></tr>'
            for row in rows
        )
        body = f'<p>Version {html.escape(self.version)}</p>\n<table id="markers">\n{lines}\n</table>'
        return page(
            title="Password Reset Server",
            body=body,
            meta={"prs-state": "ready", "prs-version": self.version, "prs-rows": len(rows)},
        )

    def read_settings(self) -> tuple[DatabaseConfig, bytes]:
        """The two files of secrets; raises BadFile or PageError."""
        config = decode_database(self._file("database.config"))
        return config, decode_key(self._file("encryption.config"))

    def connect(self, config: DatabaseConfig, *, database: str | None = None) -> Database:
        return Database(
            host=self.host,
            config=config,
            wow64=self.wow64,
            timeout=self.sql_timeout,
            partners=self._partners,
            database=database,
        )

    def _file(self, name: str) -> bytes:
        try:
            return self.view.read(f"{self.folder}\\{name}")
        except WinError as error:
            raise PageError(500, f"{name} cannot be read: {error.text}", file=name, win32=error.number) from error
