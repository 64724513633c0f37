"""The key that signs statements: where it comes from, who may read it, and what is printed."""

import stat
import subprocess
from pathlib import Path

import pytest

from bot.core.errors import ConfigError
from bot.statement_key import (
    StatementKey,
    file_beside,
    make_key,
    public_key,
    read_key,
    required_key,
)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "bot.sqlite3"


@pytest.fixture
def made(database: Path) -> StatementKey:
    make_key(database)
    return required_key("", database)


def openssl(*words: str, stdin: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *words], input=stdin, capture_output=True, check=True).stdout


def test_a_new_key_is_for_its_owner_alone_and_stays(made: StatementKey, database: Path) -> None:
    path = file_beside(database)
    assert path.name == "bot.sqlite3.statements.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_text()
    make_key(database)
    assert path.read_text() == before
    body = before.splitlines()[1]
    assert body not in repr(made) + str(made) + made.public


def test_its_signatures_are_those_of_openssl(made: StatementKey, tmp_path: Path) -> None:
    (tmp_path / "pub.pem").write_text(made.public)
    (tmp_path / "sig").write_bytes(made.sign(b"words"))
    verify = ("dgst", "-sha256", "-verify", f"{tmp_path}/pub.pem", "-signature", f"{tmp_path}/sig")
    assert b"Verified OK" in openssl(*verify, stdin=b"words")


def test_a_key_of_openssl_is_taken_and_its_signatures_are_known(
    database: Path, tmp_path: Path
) -> None:
    pem = openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256").decode()
    path = tmp_path / "other.pem"
    path.write_text(pem)
    key = required_key(pem, database)
    assert key.public.encode() == openssl("pkey", "-in", str(path), "-pubout")
    signature = openssl("dgst", "-sha256", "-sign", str(path), stdin=b"words")
    is_signed = public_key(key.public, "key.pub")
    assert is_signed(signature, b"words")
    assert not is_signed(signature, b"other words")
    assert not is_signed(b"", b"words")
    for form in (pem.replace("\n", "\\n"), pem.replace("\n", " "), "".join(pem.split("\n")[1:-2])):
        assert required_key(form, database).name == key.name


def test_what_is_wrong_with_a_key_is_told_without_the_key(database: Path) -> None:
    assert read_key("", database) is None
    with pytest.raises(ConfigError, match=r"there is no .*Run: imageto-bot keys"):
        required_key("", database)
    rsa = openssl("genpkey", "-algorithm", "ED25519").decode()
    for text in (rsa, "words", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----"):
        with pytest.raises(ConfigError, match="STATEMENT_KEY: should be an ECDSA key") as caught:
            read_key(text, database)
        assert text not in str(caught.value)
    for public in ("words", openssl("pkey", "-pubout", stdin=rsa.encode()).decode()):
        with pytest.raises(ConfigError, match=r"key\.pub: should be a public ECDSA key"):
            public_key(public, "key.pub")


def test_a_file_that_others_may_read_is_refused(made: StatementKey, database: Path) -> None:
    path = file_beside(database)
    path.chmod(0o640)
    with pytest.raises(ConfigError, match=r"others can read it\. Run chmod 600"):
        required_key("", database)
    path.unlink()
    path.mkdir()
    with pytest.raises(ConfigError, match="Is a directory"):
        required_key("", database)
    with pytest.raises(ConfigError, match="No such file"):
        make_key(database.parent / "missing" / "bot.sqlite3")
    assert made.name
