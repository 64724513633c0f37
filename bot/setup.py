"""The `setup` command: installs the workflow, its variables and its secrets in the repository.

The secrets go into the repository, or into one of its environments. All files go into one commit.
It can be run again, and then changes only what differs. Each change is one line of output. With
`dry_run` nothing is changed. GitHub does not return secrets, so those that are missing here are
left as they are.
"""

import difflib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bot.adapters.github.issues.form import PATH, Label, form
from bot.adapters.github.repository import entry_of
from bot.adapters.github.setup_repository import SetupRepository, Snapshot
from bot.adapters.words import LocaleWords
from bot.config import Secrets, Settings
from bot.config_file import read_certificates
from bot.core.decision import Verdict
from bot.core.errors import ConfigError, RefusedError
from bot.core.policy import Policy, Rule
from bot.workflow import shipped

FIRST_LIST: Final = b"# One image a line; imageto-bot appends, people may edit.\n"
MESSAGE: Final = "Install the mirror workflow\n\nVersion: {version}\n"
NO_RUN: Final = "[skip actions]\n\n"
"""In the message of a commit that adds an empty list, so that GitHub starts no run."""
BY_HAND: Final = (
    "Use a token with Administration (read and write), or do it by hand: Settings, Environments, "
    "New environment {}. Under Deployment branches and tags choose Selected branches, and add {} "
    "alone. Then run this command again"
)
VARIABLE_BYTES: Final = 48 * 1024
"""The most that GitHub stores in a variable."""
FOLDER_MODE: Final = "040000"
SECRETS: Final = {
    "MIRROR_USER": "HARBOR_USER",
    "MIRROR_PASSWORD": "HARBOR_PWD",
    "MIRROR_SOURCE_AUTH": "SOURCE_AUTH",
}
"""The secrets -> where their values stand in the environment of this process.

Secrets of the second names are of earlier versions, and are deleted: an old mirror.yml on another
branch reads them, and runs a script whose hash is not checked.
"""
KEY: Final = "DECISION_KEY"
"""The secret with which the workflow checks the seals of decisions."""

Say = Callable[[str], None]


async def install(
    repository: SetupRepository,
    settings: Settings,
    secrets: Secrets,
    say: Say,
    *,
    environment: str | None = None,
    dry_run: bool = False,
) -> None:
    """Bring the repository up to date.

    The secrets go into this environment of the repository, or for "" into the repository itself.
    None leaves them where the installed workflow looks for them.

    Raises ConfigError when a needed secret is missing here, RefusedError or TransientError for an
    error of GitHub, and StaleError when the branch changes meanwhile.
    """
    default = await repository.default_branch()
    now = await repository.snapshot()
    if now is None and default != settings.github.branch:
        text = f"the mirror repository is empty and its default branch is {default}"
        raise RefusedError(f"{text}: push a first commit to {settings.github.branch}")
    before = await _environment_before(repository, settings, now)
    variables = variables_of(settings)
    place = before if environment is None else _environment(environment)
    there = {each: await repository.secret_names(each) for each in ("", before, place)}
    hidden = _secrets(secrets, there, place)
    work = _Installing(repository, settings, secrets.key_id, say, place, dry_run)
    await work.restrict_environment()
    await work.set_variables(variables)
    await work.set_secrets(hidden)
    await work.install_files(now)
    await work.make_labels()
    await work.delete_secrets(_needless(there, place))  # after the files: the old ones need them
    if default != settings.github.branch:
        await work.install_for_dispatches(default)


def _environment(name: str) -> str:
    if name and not shipped.ENVIRONMENT_NAME.fullmatch(name):
        raise ConfigError(
            "--environment: should be letters, digits, dots and dashes, such as mirror"
        )
    return name


async def _environment_before(
    repository: SetupRepository, settings: Settings, now: Snapshot | None
) -> str:
    """Return the environment that the installed workflow names, or nothing."""
    path = shipped.workflow_path(settings.github.workflow)
    if now is None or path not in now.files:
        return ""
    return shipped.environment_of((await repository.read_file(path)).content)


def _secrets(secrets: Secrets, there: Mapping[str, frozenset[str]], place: str) -> dict[str, str]:
    """Return the secrets to set. `there`: the names of those in the repository, and by environment.

    Raises ConfigError if the workflow would lack one afterwards.
    """
    login, source = secrets.target_login(), secrets.source_auth.get_secret_value()
    hidden = {"MIRROR_USER": login[0], "MIRROR_PASSWORD": login[1]} if login else {}
    if source:
        hidden["MIRROR_SOURCE_AUTH"] = source
    hidden[KEY] = secrets.decision_key.get_secret_value()
    known = frozenset[str]().union(*there.values())
    for name, given in SECRETS.items():
        needed = name != "MIRROR_SOURCE_AUTH" or known & {name, given}
        if needed and name not in there[place] and name not in hidden:
            where = f"environment {place}" if place else "repository"
            raise ConfigError(
                f"{given} is not in the environment of this command, and the {where} has no secret "
                f"{name} yet"
            )
    return hidden


