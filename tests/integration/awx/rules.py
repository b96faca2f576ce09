"""What AWX accepts, as its documentation and its source (24.6) tell: each function raises Refused with AWX's kind of
answer, or returns.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import dateutil.rrule
import dateutil.tz
import jinja2
import jinja2.sandbox
import jsonschema

__all__ = [
    "Refused",
    "accepted_variables",
    "credential_inputs",
    "credential_type",
    "occurrences",
    "playbooks_of",
    "schedule_rule",
    "survey",
]

SURVEY_TYPES: dict[str, type | tuple[type, ...]] = {
    "text": str,
    "textarea": str,
    "password": str,
    "multiplechoice": str,
    "multiselect": (list, str),
    "integer": int,
    "float": (float, int),
}
_VARIABLE = "^[a-zA-Z_]+[a-zA-Z0-9_]*$"
_PLAYBOOK = re.compile(
    r"^\s*?-?\s*?(?:hosts|(ansible\.builtin\.)?include|(ansible\.builtin\.)?import_playbook):\s*?.*?$"
)


class Refused(Exception):
    """An answer with a status below 500 and a body that names fields."""

    def __init__(self, body: Any, status: int = 400):
        super().__init__(body)
        self.body, self.status = body, status


def credential_type(inputs: dict[str, Any], injectors: dict[str, Any], kind: str) -> None:
    """A custom type: its form, and that injectors use only what is asked for. Fields get the type that AWX gives them."""
    if kind not in ("cloud", "net"):
        raise Refused({"kind": [f"Must be 'cloud' or 'net', not {kind}"]})
    text = {"type": "string"}
    field = {
        "type": "object",
        "additionalProperties": False,
        "required": ["id", "label"],
        "properties": {
            "type": {"enum": ["string", "boolean"]},
            "format": {"enum": ["ssh_private_key", "url"]},
            "id": {**text, "pattern": _VARIABLE, "error": "{instance} is an invalid variable name"},
            "label": text,
            "choices": {"type": "array", "minItems": 1, "items": text, "uniqueItems": True},
            "help_text": text,
            "multiline": {"type": "boolean"},
            "secret": {"type": "boolean"},
            "ask_at_runtime": {"type": "boolean"},
            "default": {},
        },
    }
    _conforms(
        "inputs",
        inputs,
        {
            "type": "object",
            "additionalProperties": False,
            "properties": {"required": {"type": "array", "items": text}, "fields": {"type": "array", "items": field}},
        },
    )
    fields = inputs.get("fields", [])
    names = [one["id"] for one in fields]
    if "tower" in names or len(names) != len(set(names)):
        raise Refused({"inputs": ["field IDs must be unique, and 'tower' is reserved"]})
    for one in fields:
        one.setdefault("type", "string")
        if one.get("ask_at_runtime"):
            raise Refused({"inputs": ["'ask_at_runtime' is not supported for custom credentials."]})
        if one["type"] != "string" and {"choices", "multiline", "format", "secret"} & set(one):
            raise Refused({"inputs": [f"not allowed for {one['type']} type ({one['id']})"]})
    _conforms(
        "injectors",
        injectors,
        {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "file": {
                    "type": "object",
                    "patternProperties": {r"^template(\.[a-zA-Z_]+[a-zA-Z0-9_]*)?$": text},
                    "additionalProperties": False,
                },
                "env": {"type": "object", "patternProperties": {_VARIABLE: text}, "additionalProperties": False},
                "extra_vars": {
                    "type": "object",
                    "patternProperties": {r"^[a-zA-Z_\{\}]+[a-zA-Z0-9_\{\}]*$": {}},
                    "additionalProperties": False,
                },
            },
        },
    )
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined)
    for where, injected in injectors.items():
        for key, template in injected.items():
            if where == "env" and key.startswith("ANSIBLE_"):
                raise Refused(
                    {
                        "injectors": [
                            (
                                f"Environment variable {key} may affect Ansible configuration so its use is not "
                                "allowed "
                                "in credentials."
                            )
                        ]
                    }
                )
            try:
                environment.from_string(template).render(dict.fromkeys(names, "EXAMPLE"))
            except jinja2.exceptions.UndefinedError as error:
                raise Refused({"injectors": [f"{key} uses an undefined field ({error})"]}) from error


def credential_inputs(values: dict[str, Any], type_inputs: dict[str, Any]) -> None:
    known = {one["id"]: one for one in type_inputs.get("fields", [])}
    _conforms(
        "inputs",
        values,
        {
            "type": "object",
            "additionalProperties": False,
            "properties": {name: {"type": one["type"]} for name, one in known.items()},
        },
    )


def survey(spec: dict[str, Any]) -> None:
    """A survey's specification; choices given as one text lose their empty lines."""
    for name, kind in (("name", str), ("description", str), ("spec", list)):
        if not isinstance(spec.get(name), kind):
            raise Refused({"error": f"Field '{name}' is missing from survey spec, or is no {kind.__name__}."})
    if not spec["spec"]:
        raise Refused({"error": "'spec' doesn't contain any items."})
    variables: set[str] = set()
    for number, question in enumerate(spec["spec"]):
        for name, kind in (("type", str), ("question_name", str), ("variable", str), ("required", bool)):
            if not isinstance(question.get(name), kind):
                raise Refused({"error": f"'{name}' missing from survey question {number}, or not a {kind.__name__}"})
        if question["variable"] in variables:
            raise Refused({"error": f"'variable' '{question['variable']}' duplicated in survey question {number}."})
        variables.add(question["variable"])
        if question["type"] not in SURVEY_TYPES:
            raise Refused(
                {"error": f"'{question['type']}' in survey question {number} is not an allowed question type."}
            )
        default = question.get("default", "")
        if default != "" and not isinstance(default, SURVEY_TYPES[question["type"]]):
            raise Refused({"error": f"Default value {default} in survey question {number} is of the wrong type."})
        if question["type"] in ("multiplechoice", "multiselect"):
            if "choices" not in question:
                raise Refused({"error": f"Survey question {number} of type {question['type']} must specify choices."})
            if isinstance(question["choices"], str):
                question["choices"] = "\n".join(filter(str.strip, question["choices"].splitlines()))
            if any(
                line not in question["choices"]
                for line in (default.splitlines() if isinstance(default, str) else default)
            ):
                raise Refused({"error": "Default choice must be answered from the choices listed."})


