"""Images in settings of a Helm chart: `--set` on a command line, or parameters of Argo CD.

Follows https://helm.sh/docs/helm/helm_install/ for the form of a setting.
"""

from collections.abc import Iterable, Iterator

from bot.core.bad_image import Gap
from bot.paste.finding import Mention, has_tag


def images_of_settings(settings: Iterable[str]) -> Iterator[Mention]:
    """The images of `key=value` settings. An image may be given in parts, one setting each."""
    groups: dict[str, dict[str, str]] = {}
    for setting in settings:
        key, _, given = setting.partition("=")
        value = "" if given == "null" else given  # null removes the chart's own setting
        prefix, _, leaf = key.rpartition(".")
        groups.setdefault(prefix, {})[leaf] = value
    for group in groups.values():
        yield from _set_together(group)


def _set_together(group: dict[str, str]) -> Iterator[Mention]:
    """The images of settings under one key. They may share a tag."""
    version = f":{tag}" if (tag := group.get("tag") or group.get("imageTag")) else ""
    version += f"@{digest}" if (digest := group.get("digest")) else ""
    if repository := group.get("repository"):
        registry = group.get("registry")
        name = (f"{registry}/{repository}" if registry else repository) + version
        gap = Gap.VARIABLE if "$" in name else None if has_tag(name) else Gap.NO_TAG
        yield Mention(name, (), gap, uncertain=True)
    for key, value in group.items():
        if key.lower().endswith("image") and value:
            name = value if has_tag(value) else value + version
            yield Mention(name, (), Gap.VARIABLE if "$" in name else None, uncertain=True)
