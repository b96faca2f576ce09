"""In place of AWX's dispatcher, which would start containers: carries out the updates of projects and of inventories that
the API has queued, by git and by ansible-inventory, and keeps their results by AWX's own functions; what these tools say
goes to this program's output. Jobs stay pending.

Usage, in AWX's environment: update.py ANSIBLE_INVENTORY
"""

import json
import os
import shutil
import subprocess
import sys
import time

from awx import prepare_env

prepare_env()

import django  # noqa: E402

django.setup()

from awx.main.management.commands.inventory_import import Command  # noqa: E402
from awx.main.models import InventoryUpdate, ProjectUpdate  # noqa: E402
from django.conf import settings  # noqa: E402
from django.utils.timezone import now  # noqa: E402


def fetch(update: ProjectUpdate) -> str:
    """What AWX's playbook project_update.yml does, and its task afterwards; says what went wrong."""
    project = update.project
    place = project.get_project_path(check_if_exists=False)
    shutil.rmtree(place, ignore_errors=True)
    branch = ["--branch", update.scm_branch] if update.scm_branch else []
    done = subprocess.run(
        ["git", "clone", "--quiet", *branch, update.scm_url, place], capture_output=True, text=True, check=False
    )
    if done.returncode:
        return done.stderr
    head = subprocess.run(["git", "-C", place, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    project.scm_revision = update.scm_revision = head.stdout.strip()
    project.playbook_files, project.inventory_files = project.playbooks, project.inventories
    project.save(update_fields=["scm_revision", "playbook_files", "inventory_files"])
    return ""


def read(update: InventoryUpdate) -> str:
    """What AWX's task RunInventoryUpdate does; says what went wrong."""
    place = update.inventory_source.source_project.get_project_path()
    if not place:
        return "The project was never fetched."
    command = [sys.argv[1], "-i", os.path.join(place, update.source_path), "--list", "--export"]
    environment = {**os.environ, "ANSIBLE_INVENTORY_UNPARSED_FAILED": "true"}
    done = subprocess.run(command, env=environment, cwd=place, capture_output=True, text=True, check=False)
    if done.returncode:
        return done.stderr
    options = {"overwrite": update.overwrite, "overwrite_vars": update.overwrite_vars}
    Command().perform_update(options, json.loads(done.stdout), update)
    return ""


def carry_out(update: ProjectUpdate | InventoryUpdate) -> None:
    update.status, update.started, update.execution_node = "running", now(), settings.CLUSTER_HOST_ID
    update.save()
    try:
        problem = fetch(update) if isinstance(update, ProjectUpdate) else read(update)
    except Exception as error:  # as AWX does: it is the update's failure
        problem = f"{type(error).__name__}: {error}"
    update.status = "failed" if problem else "successful"
    update.failed, update.finished = bool(problem), now()
    update.save()
    print(update.log_format, update.status, problem, flush=True)


while True:
    for kind in (ProjectUpdate, InventoryUpdate):
        for update in kind.objects.filter(status__in=["new", "pending", "waiting"]).order_by("id"):
            carry_out(update)
    time.sleep(0.3)
