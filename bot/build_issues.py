"""Builds what issues of the mirror repository need as a service. serve_issues.py runs it."""

import time
from dataclasses import dataclass

from bot.adapters.github.issues.api import IssueRepository
from bot.adapters.github.issues.budget import ContentBudget
from bot.adapters.github.issues.chat import Accounts, IssueChat
from bot.adapters.github.issues.client import IssueTracker
from bot.adapters.github.issues.form import headings
from bot.adapters.github.issues.rendering import IssueWords
from bot.adapters.words import Maintainer
from bot.config import Settings


@dataclass(frozen=True, slots=True)
class Issues:
    """`chat` writes comments. The polling reads with the same tracker and accounts."""

    chat: IssueChat
    tracker: IssueTracker
    accounts: Accounts
    words: IssueWords


def make_issues(settings: Settings, repository: IssueRepository) -> Issues | None:
    """None where the config does not switch issues on."""
    if settings.github.issues is None:
        return None
    part, tracker = settings.maintainer, IssueTracker(repository)
    words = IssueWords(
        settings.zone(),
        maintainer=None if part is None else Maintainer(part.name, part.person),
        registries=settings.policy.registries,
    )
    accounts, budget = Accounts(tracker, time.monotonic), ContentBudget(time.monotonic)
    chat = IssueChat(tracker, words, accounts=accounts, budget=budget, form=headings(words))
    return Issues(chat, tracker, accounts, words)
