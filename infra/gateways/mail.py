"""E-mail: through SMTP when a server is set, else into a folder and onto the console: trying us out needs no server."""

import contextlib
import os
import smtplib
import ssl
import sys
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

import structlog

from infra.settings import Settings

LOG = structlog.get_logger(__name__)
_TIMEOUT_SECONDS = 20
FOLDER = "mail"


class MailError(Exception):
    """Nothing was sent; ``retryable`` says whether trying again can help."""

    def __init__(self, message: str, *, retryable: bool) -> None:
        super().__init__(message)
        self.retryable = retryable


@dataclass(frozen=True, slots=True)
class Message:
    """One e-mail; ``key`` identifies it, so that a server that sees it twice can tell."""

    to: str
    subject: str
    text: str
    html: str = ""
    key: str = ""


class MailGateway(Protocol):
    """Somebody who delivers e-mail."""

    def send(self, message: EmailMessage) -> None:
        """Raises :class:`MailError`."""


@dataclass(frozen=True, slots=True)
class SmtpGateway:
    """``smtp://user:password@host:587`` (STARTTLS where offered) or ``smtps://…:465``."""

    url: str

    def send(self, message: EmailMessage) -> None:
        parts = urlsplit(self.url)
        host, secure = parts.hostname or "localhost", parts.scheme == "smtps"
        try:
            with self._connect(host, parts.port or (465 if secure else 587), secure) as server:
                if not secure and server.has_extn("starttls"):
                    server.starttls(context=ssl.create_default_context())
                    server.ehlo()
                if parts.username:
                    server.login(unquote(parts.username), unquote(parts.password or ""))
                server.send_message(message)
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
            code = getattr(error, "smtp_code", 0) or next(iter(getattr(error, "recipients", {}).values()), (0,))[0]
            raise MailError(f"The mail server refused the message ({code}).", retryable=400 <= code < 500) from None
        except (smtplib.SMTPException, OSError) as error:
            raise MailError(f"The mail server {host} cannot be used ({error}).", retryable=True) from None

    @staticmethod
    def _connect(host: str, port: int, secure: bool) -> smtplib.SMTP:
        if secure:
            return smtplib.SMTP_SSL(host, port, timeout=_TIMEOUT_SECONDS, context=ssl.create_default_context())
        server = smtplib.SMTP(host, port, timeout=_TIMEOUT_SECONDS)
        server.ehlo()
        return server


@dataclass(frozen=True, slots=True)
class FolderGateway:
    """``.eml`` files in a folder; the text goes to the console, where the person who tries us out finds the link."""

    folder: Path

    def send(self, message: EmailMessage) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            name = f"{message['X-Broadloom-File']}.eml"
            partial = self.folder / f".{name}.partial"
            del message["X-Broadloom-File"]
            partial.write_bytes(message.as_bytes())
            partial.chmod(0o600)  # one-time links
            os.replace(partial, self.folder / name)
        except OSError as error:
            raise MailError(f"The mail folder {self.folder} cannot be written ({error}).", retryable=True) from None
        body = message.get_body(("plain",))
        lines = (body.get_content() if body else "").splitlines()
        link = next((line.strip() for line in lines if line.strip().startswith("http")), "")
        with contextlib.suppress(OSError):  # a closed console must not lose the mail that lies in the folder
            sys.stdout.write(f"e-mail to {message['To']}: {message['Subject']}{' → ' + link if link else ''}\n")
            sys.stdout.flush()


def gateway(settings: Settings) -> MailGateway:
    """The way that the settings name."""
    return SmtpGateway(settings.smtp_url) if settings.smtp_url else FolderGateway(settings.data_dir / FOLDER)


def deliver(settings: Settings, message: Message, *, now: datetime) -> None:
    """Send one e-mail. Raises :class:`MailError`. A repeated ``key`` overwrites the file of the first time."""
    mail = EmailMessage()
    try:
        if "@" not in parseaddr(message.to)[1]:
            raise ValueError("no address")
        mail["To"] = message.to
        mail["From"] = settings.mail_from
        mail["Subject"] = message.subject
    except ValueError:  # a line break in a header, a broken address: it will not get better
        raise MailError("The message has no usable address or subject.", retryable=False) from None
    key = "".join(c if c.isalnum() else "-" for c in message.key) or f"{now:%Y%m%d-%H%M%S-%f}"
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{key}@{settings.base_domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    if message.html:
        mail.add_alternative(message.html, subtype="html")
    if not settings.smtp_url:
        mail["X-Broadloom-File"] = f"{now:%Y%m%d}-{key}"
    gateway(settings).send(mail)
    LOG.info("mail_sent", to_domain=message.to.rpartition("@")[2], key=key)
