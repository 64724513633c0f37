"""Which language a person is answered in."""

import pytest

from bot.dialog.language import Language, spoken

OTHER = {Language.EN: Language.ZH_CN, Language.ZH_CN: Language.EN}


@pytest.mark.parametrize(
    ("code", "language"),
    [
        ("en", Language.EN),
        ("EN", Language.EN),
        ("en-GB", Language.EN),
        ("en-us", Language.EN),
        ("zh", Language.ZH_CN),
        ("zh-hans", Language.ZH_CN),
        ("zh-Hans-CN", Language.ZH_CN),
        ("zh-hant", Language.ZH_CN),
        ("zh-TW", Language.ZH_CN),
        ("ZH-cn", Language.ZH_CN),
        ("zh-hans-raw", Language.ZH_CN),
    ],
)
def test_a_language_we_speak_is_taken_whatever_the_group_speaks(
    code: str, language: Language
) -> None:
    assert spoken(code, otherwise=OTHER[language]) is language


@pytest.mark.parametrize("code", ["", "-", "de", "de-en", "zhuang", "za-zh", "eng", "enm", " en"])
@pytest.mark.parametrize("otherwise", Language)
def test_any_other_code_is_answered_in_the_language_of_the_group(
    code: str, otherwise: Language
) -> None:
    assert spoken(code, otherwise=otherwise) is otherwise


@pytest.mark.parametrize("language", Language)
def test_a_language_is_its_own_code(language: Language) -> None:
    assert spoken(language, otherwise=OTHER[language]) is language
