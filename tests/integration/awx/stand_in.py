"""A stand-in for AWX's API: what the modules of awx.awx need to set up a project with its templates, as strict as AWX
or stricter.

It keeps objects in memory and answers on a loopback port. A path, a field or a filter that is not modelled is answered
with status 501 and noted in ``unmodelled``; what AWX would refuse is refused (``rules.py``). Jobs are not run; a
project is a folder, whose playbooks are looked up as AWX does, and an inventory is really read by ansible-inventory, as
AWX does.
"""

from __future__ import annotations

import base64
import copy
import dataclasses
import hashlib
import http.server
import json
import os
import subprocess
import sys
import threading
import urllib.parse
from pathlib import Path
from typing import Any

import rules
from rules import Refused

__all__ = ["Awx"]

ENCRYPTED = "$encrypted$"
USER, PASSWORD = "admin", "Awx-Password-1"


class NotModelled(Exception):
    pass


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of object: its fields with their defaults (``...``: required), what cannot be written, what must be unique
    together.
    """

    type: str
    fields: dict[str, Any]
    references: dict[str, str] = dataclasses.field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    unique: tuple[str, ...] = ("name",)
    lists: dict[str, str] = dataclasses.field(default_factory=dict)


_NAMED = {"name": ..., "description": ""}
_ASKS = {
    f"ask_{what}_on_launch": False
    for what in (
        "job_type",
        "variables",
        "limit",
        "inventory",
        "credential",
        "scm_branch",
        "labels",
        "tags",
        "skip_tags",
        "verbosity",
        "diff_mode",
        "execution_environment",
        "forks",
        "instance_groups",
        "job_slice_count",
        "timeout",
    )
}
KINDS: dict[str, Kind] = {
    "organizations": Kind(
        type="organization",
        fields={**_NAMED, "max_hosts": 0, "default_environment": None},
        references={"default_environment": "execution_environments"},
    ),
    "execution_environments": Kind(
        type="execution_environment",
        fields={**_NAMED, "organization": None, "image": ..., "credential": None, "pull": ""},
        references={"organization": "organizations", "credential": "credentials"},
    ),
    "credential_types": Kind(
        type="credential_type",
        fields={**_NAMED, "kind": ..., "inputs": {}, "injectors": {}},
        ignored=("managed",),
        unique=("name", "kind"),
    ),
    "credentials": Kind(
        type="credential",
        fields={**_NAMED, "organization": None, "credential_type": ..., "inputs": {}},
        references={"organization": "organizations", "credential_type": "credential_types"},
        unique=("name", "organization", "credential_type"),
    ),
    "projects": Kind(
        type="project",
        fields={
            **_NAMED,
            "organization": None,
            "scm_type": "",
            "scm_url": "",
            "scm_branch": "",
            "scm_refspec": "",
            "scm_clean": False,
            "scm_delete_on_update": False,
            "scm_track_submodules": False,
            "scm_update_on_launch": False,
            "scm_update_cache_timeout": 0,
            "allow_override": False,
            "timeout": 0,
            "credential": None,
            "default_environment": None,
        },
        references={
            "organization": "organizations",
            "credential": "credentials",
            "default_environment": "execution_environments",
        },
        unique=("name", "organization"),
    ),
    "inventories": Kind(
        type="inventory",
        fields={**_NAMED, "organization": ..., "kind": "", "host_filter": None, "variables": ""},
        references={"organization": "organizations"},
        unique=("name", "organization"),
    ),
    "inventory_sources": Kind(
        type="inventory_source",
        fields={
            **_NAMED,
            "inventory": ...,
            "source": ...,
            "source_project": None,
            "source_path": "",
            "source_vars": "",
            "overwrite": False,
            "overwrite_vars": False,
            "update_on_launch": False,
            "update_cache_timeout": 0,
            "verbosity": 1,
            "limit": "",
            "credential": None,
        },
        references={"inventory": "inventories", "source_project": "projects"},
        fixed=("inventory",),
        unique=("name", "inventory"),
    ),
    "job_templates": Kind(
        type="job_template",
        fields={
            **_NAMED,
            **_ASKS,
            "job_type": "run",
            "inventory": None,
            "project": None,
            "playbook": "",
            "execution_environment": None,
            "forks": 0,
            "limit": "",
            "verbosity": 0,
            "extra_vars": "",
            "timeout": 0,
            "survey_enabled": False,
            "become_enabled": False,
            "force_handlers": False,
            "job_slice_count": 1,
            "job_tags": "",
            "skip_tags": "",
            "start_at_task": "",
            "use_fact_cache": False,
            "diff_mode": False,
            "allow_simultaneous": False,
            "scm_branch": "",
        },
        references={
            "inventory": "inventories",
            "project": "projects",
            "execution_environment": "execution_environments",
        },
        ignored=("organization",),
        unique=("name", "organization"),
        lists={"credentials": "credentials"},
    ),
    "workflow_job_templates": Kind(
        type="workflow_job_template",
        fields={
            **_NAMED,
            "organization": None,
            "inventory": None,
            "extra_vars": "",
            "survey_enabled": False,
            "allow_simultaneous": False,
            "ask_variables_on_launch": False,
            "ask_limit_on_launch": False,
            "ask_inventory_on_launch": False,
        },
        references={"organization": "organizations", "inventory": "inventories"},
        unique=("name", "organization"),
    ),
    "workflow_job_template_nodes": Kind(
        type="workflow_job_template_node",
        fields={"workflow_job_template": ..., "unified_job_template": None, "identifier": ..., "extra_data": {}},
        references={"workflow_job_template": "workflow_job_templates", "unified_job_template": "unified_job_templates"},
        fixed=("workflow_job_template",),
        unique=("identifier", "workflow_job_template"),
        lists={f"{when}_nodes": "workflow_job_template_nodes" for when in ("success", "failure", "always")},
    ),
    "schedules": Kind(
        type="schedule",
        fields={**_NAMED, "unified_job_template": ..., "rrule": ..., "extra_data": {}, "enabled": True},
        references={"unified_job_template": "unified_job_templates"},
        unique=("name", "unified_job_template"),
    ),
}
STARTABLE = ("projects", "inventory_sources", "job_templates", "workflow_job_templates")


class Awx:
    """The objects, by kind and number, and what was asked. ``repositories``: address of a Git repository -> folder with
    its content.
    """

    def __init__(self, repositories: dict[str, Path]):
        self.repositories = repositories
        self.objects: dict[str, dict[int, dict[str, Any]]] = {kind: {} for kind in KINDS}
        self.surveys: dict[int, dict[str, Any]] = {}
        self.updates: dict[int, dict[str, Any]] = {}
        self.tokens: set[str] = set()
        self.asked: list[tuple[str, str]] = []
        self.unmodelled: list[str] = []
        self._last = 0
        self._lock = threading.Lock()
        self.add("organizations", {"name": "Default"})
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"awx": self}))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def find(self, kind: str, name: str) -> dict[str, Any]:
        """The one object of that name, as it is kept (with secrets)."""
        (found,) = (one for one in self.objects[kind].values() if one.get("name", one.get("identifier")) == name)
        return found

    def content(self) -> dict[str, Any]:
        """Everything that is kept, to be compared with."""
        return copy.deepcopy({"objects": self.objects, "surveys": self.surveys})

    # What is asked

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        with self._lock:
            self.asked.append((method, path))
            try:
                return self._answer(method, path.removeprefix("/api/v2/").strip("/").split("/"), query, body)
            except Refused as refused:
                return refused.status, refused.body
            except NotModelled as error:
                self.unmodelled.append(f"{method} {path} {query} {body}: {error}")
                return 501, {"detail": f"not modelled: {error}"}

    def _answer(self, method: str, path: list[str], query: dict[str, str], body: Any) -> tuple[int, Any]:
        match method, path:
            case "GET", ["unified_job_templates"]:
                return 200, self._page(
                    [(kind, one) for kind in STARTABLE for one in self.objects[kind].values()], query
                )
            case "GET", [kind] if kind in KINDS:
                return 200, self._page([(kind, one) for one in self.objects[kind].values()], query)
            case "POST", [kind] if kind in KINDS:
                return 201, self.show(kind, self.add(kind, body))
            case "GET", ["project_updates" | "inventory_updates", number]:
                return 200, self.updates[int(number)]
            case _, [kind, number, *rest] if kind in KINDS and int(number) in self.objects[kind]:
                return self._answer_one(method, kind, self.objects[kind][int(number)], rest, body)
        raise NotModelled("no such path")

    def _answer_one(self, method: str, kind: str, one: dict[str, Any], rest: list[str], body: Any) -> tuple[int, Any]:
        match method, rest:
            case "GET", []:
                return 200, self.show(kind, one)
            case "PATCH", []:
                return 200, self.show(kind, self._change(kind, one, body))
            case "DELETE", []:
                del self.objects[kind][one["id"]]
                return 204, None
            case "GET", ["survey_spec"] if "survey_enabled" in one:
                return 200, self.surveys.get(one["id"], {})
            case "POST", ["survey_spec"] if "survey_enabled" in one:
                rules.survey(body)
                self.surveys[one["id"]] = body
                return 200, None
            case "DELETE", ["survey_spec"] if "survey_enabled" in one:
                self.surveys.pop(one["id"], None)
                return 200, None
            case "POST", ["update"] if kind in ("projects", "inventory_sources"):
                return 202, self._update(kind, one)
            case "GET", [name] if name in KINDS[kind].lists:
                other = KINDS[kind].lists[name]
                return 200, self._page([(other, self.objects[other][number]) for number in one[f"_{name}"]], {})
            case "POST", [name] if name in KINDS[kind].lists:
                self._associate(kind, one, name, body)
                return 204, None
        raise NotModelled(f"no such path of a {KINDS[kind].type}")

    def _page(self, found: list[tuple[str, dict[str, Any]]], query: dict[str, str]) -> dict[str, Any]:
        """The objects that a query chooses; `or__` marks alternatives."""
        chosen = [self.show(kind, one) for kind, one in found]
        foreign = sorted({key for key in query for one in chosen if key.removeprefix("or__") not in one})
        if foreign:
            raise NotModelled(f"filter {', '.join(foreign)}")
        for key, value in query.items():
            if not key.startswith("or__"):
                chosen = [one for one in chosen if str(one[key]) == value]
        alternatives = {key.removeprefix("or__"): value for key, value in query.items() if key.startswith("or__")}
        if alternatives:
            chosen = [one for one in chosen if any(str(one[key]) == value for key, value in alternatives.items())]
        return {"count": len(chosen), "next": None, "previous": None, "results": chosen}

    # Objects

    def show(self, kind: str, one: dict[str, Any]) -> dict[str, Any]:
        """As the API shows it: secrets hidden, with its address and what is reached from it."""
        url = f"/api/v2/{kind}/{one['id']}/"
        shown = {key: copy.deepcopy(value) for key, value in one.items() if not key.startswith("_")}
        shown |= {
            "type": KINDS[kind].type,
            "url": url,
            "summary_fields": {},
            "related": {"update": f"{url}update/", "survey_spec": f"{url}survey_spec/"},
        }
        if kind == "credentials":
            fields = self.objects["credential_types"][one["credential_type"]]["inputs"].get("fields", [])
            shown["inputs"] |= {
                field["id"]: ENCRYPTED for field in fields if field.get("secret") and field["id"] in shown["inputs"]
            }
        elif kind == "credential_types":
            shown["managed"] = False
        elif kind == "projects":
            shown["scm_revision"] = one.get("_revision", "")
            if one.get("_update"):  # the answer to what started it names the running update
                shown["summary_fields"] = {"current_update": {"id": one.pop("_update")}}
        elif kind in ("job_templates", "inventory_sources"):
            shown["organization"] = self._organization(kind, one)
        return shown

    def add(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        missing = [
            name for name, default in KINDS[kind].fields.items() if default is ... and body.get(name) in (None, "")
        ]
        if missing:
            raise Refused({name: ["This field is required."] for name in missing})
        self._last += 1
        one = {"id": self._last, **copy.deepcopy(KINDS[kind].fields), **{f"_{name}": [] for name in KINDS[kind].lists}}
        self._set(kind, one, body)
        self.objects[kind][one["id"]] = one
        if kind == "projects" and one["scm_type"]:
            one["_update"] = self._update(kind, one)["id"]
        return one

    def _change(self, kind: str, one: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
        changed = copy.deepcopy(one)
        if kind == "execution_environments" and body.get("organization") not in (None, one["organization"]):
            raise Refused({"organization": ["Cannot change the organization of an execution environment"]})
        self._set(kind, changed, {name: value for name, value in body.items() if name not in KINDS[kind].fixed})
        fetch = kind == "projects" and any(one[name] != changed[name] for name in ("scm_url", "scm_branch", "scm_type"))
        if kind == "credential_types" and one["inputs"] != changed["inputs"] and self._in_use(one):
            raise Refused(
                {"detail": "Modifications to inputs are not allowed for credential types that are in use"}, status=403
            )
        one.update(changed)
        if fetch:
            one["_update"] = self._update(kind, one)["id"]
        return one

    def _in_use(self, credential_type: dict[str, Any]) -> bool:
        return any(one["credential_type"] == credential_type["id"] for one in self.objects["credentials"].values())

    def _set(self, kind: str, one: dict[str, Any], body: dict[str, Any]) -> None:
        """Take values over; raises Refused for what AWX refuses."""
        known = KINDS[kind]
        for name, value in body.items():
            if name in known.ignored:
                continue
            if name not in known.fields:
                raise NotModelled(f"field {name} of a {known.type}")
            default = known.fields[name]
            if value is None and isinstance(default, str | bool):
                value = type(default)()  # AWX takes null for an empty text and for false
            if name in known.references and value is not None:
                self._refer(known.references[name], name, value)
            elif default is not ... and default is not None and type(value) is not type(default):
                raise Refused({name: [f"Not a valid {type(default).__name__}: {value!r}"]})
            one[name] = self._kept(kind, one, name, value)
        for other in self.objects[kind].values():
            if other["id"] != one["id"] and self._identity(kind, other) == self._identity(kind, one):
                where = "name" if known.unique == ("name",) else "__all__"
                raise Refused({where: [f"{known.type} with this {' and '.join(known.unique)} already exists."]})
        getattr(self, f"_check_{kind}", lambda _one: None)(one)

    def _identity(self, kind: str, one: dict[str, Any]) -> list[Any]:
        """What no other object of its kind may have as well."""
        return [self._organization(kind, one) if name == "organization" else one[name] for name in KINDS[kind].unique]

    def _organization(self, kind: str, one: dict[str, Any]) -> int | None:
        """Job templates and inventory sources belong where their project or inventory does."""
        if kind == "job_templates":
            return one["project"] and self.objects["projects"][one["project"]]["organization"]
        if kind == "inventory_sources":
            return self.objects["inventories"][one["inventory"]]["organization"]
        return one["organization"]

    def _kept(self, kind: str, one: dict[str, Any], name: str, value: Any) -> Any:
        """A credential's ``$encrypted$`` stands for what is there already."""
        if kind == "credentials" and name == "inputs":
            return {key: one["inputs"][key] if text == ENCRYPTED else text for key, text in value.items()}
        return copy.deepcopy(value)

    def _refer(self, kind: str, name: str, number: Any) -> None:
        kinds = STARTABLE if kind == "unified_job_templates" else (kind,)
        if not any(number in self.objects[one] for one in kinds):
            raise Refused({name: [f'Invalid pk "{number}" - object does not exist.']})

    def _associate(self, kind: str, one: dict[str, Any], name: str, body: dict[str, Any]) -> None:
        number = body["id"]
        self._refer(KINDS[kind].lists[name], "id", number)
        if body.get("disassociate"):
            one[f"_{name}"].remove(number)
            return
        if name == "credentials":
            taken = [self.objects["credentials"][other]["credential_type"] for other in one["_credentials"]]
            if self.objects["credentials"][number]["credential_type"] in taken:
                raise Refused({"error": "Cannot assign multiple credentials of one type."})
        elif any(number in one[f"_{other}"] for other in KINDS[kind].lists if other != name):
            raise Refused({"Error": "Relationship not allowed."})
        elif number == one["id"] or one["id"] in self._followers(number):
            raise Refused({"Error": "Cycle detected."})
        one[f"_{name}"].append(number)

    def _followers(self, number: int) -> set[int]:
        node = self.objects["workflow_job_template_nodes"][number]
        direct = {*node["_success_nodes"], *node["_failure_nodes"], *node["_always_nodes"]}
        return direct.union(*(self._followers(other) for other in direct))

    # What AWX checks of each kind

    def _check_credential_types(self, one: dict[str, Any]) -> None:
        rules.credential_type(one["inputs"], one["injectors"], one["kind"])

    def _check_credentials(self, one: dict[str, Any]) -> None:
        if one["organization"] is None:
            raise Refused({"detail": "Missing 'user', 'team', or 'organization'."})
        rules.credential_inputs(one["inputs"], self.objects["credential_types"][one["credential_type"]]["inputs"])

    def _check_projects(self, one: dict[str, Any]) -> None:
        if one["scm_type"] not in ("git", "svn", "archive"):
            raise NotModelled(f"a project of type {one['scm_type']!r}")

    def _check_inventories(self, one: dict[str, Any]) -> None:
        if one["kind"] or one["host_filter"]:
            raise NotModelled("smart and constructed inventories")

    def _check_inventory_sources(self, one: dict[str, Any]) -> None:
        if one["source"] != "scm" or one["credential"] is not None:
            raise NotModelled("inventory sources other than a project, or with a credential")
        if one["source_project"] is None:
            raise Refused({"source_project": ["Project required for scm type sources."]})

    def _check_job_templates(self, one: dict[str, Any]) -> None:
        if one["project"] is None:
            raise Refused({"project": ["This field is required."]})
        if one["inventory"] is None and not one["ask_inventory_on_launch"]:
            raise Refused({"inventory": ["You must either set a default value or ask to prompt on launch."]})
        fetched = self.objects["projects"][one["project"]].get("_revision")
        if not fetched or one["playbook"] not in rules.playbooks_of(self._folder(one["project"])):
            raise Refused({"playbook": ["Playbook not found for project."]})
        if one["job_type"] not in ("run", "check"):
            raise Refused({"job_type": [f'"{one["job_type"]}" is not a valid choice.']})

    def _check_workflow_job_template_nodes(self, one: dict[str, Any]) -> None:
        self._check_variables(one, required=False)

    def _check_schedules(self, one: dict[str, Any]) -> None:
        rules.schedule_rule(one["rrule"])
        self._check_variables(one, required=True)

    def _check_variables(self, one: dict[str, Any], *, required: bool) -> None:
        number = one["unified_job_template"]
        template = self.objects["job_templates"].get(number) or self.objects["workflow_job_templates"].get(number)
        if template:
            rules.accepted_variables(template, self.surveys.get(number, {}), one["extra_data"], required=required)
        elif one["extra_data"]:
            raise Refused({"extra_data": ["Variables are not allowed here."]})

    # What AWX fetches

    def _folder(self, project: int) -> Path:
        return self.repositories[self.objects["projects"][project]["scm_url"]]

    def _update(self, kind: str, one: dict[str, Any]) -> dict[str, Any]:
        """Fetch a project, or read an inventory. It is over when it is answered."""
        self._last += 1
        if kind == "projects":
            job, problem = "project_updates", self._fetch(one)
        else:
            job, problem = "inventory_updates", self._read_inventory(one)
        self.updates[self._last] = {
            "id": self._last,
            "url": f"/api/v2/{job}/{self._last}/",
            "status": "failed" if problem else "successful",
            "failed": bool(problem),
            "finished": "2025-01-05T00:00:00Z",
            "event_processing_finished": True,
            "execution_node": "awx-1",
            "job_explanation": "",
            "scm_revision": one.get("_revision", ""),
            "result_stdout": problem,
        }
        return self.updates[self._last]

    def _fetch(self, project: dict[str, Any]) -> str:
        """What is wrong is returned. Its revision tells what its files hold."""
        folder = self.repositories.get(project["scm_url"])
        if folder is None:
            return f"no repository at {project['scm_url']}"
        revision = hashlib.sha1()
        for file in filter(Path.is_file, sorted(folder.rglob("*"))):
            revision.update(bytes(file.relative_to(folder)) + file.read_bytes())
        project["_revision"] = revision.hexdigest()
        return ""

    def _read_inventory(self, one: dict[str, Any]) -> str:
        """The command that AWX runs in the execution environment; what is wrong is returned."""
        if not self.objects["projects"][one["source_project"]].get("_revision"):
            return "the project was never fetched"
        tool = Path(sys.executable).parent / "ansible-inventory"
        environment = {**os.environ, "ANSIBLE_INVENTORY_UNPARSED_FAILED": "true"}
        command = [tool, "-i", self._folder(one["source_project"]) / one["source_path"], "--list", "--export"]
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            inventory, content = self.objects["inventories"][one["inventory"]], json.loads(done.stdout)
            inventory["_content"] = content
            if one["overwrite_vars"]:
                inventory["variables"] = json.dumps(content["all"].get("vars", {}))
        return done.stderr if done.returncode else ""


class _Handler(http.server.BaseHTTPRequestHandler):
    awx: Awx
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        url = urllib.parse.urlsplit(self.path)
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = json.loads(data) if data else None
        granted = self.headers.get("Authorization", "")
        if url.path.startswith("/api/v2/tokens/"):
            status, answer = self._token(granted)
        elif granted.removeprefix("Bearer ") not in self.awx.tokens:
            status, answer = 401, {"detail": "Authentication credentials were not provided."}
        else:
            status, answer = self.awx.answer(self.command, url.path, dict(urllib.parse.parse_qsl(url.query)), body)
        text = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.send_header("X-API-Product-Name", "AWX")
        self.send_header("X-API-Product-Version", "24.6.1")
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PATCH = do_DELETE = _serve

    def _token(self, granted: str) -> tuple[int, Any]:
        if granted != "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode():
            return 401, {"detail": "Invalid username/password."}
        if self.command == "DELETE":
            return 204, None
        token = f"token-{len(self.awx.tokens) + 1}"
        self.awx.tokens.add(token)
        return 201, {"id": len(self.awx.tokens), "token": token}

    def log_message(self, *_arguments: Any) -> None:
        pass
