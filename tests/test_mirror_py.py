"""bot/workflow/mirror.py as the runner starts it: between two real registries, by real skopeo."""

import json
import shutil
import stat
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from registry_fixture import SCRIPT, Quiet, World, registries, serving, world

from bot.core import image_list
from bot.core.image import BadReference, ImageRef, Naming, Target
from bot.workflow import mirror

__all__ = ["registries", "world"]  # fixtures: pytest finds them by these names

HEX = "0123456789abcdef" * 4

# --- the grammar, the names and the list: the same as the bot's

REFERENCES = [
    "nginx",
    "nginx:1.27",
    "bitnami/nginx",
    "docker.io/nginx",
    "index.docker.io/nginx:1",
    "registry-1.docker.io/library/nginx",
    "gcr.io/distroless/static:nonroot",
    "localhost/a",
    "localhost:5000/a/b__c/d---e:T_a.g-1",
    "Example.COM:8443/a.b_c/d",
    "UPPER/nginx",
    "host:port/a",
    "ghcr.io",
    f"nginx@sha256:{HEX}",
    f"ghcr.io/a/b:1@sha256:{HEX}",
    f"a@sha512:{HEX}{HEX}",
    f"a@sha384:{HEX}",
    f"a@sha256:{HEX.upper()}",
    f"a@md5:{HEX[:32]}",
    HEX,
    f"{HEX}:1",
    f"docker.io/{HEX}",
    "a/" * 127 + "a",
    "a/" * 128 + "a",
    "docker.io/" + "a" * 247,
    "docker.io/" + "a" * 248,
    f"a:{'t' * 128}",
    f"a:{'t' * 129}",
    "",
    "/",
    "-nginx",
    "nginx\n",
    "nginx redis",
    "nginx;curl evil|sh",
    "$(id)",
    "`id`",
    "--help",
    "Nginx",
    "nginx:",
    "nginx@",
    "nginx：1.27",
    "my_host.com/a",
    "[::1]:5000/a",
    "a..b/c",
    "a//b",
    "a/-b",
    "a.io/a__b___c",
    "https://ghcr.io/a",
    "ⅰ.io/a",  # noqa: RUF001 - a Roman numeral one
    "a.io/ａ",  # noqa: RUF001 - a full-width letter
    "nginx:１",  # noqa: RUF001 - a full-width digit
]


def by_the_bot(text: str) -> str | None:
    try:
        return str(ImageRef.parse(text))
    except BadReference:
        return None


def by_the_script(text: str) -> str | None:
    image = mirror.Image.parse(text)
    return None if image is None else str(image)


@pytest.mark.parametrize("text", REFERENCES)
def test_the_script_reads_a_reference_as_the_bot_does(text: str) -> None:
    assert by_the_script(text) == by_the_bot(text)


@settings(max_examples=600, deadline=None)
@given(
    st.one_of(
        st.text(st.sampled_from("aZ0.:/@-_[]#$ \n"), max_size=14),
        st.lists(
            st.sampled_from(
                ["docker.io", "localhost", "a", "-", "--", "_", ".", ":1", "/", "@", "A"]
            ),
            max_size=9,
        ).map("".join),
        st.tuples(st.sampled_from(REFERENCES), st.text(max_size=2)).map("".join),
    )
)
def test_the_script_reads_any_text_as_the_bot_does(text: str) -> None:
    assert by_the_script(text) == by_the_bot(text)


@pytest.mark.parametrize("naming", list(Naming))
@pytest.mark.parametrize("prefix", ["", "mirror", "team/mirror"])
@pytest.mark.parametrize("text", [text for text in REFERENCES if by_the_bot(text)])
def test_the_script_names_the_target_as_the_bot_does(
    text: str, prefix: str, naming: Naming
) -> None:
    image = mirror.Image.parse(text)
    assert image is not None
    suffix = f":{image.tag}" if image.tag else f"@{image.digest}"
    path = mirror.target_path(image, prefix, naming)
    expected = Target("h", prefix, naming).name_of(ImageRef.parse(text))
    assert f"h/{path}{suffix}" == expected


