"""The time that it takes to read the largest paste of each kind, in seconds of the processor.

A machine that is busy is slower at everything, so the time is also told relative to a fixed loop
of Python that is measured right before. `python tests/bench pastes` writes the numbers.
"""

import time
from collections.abc import Callable
from functools import partial
from statistics import median

from report import Row, below

from bot.paste import PASTE_SIZE_LIMIT, extract, extract_file

LIMIT = 1.5
RUNS = 3
LOOP = 5_000_000
WORDS = """\
The bot reads the largest texts and files that it accepts, 1 MiB each. The time is that of the
processor and the median of {runs} runs. The last row is a loop that adds {loop:,} numbers, as a
measure of the machine."""
IMAGE = "quay.io/acme/web:v{0}"
KINDS: dict[str, tuple[str, str, str]] = {
    "a list": ("images.txt", "", "registry.example.com/team/app-{0}:v1.{0}\n"),
    "a list of one image": ("images.txt", "", "quay.io/coreos/etcd:v3.5.14\n"),
    "a chat": ("", "", "please mirror nginx {0} and redis for me now\n"),
    "columns of a chat": ("", "", "a\tb:{0}\tc\n"),
    "a chat in Chinese": ("", "", f"麻烦同步镜像{IMAGE}，谢谢"),
    "values of a chart": (
        "values.yaml",
        "",
        "a{0}:\n  image:\n    repository: b{0}\n    tag: v{0}\n",
    ),
    "manifests": (
        "all.yaml",
        "apiVersion: v1\nkind: List\nitems:\n",
        f"  - name: c{{0}}\n    image: {IMAGE}\n    args: [run, --port=80]\n",
    ),
    "a ConfigMap": (
        "config.yaml",
        "apiVersion: v1\nkind: ConfigMap\ndata:\n  a: |\n",
        f"    docker run {IMAGE} {{0}}\n",
    ),
    "YAML with commands": ("a.yaml", "", "k{0}: run docker pull nginx and see x:{0}\n"),
    "JSON": ("a.json", "[1", f',{{{{"image":"{IMAGE}","name":"a"}}}}\n'),
    "a Dockerfile": ("Dockerfile", "", f"FROM {IMAGE} AS s{{0}}\nCOPY --from=s{{0}} /a /b\n"),
    "a compose file": ("compose.yaml", "services:\n", f"  s{{0}}:\n    image: {IMAGE}\n"),
    "Terraform": ("main.tf", "", f'image = "{IMAGE}"\ntags = ["a:b"]\n'),
    "a page with commands": ("README.md", "", f"docker run -d --name w{{0}} {IMAGE} x && echo\n"),
    "a page with a table": (
        "README.md",
        "",
        '| a{0}.image.tag | `"v{0}"` | the image: see docker |\n',
    ),
    "a script": ("pull.sh", "", f"I{{0}}={IMAGE}\ndocker pull $I{{0}}\n"),
    "one long line": ("list.txt", "", f"{IMAGE} "),
}


def paste(head: str, unit: str, size: int) -> str:
    """Return a text of nearly so many bytes, of numbered units."""
    text, number = [head], 0
    size -= len(head.encode()) + 1
    while (size := size - len((made := unit.format(number)).encode())) >= 0:
        text.append(made)
        number += 1
    return "".join([*text, "]" if head.startswith("[") else ""])


def rows(size: int = PASTE_SIZE_LIMIT) -> list[Row]:
    """Measure all kinds."""
    found = []
    for kind, (name, head, unit) in KINDS.items():
        text = paste(head, unit, size)
        found.append(below(f"read {kind}", _seconds(partial(_read, text, name)), LIMIT, " s"))
    return [*found, Row("the loop", f"{_seconds(_loop):.4g} s")]


def _read(text: str, name: str) -> None:
    if name:
        extract_file(text.encode(), target_host="registry.example.com", name=name)
    else:
        extract(text, target_host="registry.example.com")


def _loop() -> None:
    total = 0
    for number in range(LOOP):
        total += number


def _seconds(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(RUNS):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return median(taken)
