"""When is the installation up? The web answers and a real Access-Request is accepted; then the box is shown."""

import http.client
import time
import unicodedata

from infra.embedded.process import wait_until
from infra.settings import Settings
from portals.commands._demo_facts import DemoFacts
from portals.commands._radius_probe import ProbeAnswer, send_access_request

_READY_WITHIN_SECONDS = 60.0
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound


def await_readiness(settings: Settings, facts: DemoFacts, started_at: float) -> str:
    """Wait for web and RADIUS; the text to print. Runs beside the supervisor."""
    host = _ANY_ADDRESS.get(settings.bind, settings.bind)
    is_web_up = wait_until(lambda: _web_answers(host, settings.web_port), _READY_WITHIN_SECONDS, 0.1)
    answer = _probe_radius(settings, facts, host) if facts.radius_user else None
    return _box(_summary(settings, facts, is_web_up, answer, time.monotonic() - started_at))


def _web_answers(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _probe_radius(settings: Settings, facts: DemoFacts, host: str) -> ProbeAnswer:
    deadline = time.monotonic() + _READY_WITHIN_SECONDS
    while True:
        answer = send_access_request(
            (host, settings.radius_auth_port),
            user=facts.radius_user,
            password=facts.radius_password,
            nas_identifier=facts.nas_identifier,
            secret=facts.nas_secret,
        )
        if answer.kind or time.monotonic() > deadline:
            return answer
        time.sleep(0.1)


def _summary(
    settings: Settings, facts: DemoFacts, is_web_up: bool, answer: ProbeAnswer | None, seconds: float
) -> list[tuple[str, str]]:
    """Rows of the box: a title and a text; a row without title continues the one above."""
    where = settings.radius_address
    mail = "sent by the server of BROADLOOM_SMTP_URL" if settings.smtp_url else f"kept in {settings.data_dir}/mail"
    rows = [
        (
            "",
            f"Broadloom is ready after {seconds:.1f} s"
            if is_web_up
            else "Broadloom: the web does not answer, see above",
        ),
        ("Website", settings.site_url),
        (
            "RADIUS",
            f"{where}, authentication {settings.radius_auth_port}, accounting {settings.radius_acct_port} (UDP)",
        ),
        ("Mail", mail),
    ]
    if answer is not None:
        rows += _probe_rows(facts, answer)
    for login in facts.logins:
        rows += [(login.what, login.address), ("", f"{login.user} / {login.password}")]
    rows.append(("Stop", "Ctrl-C"))
    return rows


def _probe_rows(facts: DemoFacts, answer: ProbeAnswer) -> list[tuple[str, str]]:
    asked = f"Access-Request for {facts.radius_user}"
    if not answer.kind:
        return [("Probe", f"{asked}: no answer")]
    return [("Probe", f"{asked}: {answer.kind}"), *(("", f"{name} = {value}") for name, value in answer.attributes)]


def _box(rows: list[tuple[str, str]]) -> str:
    width = max(_cells(title) for title, _text in rows)
    lines = [f"{_padded(title, width)}  {text}" for title, text in rows]
    inner = max(_cells(line) for line in lines)
    body = "".join(f"│ {_padded(line, inner)} │\n" for line in lines)
    bar = "─" * (inner + 2)
    return f"┌{bar}┐\n{body}└{bar}┘\n"


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _cells(text))


def _cells(text: str) -> int:
    """Columns on a terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