@given(
    st.lists(st.sampled_from([b"nginx", b"a b", b"#", b" ", b"\t", b"\r", b"\n", b"\xff", b"r"]))
)
def test_the_script_reads_the_list_as_the_bot_does(parts: list[bytes]) -> None:
    content = b"".join(parts)
    read = [by_the_script(line) for line in mirror.entries(content)]
    assert [name for name in read if name] == list(
        dict.fromkeys(str(image) for image in image_list.entries(content))
    )


def test_the_script_runs_on_python_3_10() -> None:
    python = shutil.which("python3.10")
    probe = [python or "", "-c", "import sys; sys.exit(sys.version_info[:2] != (3, 10))"]
    if python is None or subprocess.run(probe, check=False, capture_output=True).returncode:
        pytest.skip("no Python 3.10 here")
    code = (
        "import json, sys; sys.path.insert(0, sys.argv[1]); import mirror;"
        "print(json.dumps([str(mirror.Image.parse(t)) for t in json.load(sys.stdin)]))"
    )
    done = subprocess.run(
        [python, "-I", "-c", code, str(SCRIPT.parent)],
        input=json.dumps(REFERENCES),
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )
    assert json.loads(done.stdout) == [str(by_the_bot(text)) for text in REFERENCES]


# --- what registries answer, and what of it is believed


def settings_for(registry: str, url: str, login: str = "") -> mirror.Settings:
    """Settings under which `registry` is reached at `url`, with a login for that host."""
    logins = {url.partition("://")[2]: login} if login else {}
    return mirror.Settings("h", "", "nested", "", "", {registry: url}, logins)


DIGEST = f"sha256:{HEX}"


def copying(
    text: str, settings: mirror.Settings, folder: Path, told: list[str] | None = None
) -> mirror.Copying:
    """One image's way, as a run of four places would begin it."""
    image = mirror.Image.parse(text)
    assert image is not None
    run = mirror.Run({}, folder, False, settings, "", mirror.Traffic(4))  # noqa: FBT003 - a row
    return mirror.Copying(image, run, settings, (told if told is not None else []).append)


def test_a_redirect_keeps_the_method_and_never_takes_the_login_along() -> None:
    seen = []

    class Elsewhere(Quiet):
        def reply(self) -> None:
            seen.append((self.command, self.headers["Authorization"], self.headers["Accept"]))
            self.answer(200, Docker_Content_Digest=DIGEST)

    with serving(Elsewhere) as elsewhere:

        class Source(Quiet):
            def reply(self) -> None:
                if self.headers["Authorization"] is None:
                    self.answer(401, WWW_Authenticate='Basic realm="r"')
                else:
                    self.answer(307, Location=f"{elsewhere}{self.path}")

        with serving(Source) as source:
            found = mirror.Repository(settings_for("a.io", source, "bG9naW4="), "a.io", "x")
            assert found.digest("1") == DIGEST
    assert seen == [("HEAD", None, mirror.ACCEPT)]


def test_a_challenge_from_behind_a_redirect_gets_no_login() -> None:
    asked: list[str] = []

    class Elsewhere(Quiet):
        def reply(self) -> None:
            asked.append(self.path)
            realm = f"http://{self.headers['Host']}/token"
            self.answer(401, WWW_Authenticate=f'Bearer realm="{realm}"')

    with serving(Elsewhere) as elsewhere:

        class Source(Quiet):
            def reply(self) -> None:
                self.answer(307, Location=f"{elsewhere}{self.path}")

        with serving(Source) as source:
            found = mirror.Repository(settings_for("a.io", source, "bG9naW4="), "a.io", "x")
            assert found.digest("1") is None
    assert asked
    assert not [path for path in asked if path.startswith("/token")]


