"""Settings of one installation: the only reader of the environment (architecture.md, "Interfaces that stay stable").

Every field is one variable ``BROADLOOM_<FIELD NAME IN CAPITALS>`` and stands in ``.env.example`` (a test holds them
together).
"""

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, get_type_hints

PREFIX = "BROADLOOM_"


class SettingsError(Exception):
    """A setting is missing, unknown or ill-typed; the text is one sentence that says which and what to do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Typed settings; build with :meth:`from_env`."""

    data_dir: Path = Path("var")
    bind: str = "127.0.0.1"
    web_port: int = 8000
    radius_auth_port: int = 1812
    radius_acct_port: int = 1813
    radsec_port: int = 2083
    postgres_port: int = 0  # 0 = a free port, chosen once and kept in the data folder
    redis_port: int = 0
    web_processes: int = 2
    radius_processes: int = 1
    worker_processes: int = 1
    base_domain: str = "localhost"
    public_url: str = ""  # "" = http://<bind>:<web_port>
    public_address: str = ""  # what routers are told to talk to; "" = bind
    secret_key: str = ""  # "" = made once and kept in the data folder
    database_url: str = ""  # "" = embedded PostgreSQL
    redis_url: str = ""  # "" = embedded Redis (Valkey)
    cell_database_urls: str = ""  # further cells: "name=url name=url"
    dns_servers: str = ""  # asked for routers' dynamic names: address or address#port …; "" = those of the system
    node_address: str = ""  # where RADIUS processes of other hosts reach those of this one; "" = one host
    radius_balancers: str = ""  # load balancers that send PROXY headers: addresses and networks, separated by spaces
    demo: bool = True
    log_level: str = "info"
    log_format: str = "text"  # text | json
    language: str = "en"  # of refusals at the command line: en | zh
    mail_from: str = "noreply@localhost"
    smtp_url: str = ""  # "" = mail goes to <data_dir>/mail
    platform_email: str = "platform@broadloom.example"
    platform_password: str = ""  # "" = made at first start and printed
    cookie_secure: bool = False  # set to 1 behind HTTPS
    trusted_proxies: int = 0  # how many reverse proxies set X-Forwarded-*
    huge_pages: bool = True  # for the embedded database's memory, where the system gives them
    embedded_fsync: bool = True  # only tests that prove nothing about durability turn it off

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Read and check all settings. Raises :class:`SettingsError` with one clear sentence."""
        env = os.environ if environ is None else environ
        hints = get_type_hints(cls)
        names = {PREFIX + f.name.upper(): f.name for f in fields(cls)}
        unknown = sorted(k for k in env if k.startswith(PREFIX) and k not in names)
        if unknown:
            raise SettingsError(f"The setting {unknown[0]} is unknown; .env.example lists all settings.")
        values: dict[str, Any] = {}
        for variable, name in names.items():
            raw = env.get(variable)
            if raw is not None and raw.strip() != "":
                values[name] = _PARSERS[hints[name]](variable, raw.strip())
        return _checked(cls(**values))

    @property
    def site_url(self) -> str:
        """Address of the web portals without trailing slash."""
        return self.public_url.rstrip("/") or f"http://{self.bind}:{self.web_port}"

    @property
    def radius_address(self) -> str:
        """Address that routers are told to use."""
        return self.public_address or self.bind

    def cells(self) -> dict[str, str]:
        """Further cells by name → database URL (the first cell lives in the registry's database)."""
        return dict(part.split("=", 1) for part in self.cell_database_urls.split())

    def environment(self) -> dict[str, str]:
        """The environment for a program that is to have exactly these settings."""
        env = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        for item in fields(self):
            value = getattr(self, item.name)
            if value != item.default:
                env[PREFIX + item.name.upper()] = str(int(value)) if isinstance(value, bool) else str(value)
        return env

    def require_secret_key(self) -> str:
        """The installation's secret; made and kept in the data folder (mode 600) when not set."""
        if self.secret_key:
            return self.secret_key
        path = self.data_dir / "secret_key"
        if not path.exists():
            self.data_dir.mkdir(parents=True, exist_ok=True)
            try:  # O_EXCL: two processes starting at once agree on one key
                with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                    file.write(secrets.token_urlsafe(48))
            except FileExistsError:
                pass
        return path.read_text().strip()


def _checked(settings: Settings) -> Settings:
    for name in ("web_port", "radius_auth_port", "radius_acct_port", "radsec_port", "postgres_port", "redis_port"):
        port = getattr(settings, name)
        lowest = 0 if name in ("postgres_port", "redis_port") else 1
        if not lowest <= port <= 65535:
            raise SettingsError(f"{PREFIX}{name.upper()} is {port}, but a port lies between {lowest} and 65535.")
    ports = [settings.radius_auth_port, settings.radius_acct_port]
    if len(set(ports)) != len(ports):
        raise SettingsError(f"{PREFIX}RADIUS_AUTH_PORT and {PREFIX}RADIUS_ACCT_PORT must differ; both are {ports[0]}.")
    if settings.web_port == settings.radsec_port:
        raise SettingsError(f"{PREFIX}WEB_PORT and {PREFIX}RADSEC_PORT must differ; both are {settings.web_port}.")
    for name in ("web_processes", "radius_processes", "worker_processes"):
        count = getattr(settings, name)
        if not 1 <= count <= 64:
            raise SettingsError(f"{PREFIX}{name.upper()} is {count}, but 1 to 64 processes are possible.")
    for name in ("bind", "node_address"):
        address = getattr(settings, name)
        try:
            ip_address(address or "::")
        except ValueError:
            raise SettingsError(f'{PREFIX}{name.upper()} is "{address}", which is not an IP address.') from None
    if settings.secret_key and len(settings.secret_key) < 32:
        raise SettingsError(f"{PREFIX}SECRET_KEY is too short: at least 32 characters are needed.")
    if settings.log_level not in ("debug", "info", "warning", "error"):
        raise SettingsError(f'{PREFIX}LOG_LEVEL is "{settings.log_level}"; use debug, info, warning or error.')
    if settings.log_format not in ("text", "json"):
        raise SettingsError(f'{PREFIX}LOG_FORMAT is "{settings.log_format}"; use text or json.')
    if settings.language not in ("en", "zh"):
        raise SettingsError(f'{PREFIX}LANGUAGE is "{settings.language}"; use en or zh.')
    for url, variable, schemes in (
        (settings.database_url, "DATABASE_URL", ("postgresql://", "postgres://")),
        (settings.redis_url, "REDIS_URL", ("redis://", "rediss://", "unix://")),
        (settings.smtp_url, "SMTP_URL", ("smtp://", "smtps://")),
    ):
        if url and not url.startswith(schemes):
            raise SettingsError(f"{PREFIX}{variable} must begin with {' or '.join(schemes)}.")
    for part in settings.dns_servers.split():
        address, _, port = part.partition("#")
        try:
            ip_address(address)
            if not 0 < int(port or 53) < 65_536:
                raise ValueError
        except ValueError:
            raise SettingsError(f'{PREFIX}DNS_SERVERS has "{part}"; write address or address#port.') from None
    for part in settings.radius_balancers.split():
        try:
            ip_network(part)
        except ValueError:
            raise SettingsError(f'{PREFIX}RADIUS_BALANCERS has "{part}", which is no address or network.') from None
    for part in settings.cell_database_urls.split():
        if "=" not in part or not part.split("=", 1)[1].startswith(("postgresql://", "postgres://")):
            raise SettingsError(f"{PREFIX}CELL_DATABASE_URLS must read name=postgresql://… name=postgresql://….")
    return settings


def _text(_variable: str, raw: str) -> str:
    return raw


def _integer(variable: str, raw: str) -> int:
    try:
        return int(raw)
    except ValueError:
        raise SettingsError(f'{variable} is "{raw}", but a whole number is needed.') from None


def _switch(variable: str, raw: str) -> bool:
    value = {
        "1": True,
        "true": True,
        "yes": True,
        "on": True,
        "0": False,
        "false": False,
        "no": False,
        "off": False,
    }.get(raw.lower())
    if value is None:
        raise SettingsError(f'{variable} is "{raw}", but 1 or 0 is needed.')
    return value


def _path(_variable: str, raw: str) -> Path:
    return Path(raw).expanduser()


_PARSERS: dict[Any, Callable[[str, str], Any]] = {str: _text, int: _integer, bool: _switch, Path: _path}
