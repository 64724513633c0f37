"""The grammar of image references and the names in the target.

The same rules as bot/core/image.py. A test compares both. Pure: no I/O.
"""

import re
from dataclasses import dataclass

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_NAME = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*(?::[0-9]+)?")
PATH = re.compile(rf"{_NAME}(?:/{_NAME})*")
REST = re.compile(
    rf"(?P<path>{PATH.pattern})(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}}))?"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}))?"
)
DIGEST = re.compile(r"sha(?:256|384|512):[0-9a-f]{64,128}")
SHA256 = re.compile(r"sha256:[0-9a-f]{64}")
DOCKER_HUB = ("docker.io", "index.docker.io", "registry-1.docker.io")
LONGEST_PATH = 255  # characters: the limit of github.com/distribution/reference


@dataclass(frozen=True)
class Image:
    """A fully qualified reference. Tag or digest may be empty, never both."""

    registry: str
    path: str
    tag: str
    digest: str

    @classmethod
    def parse(cls, text: str) -> "Image | None":
        """Read a reference as Docker does. None when the text is no reference."""
        head, slash, rest = text.partition("/")
        if not slash or not (re.search(r"[.:A-Z]", head) or head == "localhost"):
            head, rest = "docker.io", text
        head = "docker.io" if head in DOCKER_HUB else head
        if head == "docker.io" and "/" not in rest:
            rest = f"library/{rest}"
        found = REST.fullmatch(rest)
        if not found or not HOST.fullmatch(head) or len(found["path"]) > LONGEST_PATH:
            return None
        if re.fullmatch(r"[0-9a-f]{64}", text):  # the local id of an image
            return None
        tag, digest = found["tag"] or "", found["digest"] or ""
        return cls(head, found["path"], tag if tag or digest else "latest", digest)

    def __str__(self) -> str:
        tag, digest = self.tag and f":{self.tag}", self.digest and f"@{self.digest}"
        return f"{self.registry}/{self.path}{tag}{digest}"


def target_path(image: Image, prefix: str, naming: str) -> str:
    """Return the repository of an image in the target.

    `naming` is "nested" (or empty) or "flat". Flat names have one level and do not collide.
    """
    path = f"{image.registry.lower().replace(':', '_')}/{image.path}"
    if naming == "flat":  # an odd run of dashes holds the slash
        path = path.replace("-", "--").replace("/", "-")
    return f"{prefix}/{path}" if prefix else path
