"""Inputs for the fuzz targets, each made from a string of bytes: one generator for all drivers.

A driver (a seeded random, hypothesis, atheris) only makes bytes. `Choices` spends them: which seed
to take, what to insert where, what to break. The same bytes always give the same input, so
hypothesis can shrink it and atheris can follow the coverage.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pasted import ALL

T = TypeVar("T")


class Choices:
    """A string of bytes that is spent on choices. After its end each choice is the first one."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def below(self, bound: int) -> int:
        size = 1 if bound <= 0x100 else 2
        spent = self._data[self._at : self._at + size]
        self._at += size
        return int.from_bytes(spent, "big") % bound

    def pick(self, options: Sequence[T]) -> T:
        return options[self.below(len(options))]

    def several(self, make: Callable[["Choices"], T], most: int) -> list[T]:
        return [make(self) for _ in range(self.below(most + 1))]

    def rest(self) -> bytes:
        """Return the bytes that are not spent yet."""
        spent, self._at = self._at, len(self._data)
        return self._data[spent:]

    def text(self) -> str:
        return self.rest().decode(errors="replace")


HEX = "0123456789abcdef" * 4
HOSTS = (
    *("", "docker.io/", "index.docker.io/", "registry-1.docker.io/", "gcr.io/", "quay.io/"),
    *("localhost/", "localhost:5000/", "Example.COM:8443/", "a.io:0/", "a.io:port/", "UPPER/"),
    *("harbor.example.com/", "127.0.0.1/", "10.0.0.1:80/", "0x7f.1/", "2130706433/", "[::1]/"),
    *("[fe80::1%25eth0]:5000/", "[::ffff:10.0.0.1]/", "my_host.com/", "-a.io/", "a-.io/", "a..io/"),
    *("xn--a/", "xn--bcher-kva.example/", "user@a.io/", "https://a.io/", "//", "/", "k8s/"),
    "\u2170.io/",  # looks like i.io
)
PARTS = (
    *("nginx", "library/nginx", "a", "a/b", "distroless/static", "a__b", "a--b", "a-b_c.d", "0"),
    *("A", "a..b", "a___b", "a-", "_a", "a//b", "a/", "ａ", "é", "a b", "..", "a/../b", "-a"),  # noqa: RUF001 - look-alikes are the point
    *(HEX, "a" * 128, "a" * 255, "a" * 256, "a/" * 127 + "a", "-" * 300 + "a", "a" + "-" * 300),
)
TAGS = (
    *("", "", ":1.27", ":latest", ":v1", ":_", ":T_a.g-1", f":{'t' * 128}", f":{'t' * 129}"),
    *(":", ":.1", ":-1", ":1:2", ":１", ":1/2", "：1", ":1 ", ":1\n", ":1\0", ":[skip ci]"),  # noqa: RUF001 - likewise
)
DIGESTS = (
    *("", "", "", "", f"@sha256:{HEX}", f"@sha512:{HEX}{HEX}", f"@sha384:{HEX}{HEX[:32]}"),
    *(f"@sha256:{HEX.upper()}", f"@sha256:{HEX[:-1]}", f"@sha256:{HEX}0", f"@md5:{HEX[:32]}"),
    *("@", "@sha256:", f"@sha256+b64u:{HEX}", f"@sha256:{HEX}\n", f"@sha256:{HEX}@sha256:{HEX}"),
)
ODD = (
    *("\n", "\r", "\0", "\t", " ", "\u00a0", "\u200b", "\u2028", "\x85", "\ufeff", "\u202e"),
    *("[skip ci]", "::set-output name=x::y", "##[error]x", "::add-mask::x", "$(id)", "`id`"),
    *("${IFS}", ";", "|", "&", ">", "'", '"', "\\", "*", "?", "~", "!", "%0a", "%2e", "<b>"),
    *("-", "--", "_", ".", "/", ":", "@", "#", "=", ",", "+", "０", "٣", "ß", "İ", "ﬀ", "🚀", "同"),  # noqa: RUF001 - likewise
    *("{{ x }}", "${A:-b}", "{", "}", "[", "]", "\ud800", "A", "z", "9", "Batch: x", "\n\n"),
)
SEEDS = (
    *("nginx", "nginx:1.27", "bitnami/nginx", "docker.io/library/nginx:1.26", "ghcr.io", HEX),
    *("gcr.io/distroless/static:nonroot", f"ghcr.io/a/b:1@sha256:{HEX}", f"a@sha256:{HEX}"),
    *("registry.k8s.io/kube-apiserver:v1.31.0", "localhost:5000/a/b__c/d---e:T_a.g-1", f"{HEX}:1"),
    *("https://hub.docker.com/_/nginx", "docker pull nginx:1", "nginx：1.27", "nginx/1.27"),
)


