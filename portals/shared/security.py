"""What protects every page: content security policy without ``unsafe-inline``, CSRF tokens, limits per address."""

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_talisman import Talisman
from flask_wtf.csrf import CSRFProtect
from redis.backoff import NoBackoff
from redis.retry import Retry

from infra.errors import ServersError
from infra.servers import resolve
from infra.settings import Settings

LARGEST_REQUEST_OCTETS = 16 * 1024 * 1024
_POLICY = {
    "default-src": "'self'",
    "img-src": "'self' data:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "form-action": "'self'",
    "style-src": "'self'",
    "script-src": "'self'",
}

# A Redis that hangs must not keep people waiting either: its own limit is five seconds, and a page asks several times.
_COUNTING = {"socket_timeout": 1, "socket_connect_timeout": 1, "retry": Retry(NoBackoff(), 0)}

csrf = CSRFProtect()
limiter = Limiter(
    get_remote_address,
    headers_enabled=True,
    in_memory_fallback_enabled=True,  # Redis away: each process counts for itself, nobody is turned away for it
    in_memory_fallback=["2000 per minute"],
    swallow_errors=True,
    key_prefix="web",
)


def init_security(app: Flask, settings: Settings) -> None:
    """Install policy, CSRF protection and limits."""
    app.config.update(
        SECRET_KEY=settings.require_secret_key(),
        MAX_CONTENT_LENGTH=LARGEST_REQUEST_OCTETS,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: a form left open over lunch must still be sent
        RATELIMIT_STORAGE_URI=(storage := _limits_url(settings)),
        RATELIMIT_STORAGE_OPTIONS=_COUNTING if storage.startswith("redis") else {},
    )
    csrf.init_app(app)
    limiter.init_app(app)
    Talisman(
        app,
        force_https=False,  # TLS ends at the reverse proxy
        strict_transport_security=settings.cookie_secure,
        session_cookie_secure=settings.cookie_secure,
        session_cookie_samesite="Lax",
        frame_options="DENY",
        referrer_policy="same-origin",
        permissions_policy={"geolocation": "()", "camera": "()", "microphone": "()"},
        content_security_policy=_POLICY,
        content_security_policy_nonce_in=["script-src", "style-src"],
    )


def _limits_url(settings: Settings) -> str:
    try:
        return resolve(settings).redis_url
    except ServersError:
        return "memory://"
