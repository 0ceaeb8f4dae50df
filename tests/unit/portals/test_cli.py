"""The root of the command line: exit codes, one line per failure, JSON on request."""

import json
import subprocess
import sys

import click
import pytest

from infra.errors import ServersError
from infra.settings import SettingsError
from portals import cli
from portals.commands._output import emit
from tenants.kernel.errors import NotFound


def run_failing_with(error: BaseException, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    @click.command()
    def command() -> None:
        raise error

    cli._accept_json(command)
    monkeypatch.setattr(cli.LazyCommands, "get_command", lambda *_: command)
    return cli.main(["anything", *arguments])


@pytest.mark.parametrize(
    ("error", "exit_code", "code"),
    [
        (NotFound(what="Tenant", ref="blue"), 1, "not_found"),
        (ServersError("not_running", "Broadloom is not running."), 1, "not_running"),
        (SettingsError("BROADLOOM_WEB_PORT is wrong."), 2, "wrong_setting"),
        (click.UsageError("Missing option."), 1, "usage"),
        (RuntimeError("boom"), 1, "internal"),
    ],
)
def test_each_failure_is_one_line_and_an_exit_code(
    error: Exception, exit_code: int, code: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_failing_with(error, monkeypatch) == exit_code
    plain = capsys.readouterr()
    assert plain.out == ""
    assert len(plain.err.splitlines()) == 1
    assert run_failing_with(error, monkeypatch, "--json") == exit_code
    assert json.loads(capsys.readouterr().err)["error"]["code"] == code


def test_unknown_commands_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["fly"]) == 1
    assert "fly" in capsys.readouterr().err


def test_results_are_json_on_request(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    @click.command()
    def command() -> None:
        emit([{"username": "li", "online": True}, {"username": "wang", "online": False}])

    cli._accept_json(command)
    monkeypatch.setattr(cli.LazyCommands, "get_command", lambda *_: command)
    assert cli.main(["x", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[1] == {"username": "wang", "online": False}
    assert cli.main(["x"]) == 0
    assert capsys.readouterr().out == "username  online\nli        yes\nwang      no\n"


def test_help_lists_every_command_without_importing_them() -> None:
    code = "import sys; from portals.cli import main; main(['--help']); print('sqlalchemy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.rstrip().endswith("False")
    assert "up " in done.stdout


def test_every_command_file_has_a_command_and_a_help_text() -> None:
    context = click.Context(cli.root)
    for name in cli.root.list_commands(context):
        command = cli.root.get_command(context, name)
        assert isinstance(command, click.Command), name
