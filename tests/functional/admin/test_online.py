"""Who is online: the list, ending sessions, what became of it (RAD-5)."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from infra import clock
from infra.outbox import OutboxRow
from tenants.network.add_nas import AddNas, add_nas
from tenants.network.add_region import RegionForm, add_region
from tenants.subscribers.kick import SessionKey
from tenants.subscribers.models import Account
from tenants.usage.models import OnlineSample, PacketCount, RefusedPacket, SessionNote
from tenants.usage.models import Session as OnlineSession
from tests.fixtures.accounts import OWNER, close_session, go_online, open_one, sell


def disconnects(desk) -> list[OutboxRow]:
    with desk.scope() as scope:
        found = select(OutboxRow).where(OutboxRow.tenant_id == scope.tenant_id, OutboxRow.topic == "radius.disconnect")
        return list(scope.session.scalars(found.order_by(OutboxRow.id)))


def test_the_list_shows_totals_and_sums_five_gigabytes_right(desk, online):
    desk.get("/online/")
    assert "3 sessions" in desk.text()
    assert "15.00 GB" in desk.text()
    assert "5.00 GB" in desk.text()
    assert "u0" in desk.text()


def test_a_session_of_nobody_is_opened_by_its_name(desk, online):
    """On a telephone the instant, which is a link, is not shown."""
    with desk.scope() as scope:
        found = select(OnlineSession).where(OnlineSession.account_id == online[0])
        scope.session.scalars(found).one().account_id = 0
    page = desk.get("/online/?unknown=1").get_data(as_text=True)
    link = re.search(r'class="mono" href="[^"]*/admin(/online/session[^"]+)">u0<', page)
    assert desk.get(link[1].replace("&amp;", "&")).status_code == 200
    desk.get("/online/?unknown=1")
    assert "1 sessions" not in desk.text()


@pytest.mark.parametrize(
    ("query", "count"), [("q=u1", 1), ("q=10.0.0.2", 1), ("q=Person", 3), ("late=1", 0), ("nas=99", 0)]
)
def test_filters(desk, online, query, count):
    page = desk.get(f"/online/?{query}").get_data(as_text=True)
    assert page.count('aria-label="Disconnect u') == count


def test_the_highest_of_the_day_is_of_all_samples_not_of_those_drawn(desk, online):
    with desk.scope() as scope:
        for minutes, sessions in ((60, 4), (65, 77), (70, 5)):
            at = clock.now() - timedelta(minutes=minutes)
            scope.session.add(OnlineSample(tenant_id=scope.tenant_id, at=at, sessions=sessions))
    desk.get("/online/")
    assert "highest in 24 hours: 77" in desk.text()


def test_a_session_is_ended_on_its_own_page(desk, online):
    link = re.search(r'href="[^"]*?/admin(/online/session\?[^"]+)"', desk.get("/online/?q=u1").get_data(as_text=True))
    assert link is not None
    page = desk.get(link[1].replace("&amp;", "&")).get_data(as_text=True)
    assert "online now" in page
    key = re.search(r'name="id" value="([^"]+)"', page)
    assert key is not None
    desk.submit("/online/", {"id": key[1]}, to="/online/kick")
    assert [row.payload["username"] for row in disconnects(desk)] == ["u1"]
    assert f'/accounts/{online[1]}/">u1</a>' in desk.get("/online/results").get_data(as_text=True)


def test_its_own_refresh_is_only_the_part_that_changes(desk, online):
    part = desk.get("/online/", headers={"HX-Request": "true", "X-Broadloom-Poll": "1"}).get_data(as_text=True)
    assert "<html" not in part
    assert "u2" in part


def test_one_session_is_ended_and_its_result_is_shown(desk, online):
    key = SessionKey(1, "81:1:x", "u1").text()
    desk.submit("/online/", {"id": key}, to="/online/kick")
    assert "Asked the router to end 1 session." in desk.text()
    assert [row.payload["username"] for row in disconnects(desk)] == ["u1"]
    assert "on its way" in desk.text()
    with desk.scope() as scope:
        row = scope.session.scalars(select(OutboxRow).where(OutboxRow.topic == "radius.disconnect")).one()
        row.state, row.result, row.finished_at = "refused", "Session-Context-Not-Found", clock.now()
    desk.get("/online/results")
    assert "refused" in desk.text()
    assert "Session-Context-Not-Found" in desk.text()


def test_all_sessions_of_a_filter_are_ended(desk, online):
    desk.submit("/online/", {"all": "1", "filter_q": "Person"}, to="/online/kick")
    assert len(disconnects(desk)) == 3


def test_rubbish_and_other_peoples_sessions_end_nothing(desk, online):
    for key in ("", "x", "1:2", "9:4:none", SessionKey(1, "81:0:x", "somebody").text()):
        desk.submit("/online/", {"id": key}, to="/online/kick")
    assert disconnects(desk) == []


def test_the_panel_of_one_subscriber(desk, online):
    desk.get(f"/accounts/{online[0]}/kick")
    assert "End 1 session" in desk.text()
    desk.submit(f"/accounts/{online[0]}/kick")
    assert [row.payload["account_id"] for row in disconnects(desk)] == [online[0]]


def test_kicking_needs_its_right(desk, online, web):
    desk.hire("looker", "online.view", "accounts.view")
    looker = type(desk)(type(web)(web.client.application), desk.tenant, desk.database).sign_in("looker")
    assert "Disconnect u0" not in looker.get("/online/").get_data(as_text=True)
    assert looker.submit("/online/", {"id": "x"}, to="/online/kick").status_code == 403
    assert "Force offline" in looker.text()


def test_an_operator_of_one_region_sees_only_its_past_sessions_refusals_and_kicks(desk, online, web):
    now = clock.now()
    with desk.scope() as scope:
        region_id = add_region(scope, RegionForm("Other place"), actor=OWNER, now=now)
        first, second, _ = scope.session.scalars(select(Account).order_by(Account.id))
        second.region_id = region_id
        for account in (first, second):
            close_session(scope, account, "s1", now)
            more = {"username": account.username, "account_id": account.id, "reason": "expired"}
            scope.session.add(
                RefusedPacket(tenant_id=scope.tenant_id, at=now, source="203.0.113.7:4000", code=1, **more)
            )
    desk.hire("clerk", "accounts.view", "online.view", "refused.view", region_ids=(region_id,))
    clerk = type(desk)(type(web)(web.client.application), desk.tenant, desk.database).sign_in("clerk")
    desk.submit("/online/", {"all": "1"}, to="/online/kick")
    for page in ("/online/history", "/refused/", "/online/results"):
        assert re.search(r"\bu0\b", desk.get(page).get_data(as_text=True)), page
        seen = clerk.get(page).get_data(as_text=True)
        assert re.search(r"\bu1\b", seen), page
        assert not re.search(r"\bu0\b", seen), page


def test_refused_logins_are_told_in_words(desk):
    with desk.scope() as scope:
        for reason, repeats in (("wrong_password", 3), ("expired", 1), ("truncated", 1)):
            scope.session.add(
                RefusedPacket(
                    tenant_id=scope.tenant_id,
                    at=clock.now() - timedelta(minutes=repeats),
                    source="203.0.113.7:4000",
                    code=1,
                    reason=reason,
                    username="u9",
                    repeats=repeats,
                )
            )
    desk.get("/refused/")
    assert "Wrong password 3" in desk.text()
    assert "The account has expired." in desk.text()
    assert "Malformed packet" in desk.text()
    assert "truncated" not in desk.text()
    desk.get("/refused/?state=expired")
    assert "The password was wrong." not in desk.text()


def test_packet_counters(desk, database):
    from infra.db import MAIN_CELL, PLATFORM_ROLE

    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    with database.session(MAIN_CELL, PLATFORM_ROLE) as session:
        for kind, outcome, packets in (
            ("auth", "accepted", 71),
            ("auth", "rejected:expired", 9),
            ("acct", "stored", 500),
        ):
            session.add(
                PacketCount(tenant_id=desk.tenant.id, nas_id=0, hour=hour, kind=kind, outcome=outcome, packets=packets)
            )
        session.commit()
    desk.get("/counters/")
    assert "71" in desk.text()
    assert "Expired" in desk.text()
    assert "500" in desk.text()
    assert desk.get("/counters/?hours=1", headers={"HX-Request": "true"}).status_code == 200


def test_the_story_of_a_session(desk):
    with desk.scope() as scope:
        gate, roof = (
            add_nas(scope, AddNas("mikrotik", name), actor=OWNER, now=clock.now()).nas_id for name in ("Gate", "Roof")
        )
        account_id = open_one(scope, "alice", sell(scope))
        session = go_online(
            scope,
            account_id,
            nas_id=gate,
            at=clock.now() - timedelta(days=2),
            reports=7,
            up_bps=2_500_000,
            down_bps=87_650_000,
        )
        session.updated_at, session.octets_out, session.seconds = clock.now(), 5 * 1024**3, 2100
        key = {"tenant_id": scope.tenant_id, "nas_id": gate, "session_id": session.session_id, "username": "alice"}
        note = {"day": clock.now().date(), "first_at": clock.now(), "last_at": clock.now(), "seconds": 0}
        for kind, times in (("restarted", 1), ("report_late", 3)):
            scope.session.add(SessionNote(**key, **note, kind=kind, times=times, octets_in=0, octets_out=0))
        refused = RefusedPacket(
            tenant_id=scope.tenant_id, at=session.started_at, reason="wrong_password", username="alice", code=1,
            repeats=3, source="192.0.2.1:1", nas_identifier="x", mac="", method="pap", nas_id=gate,
        )  # fmt: skip
        scope.session.add(refused)
        facts = {"tenant_id": scope.tenant_id, "at": clock.now(), "username": "alice", "code": 1, "source": "x:1"}
        scope.session.add(RefusedPacket(**facts, reason="too_many_sessions", nas_id=roof, mac="02:00:00:00:00:07"))
        scope.session.add(RefusedPacket(**facts, reason="binding", nas_identifier="gone-olt"))
        payload = {"session_id": session.session_id, "reason": "redialled"}
        scope.session.add(
            OutboxRow(
                tenant_id=scope.tenant_id, topic="radius.disconnect", subject=f"account:{account_id}", payload=payload,
                state="unanswered", created_at=clock.now(), finished_at=clock.now(), result="203.0.113.1:3799",
            )
        )  # fmt: skip
    page = desk.get("/online/").get_data(as_text=True)
    assert "87.7 Mb/s" in page  # all together
    link = re.search(r'href="[^"]*?/admin(/online/session\?[^"]+)"', page)
    assert link is not None
    story = desk.get(link[1].replace("&amp;", "&")).get_data(as_text=True)
    wanted = (
        "The session began",
        "Wrong password",
        "Asked the router to end it",
        "the device dialled again",
        "no answer",
        "began again at 0",
        "A report came late",
        "3 times",
        "The latest of 7 reports",
        "5.00 GB down, 0 MB up in 35 min",
        "one in 5 min on average",
        "87.7 / 2.5 Mb/s",
        "by another router, Roof · 02:00:00:00:00:07",
        "by another router, gone-olt",
    )
    assert story.count("by another router") == 2
    assert [said for said in wanted if said not in story] == []
    assert desk.get("/online/session?key=1:1:xalice").status_code == 404
    assert desk.get("/online/session?key=nonsense").status_code == 404
    assert desk.get("/online/session").status_code == 200  # the list


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ("place_without_speed", "its place names no speed: the session keeps the one it has"),
        ("account_over", "there is no place for it: its end disconnects the session"),
        ("no_live_end", "this make cannot be told another end"),
    ],
)
def test_a_change_of_which_nothing_was_sent_says_why(desk, online, result, said):
    link = re.search(r'href="[^"]*?/admin(/online/session\?[^"]+)"', desk.get("/online/?q=u1").get_data(as_text=True))
    with desk.scope() as scope:
        session = scope.session.scalars(select(OnlineSession).where(OnlineSession.account_id == online[1])).one()
        asked = {"session_id": session.session_id, "account_id": online[1], "reason": "rate_changed"}
        at = {"created_at": clock.now(), "finished_at": clock.now(), "subject": f"account:{online[1]}"}
        row = OutboxRow(tenant_id=scope.tenant_id, topic="radius.coa", payload=asked, state="done", result=result, **at)
        scope.session.add(row)
    desk.get(link[1].replace("&amp;", "&"))
    assert f"Nothing was sent to the router {'Not sent: ' * (result == 'no_live_end')}" in desk.text()
    assert said in desk.text()
    assert "The router's answer" not in desk.text()
    desk.get("/online/results")
    assert "u1" not in desk.text()


def test_a_session_that_goes_on_after_its_end_raises_an_alert(desk, online):
    with desk.scope() as scope:
        session = scope.session.scalars(select(OnlineSession).where(OnlineSession.account_id == online[1])).one()
        session.cut_requested_at = session.updated_at + timedelta(seconds=1)
    assert "goes on although" not in desk.get("/online/").get_data(as_text=True)
    with desk.scope() as scope:  # an hour after the router's word it reports still
        session = scope.session.scalars(select(OnlineSession).where(OnlineSession.account_id == online[1])).one()
        session.cut_requested_at = session.updated_at - timedelta(hours=1)
    assert "goes on although" in desk.get("/online/").get_data(as_text=True)
    only = desk.get("/online/?defied=1").get_data(as_text=True)
    assert ">u1<" in only
    assert ">u2<" not in only


def test_sessions_that_routers_would_not_end_are_marked(desk, online):
    assert "refused or did not answer" not in desk.get("/online/").get_data(as_text=True)
    with desk.scope() as scope:
        for number, state in ((0, "refused"), (2, "unanswered")):
            of_it = OnlineSession.account_id == online[number]
            scope.session.scalars(select(OnlineSession).where(of_it)).one().cut_failed = state
    page = desk.get("/online/").get_data(as_text=True)
    assert "2 sessions were to end, but their routers refused or did not answer." in desk.text()
    link = re.search(r'<a href="[^"]*/admin(/[^"]+)"><span class="pill pill-bad">disconnect refused</span>', page)
    assert desk.get(link[1].replace("&amp;", "&")).status_code == 200
    assert "Session of u0" in desk.text()
    shown = {"any": ["u0", "u2"], "refused": ["u0"], "unanswered": ["u2"], "rubbish": ["u0", "u1", "u2"]}
    for wanted, names in shown.items():
        only = desk.get(f"/online/?cut={wanted}").get_data(as_text=True)
        assert re.findall(r">(u\d)</a>", only) == names
    desk.submit("/online/?cut=unanswered", {"all": "1", "filter_cut": "unanswered"}, to="/online/kick")
    assert [row.payload["username"] for row in disconnects(desk)] == ["u2"]


def test_sessions_of_a_router_with_its_own_time_of_silence_are_late_by_it(desk, online):
    with desk.scope() as scope:
        nas_id = add_nas(scope, AddNas("mikrotik", "Barge", stale_minutes=80), actor=OWNER, now=clock.now()).nas_id
        for number, minutes in ((0, 59), (1, 61), (2, 16)):
            found = select(OnlineSession).where(OnlineSession.account_id == online[number])
            session = scope.session.scalars(found).one()
            session.updated_at = clock.now() - timedelta(minutes=minutes)
            session.nas_id = 9 if number == 2 else nas_id
    assert re.findall(r">(u\d)</a>", desk.get("/online/?late=1").get_data(as_text=True)) == ["u1", "u2"]
    assert "or when their router's own time is over" in desk.text()


def test_a_bulk_kick_shows_how_far_it_is_and_what_the_routers_said_in_words(desk, online):
    desk.submit("/online/", {"all": "1"}, to="/online/kick")
    desk.get("/online/results")
    assert "0 of 3" in desk.text()
    first, second, third = disconnects(desk)
    with desk.scope() as scope:
        answers = ((first, "done", ""), (second, "refused", "session_context_not_found"), (third, "waiting", ""))
        for row, state, result in answers:
            changed = scope.session.get(OutboxRow, row.id)
            changed.state, changed.result = state, result
        one = first.payload | {"reason": "rate_changed"}
        for state, result in (("refused", "no_live_change"), ("unanswered", "10.0.0.1:3799"), ("refused", "error_77")):
            scope.session.add(
                OutboxRow(tenant_id=scope.tenant_id, topic="radius.coa", payload=one, state=state, result=result)
            )
    desk.get("/online/results")
    text = desk.text()
    for said in (
        "2 of 3",
        "done 1 · refused 1 · no answer 0",
        "3 of 3",
        "The router knows no such session; it was closed here.",
        "Not sent: this make cannot change a running session",
        "Asked three times at 10.0.0.1:3799.",
        "The router answered with error 77.",
        "the speed was edited",
    ):
        assert said in text, said
    desk.get("/online/results?state=unanswered")
    assert "10.0.0.1:3799" in desk.text()
    assert "no such session" not in desk.text()
