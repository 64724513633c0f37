"""The mistakes of a first day: what went wrong, and the line of `check` that says so.

Each row is played on a world in which everything else is well. docs/first-day.md shows the lines.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from check_world import Told

from bot.config import MaintainerSection
from bot.config_policy import FreshSection
from bot.core.ids import ChatId
from bot.core.look import LookBy
from bot.core.statement import StatementForm

GROUP = "/telegram/bot"
REPOSITORY = r"/github/repos/wei/mirror"


def github(line: str, status: int, message: str, **more: Any) -> Told:
    """GitHub answers so to a request below the repository."""
    method, _, path = line.partition(" ")
    body = {"message": message, "documentation_url": "https://docs.github.com/rest", **more}
    return Told(f"^{method} {REPOSITORY}{path}$", status, body)


def telegram(method: str, status: int, words: str, **parameters: Any) -> Told:
    body = {"ok": False, "error_code": status, "description": words}
    return Told(
        f"/{method}$", status, {**body, **({"parameters": parameters} if parameters else {})}
    )


def well(method: str, result: Any) -> Told:
    return Told(f"/{method}$", 200, {"ok": True, "result": result})


def registry(line: str, status: int, code: str = "", message: str = "", **headers: str) -> Told:
    errors = {"errors": [{"code": code, "message": message}]} if code else {}
    return Told(line, status, errors, headers)


BOT = {"id": 7000000001, "is_bot": True, "first_name": "bot", "username": "imageto_bot"}
ANA = {"id": 1003, "is_bot": False, "first_name": "ana"}
SILENCED = dict.fromkeys(
    (
        *("can_send_messages", "can_send_audios", "can_send_documents", "can_send_photos"),
        *("can_send_videos", "can_send_video_notes", "can_send_voice_notes", "can_send_polls"),
        *("can_send_other_messages", "can_add_web_page_previews", "can_change_info"),
        *("can_invite_users", "can_pin_messages", "can_manage_topics", "can_edit_tag"),
        *("can_react_to_messages",),
    ),
    False,
)
MUTED = {"status": "restricted", "user": BOT, "is_member": True, "until_date": 0, **SILENCED}
AS_MEMBER = well("getChatMember", {"status": "member", "user": BOT})
UNSTARTED = telegram(
    "sendChatAction", 403, "Forbidden: bot can't initiate conversation with a user"
)
KINDS_OF_GIFTS = (
    *("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription"),
    "gifts_from_channels",
)
FULL = {
    "id": -1001000000001,
    "type": "supergroup",
    "title": "Images",
    "accent_color_id": 0,
    "max_reaction_count": 1,
    "accepted_gift_types": dict.fromkeys(KINDS_OF_GIFTS, False),
}
FACTS = {
    "full_name": "wei/mirror",
    "default_branch": "main",
    "archived": False,
    "disabled": False,
}


def facts(**changed: Any) -> Told:
    return Told(f"^GET {REPOSITORY}$", 200, FACTS | changed)


def dated(header: str, value: str) -> Told:
    return Told(f"^GET {REPOSITORY}$", 200, FACTS, {header: value})


def rule(kind: str, bypass: str) -> tuple[Told, ...]:
    rules = [{"type": kind, "ruleset_id": 7, "ruleset_source_type": "Repository"}]
    return (
        Told(r"/rules/branches/main$", 200, rules),
        Told(r"/rulesets/7$", 200, {"id": 7, "current_user_can_bypass": bypass}),
    )


SOON = datetime.now(UTC) + timedelta(days=3, hours=1)
LATE = format_datetime(datetime.now(UTC) - timedelta(minutes=9), usegmt=True)
DAY = f"{SOON:%Y-%m-%d}"
QUOTA = {"quota": {"hard": {"storage": 10 * 2**30}, "used": {"storage": 10 * 2**30 - 9}}}
ROBOT = {"name": "robot$mirror+bot"}
NO_PERMISSION = "unauthorized to access repository: mirror/docker.io, action: push"


@dataclass(frozen=True)
class Mistake:
    """`told`: what services answer. `changed`: settings by their path. `line`: what is said.

    `line` is the beginning of one line. `state` is the outcome that the line has.
    """

    what: str
    line: str
    told: tuple[Told, ...] = ()
    changed: Mapping[str, Any] = field(default_factory=dict)


MISTAKES = (
    # Telegram
    Mistake(
        "the Telegram token is wrong, or was revoked",
        "telegram: FAILED: Telegram does not accept the bot's token",
        (telegram("getMe", 401, "Unauthorized"),),
    ),
    Mistake(
        "the Telegram token belongs to nobody",
        "telegram: FAILED: Telegram does not accept the bot's token",
        (telegram("getMe", 404, "Not Found"),),
    ),
    Mistake(
        "a gateway answers instead of Telegram",
        "telegram: FAILED: Telegram's answer cannot be read",
        (Told("/getMe$", 200, "<html>sign in</html>"),),
    ),
    Mistake(
        "Telegram is in trouble",
        "telegram: FAILED: Telegram is in trouble",
        (telegram("getMe", 502, "Bad Gateway"),),
    ),
    Mistake(
        "another program set a webhook with the same token",
        "webhook: warning: the messages go to https://example.com/hook",
        (
            well(
                "getWebhookInfo",
                {
                    "url": "https://example.com/hook",
                    "has_custom_certificate": False,
                    "pending_update_count": 0,
                },
            ),
        ),
    ),
    Mistake(
        "the id of the chat is wrong, or the bot was never there",
        "chat -1001000000001: FAILED: Telegram: Chat not found",
        (telegram("getChat", 400, "Bad Request: chat not found"),),
    ),
    Mistake(
        "the bot was removed from the group",
        "chat -1001000000001: FAILED: Telegram: Forbidden: bot was kicked",
        (telegram("getChat", 403, "Forbidden: bot was kicked from the supergroup chat"),),
    ),
    Mistake(
        "the group became a supergroup",
        "chat -1001000000001: FAILED: it became a supergroup; write -1002",
        (
            telegram(
                "getChat",
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                migrate_to_chat_id=-1002,
            ),
        ),
    ),
    Mistake(
        "the bot left the group",
        "chat -1001000000001: FAILED: the bot is not in “Images”",
        (well("getChatMember", {"status": "left", "user": BOT}),),
    ),
    Mistake(
        "the bot was banned from the group",
        "chat -1001000000001: FAILED: the bot is not in “Images”",
        (well("getChatMember", {"status": "kicked", "user": BOT, "until_date": 0}),),
    ),
    Mistake(
        "the bot may not write in the group",
        "chat -1001000000001: FAILED: the bot may not write in “Images”",
        (well("getChatMember", MUTED),),
    ),
    Mistake(
        "the bot is a member and its privacy mode is on",
        "chat -1001000000001: ok: “Images”, the bot is a member. By its privacy mode",
        (well("getChatMember", {"status": "member", "user": BOT}),),
    ),
    Mistake(
        "the bot is a member: who else is one is not told",
        "admin 1003: not tried: Telegram tells only bots that are admins",
        (well("getChatMember", {"status": "member", "user": BOT}),),
    ),
    Mistake(
        "an admin's id is wrong, or they are not in the group",
        "admin 4711: FAILED: is in none of these chats",
        changed={"telegram.admins": ("telegram:4711",)},
    ),
    Mistake(
        "a channel is served",
        "chat -1001000000001: FAILED: “News” is no group",
        (well("getChat", FULL | {"type": "channel", "title": "News"}),),
    ),
    Mistake(
        "members may not write in the group, and the bot is one",
        "chat -1001000000001: FAILED: the bot may not write in “Images”",
        (well("getChat", FULL | {"permissions": SILENCED}), AS_MEMBER),
    ),
    Mistake(
        "members may send no files in the group, and the bot is one",
        "chat -1001000000001: warning: the bot may send no files in “Images”",
        (
            well("getChat", FULL | {"permissions": SILENCED | {"can_send_messages": True}}),
            AS_MEMBER,
        ),
    ),
    Mistake(
        "the bot may send no files in the group",
        "chat -1001000000001: warning: the bot may send no files in “Images”",
        (well("getChatMember", MUTED | {"can_send_messages": True}),),
    ),
    Mistake(
        "an answer about the group cannot be read",
        "chat -1001000000001: FAILED: Telegram's answer cannot be read",
        (well("getChat", 7),),
    ),
    Mistake(
        "an admin is the bot itself",
        "admin 7000000001: FAILED: is a bot, and no bot may decide",
        changed={"telegram.admins": ("telegram:7000000001",)},
    ),
    Mistake(
        "the maintainer has not started the bot",
        "maintainer: warning: Telegram: Forbidden: bot can't initiate conversation with a user",
        (UNSTARTED,),
        {"maintainer": MaintainerSection(name="Ana", id=1003)},
    ),
    Mistake(
        "alarms go to an admin who has not started the bot",
        "fresh.alarms: FAILED: Telegram: Forbidden: bot can't initiate conversation with a user",
        (UNSTARTED,),
        {"fresh": FreshSection(alarms=ChatId("telegram:1003"))},
    ),
    Mistake(
        "Telegram asks to wait",
        "telegram: FAILED: Telegram asks to wait",
        (telegram("getMe", 429, "Too Many Requests: retry after 5", retry_after=5),),
    ),
    # GitHub: the repository and the token
    Mistake(
        "the address of a GitHub of one's own has no /api/v3",
        "repository: FAILED: GitHub's answer cannot be read",
        (Told(f"^GET {REPOSITORY}$", 404, "<html>not found</html>"),),
    ),
    Mistake(
        "the token has made too many calls",
        "repository: FAILED: GitHub asks to wait: API rate limit exceeded",
        (github("GET ", 403, "API rate limit exceeded for user ID 1."),),
    ),
    Mistake(
        "github.list is misspelt",
        "images.list: warning: it does not exist, and begins with the first image",
        changed={"github.list": "images.list"},
    ),
    Mistake(
        "github.list is the name of a folder",
        "image.list: FAILED: image.list is a folder in the mirror repository; correct github.list",
        (Told(f"^GET {REPOSITORY}/contents/image.list$", 200, []),),
    ),
    Mistake(
        "GitHub cannot say what rules the branch has",
        "branch: FAILED: GitHub answers 500",
        (github("GET /rules/branches/main", 500, "Server Error"),),
    ),
    Mistake(
        "`setup` was never run: whether runs may be started is not known",
        "right to start runs: not tried: there is no workflow yet",
        (github("POST /actions/workflows/mirror.yml/dispatches", 404, "Not Found"),),
    ),
    Mistake(
        "the target lets nobody read",
        "target mirror: FAILED: HOST answers 403: DENIED: no",
        (registry("GET /v2/.*/manifests/", 403, "DENIED", "no"),),
    ),
    Mistake(
        "the target asks to wait",
        "target mirror: FAILED: HOST answers 429",
        (registry("GET /v2/.*/manifests/", 429, "TOOMANYREQUESTS", "slow down"),),
    ),
    Mistake(
        "Harbor's own API is in trouble, or the target is no Harbor",
        "target quota: not tried: the target does not answer as a Harbor does",
        (registry("/api/v2.0/", 503),),
    ),
    Mistake(
        "Harbor tells the account nothing about the quota",
        "target mirror, quota: not tried: Harbor answers 403: forbidden",
        (registry("/api/v2.0/projects/mirror/summary$", 403, "FORBIDDEN", "forbidden"),),
    ),
    Mistake(
        "database names a folder",
        "database: FAILED: /tmp is a folder; name a file in it",
        changed={"database": "/tmp"},  # noqa: S108 - it is there everywhere
    ),
    Mistake(
        "the GitHub token is wrong, expired or revoked",
        "repository: FAILED: GitHub does not accept the bot's token",
        (github("GET ", 401, "Bad credentials"),),
    ),
    Mistake(
        "the repository is misspelt, or the token does not have it",
        "repository: FAILED: GitHub: Not Found (404)",
        (github("GET ", 404, "Not Found"),),
    ),
    Mistake(
        "the organisation demands single sign-on for the token",
        "repository: FAILED: GitHub: Resource protected by organization SAML enforcement",
        (github("GET ", 403, "Resource protected by organization SAML enforcement."),),
    ),
    Mistake(
        "the organisation allows other addresses only",
        "repository: FAILED: GitHub: Although you appear to have the correct authorization",
        (
            github(
                "GET ",
                403,
                "Although you appear to have the correct authorization credentials, the `wei` "
                "organization has an IP allow list enabled, and your IP address is not permitted",
            ),
        ),
    ),
    Mistake(
        "the repository was renamed, or moved to another owner",
        "repository: FAILED: GitHub calls the mirror repository wei/images now",
        (
            Told(f"^GET {REPOSITORY}$", 301, {}, {"Location": "http://HOST/github/repositories/1"}),
            Told("^GET /github/repositories/1$", 200, FACTS | {"full_name": "wei/images"}),
        ),
    ),
    Mistake(
        "the repository is archived",
        "repository: FAILED: wei/mirror is archived",
        (facts(archived=True),),
    ),
    Mistake(
        "GitHub has disabled the repository",
        "repository: FAILED: GitHub has disabled wei/mirror",
        (facts(disabled=True),),
    ),
    Mistake(
        "a gateway answers instead of GitHub",
        "repository: FAILED: GitHub's answer cannot be read",
        (Told(f"^GET {REPOSITORY}$", 200, "<html>sign in</html>"),),
    ),
    Mistake(
        "GitHub is in trouble",
        "repository: FAILED: GitHub answers 503",
        (github("GET ", 503, "Service unavailable"),),
    ),
    Mistake(
        "the token expires soon",
        f"token: warning: it expires on {DAY}, in 3 days",
        (dated("GitHub-Authentication-Token-Expiration", f"{SOON:%Y-%m-%d %H:%M:%S} UTC"),),
    ),
    Mistake(
        "the token has no last day, or GitHub does not tell it",
        "token: not tried: GitHub tells no day",
        (facts(),),
    ),
    Mistake(
        "the clock of this machine is wrong",
        "clock: FAILED: it differs from GitHub's by ",
        (dated("Date", LATE),),
    ),
    # GitHub: the branch
    Mistake(
        "github.branch is misspelt",
        "branch trunk: FAILED: it does not exist",
        changed={"github.branch": "trunk"},
    ),
    Mistake(
        "a ruleset demands pull requests",
        "branch main: FAILED: a ruleset demands pull requests; let the owner of the token",
        rule("pull_request", "never"),
    ),
    Mistake(
        "a ruleset demands signed commits",
        "branch main: FAILED: a ruleset demands signed commits",
        rule("required_signatures", "never"),
    ),
    Mistake(
        "a ruleset demands status checks, with exceptions for pull requests only",
        "branch main: FAILED: a ruleset demands status checks",
        rule("required_status_checks", "pull_requests_only"),
    ),
    Mistake(
        "a ruleset of the organisation restricts updates",
        "branch main: FAILED: a ruleset demands changes only by those who may bypass it",
        (rule("update", "")[0],),
    ),
    Mistake(
        "a ruleset demands pull requests, and the token may bypass it",
        "branch main: ok: no rule refuses commits",
        rule("pull_request", "always"),
    ),
    Mistake(
        "a classic rule protects the branch",
        "branch main: warning: it is protected. Commits fail if",
        (Told(r"/mirror/branches/main$", 200, {"name": "main", "protected": True}),),
    ),
    # GitHub: rights and the workflow
    Mistake(
        "the token may not write contents",
        "right to write contents: FAILED: GitHub: Resource not accessible",
        (github("POST /git/blobs", 403, "Resource not accessible by personal access token"),),
    ),
    Mistake(
        "the token may not start runs",
        "right to start runs: FAILED: GitHub: Resource not accessible",
        (github("POST .*/dispatches", 403, "Resource not accessible by personal access token"),),
    ),
    Mistake(
        "the token may not read statuses",
        "right to read statuses: FAILED: GitHub: Resource not accessible",
        (github("GET .*/statuses", 403, "Resource not accessible by personal access token"),),
    ),
    Mistake(
        "Actions are switched off",
        "actions: FAILED: they are switched off; allow them",
        (Told("/actions/permissions$", 200, {"enabled": False}),),
    ),
    Mistake(
        "the token may not know whether Actions are on",
        "actions: not tried: only a token with Administration",
        (github("GET /actions/permissions", 403, "Resource not accessible"),),
    ),
    Mistake(
        "`setup` was never run",
        "workflow: FAILED: it is missing on the default branch; run `imageto-bot setup`",
        (github("GET /actions/workflows/mirror.yml", 404, "Not Found"),),
    ),
    Mistake(
        "the workflow was switched off, or GitHub did so after 60 quiet days",
        "workflow: FAILED: it is switched off; enable it on the Actions page",
        (
            Told(
                "^GET .*/actions/workflows/mirror.yml$",
                200,
                {"id": 1, "name": "mirror", "state": "disabled_inactivity"},
            ),
        ),
    ),
    Mistake(
        "the workflow is an older one, or was edited",
        "workflow: FAILED: it is not the one that this bot ships; run `imageto-bot setup`",
        changed={"github.list": "lists/prod.list"},
    ),
    Mistake(
        "the rules changed after `setup`",
        "variables of the workflow: FAILED: not what the config says: POLICY",
        changed={"policy.registries": ("docker.io",)},
    ),
    Mistake(
        "the token may not read variables",
        "variables of the workflow: not tried: GITHUB_TOKEN may not read variables",
        (github("GET /actions/variables", 403, "Resource not accessible"),),
    ),
    # Sources
    Mistake(
        "a source cannot be reached from here",
        "registry quay.io: warning: quay.io cannot be reached",
        changed={"addresses.quay.io": "http://127.0.0.1:9", "policy.registries": ("quay.io",)},
    ),
    Mistake(
        "a source cannot be reached from here, and no run may look at it",
        "registry quay.io: FAILED: quay.io cannot be reached",
        changed={
            "addresses.quay.io": "http://127.0.0.1:9",
            "policy.registries": ("quay.io",),
            "look": {"*": LookBy.BOT},
        },
    ),
    Mistake(
        "a page stands in front of a source",
        "registry docker.io: FAILED: docker.io",
        (Told("^GET /v2/$", 200, "<html>sign in</html>"),),
    ),
    Mistake(
        "a source is down",
        "registry ghcr.io: FAILED: ghcr.io answers 503",
        (registry("^GET /v2/$", 503),),
    ),
    Mistake(
        "a source allows no more requests today",
        "registry docker.io: FAILED: docker.io answers 429",
        (registry("^GET /v2/$", 429),),
    ),
    # The target
    Mistake(
        "the target cannot be reached",
        "target mirror: FAILED: 127.0.0.1:9 cannot be reached",
        changed={"target.host": "127.0.0.1:9"},
    ),
    Mistake(
        "the password of the target is wrong, or the robot has expired",
        "target mirror: FAILED: HOST answers 401: UNAUTHORIZED: authentication required",
        (registry("^GET /v2/mirror/", 401, "UNAUTHORIZED", "authentication required"),),
    ),
    Mistake(
        "the project is missing",
        "target mirror, quota: FAILED: Harbor has no such project; run `imageto-bot setup`",
        (Told("/api/v2.0/projects/mirror$", 404, {"errors": [{"code": "NOT_FOUND"}]}),),
    ),
    Mistake(
        "the project is missing, in the words of the registry",
        "target mirror, upload: FAILED: HOST answers 401: UNAUTHORIZED: project mirror not found",
        (registry("^POST /v2/", 401, "UNAUTHORIZED", "project mirror not found"),),
    ),
    Mistake(
        "the account may read and not push",
        "target mirror, upload: FAILED: HOST answers 401: UNAUTHORIZED: unauthorized to access",
        (registry("^POST /v2/", 401, "UNAUTHORIZED", NO_PERMISSION),),
    ),
    Mistake(
        "the project is a proxy cache",
        "target mirror, upload: FAILED: HOST answers 403: DENIED: can not push artifact to a proxy",
        (
            registry(
                "^POST /v2/", 403, "DENIED", "can not push artifact to a proxy project: mirror"
            ),
        ),
    ),
    Mistake(
        "the registry is read-only",
        "target mirror, upload: FAILED: HOST answers 405: UNSUPPORTED: The operation",
        (registry("^POST /v2/", 405, "UNSUPPORTED", "The operation is unsupported."),),
    ),
    Mistake(
        "the quota is nearly full",
        "target mirror, quota: warning: 10.0 GiB of 10.0 GiB used; raise it",
        (Told("/projects/mirror/summary$", 200, QUOTA),),
    ),
    Mistake(
        "bundles are chosen for statements, and the target is a Harbor",
        "statements: warning: Harbor counts each bundle as a signature of the image",
        changed={"statements": StatementForm.BUNDLE},
    ),
    Mistake(
        "the robot expires soon: by default Harbor gives it 30 days",
        f"target login, expiry: warning: {DAY}, in 3 days; renew the robot",
        (Told("/api/v2.0/robots$", 200, [ROBOT | {"expires_at": int(SOON.timestamp())}]),),
    ),
    Mistake(
        "the robot has expired",
        "target login, expiry: FAILED: it ended on 2020-09-13; renew the robot",
        (Told("/api/v2.0/robots$", 200, [ROBOT | {"expires_at": 1_600_000_000}]),),
    ),
    Mistake(
        "the robot may not read about itself",
        "target login, expiry: not tried: Harbor answers 403: forbidden",
        (
            Told(
                "/api/v2.0/robots$",
                403,
                {"errors": [{"code": "FORBIDDEN", "message": "forbidden"}]},
            ),
        ),
    ),
    # This machine
    Mistake(
        "the folder of the database does not exist",
        "database: FAILED: /nowhere is no folder that can be written",
        changed={"database": "/nowhere/bot.sqlite3"},
    ),
)


@dataclass(frozen=True)
class Slip:
    """A mistake in config.yaml or in the environment: what stands there, and the line about it."""

    what: str
    instead: str
    written: str
    line: str


CONFIG = """\
telegram:
  chats: [-1001000000001]
  admins: [1003, 1004]
