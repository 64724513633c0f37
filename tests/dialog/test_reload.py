"""What an admin reads after /reload, in both languages."""

from zoneinfo import ZoneInfo

import pytest

from bot.adapters.telegram.rendering import TelegramWords
from bot.adapters.words import Maintainer
from bot.dialog.answers import not_reloaded, reloaded
from bot.dialog.language import Language
from bot.dialog.message import Message

WORDS = TelegramWords(ZoneInfo("UTC"), maintainer=Maintainer("ana"))


def lines(message: Message, language: Language) -> list[str]:
    return WORDS.render(message, language).html.splitlines()


@pytest.mark.parametrize("language", Language)
def test_the_keys_that_changed_are_named(language: Language) -> None:
    (told,) = lines(reloaded(["telegram.admins", "maintainer.name"]), language)
    assert "telegram.admins, maintainer.name" in told


@pytest.mark.parametrize("key", ["policy.rules", "policy.registries", "fresh", "fresh.floating"])
@pytest.mark.parametrize("language", Language)
def test_what_the_workflow_obeys_too_needs_a_setup(language: Language, key: str) -> None:
    told, next_step = lines(reloaded([key]), language)
    assert key in told
    assert "ana" in next_step
    assert "imageto-bot setup" in next_step


@pytest.mark.parametrize("language", Language)
def test_nothing_changed_says_what_docker_does_to_a_mounted_file(language: Language) -> None:
    assert "Docker" in lines(reloaded([]), language)[-1]


@pytest.mark.parametrize("language", Language)
def test_a_wrong_config_is_quoted_as_a_text(language: Language) -> None:
    _, told, next_step = lines(not_reloaded("config.yaml: policy.rules: <b>x"), language)
    assert "policy.rules: &lt;b&gt;x" in told
    assert "/reload" in next_step


@pytest.mark.parametrize("language", Language)
def test_of_many_mistakes_the_first_three_are_told(language: Language) -> None:
    trouble = "\n".join(f"config.yaml:{n}: key{n}: is no key" for n in range(9))
    _, *told, more, _ = lines(not_reloaded(trouble), language)
    assert "6" in more
    assert [f"key{n}: is no key" in line for n, line in enumerate(told)] == [True] * 3
