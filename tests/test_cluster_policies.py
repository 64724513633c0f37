"""The policies for clusters in deploy/policies, by the schemas that the controllers ship.

tests/policy_schemas has the parts of these schemas that the policies use. Each names the file and
the commit that it was taken from. What the expressions do was not run.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from bot.core.statement import DECISION_TYPE, SUMMARY_TYPE

ROOT = Path(__file__).parents[1]
NAMES = ("kyverno", "policy-controller")


def closed(schema: Any) -> Any:
    """Return the schema without room for fields that it does not name. A cluster drops those."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    more = {"additionalProperties": False} if "properties" in schema else {}
    return more | {name: closed(value) for name, value in schema.items()}


def policy(name: str) -> tuple[str, dict[str, Any]]:
    text = (ROOT / "deploy" / "policies" / f"{name}.yaml").read_text()
    return text, yaml.safe_load(text)


def validator(name: str) -> tuple[dict[str, Any], Draft202012Validator]:
    schema = json.loads((ROOT / "tests" / "policy_schemas" / f"{name}.json").read_text())
    return schema, Draft202012Validator(closed(schema["spec"]))


@pytest.mark.parametrize("name", NAMES)
def test_a_policy_has_the_form_that_its_controller_takes(name: str) -> None:
    text, read = policy(name)
    schema, valid = validator(name)
    assert read["apiVersion"] == f"{schema['group']}/{schema['version']}"
    assert read["kind"] == schema["kind"]
    assert re.search("/blob/[0-9a-f]{40}/", schema["source"])
    valid.validate(read["spec"])
    assert DECISION_TYPE in text
    assert SUMMARY_TYPE in text
    assert "-----BEGIN PUBLIC KEY-----\n" in text
    assert not valid.is_valid(read["spec"] | {"authority": []})


def test_neither_asks_a_transparency_log() -> None:
    _, kyverno = policy("kyverno")
    [attestor] = kyverno["spec"]["attestors"]
    assert attestor["cosign"]["ctlog"]["insecureIgnoreTlog"] is True
    _, controller = policy("policy-controller")
    assert all("ctlog" not in each for each in controller["spec"]["authorities"])
