"""The command line ``broadloom``: the root that finds the commands, and the one place where failures become exit codes.

A command group is one file ``portals/commands/<name>.py``: the first line of its docstring is the help text in the
list, and its attribute ``command`` is a Click command or group named after the file. Nothing has to be registered
anywhere. Files whose name begins with an underscore are helpers. Modules are imported only when their command is
called, so help is fast.
"""

import ast
import json
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from infra.errors import ServersError
from infra.settings import SettingsError

if TYPE_CHECKING:
    from tenants.kernel.errors import BusinessError

_COMMANDS_FOLDER = Path(__file__).with_name("commands")
_JSON_HELP = "Print JSON, also for errors."


class LazyCommands(click.Group):
    """The root group: one command per file of ``portals/commands``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands."""
        return sorted(path.stem.replace("_", "-") for path in _COMMANDS_FOLDER.glob("[!_]*.py"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a file, with ``--json`` added to each of its leaves."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = import_module(f"portals.commands.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        command.name = cmd_name
        _accept_json(command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands by the first lines of their files, without importing any."""
        rows = []
        for name in self.list_commands(ctx):
            text = (_COMMANDS_FOLDER / f"{name.replace('-', '_')}.py").read_text()
            rows.append((name, (ast.get_docstring(ast.parse(text)) or "").split("\n", 1)[0]))
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)


@click.group(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def root() -> None:
    """Broadloom, a cloud for internet providers.

    The commands act on the installation that the BROADLOOM_ settings name, running or not.
    """


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code: 0, 1 for any failure, 2 for a wrong setting."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    as_json = "--json" in arguments
    try:
        code = root.main(arguments, prog_name="broadloom", standalone_mode=False)
    except SettingsError as error:
        return _fail("wrong_setting", str(error), as_json, exit_code=2)
    except ServersError as error:
        return _fail(error.code, str(error), as_json)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return 1
    except click.UsageError as error:
        return _fail("usage", _usage_sentence(error), as_json)
    except click.ClickException as error:
        return _fail("usage", error.format_message(), as_json)
    except (click.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:  # `broadloom … | head`
        sys.stderr.close()
        return 1
    except Exception as error:
        return _fail_by_type(error, as_json)
    return code if isinstance(code, int) else 0


def _fail_by_type(error: Exception, as_json: bool) -> int:
    from migrations.errors import MigrationError  # late: help needs neither
    from tenants.kernel.errors import BusinessError

    if isinstance(error, BusinessError):
        return _fail(error.code, _refusal(error), as_json)
    if isinstance(error, MigrationError):
        return _fail(error.code, str(error), as_json)
    if _wants_traces():
        raise error
    hint = "run the command again with BROADLOOM_LOG_LEVEL=debug to see where"
    return _fail("internal", f"Something unexpected failed ({type(error).__name__}: {error}); {hint}.", as_json)


def _refusal(error: "BusinessError") -> str:
    """Its sentence in the language of the settings."""
    from infra.settings import Settings
    from tenants.kernel.errors import InvalidInputs

    if Settings.from_env().language == "en":
        return " ".join(str(one) for one in error.errors) if isinstance(error, InvalidInputs) else str(error)
    from portals.shared.errors import error_text  # late: brings the website's parts along
    from portals.shared.i18n import speaking

    with speaking(Settings.from_env().language):
        return error_text(error)


def _fail(code: str, message: str, as_json: bool, exit_code: int = 1) -> int:
    line = " ".join(message.split())
    if as_json:
        line = json.dumps({"error": {"code": code, "message": line}}, ensure_ascii=False)
    click.echo(line, err=True)
    return exit_code


def _usage_sentence(error: click.UsageError) -> str:
    command = error.ctx.command_path if error.ctx else "broadloom"
    return f"{error.format_message()} See `{command} --help`."


def _wants_traces() -> bool:
    from infra.settings import Settings

    try:
        return Settings.from_env().log_level == "debug"
    except SettingsError:
        return False


def _accept_json(command: click.Command) -> None:
    """Add ``--json`` to every leaf; :func:`portals.commands._output.emit` looks at it."""
    if isinstance(command, click.Group):
        for child in command.commands.values():
            _accept_json(child)
    elif not any("--json" in parameter.opts for parameter in command.params):
        command.params.append(
            click.Option(
                ["--json", "as_json"], is_flag=True, expose_value=False, callback=_remember_json, help=_JSON_HELP
            )
        )


def _remember_json(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    ctx.find_root().meta["broadloom.json"] = bool(value)


if __name__ == "__main__":
    sys.exit(main())
