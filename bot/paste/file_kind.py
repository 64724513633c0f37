"""What kind of file a text is, and which module reads it.

The content decides, the name is only a hint: people send Helm values as `new.txt` and logs as
`x.yaml`.
"""

import re
from collections.abc import Iterable
from itertools import islice
from typing import Final

from bot.core.bad_image import Gap
from bot.paste import compose, dockerfile, free_text, loose_file, structured
from bot.paste.finding import PASTE_SIZE_LIMIT, FileKind, Flaw, Mention, Part, ScanResult
from bot.paste.image_values import with_owner
from bot.paste.yaml_tree import MappingNode, Node, ScalarNode, SequenceNode, documents

_YAML_NAME: Final = re.compile(
    r".*\.(?:ya?ml|jsonc?|ya?ml\.(?:txt|bak|example|sample))", re.IGNORECASE
)
_LIST_NAME: Final = re.compile(
    r"(?:.*/)?(?!(?:\w+file|(?:notes|requirements[\w-]*)\.txt|readme|license|changelog)$)[^./]+(?:\.(?:txt|list|lst|log|csv|tsv|text))?",
    re.IGNORECASE,
)
"""Files that may be lists of words. Others have words that are no images, such as passwords."""
_JSON_NAME: Final = re.compile(r".*\.jsonc?", re.IGNORECASE)
_JSON_COMMENT: Final = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"?|//[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_VALUES_NAME: Final = re.compile(r"(?:.*/)?(?:.*[._-])?values(?:[._-].*)?", re.IGNORECASE)
_KEY: Final = re.compile(
    r"^[ \t]*(?:- )*[\"']?[A-Za-z_][\w./-]*[\"']?[ \t]*:(?:\s|$)", re.MULTILINE
)
_TOP: Final = re.compile(
    r"^(?:---|[{\[].*|[A-Za-z_][\w-]*:(?:[ \t]*(?:[|>#].*)?|[ \t]+\S*)\r?)$", re.MULTILINE
)
_FENCE: Final = re.compile(r"^[ \t]*(?:```|~~~)([\w.+-]*)([^`\n]*)$", re.MULTILINE)
_DIFF: Final = re.compile(r"^@@ -[0-9]", re.MULTILINE)
_REMOVED: Final = re.compile(r"^-.*", re.MULTILINE)
_MOST_MENTIONS: Final = 5_000
"""Places of a file that name an image. A request has far fewer."""
_MOST_TOPS: Final = 3  # below a sentence, tried as the start of a file
_LONGEST_WITH_SENTENCE: Final = 100_000
"""Characters of a text in which a file is searched below a sentence."""
_SHELL: Final = frozenset("sh bash shell console text txt log".split())


def scan(text: str, name: str) -> ScanResult:
    """What a text names, and what kind of file it is. `name` is empty for a message."""
    if dockerfile.is_name(name) or (not _YAML_NAME.fullmatch(name) and dockerfile.looks_like(text)):
        return ScanResult(FileKind.DOCKERFILE, tuple(dockerfile.mentions(text)))
    if _YAML_NAME.fullmatch(name):
        return _scan_yaml_file(text, name)
    if name and not _LIST_NAME.fullmatch(name):
        return _scan_unknown(text)
    if not _KEY.search(text) and text.lstrip()[:1] not in {"{", "["}:
        return free_text.scan(text, is_file=True) if name else _scan_text(text)
    roots = documents(text)
    found = _scan_structured(text, roots, name)
    if found is None and name:
        return free_text.scan(text, is_file=True)
    has_keys = isinstance(roots, list) and any(isinstance(root, MappingNode) for root in roots)
    return found or _scan_text(text, is_file=has_keys)


def _scan_yaml_file(text: str, name: str) -> ScanResult:
    roots = documents(text)
    if roots is Flaw.BROKEN and _JSON_NAME.fullmatch(name):
        roots = documents(_JSON_COMMENT.sub(_without_comment, text))
    if isinstance(roots, list):
        found = _scan_roots(text, roots, name)
        is_read = found.mentions or not _is_list(roots)
        return found if is_read else free_text.scan(text, is_file=True)
    named = tuple(map(with_owner, loose_file.mentions(text))) if roots is Flaw.BROKEN else ()
    is_read = any(mention.gap is not Gap.PASSED_OVER for mention in named)
    kind = FileKind.HELM if "{{" in text or _VALUES_NAME.fullmatch(name) else FileKind.KUBERNETES
    return ScanResult(kind, named, flaw=None if is_read else roots)


def _scan_unknown(text: str) -> ScanResult:
    """A file of another kind: its keys about images, its commands, and nothing else."""
    if _DIFF.search(text):
        text = _REMOVED.sub("", text)
    named = tuple(islice(map(with_owner, free_text.of_other_file(text)), _MOST_MENTIONS))
    is_cut = len(named) == _MOST_MENTIONS or len(text) > free_text.FREE_TEXT_CHARACTERS
    return ScanResult(FileKind.TEXT, named, flaw=Flaw.TOO_MANY if is_cut else None)