def _needless(there: Mapping[str, frozenset[str]], place: str) -> list[tuple[str, str]]:
    """Return the secrets to delete, as (place, name): old ones, and those of another place."""
    names = {each: frozenset({*SECRETS, KEY}) if each != place else frozenset() for each in there}
    names[""] |= frozenset(SECRETS.values())
    return [(each, name) for each in there for name in sorted(there[each] & names[each])]


def variables_of(settings: Settings) -> dict[str, str]:
    """The variables of the workflow by their names. "" stands for none.

    Raises ConfigError for a value that no variable can hold, or a file that cannot be read.
    """
    target, servers = settings.target, settings.token_servers
    return {
        "HARBOR_HOST": target.host,
        "HARBOR_PREFIX": target.prefix,
        "NAMING": str(target.naming),
        "POLICY": policy_variable(settings.policy_in_force()),
        "TOKEN_SERVERS": json.dumps(servers) if servers else "",
        "REFERRERS": "" if target.referrers else "off",
        "RUNNER": settings.github.runner,
        "CA_BUNDLE": _certificates(settings.ca_bundle),
    }


def _certificates(path: str) -> str:
    text = read_certificates(path)
    if len(text) > VARIABLE_BYTES:
        words = f"ca_bundle: takes {len(text)} bytes as a variable of GitHub, which holds"
        advice = "leave only your own authority in it, since the system's are trusted anyway"
        raise ConfigError(f"{words} {VARIABLE_BYTES}: {advice}")
    return text


def _without_look(rule: Rule) -> Verdict:
    """What holds in a run, which looks for no signature."""
    return Verdict.ASK if rule.signer is not None else rule.verdict


def policy_variable(policy: Policy) -> str:
    """Return the rules as the workflow reads them: no ids, no reasons, since logs may be public.

    Raises ConfigError where GitHub would not take it.
    """
    rules: dict[str, object] = {
        "registries": sorted(policy.registries),
        "rules": [[rule.images, str(_without_look(rule))] for rule in policy.rules],
        "floating": list(policy.floating),
    }
    if policy.keeps_previous:
        rules["keep"] = True
    text = json.dumps(rules, separators=(",", ":"))
    if len(text) > VARIABLE_BYTES:
        words = f"policy: takes {len(text)} bytes as a variable of GitHub, which holds"
        raise ConfigError(f"{words} {VARIABLE_BYTES}: write fewer rules, with wider patterns")
    return text


