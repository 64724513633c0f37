"""Command lines of container tools, and the images that they name.

A line is split into words. Nothing is run or expanded: `$VERSION` stays as it is. The tables say
for each tool where its images are, and which of its flags take no value.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

_RUNTIMES: Final = frozenset("docker podman nerdctl crictl ctr".split())
_COPIERS: Final = frozenset("crane regctl oras".split())
_CLUSTERS: Final = frozenset("kind k3d minikube trivy".split())
_TOOLS: Final = _RUNTIMES | _COPIERS | _CLUSTERS | {"kubectl", "oc", "helm", "skopeo"}
_TOOLS_WITHOUT_IMAGES: Final = frozenset(
    """
    curl wget git apt apt-get yum dnf cd export systemctl xargs nohup parallel watch kubeadm ssh scp
    make docker-compose cat vim vi mkdir pip pip3 npm npx yarn pnpm brew apk cargo dotnet gem
    """.split()
)
_PROMPTS: Final = frozenset({"$", "#", ">", "%", "sudo", "\\", "time", "exec", "!", "PS", "k3s"})
_PROMPT: Final = re.compile(r"[\w.-]+@[\w.-]+[:~]\S*[$#%]|\S*[~\]][$#%]|[A-Z]:\\\S*>|~\][$#]")
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=\S*")
_VERBS: Final = frozenset({"pull", "run", "create"})
_NOUNS: Final = frozenset("image images i container containers service".split())
_JOINTS: Final = frozenset({"&&", "||", "|", ";", "&"})
_SUBCOMMANDS: Final = frozenset(
    """
    apply build buildx compose container cp create delete describe down exec export get history
    image images import info inspect install kill list load login logout logs manifest network ps
    push repo restart rm rmi rollback rollout save scale search service stack start stats
    stop swarm system tag template uninstall up upgrade version volume
    """.split()
)
_IMAGES_FIRST: Final = re.compile(
    r"(?:image|images|manifest|i) (?:save|tag|inspect|export) |save |tag "
    r"|buildx imagetools (?:inspect|create) "
)
"""The words of a runtime after which images come, and no other program."""
_BEFORE_IMAGES: Final = re.compile(
    r"load docker-image |image (?:load|pull|copy) |(?:pull|digest|manifest|config|copy|cp|image) "
)
_WORD: Final = re.compile(r"""(?:[^\s"'$]|\$\([^()\n]{0,200}\)|"[^"]*"|'[^']*'|["'$])+""")
_LONG_DASH: Final = re.compile(r"^[\u2013\u2014](?=[A-Za-z])")
"""What phones and word processors make of two hyphens."""
_QUOTED: Final = re.compile(r"(?:sudo )?(?:docker|podman|nerdctl|crictl|ctr) \S")
"""A command within quotes, as for `ssh` and `sh -c`."""
_CHART: Final = re.compile(r"(?<!\S)oci://(\S+)")
_CHART_VERSION: Final = re.compile(r" --version[= ](\S+)")
_SETTINGS: Final = re.compile(r" --set(?:-string|-literal)?[= ](\S+)")
_SHORT_SWITCHES: Final = frozenset("ditqaPk")
_SWITCHES: Final = frozenset(
    """
    detach interactive tty quiet rm init privileged read-only publish-all no-healthcheck all-tags
    oom-kill-disable sig-proxy disable-content-trust all-platforms plain-http skip-verify tls-verify
    net-host replace unpack local force raw all overwrite
    """.split()
)
_MOST_WORDS: Final = 100  # after a tool, in which it has to name an image
_IMAGE_FLAG: Final = re.compile(r"--(?:[a-z-]+-)?image(?:=(\S+))?")
_NAMED_VALUE: Final = re.compile(r"[A-Za-z0-9*][A-Za-z0-9.*-]*=(\S+)")
_SOURCE: Final = re.compile(r"docker://(\S+)")


@dataclass(frozen=True, slots=True)
class CommandImages:
    """The images that a command names, and the words after them that may be images, too.

    `settings` are those of `helm --set`, as written.
    """

    images: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    are_charts: bool = False


def split_words(line: str) -> list[str]:
    """The words of a line as a shell splits them, without their quotes."""
    words = (re.sub(r"[\"']", "", word) for word in _WORD.findall(line))
    parts = (word.split() if _QUOTED.match(word) else [word] for word in words)
    return [_LONG_DASH.sub("--", word) for part in parts for word in part]


def is_tool(word: str) -> bool:
    """Whether a word is the name of a tool for containers, which may be that of an image, too."""
    return word in _TOOLS


def is_other_tool(word: str) -> bool:
    """Whether a word is the name of a tool that may run one for containers, such as `ssh`."""
    return word.lower() in _TOOLS_WITHOUT_IMAGES | _TOOLS


def image_argument(text: str) -> str | None:
    """The image of one `docker pull …` or similar. None where the line has more commands.

    For `pull` these are all words after the flags, which may be more than an image.
    """
    words = [word for word in text.split() if word not in _PROMPTS]
    if not words or words[0].lower() not in _RUNTIMES:
        return None
    end = next((i for i, word in enumerate(words) if word in _JOINTS), len(words))
    if not _RUNTIMES.isdisjoint(words[end:]):
        return None
    rest = words[1:end]
    verb = _verb(rest)
    if verb is None:
        return None
    given = _positional(rest[verb + 1 :])
    return " ".join(given) if rest[verb] == "pull" else next(iter(given), None)


def find_command(words: Sequence[str]) -> int | None:
    """The position of the first word of a known tool's command, or None.

    At the start of a line, or after a prompt, every known tool counts. Within a sentence it has to
    name an image with its verb, since people also write about docker.
    """
    start = command_start(words)
    other_tool = None
    for i, word in enumerate(words):
        tool = word.rpartition("/")[2].lower()
        if _CHART.fullmatch(word):
            return i
        if i == start and tool in _TOOLS_WITHOUT_IMAGES and i + 1 < len(words):
            other_tool = i  # it may run a container tool: `ssh node1 docker pull nginx`
        if tool in _TOOLS:
            rest = words[i + 1 : i + 1 + _MOST_WORDS]
            is_verb = tool in _RUNTIMES and _verb(rest) is not None
            if is_verb or (i == start and rest and rest[0] in _SUBCOMMANDS):
                return i
            named = images_named_by([tool, *rest])
            if named.images or named.settings:
                return i
    return other_tool


def images_named_by(words: Sequence[str]) -> CommandImages:
    """The images that one command names. `words` starts with the tool."""
    tool, rest = words[0].rpartition("/")[2].lower(), list(words[1:])
    if tool == "helm" or _CHART.fullmatch(words[0]):
        text = " ".join(words)
        parts = (part for found in _SETTINGS.findall(text) for part in found.split(","))
        settings = tuple(part for part in parts if "=" in part)
        return CommandImages(tuple(_charts(text)), settings=settings, are_charts=True)
    if tool == "skopeo":
        sources = [found[1] for word in rest if (found := _SOURCE.fullmatch(word))]
        return CommandImages(tuple(sources[:1]))
    if tool == "export":
        return CommandImages(more=tuple(rest))
    if tool == "make":  # variables name what it builds, but "make nginx available" is a sentence
        return CommandImages(more=tuple(word for word in rest if "=" not in word))
    if tool in _TOOLS_WITHOUT_IMAGES:
        return CommandImages()
    if tool in _RUNTIMES and (verb := _verb(rest)) is not None:
        first, *more = _positional(rest[verb + 1 :]) or [""]
        return CommandImages((first,) if first else (), tuple(more if rest[verb] == "pull" else ()))
    pattern = _IMAGES_FIRST if tool in _RUNTIMES else _BEFORE_IMAGES
    before = pattern.match(" ".join(rest[:4]))
    given = _positional(rest[before[0].count(" ") :]) if before else []
    if tool in _COPIERS or (before and before[0].endswith("tag ")):
        return CommandImages(tuple(given[:1]))  # a file or a target follows
    is_mixed = tool in {"kubectl", "oc"}
    return CommandImages(tuple(_flagged(rest)) or (() if is_mixed else tuple(given)))


def command_start(words: Sequence[str]) -> int:
    """The first word that is neither a prompt nor an assignment to a variable."""
    for i, word in enumerate(words):
        if word not in _PROMPTS and not _PROMPT.fullmatch(word) and not _ASSIGNMENT.fullmatch(word):
            is_prompt = word.startswith("[") and "]" in "".join(words[i + 1 : i + 2])
            return i + 2 if is_prompt else i  # `[root@node1 ~]#`
    return len(words)


def _verb(words: Sequence[str]) -> int | None:
    """The position of `pull`, `run` or `create`, if only flags and nouns come before it."""
    value = False
    for i, word in enumerate(words):
        if word in _VERBS:
            return i
        if word.startswith("-"):
            value = _takes_value(word)
        elif value:
            value = False
        elif word not in _NOUNS:
            return None
    return None


def _flagged(rest: list[str]) -> Iterator[str]:
    """The images of `kubectl set image a=x` and `oc image mirror x=y`, and of flags `--image`."""
    given = _positional(rest)
    if given[:2] == ["image", "mirror"]:
        yield from given[2:3]
    if given[:2] == ["set", "image"]:
        found = (_NAMED_VALUE.fullmatch(word) for word in rest if not word.startswith("-"))
        yield from (match[1] for match in found if match)
        return
    for i, word in enumerate(rest):
        if match := _IMAGE_FLAG.fullmatch(word):
            yield from [match[1]] if match[1] else rest[i + 1 : i + 2]


def _charts(text: str) -> Iterator[str]:
    """The chart of a registry with its version, which Helm writes with `_` for `+`."""
    chart, version = _CHART.search(text), _CHART_VERSION.search(text)
    if chart is not None and version is not None and ":" not in chart[1].rpartition("/")[2]:
        yield f"{chart[1]}:{version[1].replace('+', '_')}"
    elif chart is not None:
        yield chart[1] if ":" in chart[1].rpartition("/")[2] else f"oci://{chart[1]}"


def _positional(words: Sequence[str]) -> list[str]:
    """The words that are neither flags nor values of flags."""
    given: list[str] = []
    value = False
    for word in words:
        if word.startswith("-") and (word == "--" or word.strip("->")):
            value = _takes_value(word)
        elif not value:
            given.append(word)
        else:
            value = False
    return given


def _takes_value(flag: str) -> bool:
    """Whether the next word is its value: `-p`, `-dp`, `--name`, but not `-it`, `-p80`, `--rm`."""
    if flag.startswith("--"):
        return "=" not in flag and flag[2:] not in _SWITCHES
    return _SHORT_SWITCHES.issuperset(flag[1:-1]) and flag[-1] not in _SHORT_SWITCHES
