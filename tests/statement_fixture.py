"""What a statement of the tests says."""

from datetime import datetime, timedelta, timezone

from bot.core.decision import Ground
from bot.core.ids import BatchId, CommitSha
from bot.core.image import ImageRef
from bot.core.statement import Stated

AT = datetime(2026, 12, 1, 9, 30, tzinfo=timezone(timedelta(hours=8)))
DIGEST, OTHER = "sha256:" + "a" * 64, "sha256:" + "b" * 64
NGINX = ImageRef.parse("nginx:1.27")
STATED = Stated(
    name="harbor.example.com/mirror/docker.io/library/nginx:1.27",
    image=NGINX,
    digest=DIGEST,
    verifier="https://github.com/example/mirror",
    ground=Ground.PERSON,
    rule="docker.io/**",
    asked=["p:7f3a91c2"],
    approved=["p:c01d2e44"],
    asked_at=AT,
    decided_at=AT + timedelta(minutes=1),
    verified_at=AT + timedelta(minutes=2),
    batch=BatchId("2938cb00044e118d"),
    commit=CommitSha("c" * 40),
    run="https://github.com/example/mirror/actions/runs/7",
    policy="d" * 64,
)
