"""As whom the embedded servers run, and what they may reach."""

import os
from pathlib import Path

import pytest

from infra.embedded.identity import ServerUser, hand_over, may_reach, server_user

NOBODY = ServerUser(65534, 65534, "nobody")


def test_an_ordinary_user_stays_who_he_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert server_user(tmp_path) is None
    assert may_reach(None, tmp_path)


def test_root_becomes_nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    user = server_user(tmp_path / "not yet made")
    assert user is not None
    assert (user.name, user.uid) == ("nobody", 65534)


def test_a_closed_folder_on_the_way_is_handed_over_as_a_descriptor(tmp_path: Path) -> None:
    closed = tmp_path / "home"
    data = closed / "data"
    data.mkdir(parents=True)
    data.chmod(0o755)
    closed.chmod(0o700)
    assert not may_reach(NOBODY, data)
    handed = hand_over(NOBODY, data)
    assert handed.path == f"/proc/self/fd/{handed.fds[0]}"
    assert Path(handed.path).resolve() == data
    handed.close()
    assert handed.fds == ()
