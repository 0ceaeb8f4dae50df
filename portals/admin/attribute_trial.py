"""Attributes written as text in a form: saved, or tried on an account; what is wrong is shown by line (NET-2…4)."""

from collections.abc import Callable

from flask import request

from infra.radius_text.dialects import FilledLine
from infra.radius_text.lines import Problem
from portals.admin.attribute_words import problem_text
from portals.shared.forms import Form
from portals.shared.i18n import _
from tenants.kernel.errors import BusinessError
from tenants.network.errors import BadAttributeText

Answer = Callable[[str], tuple[FilledLine, ...]]  # a user name → what the router is told of that account


class AttributeTrial:
    """One form with such a text in ``field``; the templates show it with the macros of ``admin/_attributes.html``."""

    def __init__(self, form: Form, field: str) -> None:
        self._form = form
        self._field = field
        self.wrong: dict[int, list[str]] = {}  # line, counted from 1 → sentences
        self.lines: tuple[FilledLine, ...] | None = None
        self.fine = False

    @property
    def asked(self) -> bool:
        """Whether the sender only wants to see; nothing is to be saved then."""
        return self._form.sent and request.form.get("do") == "preview"

    @property
    def numbered(self) -> list[tuple[int, str]]:
        """The text's lines with their numbers; an empty text has one line, for what it lacks."""
        return list(enumerate(self._form.value(self._field).splitlines() or [""], 1))

    def attempt(self, deed: Callable[[], object]) -> bool:
        """Whether ``deed`` was done; not for a form with errors, and its refusal is noted beside its field."""
        if not self._form.ok:
            return False
        try:
            deed()
        except BadAttributeText as refused:
            self._mark(refused.problems)
        except BusinessError as error:
            self._form.reject(error)
        return self._form.ok

    def show(self, check: Callable[[], Answer]) -> None:
        """``check`` reads the text and returns what answers an account; it answers the one that the form names."""
        account = self._form.text("account", longest=64)

        def answer() -> None:
            tell = check()
            if account:
                self.lines = tell(account)

        try:
            self.fine = self.attempt(answer)
        except ValueError as error:  # a value of this account does not fit its attribute
            self._form.fail("account", str(error))

    def _mark(self, problems: tuple[Problem, ...]) -> None:
        for problem in problems:
            self.wrong.setdefault(max(1, problem.line), []).append(problem_text(problem))
        self._form.fail(self._field, _("%(num)s lines need attention; they are marked below.", num=len(self.wrong)))
