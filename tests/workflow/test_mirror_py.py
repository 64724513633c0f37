"""The parts of the workflow's package, called one by one: references, answers, pulls, retries.

test_workflow.py runs the whole script as the runner does.
"""

import contextlib
import json
import shutil
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from email.message import Message
from email.utils import formatdate
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from registry_fixture import WORKFLOW, Quiet, World, registries, sends_on, serving, world

from bot.core import failures, image_list
from bot.core.image import BadReference, ImageRef, Naming, Target
from bot.workflow.mirror import authorization, reference, waits
from bot.workflow.mirror.authorization import Authorization, NoTokenError, scope_of
from bot.workflow.mirror.copying import Copying, Result
from bot.workflow.mirror.github import described, entries, post, share, summarise
from bot.workflow.mirror.log import one_line
from bot.workflow.mirror.login import write_logins
from bot.workflow.mirror.manifest import ACCEPT, NotMovedError
from bot.workflow.mirror.orders import Order
from bot.workflow.mirror.pulls import Pulls
from bot.workflow.mirror.reference import Image, target_path
from bot.workflow.mirror.registry import Repository
from bot.workflow.mirror.registry_http import Answer
from bot.workflow.mirror.settings import Settings
from bot.workflow.mirror.skopeo import TROUBLE, cause
from bot.workflow.mirror.source_logins import Login
from bot.workflow.mirror.traffic import Traffic

__all__ = ["registries", "world"]  # fixtures: pytest finds them by these names

HEX = "0123456789abcdef" * 4
NOW = 1_796_000_000.0

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
    image = Image.parse(text)
    return None if image is None else str(image)


@pytest.mark.parametrize("text", REFERENCES)
def test_the_script_reads_a_reference_as_the_bot_does(text: str) -> None:
    assert by_the_script(text) == by_the_bot(text)


@settings(max_examples=200)
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
    image = Image.parse(text)
    assert image is not None
    suffix = f":{image.tag}" if image.tag else f"@{image.digest}"
    path = target_path(image, prefix, naming)
    expected = Target("h", prefix, naming).name_of(ImageRef.parse(text))
    assert f"h/{path}{suffix}" == expected


@given(
    st.lists(st.sampled_from([b"nginx", b"a b", b"#", b" ", b"\t", b"\r", b"\n", b"\xff", b"r"]))
)
def test_the_script_reads_the_list_as_the_bot_does(parts: list[bytes]) -> None:
    content = b"".join(parts)
    read = [by_the_script(line) for line in entries(content)]
    assert [name for name in read if name] == list(
        dict.fromkeys(str(image) for image in image_list.listed_images(content))
    )


def test_the_script_runs_on_python_3_10() -> None:
    python = shutil.which("python3.10")
    probe = [python or "", "-c", "import sys; sys.exit(sys.version_info[:2] != (3, 10))"]
    if python is None or subprocess.run(probe, check=False, capture_output=True).returncode:
        pytest.skip("no Python 3.10 here")
    code = (
        "import json, sys; sys.path.append(sys.argv[1]); from mirror.reference import Image;"
        "import mirror.main; print(json.dumps([str(Image.parse(t)) for t in json.load(sys.stdin)]))"
    )
    package = Path(reference.__file__).parents[1]
    done = subprocess.run(
        [python, "-I", "-B", "-c", code, str(package)],
        input=json.dumps(REFERENCES),
        capture_output=True,
        text=True,
        check=True,
        timeout=90,
    )
    assert json.loads(done.stdout) == [str(by_the_bot(text)) for text in REFERENCES]


# --- what registries answer, and how far it is trusted


def settings_for(registry: str, url: str, login: str = "") -> Settings:
    """Settings under which `registry` is reached at `url`, with a login for that host."""
    logins = {url.partition("://")[2]: Login(login)} if login else {}
    return Settings("h", "", "nested", "", "", {registry: url}, logins)


DIGEST = f"sha256:{HEX}"


def copying(text: str, settings: Settings, folder: Path, told: list[str] | None = None) -> Copying:
    """The copying of one image, in a run of four places."""
    image = Image.parse(text)
    assert image is not None
    tell = (told if told is not None else []).append
    return Copying(Order(image, image), settings, folder, Traffic(4), tell)