def accepted_variables(
    template: dict[str, Any], spec: dict[str, Any], data: dict[str, Any], *, required: bool = True
) -> None:
    """Whether a saved launch (a schedule, a workflow's node) may hand these variables to a template. A required question
    wants its answer there, whatever the survey's default.
    """
    questions = {one["variable"]: one for one in spec.get("spec", [])} if template["survey_enabled"] else {}
    wrong = [
        f"'{name}' value missing"
        for name, one in questions.items()
        if required and one["required"] and name not in data
    ] + [
        f"Value {data[name]} for '{name}' expected to be one of {one['choices']}."
        for name, one in questions.items()
        if one["type"] == "multiplechoice" and name in data and data[name] not in one["choices"]
    ]
    if wrong:
        raise Refused({"variables_needed_to_start": wrong})
    foreign = sorted(set(data) - set(questions))
    if foreign and not template["ask_variables_on_launch"]:
        raise Refused({"extra_data": [f"Variables {', '.join(foreign)} are not allowed on launch."]})


def schedule_rule(rule: str) -> None:
    starts = re.findall(r"DTSTART(?:;[^:]+)?:[0-9]+T[0-9]+Z?", rule)
    problems = []
    if len(starts) != 1:
        problems.append("Valid DTSTART required in rrule, and only one.")
    if re.search(r"DTSTART:[0-9]+T[0-9]+ ", rule):
        problems.append("DTSTART cannot be a naive datetime.")
    rules = re.findall(r"RULE:\S*", rule)
    if not rules:
        problems.append("One or more rule required in rrule.")
    for one in rules:
        if "INTERVAL" not in one:
            problems.append(f"INTERVAL required in rrule: {one}")
        if "SECONDLY" in one:
            problems.append(f"SECONDLY is not supported: {one}")
        if re.search(r"BYDAY[:=][0-9]+[a-zA-Z]{2}", one):
            problems.append(f"BYDAY with numeric prefix not supported: {one}")
    if re.search("EXDATE|RDATE", rule):
        problems.append("EXDATE and RDATE are not allowed in rrule.")
    if not problems:
        try:
            occurrences(rule)
        except ValueError as error:
            problems.append(f"rrule parsing failed validation: {error}")
    if problems:
        raise Refused({"rrule": problems})


def occurrences(rule: str) -> Any:
    """The rule as AWX computes with it: ``between(after, before)`` gives moments."""
    found = dateutil.rrule.rrulestr(rule, forceset=True, tzinfos={"UTC": dateutil.tz.UTC})
    if found._rrule[0]._dtstart.tzinfo is None:
        raise ValueError("A valid TZID must be provided (e.g., America/New_York)")
    return found


def playbooks_of(project: Path) -> Iterable[str]:
    """The files that AWX offers as playbooks of a project: it looks for lines that look like a play."""
    for file in sorted(project.rglob("*.y*ml")):
        parts = file.relative_to(project).parts
        if {"roles", "tasks", "group_vars", "host_vars"} & set(parts) or any(part.startswith(".") for part in parts):
            continue
        if any(_PLAYBOOK.match(line) for line in file.read_text(encoding="utf-8").splitlines()):
            yield "/".join(parts)


def _conforms(name: str, value: Any, schema: dict[str, Any]) -> None:
    problems = [
        error.schema["error"].format(instance=error.instance)
        if error.validator == "pattern" and "error" in error.schema
        else error.message
        for error in jsonschema.Draft4Validator(schema).iter_errors(value)
    ]
    if problems:
        raise Refused({name: problems})
