"""Tasks that are given both partners work on the principal."""

from __future__ import annotations

import pytest

from ..conftest import ADMIN, Failed
from .conftest import SEED, killed


def test_whichever_server_is_named_the_principal_is_found(pair):
    a, b, name = pair.a, pair.b, pair.name
    pair.mirror(safety="FULL")
    pair.mark(2)

    def other(server, **more):
        return {"login_host": server.host.address, "certificate_name": server.host.fqdn, **more}

    def through(server, module, **options):
        partner = other(a if server is b else b, **options.pop("partner", {}))
        return server.run(module, failover_partner=partner, **options)

    asked = {
        "sql_info": {"gather_subset": ["databases"], "partner": {"database": name}}, "sql_database": {"name": name, "recovery_model": "FULL"},
        "sql_login": {"name": ADMIN, "partner": {"database": name}}, "sql_backup_info": {"database": name, "history": True},
        "sql_backup": {"database": name, "copy_only": True, "path": f"{SEED}\\found-{name}"},
    }  # fmt: skip
    for module, options in asked.items():
        for server in (b, a):
            assert through(server, module, **options)["answered_by"] == {
                "login_host": a.host.address,
                "role": "PRINCIPAL",
                "session": "SYNCHRONIZED",
            }
    copy = {
        "database": f"{name}_copy",
        "source": {"folders": [f"{SEED}\\found-{name}"], "database": name},
        "partner": {"database": name},
    }
    assert through(b, "sql_restore", **copy)["answered_by"]["login_host"] == a.host.address
    assert (a.marks(f"{name}_copy"), b.state_of(f"{name}_copy")) == ([1, 2], None)
    with pytest.raises(Failed, match="does not say which database"):
        through(b, "sql_info")
    nowhere = through(b, "sql_database", name="nowhere", state="absent")
    assert (nowhere["changed"], nowhere["answered_by"]["login_host"]) == (False, b.host.address)
    pair.fail_over(b)
    assert through(a, "sql_backup", **asked["sql_backup"])["answered_by"]["login_host"] == b.host.address
    with killed(a):
        for server in (a, b):  # an exposed principal is one, too
            told = through(server, "sql_database", **asked["sql_database"])
            assert (told["changed"], told["answered_by"]["session"]) == (False, "DISCONNECTED")
    with killed(b):
        with pytest.raises(Failed, match=f"Neither {a.host.address} nor {b.host.address} serves {name}") as refusal:
            through(a, "sql_database", name=name, state="absent", allow_data_loss=True)
        assert "statements" not in refusal.value.result