def _without_comment(found: re.Match[str]) -> str:
    """A comment of JSON as blanks, so that positions stay the same. A string stays as it is."""
    return found[0] if found[0].startswith('"') else re.sub(r"[^\n]", " ", found[0])


def _is_list(roots: list[Node]) -> bool:
    """Whether a file is only a list of texts, whatever its name is."""
    return all(
        isinstance(node, ScalarNode)
        for root in roots
        for node in (root.items if isinstance(root, SequenceNode) else [root])
    )


def _scan_roots(text: str, roots: list[Node], name: str) -> ScanResult:
    kind = _kind_of(roots)
    walk = structured.mentions(text, roots, within=free_text.of_other_file)
    found = tuple(islice(walk, _MOST_MENTIONS))
    if kind is None and _is_list(roots):
        kind = FileKind.TEXT
    if kind is None:
        parts = {span.part for mention in found for span in mention.spans}
        helm = _VALUES_NAME.fullmatch(name) or not parts <= {Part.WHOLE}
        kind = FileKind.HELM if helm else FileKind.KUBERNETES
    flaw = Flaw.TOO_MANY if len(found) == _MOST_MENTIONS else None
    return ScanResult(kind, _in_order(found), flaw=flaw)


def _in_order(mentions: Iterable[Mention]) -> tuple[Mention, ...]:
    """In the order of the text. Mentions without a span come last."""
    last = PASTE_SIZE_LIMIT * 2
    return tuple(sorted(mentions, key=lambda m: m.spans[0].start if m.spans else last))


def _kind_of(roots: Iterable[Node]) -> FileKind | None:
    """The kind of a file by the keys at the top of its documents, or None."""
    kind = None
    for root in roots:
        if structured.setting_of(root) is structured.Setting.MANIFEST:
            return FileKind.KUBERNETES
        if compose.services_of(root):
            return FileKind.COMPOSE
        images = root.named.get("images") if isinstance(root, MappingNode) else None
        if isinstance(images, SequenceNode) and any(map(_is_kustomized, images.items)):
            kind = FileKind.KUBERNETES
    return kind


def _is_kustomized(node: Node) -> bool:
    return isinstance(node, MappingNode) and any(map(node.text, ("newName", "newTag", "digest")))


def _scan_structured(text: str, roots: list[Node] | Flaw, name: str) -> ScanResult | None:
    """The result for a text that is YAML, if it names images or is surely a file."""
    if not isinstance(roots, list):
        return ScanResult(FileKind.TEXT, flaw=roots) if roots is Flaw.TOO_DEEP else None
    if all(isinstance(root, ScalarNode) for root in roots):
        return None
    found = _scan_roots(text, roots, name)
    return found if found.mentions or _kind_of(roots) is not None else None


def _scan_text(text: str, *, is_file: bool = False) -> ScanResult:
    """`is_file`: the whole text is YAML, so no YAML is searched below a sentence."""
    if len(text) <= free_text.FREE_TEXT_CHARACTERS and (parts := _scan_fenced(text)):
        return _merged(parts)
    tops = _TOP.finditer(text) if not is_file and len(text) <= _LONGEST_WITH_SENTENCE else iter(())
    for top in islice(tops, _MOST_TOPS):
        head, body = text[: top.start()], text[top.start() :]
        roots = documents(body) if head.strip() else Flaw.BROKEN
        if isinstance(roots, list) and roots and isinstance(roots[0], MappingNode):
            inner = _scan_roots(body, roots, "")
            is_file = roots[0].is_flow or _kind_of(roots) is not None
            # Else it is a list with a colon in it.
            if inner.mentions and (is_file or inner.kind is FileKind.HELM):
                return _merged([free_text.scan(head), inner])
    return free_text.scan(text)


def _scan_fenced(text: str) -> list[ScanResult]:
    """The results for fenced blocks and what stands between them, none where no block is.

    One pass, so that many open fences do not take quadratic time.
    """
    scans, position = list[ScanResult](), 0
    opening: re.Match[str] | None = None
    for fence in _FENCE.finditer(text):
        if opening is None:
            opening = fence
        elif not fence[1] and not fence[2].strip(" \t"):
            scans.append(free_text.scan(text[position : opening.start()]))
            scans.append(_scan_block(text[opening.end() + 1 : fence.start()], opening[1].lower()))
            position, opening = fence.end(), None
    return [*scans, free_text.scan(text[position:])] if scans else []


def _scan_block(text: str, language: str) -> ScanResult:
    """One fenced block. Blocks within it are not searched."""
    if language in _SHELL:
        return free_text.scan(text)
    if language in {"dockerfile", "docker"} or dockerfile.looks_like(text):
        return ScanResult(FileKind.DOCKERFILE, tuple(dockerfile.mentions(text)))
    found = _scan_structured(text, documents(text), "") if _KEY.search(text) else None
    return found or free_text.scan(text)


def _merged(scans: list[ScanResult]) -> ScanResult:
    """Several parts of one message as one result. It cannot be sent back as a file."""
    mentions = tuple(mention for scan in scans for mention in scan.mentions)
    flaw = next((scan.flaw for scan in scans if scan.flaw), None)
    return ScanResult(FileKind.TEXT, mentions, all(scan.certain for scan in scans), flaw)