def test_a_token_is_fetched_where_the_registry_says_with_the_login_of_that_registry() -> None:
    asked = []

    class Source(Quiet):
        def reply(self) -> None:
            if self.command == "GET":
                asked.append((self.path, self.headers["Authorization"]))
                self.answer(200, b'{"token": "t0ken"}')
                return
            if self.headers["Authorization"] == "Bearer t0ken":
                self.answer(200, Docker_Content_Digest=DIGEST)
                return
            realm = f"http://{self.headers['Host']}/token"
            scope = "repository:a/b:pull"
            challenge = f'Bearer realm="{realm}",service="s",scope="{scope}"'
            self.answer(401, WWW_Authenticate=challenge)

    with serving(Source) as source:
        settings = settings_for("a.io", source, "bG9naW4=")
        assert mirror.Repository(settings, "a.io", "a/b").digest("1") == DIGEST
        other = settings_for("b.io", source)
        assert mirror.Repository(other, "b.io", "a/b").digest("1") == DIGEST
    path = "/token?service=s&scope=repository%3Aa%2Fb%3Apull"
    assert asked == [(path, "Basic bG9naW4="), (path, None)]


def test_a_registry_behind_tls_cannot_send_its_login_to_a_realm_in_clear() -> None:
    settings = mirror.Settings("h", "", "nested", "", "", {}, {"a.io": "bG9naW4="})
    repository = mirror.Repository(settings, "a.io", "a/b")
    asked: list[object] = []

    class Realm(Quiet):
        def reply(self) -> None:
            asked.append(self.path)
            self.answer(200, b"{}")

    with serving(Realm) as realm:
        assert repository._meet(f'Bearer realm="{realm}/token",service="s"') == ""
    assert not asked


def test_a_login_belongs_to_its_registry_and_namespace_alone() -> None:
    logins = {"a.io": "wide", "a.io/team": "narrow", "docker.io": "hub"}
    settings = mirror.Settings("h", "", "nested", "", "", {"b.io": "https://cache.io/b"}, logins)
    own = {
        (registry, path): mirror.Repository(settings, registry, path)._basic or None
        for registry, path in [
            ("a.io", "x"),
            ("a.io", "team/x"),
            ("a.io", "teams/x"),
            ("a.io.evil.io", "x"),
            ("docker.io", "library/x"),
            ("b.io", "x"),
        ]
    }
    assert list(own.values()) == [
        "Basic wide",
        "Basic narrow",
        "Basic wide",
        None,
        "Basic hub",
        None,
    ]


@pytest.mark.parametrize(
    ("status", "digest", "known"),
    [
        (200, DIGEST, DIGEST),
        (200, "", None),
        (200, "sha256:short", None),
        (404, "", ""),
        (412, DIGEST, None),  # Harbor hides what it has not scanned yet
        (503, "", None),
    ],
)
def test_only_a_404_says_that_a_manifest_is_not_there(
    status: int, digest: str, known: str | None
) -> None:
    class Source(Quiet):
        def reply(self) -> None:
            self.answer(status, Docker_Content_Digest=digest)

    with serving(Source) as source:
        repository = mirror.Repository(settings_for("a.io", source), "a.io", "x")
        assert repository.digest("1") == known


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"[]",
        b'{"manifests": [{}]}',
        b'{"config": {"digest": "a", "size": 1}, "layers": [{"digest": "b"}]}',
        b'{"fsLayers": []}',
        json.dumps({"manifests": [{"digest": "sha256:a"}] * 65}).encode(),
        b"[" * 5000,
        b'{"config": {"digest": "a", "size": 1e400}, "layers": []}',
        b'{"config": {"digest": "a", "size": -1}, "layers": []}',
        b'{"config": {"digest": "a", "size": 9223372036854775808}, "layers": []}',
        b" " * ((4 << 20) + 1),
    ],
)
def test_a_size_that_cannot_be_added_up_is_left_out(body: bytes) -> None:
    class Source(Quiet):
        def reply(self) -> None:
            self.answer(200, body)

    with serving(Source) as source:
        repository = mirror.Repository(settings_for("a.io", source), "a.io", "x")
        assert repository.blobs("1") == {}


READING = "initializing source docker://a.io/b:x: reading manifest x in a.io/b: "
REUSING = f"trying to reuse blob {DIGEST} at destination: checking whether a blob {DIGEST} exists "
UPLOADING = "writing blob: initiating layer upload to /v2/b/blobs/uploads/ in h.io: "
PINGING = 'pinging container registry a.io: Get \\"https://a.io/v2/\\": dial tcp: '


