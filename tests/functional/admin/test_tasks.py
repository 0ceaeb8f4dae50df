"""Long work: exports and changes of many subscribers, done in batches, found again under the bell (UX-3, SUB-7)."""

import csv
import io
import re
from datetime import date, timedelta

import pytest
from openpyxl import load_workbook

from infra import clock
from tenants.network.add_region import RegionForm, add_region
from tenants.staff.models import Role
from tenants.subscribers.models import Account
from tenants.tasks import change_accounts, export_accounts, export_history, export_online, export_usage
from tenants.tasks.models import Task
from tenants.tasks.run_task import MOST_TRIES, STEPS, run_task
from tenants.usage.models import Usage
from tests.fixtures.accounts import OWNER, close_session, go_online, open_one, sell
from tests.fixtures.web import Web
from tests.functional.admin.conftest import Desk
from workers.jobs.run_due import run_due


@pytest.fixture
def crowd(desk, monkeypatch) -> None:
    """Five subscribers, and batches of two."""
    monkeypatch.setattr(export_accounts, "BATCH", 2)
    monkeypatch.setattr(change_accounts, "BATCH", 2)
    monkeypatch.setattr("portals.admin.bulk.BATCH", 2)
    with desk.scope() as scope:
        plan = sell(scope)
        for number in range(5):
            open_one(scope, f"u{number}", plan, name="=1+1" if number == 0 else f"Person {number}")


def work(desk) -> int:
    """What the workers would do; gives how many batches it took."""
    batches = 0
    while True:
        with desk.scope() as scope:
            [task_id] = [task.id for task in scope.session.query(Task).order_by(Task.id.desc()).limit(1)]
            more = run_task(scope, task_id, now=clock.now())
        batches += 1
        if not more:
            return batches


def rows(answer) -> list[list[str]]:
    return list(csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))


def result(desk) -> list[list[str]]:
    """The file that the newest work left."""
    return rows(desk.get(re.findall(r"/tasks/\d+/result", desk.get("/tasks/").get_data(as_text=True))[0]))


def test_an_export_runs_in_batches_and_leaves_a_file(desk, crowd):
    desk.submit("/accounts/?q=u", {"format": "csv"}, to="/accounts/export?q=u&sort=-username")
    assert "Export subscribers (5)" in desk.text()
    assert "waiting for a worker" in desk.text()
    assert work(desk) == 3  # 2 + 2 + 1
    home = desk.get("/").get_data(as_text=True)
    assert 'aria-label="1 notice"' in home
    desk.get("/tasks/")
    assert "Export subscribers (5)" in desk.text()
    assert 'aria-label="0 notices"' in desk.get("/").get_data(as_text=True)
    [address] = re.findall(r"/tasks/\d+/result", desk.get("/tasks/").get_data(as_text=True))
    answer = desk.get(address)
    assert "attachment" in answer.headers["Content-Disposition"]
    head, *found = rows(answer)
    assert head[:3] == ["User name", "Full name", "Status"]
    assert [row[0] for row in found] == ["u4", "u3", "u2", "u1", "u0"]
    assert found[4][1] == "'=1+1"  # a spreadsheet must not compute what somebody is called


def test_an_export_is_an_excel_file_unless_something_else_is_asked(desk, crowd):
    desk.submit("/accounts/?q=u", to="/accounts/export?q=u&sort=username")
    assert work(desk) == 3
    [address] = re.findall(r"/tasks/\d+/result", desk.get("/tasks/").get_data(as_text=True))
    answer = desk.get(address)
    assert answer.content_type.endswith("spreadsheetml.sheet")
    assert ".xlsx" in answer.headers["Content-Disposition"]
    [sheet] = load_workbook(io.BytesIO(answer.get_data())).worksheets
    head, *found = sheet.iter_rows(values_only=True)
    assert head[:3] == ("User name", "Full name", "Status")
    assert [row[0] for row in found] == ["u0", "u1", "u2", "u3", "u4"]
    assert found[0][1] == "=1+1"
    assert sheet["B2"].data_type == "s"  # a text, not computed
    balance = head.index("Balance")
    assert {row[balance] for row in found} == {0}
    assert sheet.freeze_panes == "A2"


def test_fee_records_as_a_file(desk, crowd):
    desk.submit("/money/", {"format": "csv"}, to="/money/export?method=cash")
    work(desk)
    [address] = re.findall(r"/tasks/\d+/result", desk.get("/tasks/").get_data(as_text=True))
    head, *found = rows(desk.get(address))
    assert head[0] == "Time"
    assert {row[2] for row in found} <= {f"u{number}" for number in range(5)}


