"""The words of a line of chat, and which of them can be images.

Each word is classified by itself. Other words decide about `nginx`: see plain_line.py. A Chinese
character ends a word as a blank does, and so does full-width punctuation but within a reference.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from typing import Final

from bot.paste.correction import DASHES, split_off_tag
from bot.paste.finding import MENTION_LENGTH_LIMIT, has_tag, is_bare_digest
from bot.paste.official_images import OFFICIAL_IMAGES
from bot.paste.web_addresses import image_of_source_page, image_on_page


class TokenKind(Enum):
    """What a word can be."""

    IMAGE = auto()  # with a tag, a digest or a known registry: surely an image
    PATH = auto()  # `owner/name`, which may be an image: `and/or` looks the same
    BARE = auto()  # one word that may be an official image of Docker Hub
    VERSION = auto()
    WORD = auto()  # a known word of a language, no image
    THING = auto()  # an address, a path, a number, a time or a platform: surely no image
    OTHER = auto()  # not understood: it may be an image that is written wrongly


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a line. `start` and `end` are its position there."""

    text: str
    kind: TokenKind
    start: int
    end: int


ENGLISH_WORDS: Final = frozenset(
    """
    a about above add added after again all already also am an and any anybody anyone app are as
    asap ask at available back be because been before behind below best both but by bye can cannot
    cant change cheers cluster cn com copy could current deploy did do docs does doing done dont
    each either else error etc even every everybody everyone everything failed fails fetch few
    find first fix folks following for from get getting give go going got great guys had has have
    having he hello help her here hers hey hi him his hope how i id if im image images in info
    into is it its just keep kind know last later latest let lets like list little long look lot
    make many may maybe me mean might mine mirror mirrored mirroring mirrors missing more most
    much must my need needed needs net never new next nice no none not nothing now of off ok okay
    old on once one only or org other our out over per please pls plz port possible ps pull
    pulled pulling push put quick quickly re ready really release repo repository
    request required right said same say see seems send server service she should show so some
    somebody someone something soon sorry still stop such sure sync synced syncing tag tags take
    team test thank thanks that the their them then there these they thing things think this
    those three time to today tomorrow too tried try trying two up update updated upgrade url us
    use used using version versions very via wait want wants was way we well were what when
    where which while who why will with without won work working works would yes yesterday yet
    you your yours thx ty tks todo note cc base build builds built check file files folder
    line lines link links mail open page pages read run running runs write written nodes
    amd64 arm64 x86_64 aarch64 armv7 linux multiarch regards scratch
    """.split()
)
LABELS: Final = ENGLISH_WORDS.union(
    """
    http https host name status date ip created size q img ports namespace path message reason arch
    platform os level dockerfile makefile
    """.split()
)
_KEYS: Final = frozenset(
    """
    localhost cpu memory mem disk gpu limit limits key value user password tel phone mobile wechat
    qq email type kind
    """.split()
)
"""Words before a colon that is not followed by a tag."""
_PAIRS: Final = frozenset(
    """
    and/or he/she n/a w/o i/o tcp/ip ci/cd yes/no read/write input/output client/server dev/prod
    test/prod his/her s/he a/b on/off true/false up/down amd64/arm64 arm64/amd64 x86/arm pull/push
    start/stop unknown/unknown
    """.split()
)
_PLATFORM: Final = re.compile(
    r"(?:(?:linux|windows|darwin|freebsd)/)?"
    r"(?:386|amd64|arm64|arm|ppc64(?:le)?|s390x|mips(?:64)?(?:le)?|riscv64|loong64)(?:/v[0-9]+)?"
)
_KNOWN_HOST: Final = re.compile(
    r"(?:[a-z0-9-]+\.)*(?:docker\.io|ghcr\.io|gcr\.io|quay\.io|k8s\.io|pkg\.dev|nvcr\.io"
    r"|azurecr\.io|amazonaws\.com|ecr\.aws|mcr\.microsoft\.com|registry\.gitlab\.com|lscr\.io"
    r"|docker\.elastic\.co|icr\.io|redhat\.com|daocloud\.io|aliyuncs\.com|nju\.edu\.cn"
    r"|myhuaweicloud\.com|tencentyun\.com|ustc\.edu\.cn|1ms\.run|dockerproxy\.com)"
)

