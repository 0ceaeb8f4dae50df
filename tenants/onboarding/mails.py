"""Texts of the e-mails around signing up, in the language of the person who asked; pure."""

from dataclasses import dataclass

VERIFY_PATH = "/verify/"


@dataclass(frozen=True, slots=True)
class MailText:
    """Subject and plain text."""

    subject: str
    text: str

    def payload(self, to: str) -> dict[str, str]:
        """As an outbox row of topic ``mail.send`` carries it."""
        return {"to": to, "subject": self.subject, "text": self.text}


def verification(*, locale: str, name: str, slug: str, link: str, hours: int) -> MailText:
    """The link that makes the tenant."""
    if locale == "zh":
        return MailText(
            f"请验证邮箱，开通 {name}",
            f"您好：\n\n您正在为“{name}”（地址 {slug}）开通 Broadloom。\n"
            f"请在 {hours} 小时内打开下面的链接完成开通：\n\n{link}\n\n"
            "链接只能用一次。如果不是您本人操作，不用理会，什么都不会发生。\n",
        )
    return MailText(
        f"Confirm your e-mail address to open {name}",
        f"Hello,\n\nyou asked for a Broadloom tenant for “{name}” (address {slug}).\n"
        f"Open this link within {hours} hours to finish:\n\n{link}\n\n"
        "The link works once. If it was not you, ignore this e-mail and nothing will happen.\n",
    )


def entrances(*, locale: str, name: str, links: list[tuple[str, str]]) -> MailText:
    """Where an owner and his subscribers log in."""
    lines = "\n".join(f"{label}: {link}" for label, link in links)
    if locale == "zh":
        return MailText(
            f"{name} 的登录地址", f"您好：\n\n“{name}”的登录地址：\n\n{lines}\n\n如果不是您本人查询，不用理会。\n"
        )
    return MailText(
        f"Where to log in to {name}",
        f"Hello,\n\nthe entrances of “{name}”:\n\n{lines}\n\nIf you did not ask for this, ignore it.\n",
    )