def test_past_sessions_as_a_file(desk, crowd, monkeypatch):
    monkeypatch.setattr(export_history, "BATCH", 2)
    now = clock.now()
    with desk.scope() as scope:
        [account] = scope.session.query(Account).filter(Account.username == "u1")
        for number in range(3):
            close_session(scope, account, f"s{number}", now - timedelta(hours=number), octets_out=5_000_000_000)
    desk.submit("/online/history", {"format": "csv"}, to="/online/history/export?q=u1")
    assert "Export sessions (3)" in desk.text()
    assert work(desk) == 2
    head, *found = result(desk)
    assert (head[0], head[3], head[7]) == ("User name", "Online in seconds", "Down in octets")
    assert [(row[0], row[3], row[7], row[9]) for row in found] == [
        ("u1", "60", "5000000000", "ended by the subscriber")
    ] * 3
    assert found[0][2] > found[1][2] > found[2][2]


def test_who_is_online_as_a_file(desk, crowd, monkeypatch):
    """The list's filter and order; whoever may see one region has only its sessions."""
    monkeypatch.setattr(export_online, "BATCH", 2)
    now = clock.now()
    with desk.scope() as scope:
        ids = {account.username: account.id for account in scope.session.query(Account)}
        region = add_region(scope, RegionForm("North"), actor=OWNER, now=now)
        scope.session.query(Account).filter(Account.username == "u4").update({"region_id": region})
        for minutes, username in enumerate(("u1", "u2", "u3", "u4"), 1):
            more = {"octets_out": 5_000_000_000, "up_bps": 7, "mac": "02:00:00:00:00:01", "framed_ip": "10.0.0.9"}
            go_online(scope, ids[username], f"s{username}", at=now - timedelta(minutes=minutes), **more)
    assert "/online/export?q=u&amp;sort=-started" in desk.get("/online/?q=u&sort=-started").get_data(as_text=True)
    desk.submit("/online/", {"format": "csv"}, to="/online/export?q=u&sort=-started")
    assert "Export who is online (4)" in desk.text()
    assert work(desk) == 2
    head, *found = result(desk)
    assert (head[0], head[6], head[9]) == ("User name", "Online in seconds", "Down in octets")
    assert [row[0] for row in found] == ["u1", "u2", "u3", "u4"]
    assert {(row[2], row[3], row[8], row[9]) for row in found} == {("10.0.0.9", "02:00:00:00:00:01", "7", "5000000000")}
    desk.hire("eve", "online.view", "online.export", region_ids=(region,))
    eve = Desk(type(desk.web)(desk.web.client.application), desk.tenant, desk.database).sign_in("eve")
    eve.submit("/online/", {"format": "csv"}, to="/online/export?sort=-down")
    assert "Export who is online (1)" in eve.text()
    work(desk)
    assert [row[0] for row in result(eve)[1:]] == ["u4"]


def test_usage_by_month_as_a_file(desk, crowd, monkeypatch):
    monkeypatch.setattr(export_usage, "BATCH", 2)
    with desk.scope() as scope:
        ids = {account.username: account.id for account in scope.session.query(Account)}
        for username, day, octets in (
            ("u1", date(2026, 9, 30), 7), ("u1", date(2026, 10, 1), 10**12), ("u1", date(2026, 10, 31), 1),
            ("u4", date(2026, 10, 5), 5), ("u4", date(2026, 11, 1), 9),
        ):  # fmt: skip
            row = Usage(tenant_id=scope.tenant_id, account_id=ids[username], day=day, octets_in=0, octets_out=octets)
            row.seconds = 60
            scope.session.add(row)
    october = {"first": "2026-10-01", "last": "2026-10-31", "per": "month", "format": "csv"}
    assert desk.submit("/online/usage", october | {"last": "2026-09-30"}).status_code == 422
    assert desk.submit("/online/usage", october | {"first": "yesterday"}).status_code == 422
    assert desk.submit("/online/usage", october | {"per": "century"}).status_code == 422
    desk.submit("/online/usage", october)
    assert "Export usage (5)" in desk.text()  # the accounts that are looked at
    assert work(desk) == 3
    head, *found = result(desk)
    assert head[2:4] == ["Month", "Down in octets"]
    assert [row[:1] + row[2:] for row in found] == [
        ["u1", "2026-10", "1000000000001", "0", "1000000000001", "120"],
        ["u4", "2026-10", "5", "0", "5", "60"],
    ]