_WIDE: Final = {0xFF01 + i: 0x21 + i for i in range(94)} | {0x3002: "."} | DASHES
_INNER: Final = "\uff0f\uff1a\uff20\uff0e\uff0d"
_HIDDEN: Final = "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff"
_CHARACTER: Final = (
    rf"[A-Za-z0-9._/:@+%?&=#$~\\\[\]{{}}!{_INNER}\uff10-\uff19\uff21-\uff3a\uff41-\uff5a{_HIDDEN}-]"
)
_TOKEN: Final = re.compile(
    rf"(?:{_CHARACTER}|\u3002(?=[0-9])|(?<=[0-9])[{''.join(map(chr, DASHES))}](?=[a-z0-9]))+"
)
_BRACKET: Final = re.compile(r"\[[A-Za-z][\w. -]{0,40}\](?=[A-Za-z0-9])")
_LABEL: Final = re.compile(r"[A-Za-z_-]{1,40}[0-9]{0,3}|[0-9]{1,3}")
_AFTER_PORT: Final = re.compile(r"[0-9]+(?:/|$)")
_ALIAS: Final = re.compile(r"([^$=]+[:@][^$/:@=]+)([$=][A-Za-z0-9][^${}]*)")
"""`image$name` of hub-mirror and `image=target` of oc."""
_MAIL: Final = re.compile(r"[\w.+-]+@[A-Za-z0-9-]+\.[0-9.-]*[A-Za-z][^@]*|@[\w.-]+")
_AT_VERSION: Final = re.compile(r"[a-z0-9][a-z0-9._/-]*@v?[0-9][A-Za-z0-9_.-]*")
_EDGES: Final = ".:;!?/…=&#%{}[]~" + _INNER
_LEADING: Final = ":;!?=&#%{}[]…" + _INNER
_ID: Final = re.compile(r"(?=[a-z]*[0-9])[0-9a-f]{12}")  # as Docker prints it
_VERSION: Final = re.compile(r"v?[0-9]+(?:\.[0-9]+)*(?:-[A-Za-z0-9._-]+)?")
_ADDRESS: Final = re.compile(r"[0-9]+(?:\.[0-9]+){3}(?::[0-9]+)?")
_NAME: Final = re.compile(r"[A-Za-z0-9]+(?:[._-]+[A-Za-z0-9]+)*")
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,127}")
TAG_WORD: Final = re.compile(
    r"(?i)^(?:latest|stable|edge|main|master|nightly|mainline|alpine|slim|lts|nonroot|debug|dev|rc"
    r"|beta|alpha|canary|release|fpm|apache|cli|jre|jdk|musl|glibc|full|perl|rolling|devel|noble"
    r"|jammy|focal|bionic|bookworm|bullseye|buster|trixie|sid|management|dind|rootless|linux|prod)(?:[.-]|$)"
)
_SEVERAL: Final = re.compile(
    r"v?([0-9]+)(?:\.[0-9]+)*(?:\.[xX]|-v?\1(?:\.[0-9]+)+)|[vV]?[XxNn](?:\.[XxYyZzNn])*"
)
_PROTOCOL: Final = re.compile(r"[0-9]+/(?:tcp|udp|sctp)", re.IGNORECASE)
_SHORT_PORT: Final = re.compile(r"(?!localhost)[a-z0-9-]+:[0-9]{1,3}")
_AMOUNT: Final = re.compile(r"[0-9.]+(?:m|[KMGT]i?B?|ms|min)|1[3-9][0-9]{9}", re.IGNORECASE)
"""An amount of memory or of time, or a telephone number."""
_DIGEST: Final = re.compile(r"[^@]+@sha[0-9]+:[0-9A-Fa-f]+", re.IGNORECASE)
_FILE: Final = (
    r".*\.(?:ya?ml|json|md|txt|sh|go|py|js|ts|tsx|html?|css|log|env|conf|cfg|ini|toml|xml|zip|gz|tgz"
    r"|tar|zst|png|jpe?g|svg|pdf|lock|list|java|rs|c|h|cpp|tf|tpl|sock|service)"
)
_THING: Final = re.compile(rf"[./@].*|~/.*|{_ADDRESS.pattern}|(?i:{_FILE})", re.DOTALL)
_IS_FILE: Final = re.compile(_FILE, re.IGNORECASE)


