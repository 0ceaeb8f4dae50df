"""The e-mail that tells a subscriber how far his quota is used, in the tenant's language; pure (PLN-5, MSG-3)."""

from dataclasses import dataclass
from datetime import datetime

from tenants.kernel.units import GIB


@dataclass(frozen=True, slots=True)
class QuotaNews:
    """What has happened: 80 or 100 per cent of so many octets or seconds are used."""

    percent: int
    octets: int | None  # what is left, of whichever quota there is
    seconds: int | None
    throttles: bool  # at 100: slower until the reset, else cut
    starts_anew_at: datetime | None  # in the tenant's zone


def quota_mail(*, locale: str, system_name: str, username: str, news: QuotaNews) -> tuple[str, str]:
    """(subject, text)."""
    return _chinese(system_name, username, news) if locale == "zh" else _english(system_name, username, news)


def _english(system_name: str, username: str, news: QuotaNews) -> tuple[str, str]:
    again = f"It starts anew on {news.starts_anew_at:%Y-%m-%d %H:%M}.\n" if news.starts_anew_at else ""
    if news.percent >= 100:
        now = "Your connection is slower from now on." if news.throttles else "Your connection has been ended."
        return (
            f"Your quota is used up ({username})",
            (
                f"Hello,\n\nthe quota of your account {username} is used up. {now}\n{again}"
                "With a supplementary pack or a renewal you go on at once.\n\n"
                f"{system_name}\n"
            ),
        )
    left = _left(news, "{:.1f} hours")
    return (
        f"{news.percent} % of your quota is used ({username})",
        (
            f"Hello,\n\n{news.percent} % of the quota of your account {username} is used; {left} are left.\n{again}\n"
            f"{system_name}\n"
        ),
    )


def _chinese(system_name: str, username: str, news: QuotaNews) -> tuple[str, str]:
    again = f"将于 {news.starts_anew_at:%Y-%m-%d %H:%M} 重新计算。\n" if news.starts_anew_at else ""
    if news.percent >= 100:
        now = "从现在起网速会降低。" if news.throttles else "连接已断开。"
        return (
            f"您的配额已用完（{username}）",
            (
                f"您好：\n\n账号 {username} 的配额已用完，{now}\n{again}"
                f"购买补充套餐或续费后可立即继续使用。\n\n{system_name}\n"
            ),
        )
    return (
        f"您的配额已使用 {news.percent}%（{username}）",
        (
            f"您好：\n\n账号 {username} 的配额已使用 {news.percent}%，剩余 {_left(news, '{:.1f} 小时')}。\n"
            f"{again}\n{system_name}\n"
        ),
    )


def _left(news: QuotaNews, hours: str) -> str:
    return hours.format((news.seconds or 0) / 3600) if news.octets is None else f"{news.octets / GIB:.2f} GB"
