"""Builds the lanes from the config and the adapters that build.py has opened.

Nothing is decided here, and nothing runs.
"""

import secrets as randomness
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from bot.adapters.github.issues import GITHUB
from bot.adapters.telegram import TELEGRAM
from bot.adapters.telegram.chat import TelegramChat
from bot.adapters.wish_file import WishFile
from bot.build import Adapters, policy_with_holds, utc_now
from bot.config import Secrets, Settings
from bot.core.hold import pause_of
from bot.core.ids import Place
from bot.engine.decided import Rules
from bot.engine.lanes.batch_admission import BatchAdmission
from bot.engine.lanes.batches import BatchesLane
from bot.engine.lanes.chat import KEY_BYTES, ChatLane
from bot.engine.lanes.files import FilesLane
from bot.engine.lanes.follow import FollowLane
from bot.engine.lanes.fresh import FreshLane
from bot.engine.lanes.fresh_gone import FreshGone
from bot.engine.lanes.fresh_news import FreshNews
from bot.engine.lanes.fresh_offers import FreshOffers
from bot.engine.lanes.fresh_updates import FreshUpdates
from bot.engine.lanes.hand_written import HandWrittenLane
from bot.engine.lanes.lane import Lane
from bot.engine.lanes.looks import WhoLooks
from bot.engine.lanes.maintainer import MaintainerLane, ToldWhere
from bot.engine.lanes.paused import Paused
from bot.engine.lanes.questions import QuestionsLane
from bot.engine.lanes.reconciler import Reconciler
from bot.engine.lanes.registry_checks import RegistryChecksLane
from bot.engine.lanes.retention import RetentionLane
from bot.engine.lanes.standing import StandingLane
from bot.engine.lanes.statements import StatementsLane
from bot.engine.lanes.wishes import WishesLane
from bot.engine.lanes.workflow import WorkflowLane
from bot.engine.ports.chat import Chat
from bot.engine.ports.repository import Repository
from bot.statement_key import signing_key
from bot.target_projects import probes


def _written(adapters: Adapters) -> Repository:
    """The mirror repository for the lane that writes to it."""
    held = pause_of(adapters.holds) is not None
    return Paused(adapters.repository) if held else adapters.repository


def _rules(settings: Settings, adapters: Adapters) -> Rules:
    return Rules(policy_with_holds(settings, adapters), settings.allow_lists().admins)


def make_reconciler(
    settings: Settings, secrets: Secrets, adapters: Adapters, restart: Callable[[], None]
) -> Reconciler:
    """All lanes. `restart` starts all parts anew, after what admins hold has changed."""
    who = WhoLooks(utc_now, settings.look)
    return Reconciler(
        {
            **_chat_lanes(settings, adapters, who),
            "registry_checks": RegistryChecksLane(
                store=adapters.store,
                registries=adapters.registries,
                rules=_rules(settings, adapters),
                target=settings.target_registry(),
                who=who,
                clock=utc_now,
                statements=settings.statements,
            ),
            "batches": _batches_lane(settings, secrets, adapters),
            "retention": RetentionLane(
                store=adapters.store, keep=timedelta(days=settings.retention_days), clock=utc_now
            ),
            "workflow": WorkflowLane(repository=adapters.repository, clock=utc_now),
            "wishes": WishesLane(
                store=adapters.store,
                wishes=WishFile(Path(settings.database)),
                rules=Rules(settings.policy_in_force(), settings.allow_lists().admins),
                clock=utc_now,
                restart=restart,
            ),
            "hand_written": _hand_written_lane(settings, adapters),
            **_statements_lane(settings, secrets, adapters),
            **_maintainer_lane(settings, adapters),
            **_standing_lane(adapters),
            "follow": _follow_lane(settings, adapters, who),
            **_fresh_lane(settings, adapters, who),
        }
    )


def make_chats(adapters: Adapters) -> dict[str, Chat]:
    """The chat of each service, by its name."""
    found: dict[str, Chat] = {}
    if adapters.bot is not None:
        found[TELEGRAM] = TelegramChat(adapters.bot, adapters.words)
    if adapters.issues is not None:
        found[GITHUB] = adapters.issues.chat
    return found


def _standing_lane(adapters: Adapters) -> dict[str, Lane]:
    """A chat of a service has no label, so Telegram needs none."""
    if adapters.issues is None:
        return {}
    lane = StandingLane(store=adapters.store, conversations=adapters.issues.chat, clock=utc_now)
    return {"standing": lane}


def lane_of(service: str) -> str:
    """The name of the lane that sends the messages of a service. Dashboards know Telegram's."""
    return "chat" if service == TELEGRAM else f"chat_{service}"


