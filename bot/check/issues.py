"""Checks of issues as a service: who reads and asks there, who decides, and who writes."""

from bot.adapters.github.inspection import InspectedRepository
from bot.adapters.github.issues import person_of
from bot.adapters.github.issues.client import Account, IssueTracker
from bot.adapters.github.issues.form import PATH
from bot.check.report import CheckLine, CheckLines, failed, ok, warning
from bot.config import IssuesSection, Settings
from bot.core.errors import RefusedError
from bot.core.ids import number_of


async def issues(repository: InspectedRepository, settings: Settings) -> CheckLines:
    """Nothing where the config does not switch them on."""
    section, tracker = settings.github.issues, IssueTracker(repository)
    if section is None:
        return
    facts = await repository.api("GET", f"/repos/{settings.github.repository}")
    yield _readers(section, is_on=facts.get("has_issues", True), private=bool(facts.get("private")))
    me = await tracker.me()
    yield _writer(section, me)
    for admin in section.admins:
        number = number_of(admin)
        try:
            yield ok("admin in issues", f"{number} is {await tracker.login_of(number)}")
        except RefusedError as error:
            advice = "correct github.issues.admins: https://api.github.com/users/LOGIN has the id"
            yield failed("admin in issues", f"{number}: {error}", advice)
    if not await repository.exists(f"contents/{PATH}"):
        text = "the form is not in the repository"
        yield warning("form of issues", text, "run `imageto-bot setup`")


def _readers(section: IssuesSection, *, is_on: bool, private: bool) -> CheckLine:
    if not is_on:
        advice = "switch them on in the repository's settings, or remove github.issues"
        return failed("issues", "they are switched off", advice)
    if private:
        return ok("issues", "who may read the repository reads what is asked and decided")
    if section.anybody:
        text = "the repository is public: everybody on the internet may ask"
        return warning("issues", text, "remove github.issues.anybody, unless that is meant")
    return ok("issues", "the repository is public: everybody reads what is asked and decided")


def _writer(section: IssuesSection, me: Account) -> CheckLine:
    """The commands on the bot's own cards must never decide, so its account is nobody."""
    if person_of(me.id) in section.admins:
        text = f"{me.login} is an admin in issues, and the account that the bot writes by"
        advice = "remove it from github.issues.admins, or give the bot a GitHub App"
        return failed("account of the bot", text, advice)
    if me.login.endswith("[bot]"):
        return ok("account of the bot", me.login)
    text = f"{me.login}, who is nobody in issues: a GitHub App has a name of its own"
    return ok("account of the bot", text)
