"""Writes github_schemas.json: what GitHub's description of its API says of the objects we serve.

Run it with the file `api.github.com.json` of the npm package @octokit/openapi as its argument. The
excerpt has no prose and no examples. It is plain JSON Schema: OpenAPI's `nullable` is a type there.
"""

import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "github_schemas.json"
OBJECTS = (
    "collaborator",
    "commit",
    "content-file",
    "full-repository",
    "git-commit",
    "git-ref",
    "issue",
    "issue-comment",
    "job",
    "label",
    "public-user",
    "reaction",
    "repository-collaborator-permission",
    "simple-user",
    "status",
    "workflow",
    "workflow-run",
)
PROSE = {"description", "example", "examples", "title", "deprecated"}


def excerpt(schemas: dict[str, Any]) -> dict[str, Any]:
    """Return the objects with all that they refer to, as JSON Schema."""
    found: dict[str, Any] = {}
    todo = list(OBJECTS)
    while todo:
        name = todo.pop()
        if name not in found:
            found[name] = _schema(schemas[name], todo)
    return dict(sorted(found.items()))


def _schema(old: Any, todo: list[str]) -> Any:
    if isinstance(old, list):
        return [_schema(each, todo) for each in old]
    if not isinstance(old, dict):
        return old
    if isinstance(old.get("$ref"), str):
        name = old["$ref"].rpartition("/")[2]
        todo.append(name)
        return {"$ref": f"#/$defs/{name}"}
    kept = {
        key: {name: _schema(each, todo) for name, each in value.items()}
        if key == "properties"
        else _schema(value, todo)
        for key, value in old.items()
        if key not in PROSE | {"nullable"} and not key.startswith("x-")
    }
    if not old.get("nullable"):
        return kept
    return {"anyOf": [kept, {"type": "null"}]}


if __name__ == "__main__":
    given = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    made = {"version": given["info"]["version"], "$defs": excerpt(given["components"]["schemas"])}
    HERE.write_text(json.dumps(made, separators=(",", ":")) + "\n", encoding="utf-8")