def test_a_redirect_keeps_the_method_and_never_takes_the_login_along() -> None:
    seen = []

    class Elsewhere(Quiet):
        def reply(self) -> None:
            seen.append((self.command, self.headers["Authorization"], self.headers["Accept"]))
            self.answer(200, Docker_Content_Digest=DIGEST)

    with serving(Elsewhere) as elsewhere, serving(sends_on(elsewhere)) as source:
        found = Repository(settings_for("a.io", source, "bG9naW4="), "a.io", "x")
        assert found.digest("1") == DIGEST
    assert seen == [("HEAD", None, ACCEPT)]


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
            found = Repository(settings_for("a.io", source, "bG9naW4="), "a.io", "x")
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
        assert Repository(settings, "a.io", "a/b").digest("1") == DIGEST
        other = settings_for("b.io", source)
        assert Repository(other, "b.io", "a/b").digest("1") == DIGEST
    path = "/token?service=s&scope=repository%3Aa%2Fb%3Apull"
    assert asked == [(path, "Basic bG9naW4="), (path, None)]


@pytest.mark.parametrize(("secure", "told"), [(True, False), (False, True)])
def test_a_registry_behind_tls_cannot_send_its_login_to_a_realm_in_clear(
    *, secure: bool, told: bool
) -> None:
    asked: list[object] = []

    class Realm(Quiet):
        def reply(self) -> None:
            asked.append(self.headers["Authorization"])
            self.answer(200, b'{"token": "t"}')

    with serving(Realm) as realm:
        refusal = challenged(f'Bearer realm="{realm}/token",service="s"')
        login = Authorization(Login("bG9naW4="), host="127.0.0.1", secure=secure)
        assert login.learn(refusal, scope_of("a/b", "pull"), {})
        assert bool(login.header(scope_of("a/b", "pull"))) == told
    assert asked == (["Basic bG9naW4="] if told else [])


REALMS = {
    "https://auth.example.com/token": True,
    "https://auth.example.com:443/token": True,
    "https://own.example.com:8443/jwt/auth": True,  # GitLab's, beside its registry
    "https://named.example.com:8443/token": True,
    "https://auth.example.com:8443/token": False,
    "https://named.example.com/token": False,
    "http://auth.example.com/token": False,
    "http://own.example.com/token": False,
    "https://auth.example.com:99999/token": False,
    "https://own.example.com:99999/token": False,
    "https://[auth.example.com/token": False,
    "https://auth.example.com.mallory.example/token": False,
    "https://wei@mallory.example/token": False,
    "https:///token": False,
}


