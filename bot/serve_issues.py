"""Serves issues of the mirror repository: who may ask there, and the polling.

Nothing is decided here. app.py starts and stops it, beside the other services.
"""

import time
from dataclasses import replace

from bot.adapters.github.issues import GITHUB, SERVICE
from bot.adapters.github.issues.form import headings
from bot.adapters.github.issues.polling import Collaborators, IssuePolling
from bot.build import Running, make_intake, utc_now
from bot.build_issues import Issues
from bot.config import IssuesSection
from bot.core.policy import for_strangers
from bot.engine.intake.context import Installation


async def serve_issues(running: Running, issues: Issues, section: IssuesSection) -> None:
    """Until the parts stop."""
    store = running.adapters.store

    async def alive() -> None:
        async with store.begin() as unit:
            await unit.beat(GITHUB, utc_now())

    def of_issues(installation: Installation) -> Installation:
        return replace(
            installation,
            access=running.settings.issue_lists(),
            language=section.language,
            strangers=for_strangers(installation.policy) if section.anybody else None,
        )

    polling = IssuePolling(
        tracker=issues.tracker,
        accounts=issues.accounts,
        collaborators=Collaborators(issues.tracker, time.monotonic),
        receiver=make_intake(running, store, SERVICE, "", of_issues),
        store=store,
        form=headings(issues.words),
        language=section.language,
        clock=utc_now,
        alive=alive,
    )
    running.log_name("in issues")
    await polling.run(running.reload.parts)
