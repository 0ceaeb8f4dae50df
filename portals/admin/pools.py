"""Address pools: their names on the routers, whom they are for, and who leads subscribers to them (NET-4)."""

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portals.admin.blueprint import actor, blueprint, present, scope
from portals.shared.access import requires
from portals.shared.forms import Form
from portals.shared.fragments import redirect_after
from portals.shared.i18n import _
from portals.shared.toasts import toast
from portals.shared.words import POOL_KINDS
from tenants.catalog.queries_pools import PoolRow, list_pools, pool_detail
from tenants.network.add_pool import LONGEST_POOL_NAME, PoolForm, add_pool, delete_pool, edit_pool
from tenants.network.queries import list_regions


def _labels() -> dict[str, str]:
    return {"name": _("Name on the routers"), "kind": _("For whom"), "region": _("Region"), "remark": _("Remark")}


@blueprint.get("/pools/")
@requires("pools.view")
def list_pools_page() -> str:
    """All pools, those too that are only used."""
    return render_template("admin/pools.html", pools=list_pools(scope()), kinds=POOL_KINDS)


@blueprint.route("/pools/new", methods=["GET", "POST"])
@requires("pools.edit")
def add_pool_page() -> str | Response | tuple[str, int]:
    """A name is enough; a link may have filled it in."""
    asked = {name: request.args.get(name, "")[:LONGEST_POOL_NAME] for name in ("name", "kind")}
    form = Form(
        request.form if request.method == "POST" else None, _labels(), **asked | {"kind": asked["kind"] or "normal"}
    )
    if request.method == "POST" and (command := _read(form)) is not None:
        with form.refusals():
            add_pool(scope(), command, actor=actor(), now=present())
            toast(_("Added the pool %(name)s.", name=command.name))
            return redirect_after(url_for("admin.list_pools_page"))
    return _panel(form, None)


@blueprint.route("/pools/<int:pool_id>/edit", methods=["GET", "POST"])
@requires("pools.edit")
def edit_pool_page(pool_id: int) -> str | Response | tuple[str, int]:
    """The same panel, filled in. A pool in use keeps its name."""
    pool = pool_detail(scope(), pool_id)
    values = {"name": pool.name, "kind": pool.kind, "region": pool.region_id or "", "remark": pool.remark}
    form = Form(request.form if request.method == "POST" else None, _labels(), **values)
    if request.method == "POST" and (command := _read(form)) is not None:
        with form.refusals():
            edit_pool(scope(), pool_id, command, users=pool.users, actor=actor(), now=present())
            toast(_("Saved the pool %(name)s.", name=command.name))
            return redirect_after(url_for("admin.list_pools_page"))
    return _panel(form, pool)


@blueprint.post("/pools/<int:pool_id>/delete")
@requires("pools.edit")
def delete_pool_page(pool_id: int) -> Response:
    """Only one that nobody is led to; else the sentence says who."""
    pool = pool_detail(scope(), pool_id)
    delete_pool(scope(), pool_id, users=pool.users, actor=actor(), now=present())
    toast(_("Deleted the pool %(name)s.", name=pool.name))
    return redirect(url_for("admin.list_pools_page"))


def _read(form: Form) -> PoolForm | None:
    regions = {str(region.id): region.id for region in list_regions(scope())}
    command = PoolForm(
        form.text("name", required=True, longest=LONGEST_POOL_NAME),
        form.choice("kind", POOL_KINDS),
        regions.get(form.choice("region", regions, required=False)),
        form.text("remark", longest=200),
    )
    return command if form.ok else None


def _panel(form: Form, pool: PoolRow | None) -> str | tuple[str, int]:
    page = render_template(
        "admin/pool_form.html",
        form=form,
        pool=pool,
        kinds=POOL_KINDS.items(),
        regions=[(region.id, region.name) for region in list_regions(scope())],
        longest=LONGEST_POOL_NAME,
        back=url_for("admin.list_pools_page"),
    )
    return page if form.ok else (page, 422)
