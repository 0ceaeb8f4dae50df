"""Headers, static files, languages, limits and health of the web application."""

import gzip
import re
import time
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from infra.ports import choose_free_port
from portals.app import create_app
from portals.shared.access import permission_table
from portals.shared.assets import asset, asset_url
from portals.shared.security import limiter
from tests.fixtures.busy_machine import limit
from tests.fixtures.web import Web


def test_every_route_declares_who_may_call_it(app):
    assert [endpoint for endpoint, access in permission_table(app) if access is None] == []


def test_the_policy_allows_no_inline_code(web: Web):
    first, second = web.get("/"), web.get("/")
    policy = first.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert policy != second.headers["Content-Security-Policy"]
    html = first.get_data(as_text=True)
    assert not re.search(r'<[^>]+\s(style|on\w+)="', html)
    assert all("nonce=" in tag or "src=" in tag for tag in re.findall(r"<script[^>]*>", html))
    assert first.headers["X-Frame-Options"] == "DENY"
    assert first.headers["X-Content-Type-Options"] == "nosniff"


def test_static_files_are_named_by_their_content_and_kept_for_ever(web: Web):
    answer = web.client.get(asset_url("broadloom.css"), headers={"Accept-Encoding": "gzip"})
    assert "immutable" in answer.headers["Cache-Control"]
    assert gzip.decompress(answer.data) == asset("broadloom.css").plain
    assert web.client.get("/static/000000000000/broadloom.css").headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "name", ["../app.py", "icons.txt/../../i18n.py", "%2e%2e/app.py", "nothing.css", "THIRD_PARTY.md"]
)
def test_nothing_else_is_served(web: Web, name):
    assert web.client.get(f"/static/000000000000/{name}").status_code == 404


@pytest.mark.parametrize("path", ["/", "/sign-up", "/login"])
def test_a_page_weighs_less_than_150_kilobytes(web: Web, path):
    packed = web.client.get(path, headers={"Accept-Encoding": "gzip"})
    html = gzip.decompress(packed.data).decode()
    names = set(re.findall(r'(?:href|src)="(/static/[^"#]+)', html))
    sizes = {name: len(web.client.get(name, headers={"Accept-Encoding": "gzip"}).data) for name in names}
    assert len(packed.data) + sum(sizes.values()) < 150_000, sizes
    assert not any("echarts" in name for name in names)


def test_a_language_is_remembered(app):
    client = app.test_client()
    assert 'lang="zh-CN"' in client.get("/").get_data(as_text=True)
    assert 'lang="en"' in client.get("/?lang=en").get_data(as_text=True)
    assert 'lang="en"' in client.get("/login").get_data(as_text=True)
    assert 'lang="en"' in client.get("/", headers={"Accept-Language": "zh"}).get_data(as_text=True)
    browser = app.test_client()
    assert 'lang="en"' in browser.get("/", headers={"Accept-Language": "en-GB,en"}).get_data(as_text=True)
    assert 'lang="zh-CN"' in browser.get("/?lang=xx").get_data(as_text=True)


def test_the_theme_comes_with_the_page_so_that_nothing_flashes(app):
    client = app.test_client()
    client.set_cookie("theme", "dark")
    html = client.get("/").get_data(as_text=True)
    assert 'data-bs-theme="dark"' in html
    assert "matchMedia" not in html


def test_too_many_sign_ups_from_one_address_wait(web: Web, monkeypatch):
    monkeypatch.setattr(limiter, "enabled", True)
    codes = [web.submit("/login", {"who": "nobody-here"}).status_code for _ in range(21)]
    assert codes[-1] == 429
    assert "Too many attempts" in web.text()


def test_without_redis_pages_still_answer(settings):
    away = create_app(replace(settings, redis_url=f"redis://127.0.0.1:{choose_free_port()}/0"))
    web = Web(away)
    assert web.submit("/login", {"who": "nobody-here"}).status_code == 422
    ready = web.client.get("/readyz")
    assert (ready.status_code, ready.get_json()["redis"]) == (200, "away")
    away.extensions["broadloom"].dispose()


def test_a_redis_that_hangs_keeps_nobody_waiting_for_long(settings, redis_relay, monkeypatch):
    """A login is counted several times; each time it had waited five seconds for an answer."""
    monkeypatch.setattr(limiter, "enabled", True)
    url = settings.redis_url.replace(f":{urlsplit(settings.redis_url).port}", f":{redis_relay.port}")
    hanging = create_app(replace(settings, redis_url=url))
    monkeypatch.setattr(limiter, "_storage_dead", False)  # another test's Redis may have been away
    web, wrong = Web(hanging), {"email": "nobody@broadloom.example", "password": "not the password"}
    assert web.submit("/platform/login", wrong).status_code == 422
    redis_relay.black_hole()
    started = time.monotonic()
    assert web.submit("/platform/login", wrong).status_code == 422
    assert time.monotonic() - started < limit(3)
    redis_relay.black_hole(deaf=False)
    hanging.extensions["broadloom"].dispose()


def test_health_tells_the_process_from_what_it_depends_on(web: Web, settings):
    assert web.client.get("/healthz").get_json() == {"status": "ok"}
    assert web.client.get("/readyz").status_code == 200
    dead = create_app(replace(settings, database_url=f"postgresql://x:y@127.0.0.1:{choose_free_port()}/z"))
    assert dead.test_client().get("/healthz").status_code == 200
    assert dead.test_client().get("/readyz").status_code == 503
    answer = dead.test_client().get("/?lang=en")
    assert answer.status_code == 503
    assert "The service is not ready" in answer.get_data(as_text=True)
    assert "Traceback" not in answer.get_data(as_text=True)


def test_what_proxies_say_counts_only_when_they_are_trusted(settings):
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}
    plain, trusting = create_app(settings), create_app(replace(settings, trusted_proxies=1))
    for app, secure in ((plain, False), (trusting, True)):
        answer = app.test_client().get("/?lang=en", headers=forwarded)
        cookie = next(c for c in answer.headers.getlist("Set-Cookie") if c.startswith("lang="))
        assert ("Secure" in cookie) is secure
        app.extensions["broadloom"].dispose()


def test_components_are_shown_in_demo_installations_only(app, settings):
    assert app.test_client().get("/_components").status_code == 404
    assert create_app(replace(settings, demo=True)).test_client().get("/_components").status_code == 200


@pytest.mark.parametrize("path", ["/nothing", "/t/", "/t//", "/platform", "/%00", "/t/%2e%2e/", "/" + "x" * 5000])
def test_strange_addresses_get_a_page(web: Web, path):
    answer = web.get(path)
    assert answer.status_code in (200, 404)
    assert "<h1" in answer.get_data(as_text=True)