@dataclass(frozen=True, slots=True)
class _Installing:
    """The steps. With `dry_run` they only say what they would do."""

    repository: SetupRepository
    settings: Settings
    key_id: str
    say: Say
    environment: str
    dry_run: bool

    def tell(self, what: str, done: str) -> None:
        self.say(f"{what}: {f'would be {done}' if self.dry_run else done}")

    async def restrict_environment(self) -> None:
        """Let it admit the branch alone. Raises RefusedError with the steps by hand."""
        name, branch = self.environment, self.settings.github.branch
        if not name or await self.repository.branches_of(name) == frozenset({branch}):
            return
        if not self.dry_run:
            try:
                await self.repository.restrict_environment(name, branch)
            except RefusedError as refusal:
                text = f"environment {name} cannot be restricted: {refusal}"
                raise RefusedError(f"{text}. {BY_HAND.format(name, branch)}") from refusal
        self.tell(f"environment {name}", f"restricted to branch {branch}")

    async def set_variables(self, wanted: Mapping[str, str]) -> None:
        repository, rules = self.repository, len(self.settings.policy.rules)
        count = wanted["CA_BUNDLE"].count("END CERTIFICATE")
        shown = {**wanted, "POLICY": f"{rules} rules", "CA_BUNDLE": f"{count} certificates"}
        there = await repository.variables()
        for name, value in wanted.items():
            if there.get(name, "") == value:
                continue
            if not self.dry_run:
                await (
                    repository.set_variable(name, value)
                    if value
                    else repository.delete_variable(name)
                )
            self.tell(f"variable {name}", f"set to {shown[name]}" if value else "removed")

    async def set_secrets(self, hidden: Mapping[str, str]) -> None:
        for name, value in hidden.items():
            if not self.dry_run:
                await self.repository.set_secret(name, value, self.environment)
            self.tell(_named(name, self.environment), "set")

    async def delete_secrets(self, needless: Sequence[tuple[str, str]]) -> None:
        for place, name in needless:
            if not self.dry_run:
                await self.repository.delete_secret(name, place)
            self.tell(_named(name, place), "removed")

    async def install_files(self, now: Snapshot | None) -> None:
        path, repository = self.settings.github.list, self.repository
        if now is None and not self.dry_run:  # GitHub's git data API needs a first commit
            await repository.put_file(path, FIRST_LIST, blob="", message=f"Add {path}\n\n{NO_RUN}")
            self.say(f"{path}: added, the first commit of the repository")
            now = await repository.snapshot()
        files = now.files if now else {}
        changes = self._changes(files)
        self._tell_files({path: _verb(path, each, files) for path, each in changes.items()})
        for changed, content in changes.items() if self.dry_run else ():
            before = (await repository.read_file(changed)).content if changed in files else b""
            for line in _diff(changed, before, content or b""):
                self.say(line)
        if not changes:
            self.say(f"files: are there, version {shipped.version()}")
        elif now and not self.dry_run:
            await self._commit(changes, now)

    def _tell_files(self, verbs: Mapping[str, str]) -> None:
        """Name each file, but of the package only how many."""
        package = f"{shipped.FOLDER}/"
        for path, verb in verbs.items():
            if not path.startswith(package):
                self.tell(path, verb)
        of_package = Counter(verb for path, verb in verbs.items() if path.startswith(package))
        for verb, count in of_package.items():
            self.tell(package, f"{count} {'file' if count == 1 else 'files'} {verb}")

    async def _commit(self, changes: Mapping[str, bytes | None], now: Snapshot) -> None:
        message = MESSAGE.format(version=shipped.version())
        if self.settings.github.list in changes:
            message = message.replace("\n\n", f"\n\n{NO_RUN}", 1)
        await self.repository.commit_files(changes, on=now, message=message)

    def _changes(self, now: Mapping[str, str]) -> dict[str, bytes | None]:
        """Return the new content of files that differ, by path. None means to delete the file."""
        part = self.settings.github
        place, name = self.environment, part.workflow
        wanted = shipped.files(part.branch, part.list, name, place, key_id=self.key_id)
        changes: dict[str, bytes | None] = {
            path: content for path, content in wanted.items() if now.get(path) != entry_of(content)
        }
        inside = [path for path in now if path.startswith(f"{shipped.FOLDER}/")]
        for path in (*inside, *shipped.REPLACED):
            if path in now and path not in wanted and not now[path].startswith(FOLDER_MODE):
                changes[path] = None
        if part.list not in now:
            changes[part.list] = FIRST_LIST
        made = _form(self.settings)
        if made is not None and now.get(PATH) != entry_of(made):
            changes[PATH] = made
        return changes

    async def make_labels(self) -> None:
        if self.settings.github.issues is None:
            return
        for label in sorted(set(Label) - await self.repository.label_names()):
            if not self.dry_run:
                await self.repository.make_label(label, label.colour)
            self.tell(f"label {label}", "added")

    async def install_for_dispatches(self, default: str) -> None:
        """Put mirror.yml on the default branch too. GitHub dispatches no other workflows.

        It has the same content, so it runs on the configured branch alone. Raises RefusedError if
        GitHub does not accept the commit.
        """
        part = self.settings.github
        path = shipped.workflow_path(part.workflow)
        place = self.environment
        content = shipped.workflow(part.branch, part.list, place, key_id=self.key_id)
        now, made = await self.repository.snapshot(default), _form(self.settings)
        wanted = {path: content} | ({} if made is None else {PATH: made})
        there = {} if now is None else now.files
        changes = {each: data for each, data in wanted.items() if there.get(each) != entry_of(data)}
        if now is None or not changes:
            return
        if not self.dry_run:
            try:
                await self._commit(changes, now)
            except RefusedError as refusal:
                text = f"{path} has to be on the default branch {default} too, or dispatches fail"
                raise RefusedError(f"{text}: copy it there by hand ({refusal})") from refusal
        for each, data in changes.items():
            self.tell(f"{each} on {default}", _verb(each, data, now.files))


def _form(settings: Settings) -> bytes | None:
    """The form of issues. None where they are not switched on."""
    part = settings.github.issues
    return None if part is None else form(LocaleWords(), part.language)


def _named(secret: str, environment: str) -> str:
    return f"secret {secret} of environment {environment}" if environment else f"secret {secret}"


def _verb(path: str, content: bytes | None, now: Mapping[str, str]) -> str:
    if content is None:
        return "removed"
    return "updated" if path in now else "added"


def _diff(path: str, before: bytes, after: bytes) -> Iterator[str]:
    old, new = (text.decode(errors="replace").splitlines() for text in (before, after))
    return difflib.unified_diff(old, new, f"a/{path}", f"b/{path}", lineterm="")