def tokens_of(line: str) -> Iterator[Token]:
    """The words of a line that contain a letter or a digit."""
    for found in _TOKEN.finditer(line):
        before, after = line[found.start() - 1 : found.start()], line[found.end() : found.end() + 1]
        whole = found[0].rstrip("-=") if after == ">" else found[0]  # before an arrow
        for text, kind, start in _words_in(whole):
            is_cut = after in {"<", "^"} or (after == "*" != before) or before == ">" != line[:1]
            odd = TokenKind.OTHER if is_cut and kind is not TokenKind.WORD else kind
            begin = found.start() + start
            yield Token(text, odd, begin, begin + len(text))


@lru_cache(maxsize=4096)  # each line is read in several ways, and lists repeat themselves
def _words_in(whole: str) -> tuple[tuple[str, TokenKind, int], ...]:
    """The words in characters without a blank, each with its kind and its position.

    An image with a name for its copy is two words.
    """
    text, start = _unlabelled(whole)
    trimmed = text.lstrip(_LEADING)
    start += len(text) - len(trimmed)
    if not any(character.isalnum() for character in trimmed):
        return ()
    alias = _ALIAS.fullmatch(trimmed.rstrip("\uff0e"))  # a full-width full stop
    if alias is None:
        return ((trimmed, token_kind(trimmed), start),)
    parts = (alias[1], 0), (alias[2], alias.start(2))
    return tuple((part, token_kind(part), start + begin) for part, begin in parts)


def _unlabelled(text: str) -> tuple[str, int]:
    """The text without a label such as `image=` or `image:`, and its position."""
    if "://" in text or "?" in text or _ALIAS.fullmatch(text):
        return text, 0
    body = text[text.rfind("=") + 1 :]
    if bracket := _BRACKET.match(body):
        body = body[bracket.end() :]
    label, colon, rest = body.translate(_WIDE).partition(":")
    if colon and rest and (label.lower() in LABELS or _is_label(label, rest)):
        body = body[len(label) + 1 :]
    return body, len(text) - len(body)


def _is_label(label: str, rest: str) -> bool:
    """Whether a text before a colon is a label of the image after it: `web:nginx:1.27`."""
    if not _LABEL.fullmatch(label) or _AFTER_PORT.match(rest):
        return False
    return label.isdecimal() or (has_tag(rest) and not rest[0].isdecimal())


def known_host(text: str) -> str | None:
    """The registry that a word is, such as `quay.io` in `from quay.io: acme/web`, or None."""
    host = text.lower().rstrip("/" + _EDGES)
    return host if _KNOWN_HOST.fullmatch(host) else None


def token_kind(text: str) -> TokenKind:
    """What a word can be by itself."""
    plain = re.sub(f"[{_HIDDEN}]", "", text).translate(_WIDE)
    if len(plain) > MENTION_LENGTH_LIMIT or re.search(r"[$\\{}\[\]]", plain.rstrip(_EDGES)):
        return TokenKind.OTHER
    if "://" in plain or image_of_source_page(plain) or image_on_page(plain):
        return _shape_of_address(plain)
    is_folder = plain.endswith("/") and plain.count("/") == 1 and "." not in plain
    plain = plain.rstrip(_EDGES)
    if is_folder or not plain or _THING.fullmatch(plain):
        return TokenKind.THING
    if plain[0] in "-~+" or _KNOWN_HOST.fullmatch(plain):
        return TokenKind.OTHER
    if "@" in plain:
        return _shape_with_at(plain)
    if "/" in plain:
        return _shape_of_path(plain)
    if ":" in plain:
        return _shape_of_pair(plain)
    return _shape_of_word(plain, ends_open=text.endswith((":", "\uff1a")))


