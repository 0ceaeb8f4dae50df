"""Host, path and own-domain form of a tenant's address are one thing inside (TEN-7)."""

import pytest

from infra.settings import Settings
from portals.shared.addresses import SLUG_KEY, SPACE_KEY, TenantAddresses, tenant_url


def place(host: str, path: str, base_domain: str = "broadloom.example") -> tuple[str, str, str, str]:
    """(space, slug, SCRIPT_NAME, PATH_INFO) as the application sees them."""
    seen: dict[str, str] = {}

    def app(environ, start_response):
        seen.update({key: environ.get(key, "") for key in (SPACE_KEY, SLUG_KEY, "SCRIPT_NAME", "PATH_INFO")})
        return [b""]

    settings = Settings(base_domain=base_domain, public_url=f"https://{base_domain}")
    layer = TenantAddresses(app, settings, lambda domain: {"portal.qingteng.cn": "qingteng"}.get(domain, ""))
    answer: list[str] = []
    list(
        layer({"HTTP_HOST": host, "PATH_INFO": path, "SCRIPT_NAME": ""}, lambda status, _headers: answer.append(status))
    )
    return (answer[0], "", "", "") if answer else tuple(seen.values())  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("host", "path", "expected"),
    [
        ("broadloom.example", "/", ("", "", "", "/")),
        ("www.broadloom.example", "/sign-up", ("", "", "", "/sign-up")),
        ("BROADLOOM.example:443", "/", ("", "", "", "/")),
        ("qingteng.broadloom.example", "/admin/", ("tenant", "qingteng", "", "/admin/")),
        ("broadloom.example", "/t/qingteng/admin/", ("tenant", "qingteng", "/t/qingteng", "/admin/")),
        ("portal.qingteng.cn:8443", "/", ("tenant", "qingteng", "", "/")),
        ("203.0.113.9:8000", "/t/qingteng/", ("tenant", "qingteng", "/t/qingteng", "/")),
        ("[2001:db8::1]:8000", "/", ("", "", "", "/")),
        ("nobody.example", "/", ("-", "nobody.example", "", "/")),
        ("a.b.broadloom.example", "/", ("-", "a.b", "", "/")),
        # a number would be read as a tenant's id
        ("broadloom.example", "/t/17/admin/", ("-", "17", "/t/17", "/admin/")),
        ("broadloom.example", "/t/../etc/", ("-", "..", "/t/..", "/etc/")),
        # one copy of the static files and of the health checks, whatever the host
        ("qingteng.broadloom.example", "/static/x/y.css", ("", "", "", "/static/x/y.css")),
        ("nobody.example", "/healthz", ("", "", "", "/healthz")),
        # the path form means nothing on a tenant's own host
        ("qingteng.broadloom.example", "/t/other/", ("tenant", "qingteng", "", "/t/other/")),
    ],
)
def test_where_a_request_belongs(host, path, expected):
    assert place(host, path) == expected


def test_a_missing_slash_is_added():
    assert place("broadloom.example", "/t/qingteng")[0].startswith("308")


def test_an_installation_without_a_domain_answers_to_any_name():
    assert place("server7.lan", "/", base_domain="localhost") == ("", "", "", "/")


def test_links_between_entrances_never_come_from_what_a_browser_claims():
    named = Settings(base_domain="broadloom.example", public_url="https://broadloom.example")
    assert tenant_url(named, "qingteng", "/admin/") == "https://qingteng.broadloom.example/admin/"
    assert tenant_url(Settings(web_port=8123), "qingteng", "/admin/") == "http://127.0.0.1:8123/t/qingteng/admin/"
