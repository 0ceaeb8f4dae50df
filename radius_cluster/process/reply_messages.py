"""What a refused subscriber reads (Reply-Message): one sentence a reason, in the subscriber's language."""

from typing import Final

from radius_cluster.wire import attributes as encode
from radius_cluster.wire.codes import REPLY_MESSAGE
from tenants.access.reasons import REASONS

_CHINESE: Final = {
    "unknown_user": "账号不存在",
    "wrong_password": "密码错误",
    "disabled": "账号已停用,请联系服务商",
    "held": "账号已停机保号,请联系服务商",
    "wrong_nas": "账号不允许在此处上网",
    "binding": "设备未登记",
    "arrears": "账号已欠费,请缴费",
    "expired": "账号已到期,请续费",
    "quota": "套餐用量已用完",
    "outside_window": "当前时段不允许上网",
    "too_many_sessions": "账号已在别处上网",
    "tenant_suspended": "服务已暂停",
    "eap_no_common_method": "没有共同的 EAP 方法",
    "eap_tls_failed": "证书被拒绝",
    "locked_out": "尝试次数过多,请稍后再试",
}

_READY: Final = {
    "en": {code: encode.text(REPLY_MESSAGE, reason.reply) for code, reason in REASONS.items()},
    "zh": {code: encode.text(REPLY_MESSAGE, _CHINESE.get(code, reason.reply)) for code, reason in REASONS.items()},
}


def reply_message(reason: str, locale: str) -> bytes:
    """The Reply-Message attribute; b"" for a reason that has no sentence."""
    return _READY["zh" if locale.startswith("zh") else "en"].get(reason, b"")
