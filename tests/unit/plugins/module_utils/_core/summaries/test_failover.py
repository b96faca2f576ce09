"""Each sentence of a failover, with the facts that bring it and facts that do not."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.prs.recovery.plugins.module_utils._core.summaries import failover, standby_failover

ESTATE = {
    "ha": "mirror", "site": "site_b", "old_sql": "sql-a", "old_web": "web-a", "others": ["sql-a"], "old_site": "", "left_out": [],
    "until": "",
}  # fmt: skip
RUN = {
    "ha": "mirror",
    "site": "site_b",
    "database": "PRS",
    "old_sql": "sql-a",
    "old_web": "web-a",
    "new_sql": "sql-b",
    "new_web": "web-b",
    "sql_problem": "",
    "web_problem": "",
    "runs_already": False,
    "allow_data_loss": False,
    "done": {"reason": "both work together", "may_be_lost": {}},
    "public_name": "reset.example.com",
    "address": "web-b.example.com",
    "has_hook": True,
}
NO_OTHER_SITE = ["The inventory has no other site than site_b in the groups prs_web and prs_sql."]


@pytest.mark.parametrize(
    ("changed", "problems"),
    [
        ({}, []),
        (
            {"ha": "none"},
            [
                "The inventory says prs_ha: none. There is another site to fail over to only where it says mirror or "
                "standby; else rebuild_prs brings the newest backup back there."
            ],
        ),
        ({"old_sql": ""}, NO_OTHER_SITE),
        ({"old_web": ""}, NO_OTHER_SITE),
        (
            {"left_out": ["sql-a", "web-a"]},
            ["This run leaves out sql-a, web-a. Run it without --limit: a site that is lost does not stop it."],
        ),
    ],
)
def test_why_there_is_nowhere_to_fail_over_to(changed: dict[str, Any], problems: list[str]):
    assert failover.problems({**ESTATE, **changed}) == problems


REFUSED = "ntlm: the specified credentials were rejected by the server"
UNVERIFIED = "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed (_ssl.c:1)'))"
GONE = "ConnectTimeoutError: Connection to 10.0.0.1 timed out. [Errno 110] Connection timed out"
NO_LISTENER = "NewConnectionError('<x>: Failed to establish a new connection: [Errno 111] Connection refused')"
PROXY = "ProxyError('Unable to connect to proxy', NewConnectionError('[Errno 111] Connection refused'))"


@pytest.mark.parametrize(
    ("problem", "by_hand", "says"),
    [
        ("", False, ""),
        (GONE, False, ""),
        (NO_LISTENER, False, "web-a answers, but takes no connection for WinRM"),
        (NO_LISTENER, True, ""),
        (REFUSED, False, "web-a answers, but refuses the account: correct ansible_user and ansible_password"),
        (UNVERIFIED, False, "web-a answers, but its certificate cannot be verified"),
        (PROXY, False, "web-a is asked by way of a proxy that does not lead there"),
        ("the connection attempt timed out", False, ""),
        ("ntlm: HTTPConnectionPool(host='web-a'): Max retries exceeded: [Errno 113] No route to host", False, ""),
        ("Failed to authenticate the user PRS with ntlm", False, "web-a answers, but refuses the account"),
        (
            "Kerberos auth failure for principal prs: Preauthentication failed",
            False,
            "web-a was not asked, for there is",
        ),
        ("Kerberos auth failure for principal prs: Cannot contact any KDC", False, "web-a was not asked, for there is"),
        ("There is not enough space on the disk", False, "web-a is not silent, but cannot be used"),
        ("The maximum number of concurrent shells was exceeded", False, "web-a is not silent, but cannot be used"),
        (REFUSED, True, ""),
    ],
)
def test_an_old_web_server_that_lives_is_not_taken_for_lost(problem: str, by_hand: bool, says: str):
    facts = {"old_web": "web-a", "new_web": "web-b", "web_problem": problem, "page": "", "stopped_by_hand": by_hand}
    said = failover.unstopped(facts)
    assert bool(said) == bool(says)
    for sentence in said:
        assert sentence.startswith(says) and "Nothing was touched" in sentence
        assert "-e prs_old_application_stopped=true" in sentence


@pytest.mark.parametrize(
    ("page", "by_hand", "lost"),
    [
        ("", False, True),
        ("name", False, True),
        ("connect", False, True),
        ("tls", False, False),
        ("http", False, False),
        ("answered", False, False),
        ("answered", True, True),
    ],
)
def test_a_silent_windows_whose_page_answers_is_not_lost(page: str, by_hand: bool, lost: bool):
    """Its service WinRM is stopped, and Windows Firewall drops what comes for it."""
    facts = {"old_web": "web-a", "new_web": "web-b", "web_problem": GONE, "page": page, "stopped_by_hand": by_hand}
    said = failover.unstopped(facts)
    assert (said == []) is lost
    assert all(sentence.startswith("web-a does not answer by WinRM, but its page answers. So") for sentence in said)
    stopping = {**STOPPING, "problem": GONE, "unreachable": True, "page": page, "stopped_by_hand": by_hand}
    assert (failover.runs_on(stopping) == []) is lost


REFUSES = f"answers, but refuses the account: correct ansible_user and ansible_password ({REFUSED})"


def test_servers_of_the_new_site_that_were_not_reached():
    unreached = [{"host": "sql-b", "problem": GONE}, {"host": "web-b", "problem": REFUSED}]
    assert failover.new_site_unreached({"site": "site_b", "unreached": unreached}) == [
        f"web-b {REFUSES}. So site_b cannot take over. Nothing was touched.",
        "sql-b cannot be reached by WinRM, so site_b cannot take over. Nothing was touched. Switch the server on, check "
        "its name, its WinRM listener and the firewall, and run this again; if it is lost, rebuild it (rebuild_prs).",
    ]
    assert failover.new_site_unreached({"site": "site_b", "unreached": []}) == []


STOPPING = {
    "old_web": "web-a", "new_web": "web-b", "new_sql": "sql-b", "pool": "PRS", "pool_state": "", "problem": "",
    "page": "", "unreachable": False, "stopped_by_hand": False, "moved": True,
}  # fmt: skip
MOVED = "sql-b has the database by now, and web-b was not started."


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"pool_state": "Stopped"}, ""),
        ({"pool_state": ""}, ""),
        ({"problem": GONE, "unreachable": True}, ""),
        ({"problem": NO_LISTENER, "unreachable": True}, "web-a answers, but takes no connection for WinRM"),
        ({"pool_state": "Started"}, f"The application on web-a could not be stopped, see above. {MOVED}"),
        ({"pool_state": "Stopping"}, f"The application on web-a could not be stopped, see above. {MOVED}"),
        ({"pool_state": "Started", "stopped_by_hand": True}, ""),
        (
            {"problem": REFUSED, "unreachable": True},
            f"web-a {REFUSES}. So nobody knows whether its application runs on. {MOVED}",
        ),
        ({"problem": UNVERIFIED, "unreachable": True}, "web-a answers, but its certificate cannot be verified"),
        ({"problem": REFUSED, "unreachable": True, "stopped_by_hand": True}, ""),
        ({"problem": "The operation timed out"}, f"The application on web-a could not be stopped, see above. {MOVED}"),
    ],
)
def test_the_new_application_waits_while_the_old_one_may_run(changed: dict[str, Any], says: str):
    said = failover.runs_on({**STOPPING, **changed})
    assert bool(said) == bool(says)
    for sentence in said:
        assert sentence.startswith(says) and MOVED in sentence and "Stop the application pool PRS on web-a" in sentence


MOVE = "Password Reset Server moves to site_b: sql-b will be the principal of PRS, and web-b serve the page."
NOT_REACHED = "sql-a does not answer. If sql-b cannot take over without it, service is "


@pytest.mark.parametrize(
    ("changed", "sentences"),
    [
        ({}, []),
        ({"sql_problem": GONE}, [f"{NOT_REACHED}not forced: that would need prs_allow_data_loss=true."]),
        (
            {"sql_problem": GONE, "allow_data_loss": True},
            [f"{NOT_REACHED}FORCED, which may lose the last commits (prs_allow_data_loss)."],
        ),
        (
            {"sql_problem": REFUSED},
            [
                f"sql-a {REFUSES}. If sql-b cannot take over without it, service is not forced: that would need "
                "prs_allow_data_loss=true."
            ],
        ),
        (
            {"web_problem": REFUSED},
            [
                f"WARNING: web-a {REFUSES}. Its application counts as stopped, since prs_old_application_stopped says "
                "so, and its files are not brought over: web-b has those of the newest backup."
            ],
        ),
        (
            {"web_problem": GONE},
            [
                "WARNING: web-a does not answer, so its site cannot be stopped, nor its files be brought over: web-b has "
                "those of the newest backup. Make sure that it is down. When it is back, run this playbook again: it "
                "stops that site."
            ],
        ),
        ({"runs_already": True}, ["web-b runs already, so its files stay as they are."]),
    ],
)
def test_the_plan(changed: dict[str, Any], sentences: list[str]):
    assert failover.plan({**RUN, **changed}) == [MOVE, *sentences]


@pytest.mark.parametrize(
    ("problem", "pool_state", "why"),
    [
        (GONE, "", "the server does not answer"),
        (REFUSED, "", f"the server {REFUSES}"),
        ("", "", "it is not set up there; run mirror_prs"),
        (
            "",
            "Started",
            "it runs, though site_a is the active site. Set prs_active_site to the site that serves, or stop it with "
            "failover_prs",
        ),
    ],
)
def test_a_web_server_that_was_left_alone(problem: str, pool_state: str, why: str):
    facts = {"host": "web-b", "problem": problem, "pool_state": pool_state, "site": "site_a"}
    assert failover.left_alone(facts) == [f"WARNING: the application on web-b was not brought up to date: {why}."]


PRINCIPAL = "PRS: sql-b is the principal (both work together)"
ACTIVE = (
    "Set prs_active_site: site_b in the inventory, so that backups, verification and rebuilds work there from now on."
)


@pytest.mark.parametrize(
    ("changed", "sentences"),
    [
        ({}, [PRINCIPAL, ACTIVE]),
        (
            {"done": {**RUN["done"], "interrupted_seconds": 0.4}},
            [f"{PRINCIPAL}, the database was closed for 0.4 seconds", ACTIVE],
        ),
        (
            {"done": {**RUN["done"], "may_be_lost": {"reason": "sql-a was not reached"}}},
            [
                PRINCIPAL,
                "WARNING, MAY BE LOST: sql-a was not reached. When sql-a is back it becomes the mirror: run this playbook "
                "or mirror_prs; what it never sent is dropped then, with the same yes.",
                ACTIVE,
            ],
        ),
        (
            {"web_problem": GONE},
            [
                PRINCIPAL,
                "WARNING: the application on web-a could not be stopped. Run this playbook again when the server is "
                "back, before users reach it.",
                ACTIVE,
            ],
        ),
        (
            {"has_hook": False},
            [
                PRINCIPAL,
                "Lead reset.example.com to web-b.example.com (DNS, load balancer): users still type the old name. "
                "prs_failover_hook can do it.",
                ACTIVE,
            ],
        ),
    ],
)
def test_the_summary(changed: dict[str, Any], sentences: list[str]):
    assert failover.summary({**RUN, **changed}) == sentences


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (
            {"ha": "mirror", "until": "2026-03-01T13:59:00Z"},
            "prs_restore_until goes back to a moment from a standby alone",
        ),
        ({"ha": "standby", "until": "2026-03-01T13:59:00Z"}, ""),
        ({"ha": "standby"}, ""),
        ({"ha": "standby", "others": ["sql-a", "sql-c"]}, "several other sites (sql-a, sql-c)"),
        ({"ha": "standby", "others": ["sql-a", "sql-c"], "old_site": "site_a"}, ""),
    ],
)
def test_what_a_standby_is_asked_before(changed: dict[str, Any], says: str):
    said = failover.problems({**ESTATE, **changed})
    assert says in " ".join(said) and bool(said) is bool(says)


def test_the_database_was_not_moved_where_the_old_application_runs_on_before():
    said = failover.runs_on({**STOPPING, "moved": False, "pool_state": "Started"})
    assert "The database was not moved." in said[0] and MOVED not in said[0]


PLANNED = {"way": "planned", "reason": "the tail is taken over", "may_be_lost": {}}
LOST = {"since": "2026-03-01T13:45:00+00:00", "minutes": 15, "reason": "What was committed after 13:45 is lost"}


@pytest.mark.parametrize(
    ("planned", "until", "says", "says_not"),
    [
        (PLANNED, "", "stops first. Then sql-a hands over the tail", "LOST"),
        ({**PLANNED, "way": "finish"}, "", "hands over the tail", "LOST"),
        (
            {**PLANNED, "way": "force", "may_be_lost": LOST},
            "",
            "WARNING, WILL BE LOST: What was committed",
            "hands over",
        ),
        ({**PLANNED, "may_be_lost": LOST}, "13:59", "It goes back to 13:59. What was committed", "hands over"),
        ({**PLANNED, "way": "stays"}, "", "sql-b serves PRS already", "is opened"),
        ({**PLANNED, "way": "rejoin"}, "", "sql-a came back with a database that was replaced", "is opened"),
    ],
)
def test_what_a_move_to_a_standby_will_do(planned: dict[str, Any], until: str, says: str, says_not: str):
    said = " ".join(failover.plan({**RUN, "ha": "standby", "planned": planned, "until": until}))
    assert says in said and says_not not in said and "principal of" not in said


DONE = {"way": "planned", "reason": "the tail is taken over", "may_be_lost": {}, "tail_log": {"file": "tail.trn"}}
WRITTEN = {"ha": "standby", "branch_problem": "", "done": DONE}


@pytest.mark.parametrize(
    ("changed", "says", "says_not"),
    [
        ({}, "sql-a is the standby now", "LOST"),
        ({"done": {**DONE, "interrupted_seconds": 3.5}}, "the database was closed for 3.5 seconds", "LOST"),
        ({"done": {**DONE, "way": "force", "may_be_lost": LOST, "tail_log": {}}}, "WARNING, LOST: What was committed", "standby now"),
        ({"done": {**DONE, "way": "force", "may_be_lost": LOST, "tail_log": {}}}, "sql-a does not follow yet", "standby now"),
        ({"done": {**DONE, "way": "rejoin", "may_be_lost": LOST}}, "What sql-a held is kept in tail.trn", "standby now"),
        ({"done": {**DONE, "way": "stays", "tail_log": {}}}, "sql-b serves it", "follow"),
        ({"branch_problem": "no such share"}, "could not be written down beside the recovery sets (no such share)", "LOST"),
    ],
)  # fmt: skip
def test_what_became_of_a_move_to_a_standby(changed: dict[str, Any], says: str, says_not: str):
    said = " ".join(failover.summary({**RUN, **WRITTEN, **changed}))
    assert says in said and says_not not in said


@pytest.mark.parametrize(
    ("problem", "stays", "says"),
    [
        ("", False, ""),
        ("The log is full.", True, "sql-b: The log is full. The application on web-a was started again"),
        ("The log is full.", False, "The application on web-a stays stopped. Run this again"),
    ],
)
def test_why_the_standby_does_not_serve(problem: str, stays: bool, says: str):
    said = standby_failover.not_moved({"new_sql": "sql-b", "old_web": "web-a", "problem": problem, "stays": stays})
    assert says in " ".join(said) and bool(said) is bool(says)
