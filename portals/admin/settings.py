"""The provider's settings, made from their catalogue: every field with its help and its default (TEN-9)."""

from decimal import Decimal
from typing import Any
from zoneinfo import available_timezones

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portals.admin.blueprint import actor, blueprint, present, scope
from portals.shared.access import requires
from portals.shared.forms import Form
from portals.shared.i18n import _, ngettext
from portals.shared.toasts import toast
from tenants.kernel.errors import NotFound
from tenants.registry.settings import CATALOGUE, GROUPS, Setting, read, write_many

_NO_FIELD = ("logo", "login_background")  # name files; there is no field for them before files can be uploaded


@blueprint.route("/settings/", defaults={"group": "general"}, methods=["GET", "POST"])
@blueprint.route("/settings/<group>", methods=["GET", "POST"])
@requires("settings.view")
def edit_settings(group: str) -> str | Response | tuple[str, int]:
    """One group a page; only what changed is written, each change into the operation log."""
    if group not in GROUPS:
        raise NotFound(what="settings group", ref=group)
    catalogue = [setting for setting in CATALOGUE.values() if setting.group == group and setting.key not in _NO_FIELD]
    labels = {setting.key: _(setting.label) for setting in catalogue}
    now_set = read(scope())
    if request.method == "GET":
        initial = {setting.key: shown(setting, getattr(now_set, setting.key)) for setting in catalogue}
        return _page(Form(None, labels, **initial), group, catalogue)
    actor().require("settings.edit")
    form = Form(request.form, labels)
    raw = {setting.key: _typed(form, setting) for setting in catalogue}
    if form.ok:
        with form.refusals():
            written = write_many(scope(), raw, actor=actor(), now=present())
            changed = sum(value != getattr(now_set, key) for key, value in written.items())
            toast(
                ngettext("Saved %(num)s change.", "Saved %(num)s changes.", changed)
                if changed
                else _("Nothing was changed.")
            )
            return redirect(url_for("admin.edit_settings", group=group))
    return _page(form, group, catalogue), 422


def shown(setting: Setting, value: Any) -> Any:
    """A value as its field shows it."""
    if setting.kind == "names":
        return list(value)
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    return "" if value is None else value


def _typed(form: Form, setting: Setting) -> str:
    if setting.kind == "switch":
        return "1" if form.checked(setting.key) else "0"
    if setting.kind == "names":
        return ",".join(name for name in setting.choices if name in form.values(setting.key))
    return form.text(setting.key, longest=setting.maximum or 1000 if "text" in setting.kind else 200)


def _page(form: Form, group: str, catalogue: list[Setting]) -> str:
    return render_template(
        "admin/settings.html",
        form=form,
        group=group,
        groups=[(key, _(label)) for key, label in GROUPS.items()],
        catalogue=catalogue,
        timezones=[(zone, zone) for zone in sorted(available_timezones()) if "/" in zone and zone[:4] != "Etc/"],
        may_edit=actor().may("settings.edit"),
    )
