"""What `imageto-bot policy` and `imageto-bot check` say of the rules."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from fakes import ANA, LI, POLICY
from test_cli import EXAMPLE, config, imageto_bot

from bot.core.approvals import Approvals
from bot.core.decision import Verdict
from bot.core.image import ImageRef
from bot.core.policy import Rule
from bot.core.signature import Signer
from bot.policy_report import coverage, explanation
from bot.setup import policy_variable

FLOATS = "Its tag floats, so the same holds for each new digest"
VERSION = "Its tag is a version, so an admin is asked once it is updated upstream"
OLD = "docker.io/library/nginx:1.26*"
BY_TAG = (
    f"ask, since policy.rules.0 ({OLD}) is for some tags, and nobody can tell the tags of a digest "
    "(too old). Needs 1 approval by admins. A digest never changes"
)
POLICY_HERE = replace(
    POLICY,
    rules=(
        Rule(OLD, Verdict.DENY, "too old"),
        *POLICY.rules,
        Rule(
            "gcr.io/two/**",
            Verdict.ASK,
            approvals=Approvals(count=2, own=False, by=frozenset({LI.id, ANA.id})),
        ),
    ),
)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("nginx:1.27", f"approve, by policy.rules.1 (docker.io/library/**). {FLOATS}"),
        ("nginx:1.27.3", f"approve, by policy.rules.1 (docker.io/library/**). {VERSION}"),
        ("nginx:1.26.1", f"deny, by policy.rules.0 ({OLD}) (too old)"),
        ("quay.io/a/b", "deny, since policy.registries does not have quay.io"),
        (f"nginx@sha256:{'a' * 64}", BY_TAG),
    ],
)
def test_the_rule_that_decides_is_named_with_its_reason(text: str, line: str) -> None:
    image = ImageRef.parse(text)
    assert explanation(POLICY_HERE, image) == f"{image}: {line}"


def test_who_has_to_approve_is_named() -> None:
    policy = replace(POLICY_HERE, rules=POLICY_HERE.rules[-1:])
    line = explanation(policy, ImageRef.parse("gcr.io/two/app:1"))
    assert "Needs 2 approvals by telegram:1002 or telegram:1003, not by the only person" in line
    line = explanation(policy, ImageRef.parse("gcr.io/one/app:1"))
    assert "ask, since no rule matches. Needs 1 approval by admins. " in line


def test_a_demanded_signature_is_named_and_the_rule_counted_as_if_it_were_there() -> None:
    signer = Signer(key="PEM", fingerprint="0123456789abcdef")
    rules = (Rule("docker.io/library/**", Verdict.APPROVE, signer=signer),)
    policy, image = replace(POLICY, rules=rules), ImageRef.parse("nginx:1.27")
    line = "approve, by policy.rules.0 (docker.io/library/**). Its digest has to be signed by key:"
    assert f"{line}0123456789abcdef. " in explanation(policy, image)
    assert coverage(policy, [image])[0].endswith("approve): 1 of the list")
    held = replace(policy, rules=(replace(rules[0], signer=None, wait=timedelta(days=3)),))
    line = explanation(held, image)
    assert "**). Its digest waits until the bot has known it for 3d. " in line
    assert '"docker.io/library/**","ask"' in policy_variable(policy)  # a run looks for none


def test_each_rule_has_a_line_with_what_it_covers() -> None:
    texts = ["nginx", "redis:7", "nginx:1.26.3", "bitnami/nginx", "quay.io/a/b"]
    policy = replace(POLICY_HERE, rules=POLICY_HERE.rules[:2])
    assert coverage(policy, map(ImageRef.parse, texts)) == [
        "policy.rules.0 (docker.io/library/nginx:1.26*, deny): 1 of the list",
        "policy.rules.1 (docker.io/library/**, approve): 2 of the list",
        "no rule (ask): 1 of the list",
        "no allowed registry (deny): 1 of the list",
    ]


def test_the_command_needs_no_secret_and_warns_of_rules_that_match_nothing(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(EXAMPLE.read_text().replace("docker.io/example/cryptominer", "https://miner"))
    done = imageto_bot("policy", "--config", str(path), "nginx:1.27", "miner")
    mistake, order, nginx, miner = done.stdout.splitlines()
    rule = "config: warning: policy.rules.1.images: https://miner"
    assert mistake == f"{rule} matches nothing: write docker.io/library/miner"
    assert order.startswith(f"{rule} is never asked: policy.rules.0 ")
    assert nginx.startswith("docker.io/library/nginx:1.27: approve, by policy.rules.0 ")
    assert miner.startswith("docker.io/library/miner:latest: approve, by policy.rules.0 ")
    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_no_image_is_one_line(tmp_path: Path) -> None:
    done = imageto_bot("policy", "--config", str(config(tmp_path)), "NGINX")
    assert (done.returncode, done.stdout) == (1, "")
    words = "NGINX: the repository has to be in lower case. Did you mean docker.io/library/nginx"
    assert done.stderr.startswith(f"imageto-bot: {words}")
    assert done.stderr.count("\n") == 1