github:
  repository: wei/mirror
target:
  host: harbor.example.com
policy:
  registries: [docker.io, ghcr.io]
  rules:
    - {images: gcr.io/**, then: ask}
"""
SLIPS = (
    Slip(
        "a group's id without its minus",
        "[-1001000000001]",
        "[1001000000001]",
        "config.yaml:2: telegram.chats.0: is the id of a group without its minus: "
        "write -1001000000001",
    ),
    Slip(
        "a name for an id",
        "[1003, 1004]",
        "['@ana']",
        "config.yaml:3: telegram.admins.0: should be a number, since a name can be taken by "
        "somebody else: send /whoami there",
    ),
    Slip(
        "an id in quotation marks",
        "[1003, 1004]",
        "['1003']",
        "config.yaml:3: telegram.admins.0: should be a number without quotation marks: 1003",
    ),
    Slip(
        "the id of Telegram's anonymous admin",
        "[1003, 1004]",
        "[1087968824]",
        "config.yaml:3: telegram.admins.0: is Telegram's anonymous admin: "
        "anybody could be behind it",
    ),
    Slip(
        "no admin at all",
        "[1003, 1004]",
        "[]",
        "config.yaml:3: telegram.admins: should name at least one",
    ),
    Slip(
        "one value where a list is wanted",
        "[1003, 1004]",
        "1003",
        "config.yaml:3: telegram.admins: should be a list, such as [1003, 1004]",
    ),
    Slip(
        "an address for the name of the repository",
        "wei/mirror",
        "https://github.com/wei/mirror.git",
        "config.yaml:5: github.repository: should be a name and no address: write wei/mirror",
    ),
    Slip(
        "an address for the host of the target",
        "harbor.example.com",
        "https://harbor.example.com/",
        "config.yaml:7: target.host: should be a host and no address: write harbor.example.com",
    ),
    Slip(
        "a misspelt key",
        "repository:",
        "repo:",
        "config.yaml:5: github.repo: is no key. Did you mean repository?",
    ),
    Slip(
        "a key in the wrong section",
        "target:",
        "timezone: UTC\ntarget:",
        "config.yaml:6: timezone: belongs to the section telegram",
    ),
    Slip(
        "a section that is missing",
        "target:\n  host: harbor.example.com\n",
        "",
        "config.yaml: target: is missing: config.example.yaml explains it",
    ),
    Slip(
        "a key that stands twice",
        "target:\n",
        "target:\n  host: harbor.example.org\n",
        "config.yaml:8: target.host: stands twice in its section: remove one",
    ),
    Slip(
        "a tab",
        "  host:",
        "\thost:",
        "config.yaml:7: is not valid YAML: there is a tab. Write spaces",
    ),
    Slip(
        "another word for a verdict",
        "then: ask",
        "then: allow",
        "config.yaml:11: policy.rules.0.then: should be 'approve', 'ask' or 'deny'",
    ),
    Slip(
        "a denial without a reason",
        "then: ask",
        "then: deny",
        "config.yaml:11: policy.rules.0: a rule that denies needs a reason: people will read it",
    ),
    Slip(
        "more approvals than there are admins",
        "then: ask",
        "then: ask, approvals: 3",
        "config.yaml:11: policy.rules.0: needs 3 approvals, and nobody can give them: see by, own "
        "and admins",
    ),
)
ENVIRONMENT = {"TELEGRAM_TOKEN": f"123456789:{'a' * 35}", "GITHUB_TOKEN": "github_pat_a"}
SWAPPED = (
    ("no Telegram token", {"TELEGRAM_TOKEN": ""}, "TELEGRAM_TOKEN: is missing in the environment"),
    (
        "the two tokens are swapped",
        {"TELEGRAM_TOKEN": "github_pat_a"},
        "TELEGRAM_TOKEN: is a token of GitHub. @BotFather gives the one for Telegram",
    ),
    (
        "the Telegram token for GitHub",
        {"GITHUB_TOKEN": f"123456789:{'a' * 35}"},
        "GITHUB_TOKEN: is a token of Telegram. github.com/settings/tokens gives the one for GitHub",
    ),
    (
        "quotation marks in a file for docker",
        {"GITHUB_TOKEN": "'github_pat_a'"},
        (
            "GITHUB_TOKEN: has quotation marks around it. "
            "Remove them: docker's --env-file takes them as part of the value"
        ),
    ),
    (
        "a token of GitHub and an App",
        {"GITHUB_APP_ID": "12345", "GITHUB_APP_KEY": "/run/app.pem"},
        "GITHUB_TOKEN: is there, and GITHUB_APP_ID too. Keep one of them",
    ),
    (
        "half of the target's login",
        {"HARBOR_USER": "robot$mirror"},
        "HARBOR_PWD: is missing, but HARBOR_USER is there",
    ),
)
