"""Command lines of container tools, and the images that they name.

A line is split into words. Nothing is run or expanded: `$VERSION` stays as it is. The tables say
for each tool where its images are, and which of its flags take no value.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

_RUNTIMES: Final = frozenset({"docker", "podman", "nerdctl", "crictl", "ctr"})
_OTHER_TOOLS: Final = frozenset(
    {
        "kubectl",
        "oc",
        "helm",
        "kind",
        "k3d",
        "minikube",
        "skopeo",
        "crane",
        "regctl",
        "oras",
        "trivy",
    }
)
_TOOLS_WITHOUT_IMAGES: Final = frozenset(
    {
        *("curl", "wget", "git", "apt", "apt-get", "yum", "dnf", "cd", "export", "systemctl"),
        *(
            "xargs",
            "nohup",
            "parallel",
            "watch",
            "kubeadm",
            "ssh",
            "scp",
            "make",
            "docker-compose",
            "cat",
            "vim",
            "vi",
            "mkdir",
        ),
        *("pip", "pip3", "npm", "npx", "yarn", "pnpm", "brew", "apk", "cargo", "dotnet", "gem"),
    }
)
_PROMPTS: Final = frozenset({"$", "#", ">", "%", "sudo", "\\", "time", "exec", "!", "PS", "k3s"})
_PROMPT: Final = re.compile(r"[\w.-]+@[\w.-]+[:~]\S*[$#%]|\S*[~\]][$#%]|[A-Z]:\\\S*>|~\][$#]")
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=\S*")
_VERBS: Final = frozenset({"pull", "run", "create"})
_NOUNS: Final = frozenset({"image", "images", "i", "container", "containers", "service"})
_JOINTS: Final = frozenset({"&&", "||", "|", ";", "&"})
_SUBCOMMANDS: Final = frozenset(
    {
        *("build", "push", "exec", "ps", "images", "logs", "tag", "save", "load", "rmi", "rm"),
        *("stop", "start", "restart", "inspect", "compose", "image", "container", "network"),
        *("volume", "login", "logout", "manifest", "buildx", "service", "stack", "info", "version"),
        *("repo", "install", "upgrade", "template", "get", "describe", "apply", "delete"),
        *("rollout", "scale", "create", "uninstall", "list", "up", "down", "rollback"),
        *("system", "search", "history", "export", "import", "cp", "kill", "stats", "swarm"),
    }
)
_WORD: Final = re.compile(r"""(?:[^\s"'$]|\$\([^()\n]{0,200}\)|"[^"]*"|'[^']*'|["'$])+""")
_LONG_DASH: Final = re.compile(r"^[\u2013\u2014](?=[A-Za-z])")
"""What phones and word processors make of two hyphens."""
_CHART: Final = re.compile(r"oci://(\S+)")
_SHORT_SWITCHES: Final = frozenset("ditqaPk")
_SWITCHES: Final = frozenset(
    f"--{name}"
    for name in (
        *("detach", "interactive", "tty", "quiet", "rm", "init", "privileged", "read-only"),
        *("publish-all", "no-healthcheck", "oom-kill-disable", "sig-proxy", "all-tags"),
        *("disable-content-trust", "all-platforms", "plain-http", "skip-verify", "tls-verify"),
        *("net-host", "replace", "unpack", "local", "force", "raw", "all", "overwrite"),
    )
)
_MOST_WORDS: Final = 100  # after a tool, in which it has to name an image
_IMAGE_FLAG: Final = re.compile(r"--(?:[a-z-]+-)?image(?:=(\S+))?")
_NAMED_VALUE: Final = re.compile(r"[A-Za-z0-9*][A-Za-z0-9.*-]*=(\S+)")
_SOURCE: Final = re.compile(r"docker://(\S+)")


@dataclass(frozen=True, slots=True)
class CommandImages:
    """The images that a command names, and the words after them that may be images, too."""

    images: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    """The settings of `helm --set`, as written."""
    are_charts: bool = False


def split_words(line: str) -> list[str]:
    """The words of a line as a shell splits them, without their quotes."""
    words = (re.sub(r"[\"']", "", word) for word in _WORD.findall(line))
    return [_LONG_DASH.sub("--", word) for word in words]


def is_tool(word: str) -> bool:
    """Whether a word is the name of a tool for containers, which may be that of an image, too."""
    return word in _RUNTIMES or word in _OTHER_TOOLS


def is_other_tool(word: str) -> bool:
    """Whether a word is the name of a tool that may run one for containers, such as `ssh`."""
    return word.lower() in _TOOLS_WITHOUT_IMAGES or is_tool(word.lower())


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
        if tool not in _RUNTIMES | _OTHER_TOOLS:
            continue
        rest = words[i + 1 : i + 1 + _MOST_WORDS]
        if _takes_images(tool, rest) or (i == start and rest and rest[0] in _SUBCOMMANDS):
            return i
    return other_tool


def images_named_by(words: Sequence[str]) -> CommandImages:
    """The images that one command names. `words` starts with the tool."""
    tool, rest = words[0].rpartition("/")[2].lower(), list(words[1:])
    if _CHART.fullmatch(words[0]):
        tool, rest = "helm", list(words)
    match tool:
        case "kubectl" | "oc":
            return CommandImages(tuple(_by_kubectl(rest)))
        case "helm":
            return CommandImages(
                tuple(_charts(rest)), settings=tuple(_settings(rest)), are_charts=True
            )
        case "skopeo":
            return CommandImages(
                tuple(found[1] for word in rest if (found := _SOURCE.fullmatch(word)))[:1]
            )
        case "crane" | "regctl" | "oras":  # after the image comes a file or a target
            return CommandImages(tuple(_positional(rest[_words_before_images(rest) :])[:1]))
        case "kind" | "k3d" | "minikube" | "trivy":
            flagged = tuple(_by_kubectl(rest))
            before = _words_before_images(rest)
            return CommandImages(flagged or tuple(_positional(rest[before:]) if before else ()))
        case "export":
            return CommandImages(more=tuple(rest))
        case "make":  # variables name what it builds, but "make nginx available" is a sentence
            return CommandImages(more=tuple(word for word in rest if "=" not in word))
        case _ if tool in _TOOLS_WITHOUT_IMAGES:
            return CommandImages()
        case _:
            return _by_runtime(rest)


def _takes_images(tool: str, rest: Sequence[str]) -> bool:
    match tool:
        case "kubectl" | "oc":
            return _sets_image(rest) or any(map(_IMAGE_FLAG.match, rest))
        case "helm":
            return any(word.startswith(("--set", "oci://")) for word in rest)
        case "kind" | "k3d" | "minikube" if any(map(_IMAGE_FLAG.fullmatch, rest)):
            return True
        case "skopeo":
            return any(map(_SOURCE.match, rest))
        case "kind" | "k3d" | "minikube" | "crane" | "regctl" | "oras" | "trivy":
            return _words_before_images(rest) > 0
        case _:
            return _verb(rest) is not None or _image_first_verb(rest) is not None


def command_start(words: Sequence[str]) -> int:
    """The first word that is neither a prompt nor an assignment to a variable."""
    for i, word in enumerate(words):
        if word not in _PROMPTS and not _PROMPT.fullmatch(word) and not _ASSIGNMENT.fullmatch(word):
            return i if not word.startswith("[") else i + 2
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


def _image_first_verb(words: Sequence[str]) -> int | None:
    """The position of a verb whose images come first: `save`, `tag`, `image inspect`."""
    match list(words[:3]):
        case ["save" | "tag", *_]:
            return 0
        case ["image" | "images" | "manifest" | "i", "save" | "tag" | "inspect" | "export", *_]:
            return 1
        case ["buildx", "imagetools", "inspect" | "create"]:
            return 2
        case _:
            return None


def _by_runtime(rest: list[str]) -> CommandImages:
    reader = _image_first_verb(rest)
    if reader is not None:
        given = _positional(rest[reader + 1 :])
        return CommandImages(tuple(given[:1] if rest[reader] == "tag" else given))
    verb = _verb(rest)
    if verb is None:
        return CommandImages(tuple(_by_kubectl(rest)))
    given = _positional(rest[verb + 1 :])
    more = tuple(given[1:]) if rest[verb] == "pull" else ()
    return CommandImages(tuple(given[:1]), more)


def _sets_image(rest: Sequence[str]) -> bool:
    return _positional(rest)[:2] == ["set", "image"]


def _by_kubectl(rest: list[str]) -> Iterator[str]:
    if rest[:2] == ["image", "mirror"]:
        yield from _positional(rest[2:])[:1]
    if _sets_image(rest):
        found = (_NAMED_VALUE.fullmatch(word) for word in rest if not word.startswith("-"))
        yield from (match[1] for match in found if match)
        return
    for i, word in enumerate(rest):
        if match := _IMAGE_FLAG.fullmatch(word):
            yield from [match[1]] if match[1] else rest[i + 1 : i + 2]


def _charts(rest: list[str]) -> Iterator[str]:
    """The chart of a registry with its version, which Helm writes with `_` for `+`."""
    chart = next((found[1] for word in rest if (found := _CHART.fullmatch(word))), None)
    versions = [rest[i + 1 :][:1] for i, word in enumerate(rest) if word == "--version"]
    given = [word.partition("=")[2] for word in rest if word.startswith("--version=")]
    version = next(iter([*given, *(found[0] for found in versions if found)]), "")
    if chart is None:
        return
    if ":" in chart.rpartition("/")[2]:
        yield chart
    else:
        yield f"{chart}:{version.replace('+', '_')}" if version else f"oci://{chart}"


def _settings(rest: list[str]) -> Iterator[str]:
    """`a.b=1,c=2` of `--set a.b=1,c=2` and `--set=…`, one setting each."""
    for i, word in enumerate(rest):
        flag, equals, value = word.partition("=")
        if flag not in {"--set", "--set-string", "--set-literal"}:
            continue
        given = value if equals else "".join(rest[i + 1 : i + 2])
        yield from (part for part in given.split(",") if "=" in part)


def _words_before_images(rest: Sequence[str]) -> int:
    """How many words come before the images of kind, crane and others. 0: there are no images."""
    match list(rest[:2]):
        case ["load", "docker-image"] | ["image", "load" | "pull" | "copy"]:
            return 2
        case ["pull" | "digest" | "manifest" | "config" | "copy" | "cp" | "image", *_]:
            return 1
        case _:
            return 0


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
        return "=" not in flag and flag not in _SWITCHES
    return _SHORT_SWITCHES.issuperset(flag[1:-1]) and flag[-1] not in _SHORT_SWITCHES