@pytest.mark.parametrize(
    ("words", "line", "trouble"),
    [
        (f"{READING}manifest unknown: manifest unknown", "source: manifest unknown", False),
        (f"{REUSING}in h.io/b: unauthorized: no a", "target: unauthorized: no a", False),
        ("uploading manifest x to h.io/b: denied: immutable", "target: denied: immutable", False),
        (f"{READING}toomanyrequests: pull limit", "source: toomanyrequests: pull limit", True),
        (f"{UPLOADING}HTTP status: 503 Busy", "target: HTTP status: 503 Busy", True),
        (
            f"initializing source docker://a.io/b:x: {PINGING}connection refused",
            "source: a.io: dial tcp: connection refused",
            True,
        ),
        ("context deadline exceeded", "context deadline exceeded", True),
        ("say \\n::error::b", "say ::error::b", False),
    ],
)
def test_the_useful_words_of_skopeo_are_found(words: str, line: str, trouble: bool) -> None:  # noqa: FBT001 - a table's column
    stderr = f'time="t" level=warning msg="slow"\ntime="t" level=fatal msg="{words}"\n'
    assert mirror.cause(stderr) == line
    assert bool(mirror.TROUBLE.search(line)) == trouble


@pytest.mark.parametrize(
    ("stderr", "line"),
    [("level=fatal msg=EOF\n", "EOF"), ("panic\n::error::x\n", "::error::x"), ("", "no words")],
)
def test_other_last_words_are_taken_as_they_are(stderr: str, line: str) -> None:
    assert mirror.cause(stderr) == line


def test_a_registrys_answer_that_is_nested_too_deep_gives_no_token() -> None:
    class Realm(Quiet):
        def reply(self) -> None:
            self.answer(200, b'{"token": ' * 5000)

    with serving(Realm) as realm:
        repository = mirror.Repository(settings_for("a.io", realm), "a.io", "x")
        assert repository._meet(f'Bearer realm="{realm}/token"') == ""


@pytest.mark.parametrize("words", ["a: " * 300_000, "writing blob: " * 70_000, "GET a://" * 99_999])
def test_the_longest_words_are_read_in_no_time(words: str) -> None:
    began = time.process_time()
    assert len(mirror.cause(f'time="t" level=fatal msg="reading manifest: {words}"')) <= 140
    assert time.process_time() - began < 1


def test_a_long_cause_keeps_its_beginning_and_its_end() -> None:
    line = mirror.one_line("begin " + "x" * 500 + " end")
    assert len(line) == 140
    assert line.startswith("begin x")
    assert line.endswith("x end")


def test_a_summary_stays_under_what_github_takes(tmp_path: Path) -> None:
    place = tmp_path / "summary.md"
    mirror.summarise({"GITHUB_STEP_SUMMARY": str(place)}, [], [f"<{n}>|`" for n in range(60_000)])
    assert place.stat().st_size < 1 << 20
    assert place.read_text().rstrip().endswith("more")


def test_the_logins_are_in_a_file_for_nobody_else(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = world.environment() | {"SOURCE_AUTH": '{"auths": {"a.io": {"auth": "bG9naW4="}}}'}
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    folder = tmp_path / "own"
    folder.mkdir()
    mirror.log_in(mirror.Settings.read(env), folder)
    file = folder / "auth.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert set(json.loads(file.read_text())["auths"]) == {"a.io", world.target.address}


def test_a_target_that_holds_something_else_afterwards_is_a_failure(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = world.seed("docker.io/wei/swapped")
    env = world.environment()
    monkeypatch.setattr(mirror.Copying, "copy", lambda _: (digest, ""))
    result = copying("docker.io/wei/swapped:1", mirror.Settings.read(env), world.directory).result()
    assert result.state == "failure"
    assert result.text.startswith("mismatch: copied sha256:")
    assert result.text.endswith("holds nothing")