def reference(choices: Choices) -> str:
    """A reference or something close: composed, a seed, or pieces, and then broken a little."""
    match choices.below(8):
        case 0:
            return choices.text()
        case 1:
            text = choices.pick(SEEDS)
        case 2:
            text = "".join(choices.several(_piece, 6))
        case _:
            text = choices.pick(HOSTS) + choices.pick(PARTS)
            text += choices.pick(TAGS) + choices.pick(DIGESTS)
    return broken(text, choices, choices.pick((0, 0, 0, 1, 1, 2, 3)))


def _piece(choices: Choices) -> str:
    return choices.pick(choices.pick((HOSTS, PARTS, TAGS, DIGESTS, ODD)))


def broken(text: str, choices: Choices, times: int) -> str:
    """Return the text with this many small breaks in it."""
    for _ in range(times):
        at = choices.below(len(text) + 1)
        match choices.below(8):
            case 0 | 1:
                text = text[:at] + choices.pick(ODD) + text[at:]
            case 2:
                text = text[:at] + text[at + 1 + choices.below(3) :]
            case 3:
                text = text[:at]
            case 4:
                text = text[:at] + text[at : at + 8].swapcase() + text[at + 8 :]
            case 5:
                text = text[:at] + text[at : at + 1 + choices.below(8)] * choices.pick((2, 9, 70))
            case 6:
                text += choices.pick(ODD)
            case _:
                other = choices.below(len(text) + 1)
                text = text[:at] + text[other : other + 12] + text[at:]
    return text


WORDS = (
    *("image: ", "- ", "  ", "\n", "\r\n", ": ", "{", "}", "[", "]", ",", "&a ", "*a", "<<: "),
    *("services:\n", "apiVersion: v1\nkind: Pod\n", "repository: ", "tag: ", "registry: ", "---\n"),
    *("docker pull ", "docker run -d ", "--set ", "helm upgrade x ", "image.tag=", "&& ", "sudo "),
    *("kubectl set image a=", "FROM ", "ARG A=", "COPY --from=", "RUN --mount=type=bind,from="),
    *(" AS b\n", "\\\n", "<<EOF\n", "EOF\n", "$A", "${A:-", "```\n", "```yaml\n", "~~~", "|\n  "),
    *(">-\n", "#", "# escape=`\n", "REPOSITORY  TAG  IMAGE ID\n", "https://hub.docker.com/r/"),
    *("https://github.com/a/b/pkgs/container/", "同步", "，", "、", "谢谢", "please ", "and "),
    *("manifest for ", " not found", 'Pulling image "', "Image ID:", "? ", "!!str ", "%YAML 1.1\n"),
)
FILES = (
    *("", "", "a.yaml", "values.yaml", "docker-compose.yml", "Dockerfile", "a.txt", "a.json"),
    *("Dockerfile.dev", "new.txt", "values-prod.yaml", "\0", "../a.yaml", "a" * 200, "\u202efdp"),
)


def paste(choices: Choices) -> tuple[str, str]:
    """What people send, broken: a text, and a file name that is empty for a message."""
    match choices.below(4):
        case 0:
            name = choices.pick(FILES)
            return "".join(choices.several(_word, 30)), name
        case 1:
            name = choices.pick(FILES)
            return choices.text(), name
        case _:
            seed, other = choices.pick(ALL), choices.pick(ALL)
            text = seed.text
            if choices.below(3) == 0:
                cut = choices.below(len(text) + 1)
                text = text[:cut] + choices.pick(("", "\n", "---\n")) + other.text
            name = seed.name if choices.below(3) else choices.pick(FILES)
            return broken(text, choices, choices.below(5)), name


def _word(choices: Choices) -> str:
    match choices.below(4):
        case 0:
            return reference(choices)
        case 1:
            return choices.pick(ODD)
        case _:
            return choices.pick(WORDS)


UNITS = (
    *(
        "a/",
        "a:",
        "${",
        "[[",
        "{{",
        "```a\n",
        "image: a\n",
        "- ",
        "a: ",
        "ab ",
        "<<A ",
        "a b: ",
        "\\\n",
    ),
    *(
        "RUN <<A <<A\n",
        "FROM a\n",
        "docker pull ",
        "a@b:",
        "a.",
        "--",
        " : ",
        "&a ",
        "Pulled ",
        "**",
    ),
    *(
        "image:\n  repository: a\n  tag: b\n",
        "REPOSITORY TAG\na b\n",
        "中a",
        'k: "',
        "a  b  c  d\n",
    ),
)
LENGTH = 60_000


