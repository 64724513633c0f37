"""Ids: one form, built and split strictly, and the meaning of Telegram's numbers."""

import pytest

from bot.core.errors import ChatMovedError
from bot.core.ids import (
    BOT_ITSELF,
    ChatId,
    PersonId,
    chat_id,
    is_private,
    is_private_chat_of,
    message_id,
    number_of,
    person_id,
    split_id,
)


def test_an_id_is_built_of_a_service_and_a_number_and_gives_both_back() -> None:
    assert person_id("telegram", 1003) == "telegram:1003"
    assert chat_id("telegram", -1001234567890) == "telegram:-1001234567890"
    assert message_id("telegram", 5007) == "telegram:5007"
    assert split_id("telegram:-1001234567890") == ("telegram", -1001234567890)
    assert number_of(ChatId("telegram:-5")) == -5


@pytest.mark.parametrize(
    "text",
    [
        *("", "1003", "telegram", "telegram:", ":1003", "Telegram:1003", "telegram:1003 "),
        *("telegram:01", "telegram:+1", "telegram:-0", "telegram:1_0", "telegram:\u0661", "a b:1"),
        *("telegram:1003\n", "telegram:1:2", f"telegram:{2**63}", f"telegram:{-(2**63) - 1}"),
    ],
)
def test_what_has_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no id of the form service:number"):
        split_id(text)


def test_nothing_is_built_that_could_not_be_split_again() -> None:
    assert number_of(person_id("telegram", 2**63 - 1)) == 2**63 - 1
    for service, number in (("telegram", 2**63), ("Telegram", 1), ("", 1), ("telegram", True)):
        with pytest.raises(ValueError, match="is no id"):
            person_id(service, number)


def test_a_private_chat_has_the_number_of_its_person_and_a_group_one_below_zero() -> None:
    wei, group = PersonId("telegram:1001"), ChatId("telegram:-1001")
    assert is_private_chat_of(ChatId(wei), wei)
    assert not is_private_chat_of(group, wei)
    assert not is_private_chat_of(ChatId("telegram:1002"), wei)
    assert is_private(ChatId(wei))
    assert not is_private(group)


def test_no_person_of_a_service_is_the_bot_itself() -> None:
    assert split_id(BOT_ITSELF) == ("bot", 0)
    assert person_id("telegram", 0) != BOT_ITSELF


def test_a_chat_that_moved_says_where_it_is_now() -> None:
    assert ChatMovedError(ChatId("telegram:-100")).chat == ChatId("telegram:-100")
