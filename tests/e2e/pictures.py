"""The pictures of the documentation: every page that a person can open, at 1440 and 390 pixels (docs/screenshots).

A test holds this list to ``app.url_map``; ``tests/e2e/screenshots.py`` takes the pictures.
"""

from dataclasses import dataclass

from tenants.onboarding.demo_people import QINGTENG

AT = f"/t/{QINGTENG.slug}"


@dataclass(frozen=True)
class Shot:
    """One page. ``click`` is followed first (a link's selector), ``steps`` are done on it then: ("fill", field, text),
    ("check", field), ("click", selector), ("dial", name): a router asks for this login; ("guess", name): with wrong
    passwords until its device is locked out. ``realm`` is who looks;
    ``endpoint`` names the page where the address does not tell.
    """

    name: str
    path: str
    realm: str = ""
    click: str = ""
    dark: bool = False
    language: str = "zh"
    panel: str = ""  # opened by a click on the page
    endpoint: str = ""
    steps: tuple[tuple[str, ...], ...] = ()


_FIRST = ".bl-table tbody a >> nth=0"
_THIRD = ".bl-table tbody a >> nth=2"
_ROUTER = f"{AT}/admin/routers/"
_ACCOUNT = f"{AT}/admin/accounts/57"
SHOTS = (
    Shot("site-landing", "/"),
    Shot("site-landing-en", "/", language="en"),
    Shot("site-signup", "/sign-up"),
    Shot("site-signup-mistakes", "/sign-up", steps=(("fill", "slug", "www"), ("click", "main button[type=submit]"))),
    Shot(
        "site-signup-sent",
        "/sign-up",
        endpoint="site.show_sent",
        steps=(
            ("fill", "name", "青山宽带"),
            ("fill", "contact_name", "刘芳"),
            ("fill", "slug", "{unique}"),
            ("fill", "phone", "139 2460 8812"),
            ("fill", "email", "{unique}@example.net"),
            ("fill", "password", "rain on a tin roof"),
            ("check", "agree"),
            ("click", "main button[type=submit]"),
        ),
    ),
    Shot("site-verify-unknown", "/verify/no-such-link"),
    Shot("site-login", "/login"),
    Shot("site-terms", "/terms"),
    Shot("site-privacy", "/privacy"),
    Shot("components", "/_components"),
    Shot("components-dark", "/_components", dark=True),
    Shot("admin-login", f"{AT}/admin/login"),
    Shot("admin-home", f"{AT}/admin/", "admin"),
    Shot("admin-home-en", f"{AT}/admin/", "admin", language="en"),
    Shot("admin-home-dark", f"{AT}/admin/", "admin", dark=True),
    Shot("subscribers-list", f"{AT}/admin/accounts/", "admin"),
    Shot("subscribers-list-dark", f"{AT}/admin/accounts/", "admin", dark=True),
    Shot("subscribers-filtered", f"{AT}/admin/accounts/?state=expired&q=138", "admin"),
    Shot("subscribers-empty", f"{AT}/admin/accounts/?q=nobody", "admin"),
    Shot("subscribers-deleted", f"{AT}/admin/accounts/deleted", "admin"),
    Shot("subscriber-detail", f"{AT}/admin/accounts/", "admin", click=_THIRD, endpoint="admin.show_account"),
    Shot("subscriber-detail-en", f"{AT}/admin/accounts/", "admin", click=_THIRD, language="en"),
    Shot("subscriber-detail-dark", f"{AT}/admin/accounts/", "admin", click=_THIRD, dark=True),
    Shot("subscriber-timeline", f"{_ACCOUNT}/timeline", "admin"),
    Shot("subscriber-orders", f"{_ACCOUNT}/orders", "admin"),
    Shot("subscriber-sessions", f"{_ACCOUNT}/sessions", "admin"),
    Shot("subscriber-devices", f"{_ACCOUNT}/devices", "admin"),
    Shot("subscriber-edit", f"{_ACCOUNT}/edit", "admin"),
    Shot("subscriber-delete", f"{_ACCOUNT}/delete", "admin"),
    Shot("subscriber-kick", f"{_ACCOUNT}/kick", "admin"),
    Shot("subscriber-password", f"{_ACCOUNT}/password", "admin"),
    Shot("subscriber-password-shown", f"{_ACCOUNT}/password/show", "admin"),
    Shot(
        "subscriber-test-login",
        f"{_ACCOUNT}/test-login",
        "admin",
        steps=(("submit", "form.pform"),),
    ),
    Shot("subscriber-unbind", f"{_ACCOUNT}/unbind", "admin"),
    Shot("open-account", f"{AT}/admin/accounts/new", "admin"),
    Shot(
        "open-account-mistakes",
        f"{AT}/admin/accounts/new",
        "admin",
        steps=(("fill", "username", "has space"), ("fill", "install_fee", "1.234"), ("submit", "#open-form")),
    ),
    Shot("renew-panel", f"{AT}/admin/accounts/", "admin", click=_THIRD, panel="a.btn-primary"),
    Shot("renew-panel-en", f"{AT}/admin/accounts/", "admin", click=_THIRD, panel="a.btn-primary", language="en"),
    Shot("change-plan-panel", f"{AT}/admin/accounts/?state=normal", "admin", click=_FIRST, panel="a.btn-primary"),
    Shot("hold-page", f"{_ACCOUNT}/op/hold", "admin"),
    Shot("refund-page", f"{_ACCOUNT}/op/refund", "admin"),
    Shot("manual-page", f"{_ACCOUNT}/op/manual", "admin"),
    Shot(
        "bulk-change",
        f"{AT}/admin/accounts/",
        "admin",
        steps=(("tick", "tbody .chk input"), ("click", ".bl-bulk .btn-bad")),
    ),
    Shot(
        "long-work",
        f"{AT}/admin/accounts/",
        "admin",
        endpoint="admin.show_task",
        steps=(("submit", "form[action*='/accounts/export']"), ("wait", "a[href$='/result']")),
    ),
    Shot("long-work-list", f"{AT}/admin/tasks/", "admin"),
    Shot("online-sessions", f"{AT}/admin/online/", "admin"),
    Shot("past-sessions", f"{AT}/admin/online/history", "admin"),
    Shot(
        "session-story",
        f"{AT}/admin/online/history",
        "admin",
        click="a[href*='/online/session']",
        endpoint="admin.show_session",
    ),
    Shot("disconnects", f"{AT}/admin/online/results", "admin"),
    Shot("refused-logins", f"{AT}/admin/refused/", "admin"),
    Shot("locked-out", f"{AT}/admin/locked-out/", "admin", steps=(("guess", "qt1001"),)),
    Shot(
        "account-locked-out",
        f"{AT}/admin/locked-out/",
        "admin",
        endpoint="admin.show_account",
        steps=(("guess", "qt1001"), ("click", "main .bl-table a")),
    ),
    Shot("watch-begin", f"{AT}/admin/watch/new", "admin"),
    Shot(
        "watch-packets",
        f"{AT}/admin/watch/new",
        "admin",
        endpoint="admin.show_watch",
        steps=(
            ("fill", "name", "qt1001"),
            ("submit", "main form:has([name=minutes])"),
            ("dial", "qt1001"),
        ),
    ),
    Shot("packet-counters", f"{AT}/admin/counters/", "admin"),
    Shot("orders-money", f"{AT}/admin/money/", "admin"),
    Shot("settle-panel", f"{AT}/admin/money/settle", "admin"),
    Shot("settlements", f"{AT}/admin/money/settlements", "admin"),
    Shot("orders", f"{AT}/admin/orders/", "admin"),
    Shot("order", f"{AT}/admin/orders/", "admin", click=_FIRST, endpoint="admin.show_order"),
    Shot(
        "receipt",
        f"{AT}/admin/orders/",
        "admin",
        click=_FIRST,
        endpoint="admin.show_receipt",
        steps=(("click", "a[href$='/receipt']"),),
    ),
    Shot("plans", f"{AT}/admin/plans/", "admin"),
    Shot("plan", f"{AT}/admin/plans/1/", "admin"),
    Shot("plan-form", f"{AT}/admin/plans/new", "admin"),
    Shot("plan-edit", f"{AT}/admin/plans/1/edit", "admin"),
    Shot("plan-offer", f"{AT}/admin/plans/1/offers/new", "admin"),
    Shot("plan-group", f"{AT}/admin/plan-groups/1/edit", "admin"),
    Shot("plan-group-new", f"{AT}/admin/plan-groups/new", "admin"),
    Shot("plan-hours", f"{AT}/admin/plan-groups/1/hours", "admin"),
    Shot("plan-hours-form", f"{AT}/admin/plan-groups/1/hours/new", "admin", endpoint="admin.edit_hours_page"),
    Shot("plan-hours-new", f"{AT}/admin/plan-groups/1/hours/new", "admin"),
    Shot("routers", _ROUTER, "admin"),
    Shot("nas-onboarding", _ROUTER, "admin", click=_FIRST, endpoint="admin.onboard_router"),
    Shot("nas-onboarding-dark", _ROUTER, "admin", click=_FIRST, dark=True),
    Shot("router-form", f"{AT}/admin/routers/new", "admin"),
    Shot(
        "router-form-mistakes",
        f"{AT}/admin/routers/new",
        "admin",
        steps=(
            ("fill", "name", "民治"),
            ("fill", "secret", "short"),
            ("fill", "address", "10.0.0.999"),
            ("submit", "main form:has([name=secret])"),
        ),
    ),
    Shot("router-edit", _ROUTER, "admin", click=f"{_FIRST}|edit", endpoint="admin.edit_router"),
    Shot("router-radsec", _ROUTER, "admin", click=f"{_FIRST}|radsec", endpoint="admin.show_router_radsec"),
    Shot(
        "router-radsec-withdraw",
        _ROUTER,
        "admin",
        click=f"{_FIRST}|radsec",
        steps=(("click", "form[action$='/radsec/key'] button"),),
        panel="a[href$='/withdraw']",
        endpoint="admin.withdraw_router_credential",
    ),
    Shot("router-replies", _ROUTER, "admin", click=f"{_FIRST}|replies", endpoint="admin.edit_router_replies"),
    Shot("router-refused", _ROUTER, "admin", click=f"{_FIRST}|refused", endpoint="admin.router_refused"),
    Shot("router-secret", _ROUTER, "admin", click=f"{_FIRST}|secret", endpoint="admin.renew_router_secret"),
    Shot("router-clear", _ROUTER, "admin", click=f"{_FIRST}|clear", endpoint="admin.clear_router"),
    Shot("router-remove", _ROUTER, "admin", click=f"{_FIRST}|remove", endpoint="admin.remove_router"),
    Shot("routers-import", f"{AT}/admin/routers/import", "admin"),
    Shot("dialects", f"{AT}/admin/dialects/", "admin"),
    Shot("dialect-form", f"{AT}/admin/dialects/new?make=huawei", "admin", endpoint="admin.edit_dialect_page"),
    Shot("dialect-new", f"{AT}/admin/dialects/new?make=huawei", "admin"),
    Shot("regions", f"{AT}/admin/regions/", "admin"),
    Shot("region-form", f"{AT}/admin/regions/1/edit", "admin"),
    Shot("region-new", f"{AT}/admin/regions/new", "admin"),
    Shot("usage-export", f"{AT}/admin/online/usage", "admin"),
    Shot("pools", f"{AT}/admin/pools/", "admin"),
    Shot("pool-form", f"{AT}/admin/pools/1/edit", "admin"),
    Shot("pool-new", f"{AT}/admin/pools/new", "admin"),
    Shot("rates", f"{AT}/admin/rates/", "admin"),
    Shot("rate-form", f"{AT}/admin/rates/1/edit", "admin"),
    Shot("rate-new", f"{AT}/admin/rates/new", "admin"),
    Shot("certificates", f"{AT}/admin/settings/certificates", "admin"),
    Shot("settings", f"{AT}/admin/settings/", "admin"),
    Shot("settings-opening", f"{AT}/admin/settings/opening", "admin"),
    Shot("own-domains", f"{AT}/admin/settings/domains", "admin"),
    Shot("own-domain-form", f"{AT}/admin/settings/domains/new", "admin"),
    Shot("operators", f"{AT}/admin/staff/", "admin"),
    Shot("operator-form", f"{AT}/admin/staff/new", "admin"),
    Shot("operator-edit", f"{AT}/admin/staff/2/edit", "admin"),
    Shot("roles", f"{AT}/admin/roles/", "admin"),
    Shot("role-new", f"{AT}/admin/roles/new", "admin"),
    Shot("roles-matrix", f"{AT}/admin/roles/3/", "admin"),
    Shot("operation-log", f"{AT}/admin/log/", "admin"),
    Shot("login-log", f"{AT}/admin/log/logins", "admin"),
    Shot("search", f"{AT}/admin/search?q=qt10", "admin"),
    Shot("admin-password", f"{AT}/admin/password", "admin"),
    Shot("error-404", f"{AT}/admin/accounts/999999999", "admin"),
    Shot("error-403", f"{AT}/admin/settings/", "clerk"),
    Shot("selfcare-login", f"{AT}/login"),
    Shot("selfcare-home", f"{AT}/", "subscriber"),
    Shot("selfcare-home-en", f"{AT}/", "subscriber", language="en"),
    Shot("selfcare-home-dark", f"{AT}/", "subscriber", dark=True),
    Shot("selfcare-pay", f"{AT}/renew", "subscriber"),
    Shot("selfcare-bills", f"{AT}/orders/", "subscriber"),
    Shot("selfcare-bill", f"{AT}/orders/", "subscriber", click=_FIRST, endpoint="selfcare.show_order"),
    Shot("selfcare-usage", f"{AT}/sessions/", "subscriber"),
    Shot("selfcare-me", f"{AT}/me", "subscriber"),
    Shot("selfcare-profile", f"{AT}/me/profile", "subscriber"),
    Shot("selfcare-password", f"{AT}/me/password", "subscriber"),
    Shot("selfcare-contact", f"{AT}/contact"),
    Shot("platform-login", "/platform/login"),
    Shot("platform-console", "/platform/", "platform"),
    Shot("platform-console-en", "/platform/", "platform", language="en"),
    Shot("platform-tenants", "/platform/tenants/", "platform"),
    Shot("platform-tenant", "/platform/tenants/", "platform", click=_FIRST, endpoint="platform.show_tenant"),
    Shot("platform-suspend", "/platform/tenants/", "platform", click=f"{_FIRST}|suspend", endpoint="platform.suspend"),
    Shot(
        "platform-support-begin",
        "/platform/tenants/",
        "platform",
        click=f"{_FIRST}|support",
        endpoint="platform.begin_support",
    ),
    Shot("platform-sign-ups", "/platform/sign-ups/", "platform"),
    Shot("platform-engines", "/platform/engines/", "platform"),
    Shot("platform-jobs", "/platform/jobs/", "platform"),
    Shot("platform-cells", "/platform/cells/", "platform"),
    Shot("platform-support", "/platform/support/", "platform"),
    Shot("platform-log", "/platform/log/", "platform"),
    Shot("platform-password", "/platform/password", "platform"),
)
# Pages that are a part of another one, a file, a way through, or the last step of something that a picture would start.
NO_PICTURE = frozenset(
    {
        "admin.download_eap_authority", "admin.download_failed", "admin.download_radsec_authority",
        "admin.download_result", "admin.download_watch", "admin.plans_of_region", "admin.show_task_progress", "asset",
        "entrance.enter", "healthz", "metrics", "platform.enter_support", "platform.refresh_engine_figures",
        "platform.refresh_engines", "platform.show_support", "readyz", "router_metrics", "selfcare.show_connection",
        "site.check_address",
    }
)  # fmt: skip
