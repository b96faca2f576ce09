"""What make test-awx finds out before it starts an AWX: what its requirements need, and what a person has to bring."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_spec = importlib.util.spec_from_file_location("awx_environment", ROOT / "tests/awx/environment.py")
environment = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = environment  # where dataclasses look
_spec.loader.exec_module(environment)

FROM_GIT = """\
git+https://git.example.com/ansible/system-certifi.git@devel#egg=certifi
# a comment
django-ansible-base @ git+https://git.example.com/ansible/django-ansible-base@devel#egg=django-ansible-base[rbac]
awx_plugins.interfaces @ git+https://git.example.com/ansible/awx_plugins.interfaces.git
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder that looks like AWX's source."""
    folder = tmp_path / "awx"
    (folder / "awx/settings").mkdir(parents=True)
    (folder / "awx/settings/production.py").touch()
    (folder / "requirements").mkdir()
    (folder / "requirements/requirements.txt").write_text(
        "django==4.2.10\n    # via -r in\nuwsgi==2.0.24\npip==21.2.4\n"
    )
    (folder / "requirements/requirements_git.txt").write_text(FROM_GIT)
    (folder / "VERSION").write_text("24.6.1\n")
    return folder


def test_pins_that_serve_are_taken(checkout: Path):
    assert list(environment._pinned(checkout / "requirements/requirements.txt")) == ["django==4.2.10"]


def test_what_lies_beside_goes_before_what_is_released(checkout: Path):
    (checkout.parent / "django-ansible-base").mkdir()
    found = list(environment._from_git(checkout / "requirements/requirements_git.txt", checkout.parent))
    assert found == ["certifi", checkout.parent / "django-ansible-base", "awx-plugins.interfaces"]


def test_what_a_person_has_to_bring_is_one_sentence(checkout: Path):
    with pytest.raises(environment.Missing) as missing:
        list(environment._from_git(checkout / "requirements/requirements_git.txt", checkout.parent))
    assert str(missing.value) == (
        "AWX takes django-ansible-base from Git: put a checkout of https://git.example.com/ansible/django-ansible-base "
        f"of the time of this AWX into {checkout.parent / 'django-ansible-base'}."
    )


def test_a_folder_without_awx_is_told_before_anything_is_installed(tmp_path: Path):
    with pytest.raises(environment.Missing, match="is no checkout of AWX"):
        environment.prepare(tmp_path, tmp_path / "build")
    assert list(tmp_path.iterdir()) == []


def test_the_version_is_that_of_a_release_or_of_the_tag_or_of_the_folder(checkout: Path):
    assert environment._version(checkout) == "24.6.1"
    (checkout / "VERSION").unlink()
    with pytest.raises(environment.Missing, match="Which AWX is in"):
        environment._version(checkout)
    assert environment._version(checkout.rename(checkout.with_name("awx-24.3.0"))) == "24.3.0"
