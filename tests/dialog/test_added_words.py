"""What is said in a group that the bot was added to, and in chats that are not served."""

import pytest

from bot.adapters.telegram.rendering import TelegramWords
from bot.core.ids import ChatId, Person, PersonId
from bot.dialog import answers
from bot.dialog.language import Language

WEI = Person(PersonId("telegram:1001"), "Wei")
GROUP = ChatId("telegram:-1001")


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("served", [False, True])
@pytest.mark.parametrize("me", ["", "mirror_bot"])
def test_it_has_two_lines_with_the_ids_and_how_to_call_the_bot(
    language: Language, *, served: bool, me: str
) -> None:
    message = answers.added(WEI, GROUP, served=served, me=me)
    text = TelegramWords().render(message, language).html
    first, second = text.splitlines()
    assert "<code>-1001</code>" in first
    assert "<code>1001</code>" in first
    assert ("/help@mirror_bot" in second) is bool(me)
    assert ("telegram.chats" in second) is not served


def test_a_private_chat_is_not_one_to_serve() -> None:
    (group,), (private,) = (answers.outside(WEI, c).lines for c in (GROUP, ChatId(WEI.id)))
    assert (group.key, private.key) == ("outside", "guest")