def _shape_with_at(plain: str) -> TokenKind:
    """`name@sha256:…`, `nginx@1.27` as other tools write versions, or an address of mail."""
    if _DIGEST.fullmatch(plain) or (
        _AT_VERSION.fullmatch(plain) and not _ADDRESS.fullmatch(plain.rpartition("@")[2])
    ):
        return TokenKind.IMAGE
    return TokenKind.THING if _MAIL.fullmatch(plain) else TokenKind.OTHER


def _shape_of_address(plain: str) -> TokenKind:
    """The kind of an address: of a page about an image, or a reference with a scheme."""
    scheme, separator, rest = plain.partition("://")
    if separator and scheme.lower() not in {"http", "https"}:
        return TokenKind.IMAGE if scheme.lower() in {"docker", "oci"} else TokenKind.THING
    if image_on_page(plain):
        return TokenKind.IMAGE
    host, _, path = rest.partition("/")
    tag = path.rpartition("/")[2].rpartition(":")
    is_named = _KNOWN_HOST.fullmatch(host.lower()) or (tag[1] and _TAG.fullmatch(tag[2]))
    is_image = path and is_named and not path.startswith("v2/") and "?" not in path
    is_source = image_of_source_page(plain)
    return TokenKind.IMAGE if is_image and not is_source else TokenKind.THING


def _shape_of_path(plain: str) -> TokenKind:
    host, name = plain.partition("/")[0].lower(), plain.rpartition("/")[2]
    is_platform = plain.lower() in _PAIRS or _PLATFORM.fullmatch(plain.lower())
    if is_platform or not re.search("[A-Za-z]", plain) or is_bare_digest(plain):
        return TokenKind.THING
    name, colon, tag = name.partition(":")
    if not name or (colon and not _TAG.fullmatch(tag)) or "+" in plain.partition(":")[0]:
        return TokenKind.OTHER
    if _SHORT_PORT.fullmatch(host) or host.isdecimal():  # `centos:7/8` are two versions
        return TokenKind.THING if _PROTOCOL.fullmatch(plain) else TokenKind.OTHER
    if re.search(r"[?&#%=~]", plain):
        return TokenKind.OTHER
    if _IS_FILE.fullmatch(name):
        return TokenKind.THING
    return TokenKind.IMAGE if colon or _KNOWN_HOST.fullmatch(host) else TokenKind.PATH


def _shape_of_pair(plain: str) -> TokenKind:
    """`nginx:1.27` is an image. `localhost:8080`, `12:30` and `note:this` are not."""
    name, _, tag = plain.partition(":")
    if name.lower() in LABELS:
        return TokenKind.WORD
    is_address = ("." in name and tag.isdecimal()) or not re.search("[A-Za-z]", name)
    is_key = name.lower() in _KEYS or is_bare_digest(plain) or _AMOUNT.fullmatch(tag)
    if is_key or is_address:
        return TokenKind.THING
    is_port = tag.isdecimal() and len(tag) >= len("1000") and name not in OFFICIAL_IMAGES
    is_odd = "." in name or len(name) == 1 or is_port
    is_image = not is_odd and _NAME.fullmatch(name) and _TAG.fullmatch(tag)
    return TokenKind.IMAGE if is_image else TokenKind.OTHER


def is_doubtful(text: str) -> bool:
    """Whether the tag may be none: a word, any version as in `1.x`, or `1.26-1.28`."""
    name, _, tag = text.rpartition(":")
    is_word = "/" not in name and tag.isalpha() and TAG_WORD.search(tag) is None
    return (bool(name) and is_word) or _SEVERAL.fullmatch(tag) is not None


def _shape_of_word(plain: str, *, ends_open: bool) -> TokenKind:
    if _VERSION.fullmatch(plain):
        return TokenKind.VERSION
    if plain.lower() in ENGLISH_WORDS:
        return TokenKind.VERSION if plain == "latest" else TokenKind.WORD
    if not _NAME.fullmatch(plain):
        return TokenKind.OTHER
    is_thing = len(plain) == 1 or _AMOUNT.fullmatch(plain)
    if is_thing or ("." in plain and not split_off_tag(plain)):
        return TokenKind.THING
    if ends_open:
        return TokenKind.WORD
    if _ID.fullmatch(plain):
        return TokenKind.THING
    return TokenKind.BARE if re.search("[A-Za-z]", plain) else TokenKind.OTHER
