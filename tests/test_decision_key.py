"""The key that seals decisions: where it comes from, and who may read its file."""

import re
import stat
from pathlib import Path

import pytest

from bot.config import Secrets, read_secrets
from bot.core.errors import ConfigError
from bot.decision_key import file_beside, with_key

TOKENS = {"TELEGRAM_TOKEN": "111:secret", "GITHUB_TOKEN": "ghp_secret"}
GIVEN = "ab" * 32


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "bot.sqlite3"


def key(secrets: Secrets) -> str:
    return secrets.decision_key.get_secret_value()


def test_a_new_key_is_kept_in_a_file_for_its_owner_alone(database: Path) -> None:
    made = with_key(read_secrets(TOKENS), database, make=True)
    path = file_beside(database)
    assert path.name == "bot.sqlite3.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert re.fullmatch("[0-9a-f]{64}", key(made))
    assert key(with_key(read_secrets(TOKENS), database, make=True)) == key(made)
    assert key(with_key(read_secrets(TOKENS), database, make=False)) == key(made)
    assert [each.name for each in database.parent.iterdir()] == [path.name]


def test_the_first_of_two_processes_decides(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_beside(database).write_text(GIVEN)
    monkeypatch.setattr(Path, "exists", lambda _: False)  # it looked before the other had written
    assert key(with_key(read_secrets(TOKENS), database, make=True)) == GIVEN


def test_who_only_looks_makes_no_key(database: Path) -> None:
    none = with_key(read_secrets(TOKENS), database, make=False)
    assert (key(none), none.key_id) == ("", "")
    assert not file_beside(database).exists()


def test_a_key_of_the_environment_goes_first(database: Path) -> None:
    given = with_key(read_secrets({**TOKENS, "DECISION_KEY": f" {GIVEN}\n"}), database, make=True)
    assert key(given) == GIVEN
    assert given.key_id == "9a2db2e23f15"
    assert not file_beside(database).exists()


def test_the_key_is_hidden_and_known_to_the_log(database: Path) -> None:
    made = with_key(read_secrets(TOKENS), database, make=True)
    assert key(made) not in repr(made)
    assert key(made) in made.texts()


@pytest.mark.parametrize("text", ["", "ab", "AB" * 32, "ab" * 33, "ab" * 5000])
def test_a_file_with_something_else_is_named_without_being_quoted(
    database: Path, text: str
) -> None:
    file_beside(database).write_text(text)
    with pytest.raises(ConfigError, match=r"\.key: should be 64 hexadecimal digits") as caught:
        with_key(read_secrets(TOKENS), database, make=True)
    assert "abab" not in str(caught.value).lower()


def test_a_wrong_key_in_the_environment_is_named() -> None:
    with pytest.raises(ConfigError, match="DECISION_KEY: should be 64 hexadecimal digits"):
        read_secrets({**TOKENS, "DECISION_KEY": "x"})


def test_a_file_that_cannot_be_read_is_named(database: Path) -> None:
    file_beside(database).mkdir()
    with pytest.raises(ConfigError, match=r"\.key: Is a directory"):
        with_key(read_secrets(TOKENS), database, make=True)


def test_a_folder_that_is_missing_is_named(database: Path) -> None:
    missing = database.parent / "missing" / "bot.sqlite3"
    with pytest.raises(ConfigError, match="No such file or directory"):
        with_key(read_secrets(TOKENS), missing, make=True)
