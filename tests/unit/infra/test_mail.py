"""E-mail into the folder and through a real SMTP server (aiosmtpd)."""

import email
from collections.abc import Iterator
from dataclasses import replace
from email import policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from infra import clock
from infra.gateways.mail import MailError, Message, deliver
from infra.ports import choose_free_port
from infra.settings import Settings

NOW = clock.now()
MESSAGE = Message(
    "李雷 <li@example.com>", "开通 Lakeside", "请打开：\n\nhttps://broadloom.example/verify/abc\n", key="17"
)


def test_the_folder_keeps_what_a_person_needs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = replace(Settings(), data_dir=tmp_path)
    deliver(settings, MESSAGE, now=NOW)
    deliver(settings, MESSAGE, now=NOW)  # at least once: the same key, the same file
    [path] = (tmp_path / "mail").iterdir()
    assert path.suffix == ".eml"
    assert path.stat().st_mode & 0o777 == 0o600
    mail = email.message_from_bytes(path.read_bytes(), policy=policy.default)
    assert mail["Subject"] == "开通 Lakeside"
    assert "verify/abc" in mail.get_content()
    assert "X-Broadloom-File" not in mail
    assert "https://broadloom.example/verify/abc" in capsys.readouterr().out


@pytest.mark.parametrize("to", ["", "nobody", "a@b.cn\nBcc: x@y.cn"])
def test_what_cannot_be_sent_is_not_tried_again(tmp_path: Path, to: str) -> None:
    with pytest.raises(MailError) as caught:
        deliver(replace(Settings(), data_dir=tmp_path), replace(MESSAGE, to=to), now=NOW)
    assert not caught.value.retryable


def test_a_folder_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("in the way")
    with pytest.raises(MailError) as caught:
        deliver(replace(Settings(), data_dir=tmp_path), MESSAGE, now=NOW)
    assert caught.value.retryable


class Box:
    """A mail server that keeps what it gets and refuses one address."""

    def __init__(self) -> None:
        self.mails: list[Any] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address.startswith("refused"):
            return "550 no such user"
        if address.startswith("later"):
            return "451 try again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append(email.message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


@pytest.fixture
def smtp() -> Iterator[tuple[Settings, Box]]:
    box = Box()
    controller = Controller(box, hostname="127.0.0.1", port=choose_free_port())
    controller.start()
    yield replace(Settings(), smtp_url=f"smtp://127.0.0.1:{controller.port}"), box
    controller.stop()


def test_through_a_server(smtp: tuple[Settings, Box]) -> None:
    settings, box = smtp
    deliver(settings, replace(MESSAGE, html="<p>你好</p>"), now=NOW)
    [mail] = box.mails
    assert mail["To"].addresses[0].addr_spec == "li@example.com"
    assert mail["Message-ID"] == "<17@localhost>"
    assert {part.get_content_type() for part in mail.walk()} >= {"text/plain", "text/html"}


def test_refusals_say_whether_trying_again_helps(smtp: tuple[Settings, Box]) -> None:
    settings, box = smtp
    for to, retryable in (("refused@example.com", False), ("later@example.com", True)):
        with pytest.raises(MailError) as caught:
            deliver(settings, replace(MESSAGE, to=to), now=NOW)
        assert caught.value.retryable is retryable
    with pytest.raises(MailError) as caught:
        deliver(replace(settings, smtp_url=f"smtp://127.0.0.1:{choose_free_port()}"), MESSAGE, now=NOW)
    assert caught.value.retryable
    assert box.mails == []