def test_many_are_changed_by_the_workers_and_each_fails_alone(desk, crowd):
    with desk.scope() as scope:
        [closed] = scope.session.query(Account.id).filter(Account.username == "u3")
    desk.submit(f"/accounts/{closed.id}/op/close", {"amount": "", "reason": ""})
    desk.submit("/accounts/", {"all": "1", "filter_q": "u"}, to="/accounts/bulk/disable")
    assert "5 subscribers chosen" in desk.text()
    assert "find it again under the bell" in desk.text()
    desk.submit("/accounts/", {"all": "1", "filter_q": "u", "reason": "flood"}, to="/accounts/bulk/disable/do")
    assert "Disable (5)" in desk.text()
    assert work(desk) == 3
    with desk.scope() as scope:
        states = dict(scope.session.query(Account.username, Account.state).all())
    assert [name for name, state in sorted(states.items()) if state == "disabled"] == ["u0", "u1", "u2", "u4"]
    [address] = set(re.findall(r"/tasks/\d+/", desk.get("/tasks/").get_data(as_text=True)))
    desk.get(address)
    assert "1 row failed" in desk.text()
    assert rows(desk.get(f"{address}failed"))[1][0] == "u3"


def test_it_can_be_stopped_and_what_is_done_stays(desk, crowd):
    desk.submit("/accounts/", to="/accounts/export")
    with desk.scope() as scope:
        [task] = scope.session.query(Task)
        assert run_task(scope, task.id, now=clock.now())
        task_id = task.id
    desk.submit("/accounts/", to=f"/tasks/{task_id}/stop")
    assert "Stopped before its end." in desk.text()
    assert work(desk) == 1  # nothing more is done
    with desk.scope() as scope:
        assert scope.session.get_one(Task, task_id).done == 2
    assert desk.get(f"/tasks/{task_id}/result").status_code == 404


def test_nobody_sees_the_tasks_of_somebody_else(desk, crowd, app):
    desk.submit("/accounts/", to="/accounts/export")
    work(desk)
    [address] = set(re.findall(r"/tasks/\d+/", desk.get("/tasks/").get_data(as_text=True)))
    desk.hire("clerk", "accounts.view", "accounts.export")
    clerk = type(desk)(Web(app), desk.tenant, desk.database).sign_in("clerk")
    for path in ("", "progress", "result", "failed"):
        assert clerk.get(f"{address}{path}").status_code == 404
    assert clerk.submit("/accounts/", to=f"{address}stop").status_code == 404


def test_the_right_is_asked_for_again_when_it_runs(desk, crowd, app):
    desk.hire("clerk", "accounts.view", "accounts.export")
    clerk = type(desk)(Web(app), desk.tenant, desk.database).sign_in("clerk")
    clerk.submit("/accounts/", to="/accounts/export")
    with desk.scope() as scope:
        for role in scope.session.query(Role).filter(Role.name == "role of clerk"):
            role.permissions = ["accounts.view"]
    assert work(desk) == 1
    clerk.get("/tasks/")
    assert "failed" in clerk.text()


def test_a_fault_of_ours_is_tried_again_and_then_told(desk, crowd, monkeypatch):
    def broken(*_args: object) -> bool:
        raise RuntimeError("no such luck")

    monkeypatch.setitem(STEPS, "export_accounts", broken)
    desk.submit("/accounts/", to="/accounts/export")
    for _ in range(MOST_TRIES):
        work(desk)
    [address] = set(re.findall(r"/tasks/\d+/", desk.get("/tasks/").get_data(as_text=True)))
    desk.get(address)
    assert "Something went wrong on our side three times." in desk.text()


def test_the_workers_take_it_up_by_its_due_row_and_go_on_to_its_end(desk, crowd, job_context):
    assert job_context.database is not None
    desk.submit("/accounts/", to="/accounts/export")
    assert run_due(desk.tenant.id, "tasks")["handled"] == 3  # batches of 2 + 2 + 1
    assert run_due(desk.tenant.id, "tasks") == {"handled": 0, "failed": 0}
    with desk.scope() as scope:
        [task] = scope.session.query(Task)
        assert (task.state, task.done, task.total) == ("done", 5, 5)
