"""Words for long work as the templates ask for them."""

from portals.admin.bulk_words import DEED_WORDS
from portals.shared.errors import kept_error_text
from portals.shared.i18n import _
from tenants.kernel.errors import Forbidden
from tenants.staff.errors import OperatorNotFound
from tenants.tasks.queries_tasks import TaskRow


def task_title(task: TaskRow) -> str:
    """What a task does, with its number where that is known."""
    if task.kind == "change_accounts":
        title = str(DEED_WORDS[task.params["deed"]].title)
    else:
        title = {
            "export_accounts": _("Export subscribers"),
            "export_fees": _("Export fee records"),
            "export_history": _("Export sessions"),
            "export_online": _("Export who is online"),
            "export_usage": _("Export usage"),
        }[task.kind]
    return f"{title} ({task.total:,})" if task.total is not None else title


def task_state(state: str) -> tuple[str, str]:
    """(dot, word) for where a task stands."""
    return {
        "queued": ("new", _("waiting")),
        "running": ("held", _("running")),
        "done": ("normal", _("done")),
        "failed": ("expired", _("failed")),
        "stopped": ("disabled", _("stopped")),
    }[state]


def task_failure(task: TaskRow) -> str:
    """Why a task ended before its end, and what to do now."""
    if task.error == Forbidden.code:
        return _("You no longer have the right for it. Ask whoever gave you the task, or the owner.")
    if task.error == OperatorNotFound.code:
        return _("Your login was disabled while it ran.")
    if task.error == "internal":
        return _("Something went wrong on our side three times. What was done so far stays; start it again later.")
    return kept_error_text(task.error, task.error, {}) or task.error
