"""The words that call the admins to what waits."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.adapters.telegram.rendering import TelegramWords
from bot.core.announcement import WaitingRequest
from bot.core.ids import ChatId, PersonId, Place, RequestId
from bot.dialog.announcement import announcement
from bot.dialog.language import Language

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ANA, LI = PersonId("telegram:1003"), PersonId("telegram:1002")
ONE = WaitingRequest(
    request=RequestId(7),
    person=LI,
    place=Place(ChatId("telegram:-1001")),
    card=None,
    since=NOW - timedelta(hours=70),
    expires_at=NOW + timedelta(hours=2),
    deciders=frozenset({ANA, LI}),
)
EN = """\
#7 waits for an admin.
<a href="tg://user?id=1002">admin</a>, <a href="tg://user?id=1003">Ana &lt;b&gt;</a>: \
please decide on the card. /status lists what waits.
#7 expires at 2026-03-01 14:00 UTC if nobody decides."""
ZH = """\
#7 等待管理员审批。
<a href="tg://user?id=1002">管理员</a>、<a href="tg://user?id=1003">Ana &lt;b&gt;</a>：\
请在卡片上审批，发 /status 可以查看所有待审批的请求。
如果无人审批，#7 将在 2026-03-01 14:00 UTC 过期。"""


@pytest.mark.parametrize(("language", "text"), [(Language.EN, EN), (Language.ZH_CN, ZH)])
def test_one_request_that_is_about_to_expire(language: Language, text: str) -> None:
    message = announcement([ONE], {ANA: "Ana <b>"}, now=NOW, quiet=None)
    assert TelegramWords().render(message, language).html == text


def test_many_requests_are_counted_and_without_anybody_to_call_nobody_is() -> None:
    many = [
        replace(ONE, request=RequestId(n), deciders=frozenset(), expires_at=None)
        for n in range(1, 13)
    ]
    message = announcement(many, {}, now=NOW, quiet=None)
    assert TelegramWords().render(message, Language.EN).html == (
        "12 requests wait for an admin: #1, #2, #3, #4, #5, #6, #7, #8, #9, #10 and 2 more."
    )
