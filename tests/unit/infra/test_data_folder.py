"""The data folder: one owner, kept ports, clear refusals."""

from pathlib import Path

import pytest

from infra.data_folder import held_lock, is_owned, load_state, prepare_folder, save_state
from infra.errors import ServersError
from infra.servers import ServersNotRunning, resolve
from infra.settings import Settings, SettingsError


def test_ports_and_passwords_are_kept(tmp_path: Path) -> None:
    folder = prepare_folder(tmp_path / "data")
    first = save_state(folder, load_state(folder), postgres_port=20001)
    assert load_state(folder) == first
    assert (folder.root / "embedded.json").stat().st_mode & 0o777 == 0o600


def test_a_damaged_state_is_one_sentence(tmp_path: Path) -> None:
    folder = prepare_folder(tmp_path / "data")
    (folder.root / "embedded.json").write_text("{")
    with pytest.raises(ServersError, match="cannot be read"):
        load_state(folder)


def test_one_owner_at_a_time(tmp_path: Path) -> None:
    folder = prepare_folder(tmp_path / "data")
    assert not is_owned(folder)
    with held_lock(folder) as first:
        assert first
        assert is_owned(folder)
        with held_lock(folder, wait_seconds=0) as second:
            assert not second
    assert not is_owned(folder)


def test_a_file_in_place_of_the_folder_is_refused_with_the_name_of_the_setting(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")
    with pytest.raises(SettingsError, match="BROADLOOM_DATA_DIR"):
        prepare_folder(tmp_path / "data")


def test_not_running_says_how_to_start(tmp_path: Path) -> None:
    with pytest.raises(ServersNotRunning, match="make run"):
        resolve(Settings(data_dir=tmp_path / "data"))


def test_a_file_left_by_a_killed_owner_does_not_count(tmp_path: Path) -> None:
    folder = prepare_folder(tmp_path / "data")
    folder.servers_file.write_text('{"database_url": "postgresql://a", "redis_url": "redis://b", "owner": "up"}')
    with pytest.raises(ServersNotRunning):
        resolve(Settings(data_dir=tmp_path / "data"))
    with held_lock(folder):
        assert resolve(Settings(data_dir=tmp_path / "data")).redis_url == "redis://b"