def repeated(choices: Choices) -> tuple[str, str]:
    """One part, or two in turn, repeated: the input on which a slow pattern or loop shows."""
    some = (UNITS, UNITS, WORDS, ODD)
    unit = choices.pick(choices.pick(some)) + choices.pick(
        ("", "", choices.pick(choices.pick(some)))
    )
    tail = choices.pick(("", "\n", "x", '"', "\n: [}\nimage: nginx:1\n", "\n```\n", "\\"))
    return unit * (LENGTH // len(unit)) + tail, choices.pick(FILES)


COMMANDS = (
    *("/mirror", "/status", "/lookup", "/list", "/approve", "/reject", "/cancel", "/retry"),
    *("/help", "/start", "/whoami", "/Mirror", "/ mirror", "mirror", "／mirror", "//mirror"),
    "/\u217firror",  # looks like an m
)
BOTS = (
    *("", "", "@imageto_bot", "@IMAGETO_BOT", "@other_bot", "@", "@imageto_bot@x", "@é"),
    "@\u0131mageto_bot",  # becomes I in upper case
)
NUMBERS = ("41", "#41", "＃41", "#", "0", "-1", "9" * 18, "9" * 19, "٤١", "4 1", "41x", "#41 no")


def command(choices: Choices) -> str:
    """A message to the bot, or something close to one."""
    head = (
        choices.pick(COMMANDS) + choices.pick(BOTS) + choices.pick((" ", "\n", "\t", "", "\u3000"))
    )
    match choices.below(3):
        case 0:
            body = choices.pick(NUMBERS) + choices.pick(("", " why", "\n\nno [skip ci]"))
        case 1:
            body = reference(choices)
        case _:
            body = paste(choices)[0]
    return broken(head + body, choices, choices.pick((0, 0, 1, 2)))


LINES = (
    *(b"nginx:1.26", b"# a comment", b"", b"\t", b"redis:7 # cache", b"a b", b"\xff\xfe", b"#"),
    *(b"docker.io/library/nginx:latest", b"  quay.io/a/b:1  ", b"nginx#1", b"\xef\xbb\xbfnginx"),
    *("镜像".encode(), b"\x0b", b"\x0c", b"\x1c", b"a\x85b", b"\0", b"x" * 5000, b"image: nginx"),
)
ENDS = (b"\n", b"\n", b"\n", b"\r\n", b"\r", b"", b"\n\n", b"\x0b", b"\x85", b"\xe2\x80\xa8")


def image_list(choices: Choices) -> bytes:
    """The text of image.list as a maintainer, a tool or an accident may have left it."""
    start = choices.pick((b"", b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\xef\xbb\xbf\xef\xbb\xbf"))
    return start + b"".join(choices.several(_line, 12))


def _line(choices: Choices) -> bytes:
    if choices.below(3):
        return choices.pick(LINES) + choices.pick(ENDS)
    return reference(choices).encode(errors="replace") + choices.pick(ENDS)


VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 2**70, 10**400, 0.5, float("inf"), float("nan")),
    *("", " ", "x", "0", "\ud800", "\0", "a\nb", "<b>&", "x" * 5000, "9" * 5000, [], {}, [[]]),
    *([None], {"": None}, {"message": 5}, "2026-13-45T99:99:99Z", "2026-11-25T10:00:00Z"),
    *("::set-output name=x::y", "[skip ci]", "sha256:" + HEX, "https://a.io/x", "\u202ex", "null"),
)


def mutated(document: Any, choices: Choices) -> Any:
    """Return the JSON document with a few of its values replaced, left out or added."""
    for _ in range(choices.pick((0, 1, 1, 2, 3, 5))):
        document = _changed(document, choices)
    return document


def _changed(node: Any, choices: Choices) -> Any:
    if isinstance(node, dict) and node and choices.below(8):
        key = choices.pick(list(node))
        rest = {k: v for k, v in node.items() if k != key}
        return rest if choices.below(6) == 0 else rest | {key: _changed(node[key], choices)}
    if isinstance(node, list) and node and choices.below(8):
        at = choices.below(len(node))
        return [*node[:at], _changed(node[at], choices), *node[at + choices.below(2) :]]
    if isinstance(node, str) and choices.below(2):
        return broken(node, choices, 1)
    return choices.pick(VALUES)


BODIES = (
    *(b"", b"null", b"[]", b"{}", b"0", b'"x"', b"{", b"\xff\xfe", b"[" * 5000, b'{"a":' * 5000),
    *(b"<html><body>502 Bad Gateway</body></html>", b"9" * 5000, b"[NaN, Infinity]", b"\0" * 9),
    *(b'{"message": "Not Found", "status": "404"}', b'{"errors": [{"code": "DENIED"}]}'),
    *(b'{"errors": [[]]}', b'{"errors": {}}', b'{"errors": [{"code": "\\ud800", "message": []}]}'),
)


def body(document: Any, choices: Choices) -> bytes:
    """Return the document as a server's answer: mutated, cut off, or something else."""
    kind = choices.below(8)
    if kind == 0:
        return choices.pick(BODIES)
    sent = json.dumps(mutated(document, choices)).encode()
    if kind == 1:
        at = choices.below(len(sent) + 1)
        return sent[:at] + choices.rest()[:40]
    return sent