def _chat_lanes(settings: Settings, adapters: Adapters, who: WhoLooks) -> dict[str, Lane]:
    """The lanes that people hear from. Cards first: they show "being checked" before the result."""
    chats, target, language = (
        make_chats(adapters),
        settings.target_registry(),
        settings.language,
    )
    lanes: dict[str, Lane] = {
        lane_of(name): ChatLane(
            store=adapters.store,
            chat=chat,
            target=target,
            language=settings.services[name].language,
            clock=utc_now,
            policy=settings.policy_in_force(),
            admins=settings.allow_lists().admins,
            reasons=settings.policy.reasons,
            quiet=settings.quiet_hours(),
            approvals=settings.approvals,
        )
        for name, chat in chats.items()
    }
    return lanes | {
        "files": FilesLane(
            store=adapters.store, chats=chats, target=target, language=language, clock=utc_now
        ),
        "questions": QuestionsLane(
            store=adapters.store,
            registries=adapters.registries,
            repository=adapters.repository,
            target=target,
            rules=_rules(settings, adapters),
            kept_fresh=settings.fresh is not None,
            who=who,
            chats=chats,
            clock=utc_now,
            scan=adapters.harbor.scan_of(target) if settings.target.scan else None,
        ),
    }


def _hand_written_lane(settings: Settings, adapters: Adapters) -> HandWrittenLane:
    """The lane that tells the admins of lines written by hand, where alarms go."""
    plan = settings.fresh_plan()
    return HandWrittenLane(
        store=adapters.store,
        repository=adapters.repository,
        policy=settings.policy_in_force(),
        place=Place(settings.home if plan is None else plan.alarms),
        language=settings.language,
        clock=utc_now,
    )


def _statements_lane(settings: Settings, secrets: Secrets, adapters: Adapters) -> dict[str, Lane]:
    """The lane that signs who decided on what arrived, if the config wants statements."""
    key = signing_key(settings, secrets)
    if key is None:
        return {}
    from bot.adapters.registry.statements import (  # noqa: PLC0415 - only who signs needs it
        TargetStatements,
    )

    return {
        "statements": StatementsLane(
            store=adapters.store,
            target=TargetStatements(adapters.registries),
            names=settings.target_registry(),
            sign=key.sign,
            key_name=key.name,
            verifier=settings.repository_address(),
            clock=utc_now,
        )
    }


def _maintainer_lane(settings: Settings, adapters: Adapters) -> dict[str, Lane]:
    """The lane that tells the maintainer of defects, if the config names one."""
    part = settings.maintainer
    if part is None:
        return {}
    projects = [name for name, _ in probes(settings)]
    return {
        "maintainer": MaintainerLane(
            store=adapters.store,
            github=adapters.repository,
            registries=adapters.registries,
            target=lambda: adapters.harbor.state(projects),
            host=settings.target.host,
            where=ToldWhere(
                chat=settings.home,
                person=part.person,
                language=settings.language,
                quiet=settings.quiet_hours(),
            ),
            clock=utc_now,
        )
    }


def _batches_lane(settings: Settings, secrets: Secrets, adapters: Adapters) -> BatchesLane:
    return BatchesLane(
        store=adapters.store,
        repository=_written(adapters),
        registries=adapters.registries,
        admission=BatchAdmission(_rules(settings, adapters)),
        access=settings.allow_lists(),
        language=settings.language,
        key=bytes.fromhex(secrets.decision_key.get_secret_value()),
        patience=timedelta(seconds=settings.github.patience),
        clock=utc_now,
        new_id=lambda: randomness.token_hex(8),
    )


def _follow_lane(settings: Settings, adapters: Adapters, who: WhoLooks) -> FollowLane:
    """The lane that tells chats of newer versions, within the budgets of the section `fresh`."""
    plan, policy = settings.fresh_plan(), policy_with_holds(settings, adapters)
    return FollowLane(
        store=adapters.store,
        registries=adapters.registries,
        policy=policy,
        access=settings.allow_lists(),
        language=settings.language,
        quiet=settings.quiet_hours(),
        budgets={name: plan.budget(name) for name in policy.registries} if plan else {},
        who=who,
        clock=utc_now,
        new_key=lambda: randomness.token_urlsafe(KEY_BYTES),
    )


def _fresh_lane(settings: Settings, adapters: Adapters, who: WhoLooks) -> dict[str, Lane]:
    """The lane that keeps listed images fresh, if the config has the section `fresh`."""
    plan = settings.fresh_plan()
    if plan is None:
        return {}
    access, policy = settings.allow_lists(), policy_with_holds(settings, adapters)
    news = FreshNews(
        access=access,
        language=settings.language,
        alarms=plan.alarms,
    )
    gone = FreshGone(
        news=news,
        access=access,
        language=settings.language,
        alarms=plan.alarms,
        quiet=settings.quiet_hours(),
    )
    updates = FreshUpdates(
        store=adapters.store,
        registries=adapters.registries,
        rules=_rules(settings, adapters),
        plan=plan,
        clock=utc_now,
    )
    offers = FreshOffers(
        store=adapters.store,
        rules=_rules(settings, adapters),
        chats=access.chats,
        plan=plan,
        clock=utc_now,
    )
    return {
        "fresh": FreshLane(
            store=adapters.store,
            registries=adapters.registries,
            repository=adapters.repository,
            policy=policy,
            target=settings.target_registry(),
            plan=plan,
            news=news,
            gone=gone,
            updates=updates,
            offers=offers,
            who=who,
            clock=utc_now,
        )
    }
