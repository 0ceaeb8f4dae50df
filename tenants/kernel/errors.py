"""The root of all business failures (style.md rule 14): a type, a stable code, and whether trying again can help."""

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

T = TypeVar("T")


class BusinessError(Exception):
    """A request was refused and nothing changed.

    ``code`` is stable and is what portals translate; ``params`` fill the translated sentence; ``field`` names the form
    field the sentence belongs beside. ``retryable`` says whether the same request can succeed later by itself.
    """

    code: ClassVar[str] = "refused"
    message: ClassVar[str] = "The request was refused."
    retryable: ClassVar[bool] = False

    def __init__(self, *, field: str | None = None, **params: Any) -> None:
        self.field = field
        self.params = params
        super().__init__(self.sentence())

    def sentence(self) -> str:
        """The English sentence with its parameters filled in."""
        return self.message.format(**self.params)


class Phrase(str):
    """Words inside a sentence with figures of their own: portals translate ``template``, then fill it."""

    template: str
    params: dict[str, Any]

    def __new__(cls, template: str, **params: Any) -> "Phrase":
        """The English words."""
        made = super().__new__(cls, template.format(**params))
        made.template, made.params = template, params
        return made


class NotFound(BusinessError):
    """The thing does not exist for this tenant (another tenant's thing is as unknown as none; portals answer 404)."""

    code = "not_found"
    message = "{what} {ref} does not exist."


class Forbidden(BusinessError):
    """The actor lacks a right (portals answer 403 and name it)."""

    code = "forbidden"
    message = "The right {permission} is missing."


class InvalidInput(BusinessError):
    """A value is not acceptable; several may be collected in :class:`InvalidInputs`."""

    code = "invalid_input"
    message = "{reason}"


class InvalidInputs(BusinessError):
    """Several fields are wrong at once; ``errors`` keeps them in form order."""

    code = "invalid_inputs"
    message = "{count} fields need attention."

    def __init__(self, errors: list[BusinessError]) -> None:
        self.errors = errors
        super().__init__(count=len(errors))


class Findings:
    """What is wrong with a form, gathered by making all its checks; of each field the first finding counts."""

    def __init__(self) -> None:
        self._errors: dict[str, BusinessError] = {}

    def of(self, check: Callable[..., T], *args: Any) -> T | None:
        """What the check gives; None when it refuses."""
        try:
            return check(*args)
        except BusinessError as error:
            self._errors.setdefault(error.field or "", error)
            return None

    def raise_any(self) -> None:
        """The one refusal, or all of them (:class:`InvalidInputs`)."""
        errors = list(self._errors.values())
        if errors:
            raise errors[0] if len(errors) == 1 else InvalidInputs(errors)
