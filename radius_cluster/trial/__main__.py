"""``python -m radius_cluster.trial``: tries the login that standard input names, prints what a router would get.

A program of its own: portals and the packet path are siblings and know nothing of each other, and nothing of a trial
can touch a process that answers routers.
"""

import asyncio
import sys
from dataclasses import replace

import asyncpg

from infra.errors import ServersError
from infra.log import configure
from infra.servers import resolve
from infra.settings import Settings, SettingsError
from radius_cluster.trial.decide import NotTried, try_login
from tenants.access.login_trial import LoginTrial


def main() -> int:
    """Exit codes: 0 there is an answer, 1 there is none (one line on standard error), 2 wrong settings."""
    trial = LoginTrial.from_json(sys.stdin.read())
    try:
        settings = Settings.from_env()
        configure(replace(settings, log_level="error"), "trial", stream=sys.stderr)
        answer = asyncio.run(try_login(settings, resolve(settings), trial))
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    except (NotTried, ServersError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        print(f"The database did not answer: {type(error).__name__}.", file=sys.stderr)  # noqa: T201
        return 1
    print(answer.to_json())  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