@pytest.mark.parametrize("realm", REALMS)
def test_a_login_goes_to_listed_servers_at_their_port_alone(
    realm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def ask(_method: str, url: str, *_: object) -> Answer:
        asked.append(url)
        return Answer(200, Message(), b'{"token": "t"}')

    monkeypatch.setattr(authorization, "ask", ask)
    servers = ("auth.example.com", "named.example.com:8443")
    login = Authorization(
        Login("bG9naW4="), host="own.example.com:5050", servers=servers, secure=True
    )
    with contextlib.suppress(NoTokenError):
        login.learn(challenged(f'Bearer realm="{realm}",service="s"'), scope_of("a", "pull"), {})
        login.header(scope_of("a", "pull"))
    assert bool(asked) is REALMS[realm]


def test_a_push_that_is_challenged_without_a_scope_asks_for_pull_and_push(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def ask(_method: str, url: str, *_: object) -> Answer:
        asked.append(url)
        return Answer(200, Message(), b'{"token": "t"}')

    monkeypatch.setattr(authorization, "ask", ask)
    login = Authorization(Login(""), host="own.example.com", servers=(), secure=True)
    scope = scope_of("a/b", "pull", "push")
    login.learn(challenged('Bearer realm="https://own.example.com/t",service="s"'), scope, {})
    assert login.header(scope) == {"Authorization": "Bearer t"}
    assert asked == ["https://own.example.com/t?service=s&scope=repository%3Aa%2Fb%3Apull%2Cpush"]


def challenged(challenge: str) -> Answer:
    headers = Message()
    headers["WWW-Authenticate"] = challenge
    return Answer(401, headers, b"")


def test_a_login_belongs_to_its_registry_and_namespace_alone() -> None:
    asked: list[tuple[str, str | None]] = []

    class Source(Quiet):
        def reply(self) -> None:
            path = self.path.removeprefix("/v2/").partition("/manifests")[0]
            given = self.headers["Authorization"]
            if given:
                asked.append((path, given))
            self.answer(200 if given else 401, WWW_Authenticate='Basic realm="r"')

    with serving(Source) as place:
        host = place.partition("://")[2]
        logins = {
            host: Login("wide"),
            f"{host}/team": Login("narrow"),
            "docker.io": Login("hub"),
        }
        given = Settings("h", "", "nested", "", "", {"a.io": place}, logins)
        for path in ("x", "team/x", "teams/x"):
            Repository(given, "a.io", path).digest("1")
    assert asked == [("x", "Basic wide"), ("team/x", "Basic narrow"), ("teams/x", "Basic wide")]
    assert given.login("a.io.evil.io/x") is None
    assert given.login("docker.io/library/x") == Login("hub")


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
        repository = Repository(settings_for("a.io", source), "a.io", "x")
        assert repository.digest("1") == known


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
    assert cause(stderr) == line
    assert bool(TROUBLE.search(line)) == trouble


@pytest.mark.parametrize(
    ("stderr", "line"),
    [("level=fatal msg=EOF\n", "EOF"), ("panic\n::error::x\n", "::error::x"), ("", "no words")],
)
def test_other_last_words_are_taken_as_they_are(stderr: str, line: str) -> None:
    assert cause(stderr) == line


def test_a_registrys_answer_that_is_nested_too_deep_gives_no_token() -> None:
    class Realm(Quiet):
        def reply(self) -> None:
            self.answer(200, b'{"token": ' * 5000)

    with serving(Realm) as realm:
        login = Authorization(None, secure=False)
        login.learn(challenged(f'Bearer realm="{realm}/token"'), scope_of("x", "pull"), {})
        with pytest.raises(NoTokenError):
            login.header(scope_of("x", "pull"))


@pytest.mark.usefixtures("ends")
@pytest.mark.parametrize("words", ["a: " * 300_000, "writing blob: " * 70_000, "GET a://" * 99_999])
def test_the_longest_words_are_cut(words: str) -> None:
    assert len(cause(f'time="t" level=fatal msg="reading manifest: {words}"')) <= 140


def test_a_long_cause_keeps_its_beginning_and_its_end() -> None:
    line = one_line("begin " + "x" * 500 + " end")
    assert len(line) == 140
    assert line.startswith("begin x")
    assert line.endswith("x end")


def test_a_summary_stays_under_what_github_takes(tmp_path: Path) -> None:
    place = tmp_path / "summary.md"
    summarise({"GITHUB_STEP_SUMMARY": str(place)}, [], [f"<{n}>|`" for n in range(60_000)])
    assert place.stat().st_size < 1 << 20
    assert place.read_text().rstrip().endswith("more")


def test_skopeo_gets_the_logins_of_its_two_repositories_in_a_file_for_nobody_else(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    auths = {name: {"auth": "d2VpOmE="} for name in ("a.io", "a.io/other", "b.io")}
    env = world.environment() | {"MIRROR_SOURCE_AUTH": json.dumps({"auths": auths})}
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    folder = tmp_path / "own"
    folder.mkdir()
    names = {"a.io/wei/x", f"{world.target.address}/a.io/wei/x"}
    write_logins(Settings.read(env), folder, *names, "c.io/x")
    file = folder / "auth.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert set(json.loads(file.read_text())["auths"]) == names


def test_a_target_that_holds_something_else_afterwards_is_a_failure(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.seed("docker.io/wei/swapped")
    env = world.environment()
    monkeypatch.setattr(Copying, "carried", lambda _, wanted: (wanted, 1))
    result = copying("docker.io/wei/swapped:1", Settings.read(env), world.directory).result()
    assert result.state == "failure"
    assert result.text.startswith("mismatch: copied sha256:")
    assert result.text.endswith("holds nothing")


# --- pull limits


def hub(answers: list[dict[str, str]]) -> type[Quiet]:
    """A registry with a pull limit. Each HEAD gets the next headers, later ones get the last."""

    class Hub(Quiet):
        def reply(self) -> None:
            said = answers.pop(0) if len(answers) > 1 else answers[0]
            self.answer(200, Docker_Content_Digest=DIGEST, **said)

    return Hub


def counted(left: int, limit: int = 100, kind: str = "index") -> dict[str, str]:
    return {
        "ratelimit_limit": f"{limit};w=21600",
        "ratelimit_remaining": f"{left};w=21600",
        "Content_Type": f"application/vnd.oci.image.{kind}.v1+json",
    }


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Record every sleep and skip it."""
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    return pauses


def between(source: str, target: str, patience: int = 0) -> Settings:
    addresses = {"docker.io": source, "h": target}
    return Settings("h", "", "nested", "", "", addresses, {}, patience)


class Empty(Quiet):
    """A target without the image until `held` is set."""

    held = False

    def reply(self) -> None:
        self.answer(200 if type(self).held else 404, Docker_Content_Digest=DIGEST)


@contextmanager
def copied_between(
    monkeypatch: pytest.MonkeyPatch, source: type[Quiet], *outcomes: str, patience: int = 0
) -> Iterator[tuple[Settings, list[int]]]:
    """Both ends and a copy that fails with each of `outcomes`, then succeeds. Yields calls."""
    calls: list[int] = []

    class Target(Empty):
        pass

    def carried(self: Copying, _: str | None) -> tuple[str, int]:
        self.permit()
        calls.append(1)
        if len(calls) <= len(outcomes):
            words = outcomes[len(calls) - 1]
            raise NotMovedError(words, passing=bool(TROUBLE.search(words)))
        Target.held = True
        return DIGEST, 0

    monkeypatch.setattr(Copying, "carried", carried)
    with serving(source) as place, serving(Target) as target:
        yield between(place, target, patience), calls


def test_an_image_waits_until_enough_pulls_are_left_and_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, slept: list[float]
) -> None:
    told: list[str] = []
    answers = [counted(3), counted(7), counted(60)]
    with copied_between(monkeypatch, hub(answers)) as (given, calls):
        way = copying("docker.io/wei/a:1", given, tmp_path, told)
        assert way.result().text == f"{DIGEST} copied"
    assert slept == [5, 15]
    assert calls == [1]
    words = "source: too many requests: {} of 100 pulls left at docker.io"
    assert told[0] == f"{words.format(3)}, asks again in 5 s"
    assert told[1].startswith(words.format(7))
    assert failures.classify(told[0]) is failures.FailureKind.RATE_LIMITED


@pytest.mark.parametrize(
    ("headers", "waits"),
    [
        ({}, False),
        (counted(1, kind="manifest"), False),
        (counted(0, kind="manifest"), True),
        (counted(5, limit=10), False),
        (counted(4, limit=10), True),
        (counted(20), False),
        (counted(19), True),
        ({"ratelimit_limit": "many", "ratelimit_remaining": "none"}, False),
        ({"ratelimit_limit": "100;w=1", "ratelimit_remaining": "9" * 4000}, False),
    ],
)
def test_what_an_image_may_cost_must_be_left(
    headers: dict[str, str],
    waits: bool,  # noqa: FBT001 - a table's column
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    slept: list[float],
) -> None:
    answers = [headers, counted(100)] if waits else [headers]
    with copied_between(monkeypatch, hub(answers)) as (given, _):
        assert copying("docker.io/wei/a:1", given, tmp_path).result().state == "success"
    assert bool(slept) == waits


def test_a_wait_ends_with_the_time_of_the_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, slept: list[float]
) -> None:
    monkeypatch.setattr(waits, "STARTED", time.monotonic() - waits.RUN_SECONDS)
    with copied_between(monkeypatch, hub([counted(0)]), patience=80) as (given, calls):
        result = copying("docker.io/wei/a:1", given, tmp_path).result()
    assert (result.state, calls, slept) == ("error", [], [])
    assert result.text == "source: too many requests: 0 of 100 pulls left at docker.io"
    with copied_between(monkeypatch, hub([counted(1)])) as (given, calls):
        assert copying("docker.io/wei/a:1", given, tmp_path).result().state == "success"
    assert calls == [1]


@pytest.mark.parametrize("sealed", [True, False])
def test_the_bot_gets_an_image_back_that_would_wait_for_long(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, slept: list[float], *, sealed: bool
) -> None:
    monkeypatch.setattr(waits, "PUT_OFF_SECONDS", 60)
    answers = [counted(3)] * 5 + [counted(60)]
    with copied_between(monkeypatch, hub(answers), patience=80) as (given, calls):
        way = copying("docker.io/wei/a:1", given, tmp_path)
        way.order = replace(way.order, sealed=sealed)
        result = way.result()
    if sealed:
        words = "source: too many requests: 3 of 100 pulls left at docker.io, waited 0 min, put off"
        assert (result.state, result.text, calls, slept) == ("error", words, [], [5, 15, 45])
        assert failures.classify(words) is failures.FailureKind.PUT_OFF
    else:
        assert (result.state, slept) == ("success", [5, 15, 45, 120, 300])


def test_the_wait_is_shorter_than_the_job() -> None:
    minutes = WORKFLOW["jobs"]["mirror"]["timeout-minutes"]
    assert minutes == waits.RUN_SECONDS // 60 + 15


def test_pulls_are_promised_once() -> None:
    traffic = Traffic(4)
    pulls = Pulls(30, 100, 20)
    assert traffic.promise("docker.io", 20, pulls)
    assert not traffic.promise("docker.io", 20, pulls)
    assert traffic.promise("other.io", 20, pulls)
    traffic.used("docker.io", 20)
    assert traffic.promise("docker.io", 20, pulls)


# --- transient trouble


@pytest.mark.parametrize(
    "words",
    [
        "source: toomanyrequests: slow down",
        "target: HTTP status: 503 Busy",
        "source: a.io: read: connection reset by peer",
        "source: unexpected EOF",
    ],
)
def test_trouble_is_waited_out_ever_longer(
    words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, slept: list[float]
) -> None:
    with copied_between(monkeypatch, hub([{}]), words, words, words, patience=80) as (given, calls):
        assert copying("docker.io/wei/a:1", given, tmp_path).result().state == "success"
    assert slept == [2, 6, 18]
    assert len(calls) == 4


def test_patience_and_time_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, slept: list[float]
) -> None:
    words = ["source: unexpected EOF"] * 20
    with copied_between(monkeypatch, hub([{}]), *words, patience=30) as (given, calls):
        assert copying("docker.io/wei/a:1", given, tmp_path).result().text == words[0]
    assert (slept, len(calls)) == ([2, 6, 18], 4)
    monkeypatch.setattr(waits, "COPY_SECONDS", 10)
    with copied_between(monkeypatch, hub([{}]), *words, patience=500) as (given, calls):
        assert copying("docker.io/wei/a:1", given, tmp_path).result().text == words[0]
    assert len(calls) == 3


@pytest.mark.parametrize(
    "words", ["source: manifest unknown", "target: denied: quota", "skopeo: FileNotFoundError"]
)
def test_what_will_not_change_is_not_tried_again(
    words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, slept: list[float]
) -> None:
    with copied_between(monkeypatch, hub([{}]), words, patience=80) as (given, calls):
        assert copying("docker.io/wei/a:1", given, tmp_path).result().text == words
    assert (slept, calls) == ([], [1])


@pytest.mark.parametrize(
    ("status", "headers", "pauses"),
    [
        (429, {"Retry_After": "7"}, [7]),
        (429, {"Retry_After": "99999999999"}, [60]),
        (503, {"Retry_After": formatdate(NOW + 7, usegmt=True)}, [7]),
        (503, {"Retry_After": formatdate(NOW - 7, usegmt=True)}, [0]),
        (503, {"Retry_After": formatdate(NOW + 9_000, usegmt=True)}, [60]),
        (503, {"Retry_After": "Mon, 99 Nov 2026 99:00:00 GMT"}, [2]),
        (503, {"Retry_After": "soon"}, [2]),
        (500, {}, [2]),
        (404, {"Retry_After": "7"}, []),
        (403, {}, []),
    ],
)
def test_a_question_is_asked_again_when_the_server_says(
    status: int,
    headers: dict[str, str],
    pauses: list[float],
    slept: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(time, "time", lambda: NOW)
    asked: list[str] = []

    class Source(Quiet):
        def reply(self) -> None:
            asked.append(self.command)
            if len(asked) == 1:
                self.answer(status, **headers)
            else:
                self.answer(200, Docker_Content_Digest=DIGEST)

    with serving(Source) as source:
        found = Repository(between(source, "", 80), "docker.io", "x").digest("1")
    assert slept == pauses
    assert found == (DIGEST if pauses else "" if status == 404 else None)


def test_without_patience_nothing_is_asked_twice(slept: list[float]) -> None:
    class Source(Quiet):
        def reply(self) -> None:
            self.answer(503, Retry_After="1")

    with serving(Source) as source:
        assert Repository(between(source, ""), "docker.io", "x").digest("1") is None
    assert slept == []


def test_a_login_that_a_host_wants_is_given_at_once_the_next_time() -> None:
    seen: list[str | None] = []

    class Source(Quiet):
        def reply(self) -> None:
            seen.append(self.headers["Authorization"])
            if seen[-1] is None:
                self.answer(401, WWW_Authenticate='Basic realm="r"')
            else:
                self.answer(200, Docker_Content_Digest=DIGEST)

    with serving(Source) as source:
        given = settings_for("a.io", source, "bG9naW4=")
        for path in ("x", "y"):
            assert Repository(given, "a.io", path).digest("1") == DIGEST
    assert seen == [None, "Basic bG9naW4=", "Basic bG9naW4="]


# --- what GitHub takes

LONG = "x" * 300
WORDS = {
    f"source: the decided digest is gone: sha512:{HEX}{HEX}": "source: the decided digest is gon",
    f"policy: denied by rule docker.io/{LONG}": "policy: denied by rule docker.io/xxxxxxx",
    f"sha512:{HEX}{HEX} 123456789 copied": f"sha512:{HEX}{HEX}",
}


@pytest.mark.parametrize("text", WORDS)
def test_a_description_stays_within_what_github_takes_and_says_what_counts(text: str) -> None:
    image = Image.parse("docker.io/wei/a:1")
    assert image
    state = "success" if text.startswith("sha") else "failure"
    result = Result(image, state, text, ground=f"rule {LONG}", note=LONG, previous=LONG)
    said = described(result)
    assert len(said) <= 140
    assert said.startswith(WORDS[text])


# --- limits of GitHub

SILENT = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes"}
HOUR = {"x_ratelimit_remaining": "0", "x_ratelimit_reset": str(int(NOW) + 3000)}
LIMITS: dict[str, tuple[int, dict[str, str], float]] = {
    "primary": (403, HOUR, 3000),
    "primary, by 429": (429, HOUR, 3000),
    "primary, just over": (403, {**HOUR, "x_ratelimit_reset": str(int(NOW) - 9)}, 1),
    "secondary": (403, {"Retry_After": "90"}, 90),
    "secondary, by a date": (403, {"Retry_After": formatdate(NOW + 90, usegmt=True)}, 90),
    "secondary, by 429": (429, {}, 60),
    "secondary without a word of when": (403, {}, 60),
    "secondary in the hour's end": (403, {**HOUR, "Retry_After": "5"}, 5),
    "of a day": (403, {"Retry_After": "86400"}, 3700),
}


@pytest.mark.parametrize("name", LIMITS)
def test_a_status_that_github_limits_is_posted_after_its_end(
    name: str, slept: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: NOW)
    status, headers, wait = LIMITS[name]
    left = [2]

    class GitHub(Quiet):
        def reply(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            left[0] -= 1
            if left[0] >= 0:
                self.answer(status, json.dumps(SILENT).encode(), **headers)
            else:
                self.answer(201)

    with serving(GitHub) as api:
        env = {
            "GITHUB_API_URL": api,
            "GITHUB_SERVER_URL": api,
            "GITHUB_REPOSITORY": "wei/mirror",
            "GITHUB_RUN_ID": "1",
            "GITHUB_SHA": "a" * 40,
            "GITHUB_TOKEN": "t",
        }
        image = Image.parse("docker.io/wei/a:1")
        assert image
        assert post(env, Result(image, "success", "x"))
        assert slept == [wait, wait]
        left[0] = 99
        assert not post(env, Result(image, "success", "x"), ())  # a whole list waits for none
        monkeypatch.setattr(waits, "STARTED", time.monotonic() - waits.RUN_SECONDS)
        assert not post(env, Result(image, "success", "x"))  # nor does a run that is over
    assert slept == [wait, wait]


# --- shards


@pytest.mark.parametrize("shards", ["1", "1, 2, 3", "1,2,3,4,5,6,7", "9, 4"])
def test_the_shards_of_a_list_are_all_of_it_and_share_nothing(shards: str) -> None:
    lines = [f"a:{n}" for n in range(20)]
    parts = [share(lines, shards, name.strip()) for name in shards.split(",")]
    assert sorted(line for part in parts for line in part) == sorted(lines)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize(("shards", "names"), [("1, 1, 2", "12"), ("2,1,2,1,", "12"), ("3,3", "3")])
def test_shards_that_are_named_twice_leave_nothing_out(shards: str, names: str) -> None:
    lines = [f"a:{n}" for n in range(20)]
    done = [line for name in names for line in share(lines, shards.rstrip(","), name)]
    assert sorted(done) == sorted(lines)


@pytest.mark.parametrize(("shards", "shard"), [("", ""), ("4", "1"), ("1, 2", "3"), ("a", "")])
def test_shards_that_make_no_sense_leave_nothing_out(shards: str, shard: str) -> None:
    assert share(["a", "b"], shards, shard) == ["a", "b"]
