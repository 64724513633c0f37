"""The forms for new issues in a repository, and the text that GitHub makes of what is filled in.

https://docs.github.com/en/communities/using-templates-to-encourage-useful-issues-and-pull-requests
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

from bot.sandbox.github.git_repository import GitRepository

FOLDER: Final = ".github/ISSUE_TEMPLATE"
_EMPTY: Final = "_No response_"


@dataclass(frozen=True, slots=True)
class IssueForm:
    """`fields` are the elements of the form's body, as its file has them."""

    file: str
    name: str
    description: str
    title: str
    labels: tuple[str, ...]
    fields: Sequence[Mapping[str, Any]]

    def shown(self) -> dict[str, object]:
        """Return what a page needs to show it."""
        return {
            "file": self.file,
            "name": self.name,
            "description": self.description,
            "title": self.title,
            "fields": [_shown(number, field) for number, field in enumerate(self.fields)],
        }

    def text(self, values: Mapping[str, str]) -> str:
        """Return the body of an issue with these values by field. Raises ValueError."""
        parts = []
        for number, field in enumerate(self.fields):
            if field["type"] == "markdown":
                continue
            told = _shown(number, field)
            value = values.get(str(told["id"]), "").strip()
            if told["required"] and not value:
                raise ValueError(f"{told['label']} must be filled in")
            render = field.get("attributes", {}).get("render")
            if render and value:
                value = f"```{render}\n{value}\n```"
            parts.append(f"### {told['label']}\n\n{value or _EMPTY}")
        return "\n\n".join(parts)


async def issue_forms(repository: GitRepository) -> list[IssueForm]:
    """Return the forms on the default branch. A file that is none is left out."""
    head = None if await repository.is_empty() else await repository.commit("HEAD")
    files = [] if head is None else await repository.tree(head.tree) or []
    found = []
    for path in sorted(each["path"] for each in files):
        folder, _, file = path.rpartition("/")
        if folder != FOLDER or not file.endswith((".yml", ".yaml")) or file.startswith("config."):
            continue
        data = await repository.file("HEAD", path)
        form = yaml.safe_load(data.data) if data else None
        if isinstance(form, dict) and isinstance(form.get("body"), list):
            found.append(_form(file, form))
    return found


def _form(file: str, form: Mapping[str, Any]) -> IssueForm:
    labels = form.get("labels") or ()
    names = labels.split(",") if isinstance(labels, str) else labels
    return IssueForm(
        file=file,
        name=str(form.get("name", file)),
        description=str(form.get("description", "")),
        title=str(form.get("title", "")),
        labels=tuple(str(each).strip() for each in names),
        fields=form["body"],
    )


def _shown(number: int, field: Mapping[str, Any]) -> dict[str, object]:
    about = field.get("attributes", {})
    return {
        "id": str(field.get("id", f"field{number}")),
        "type": field["type"],
        "label": about.get("label", ""),
        "description": about.get("description", ""),
        "placeholder": about.get("placeholder", ""),
        "value": about.get("value", ""),
        "options": [str(each) for each in about.get("options", ())],
        "required": bool(field.get("validations", {}).get("required", False)),
    }
