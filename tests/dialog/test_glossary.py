"""One word for one thing, in both languages. What the words mean: the head of zh-CN.ftl.

A term of one language has its counterpart in the other language, message by message.
"""

import re

import pytest
from test_locales import READINGS

from bot.core.failures import FailureKind
from bot.dialog.language import Language

EN, ZH = READINGS[Language.EN], READINGS[Language.ZH_CN]
TERMS = {
    r"our registry": r"我们的镜像仓库",
    r"mirror repository": r"同步仓库",
    r"source|sources|upstream": r"上游",
    r"digests?": r"摘要",
    r"tags?": r"标签",
    r"policy": r"策略",
    r"rules?": r"规则",
    r"runs?(?! imageto-bot)": r"运行",
    r"workflow": r"工作流",
    r"approv\w+": r"批准|获批|审批",
    r"reject\w*": r"驳回",
    r"platforms?": r"平台",
    r"quota": r"配额",
    r"project": r"项目",
    r"requests?": r"请求",
    r"cancel\w*": r"取消",
    r"commits?": r"提交",
    r"float\w*": r"浮动",
    r"fresh": r"保持更新",
}
"""What a message says in English -> what it then says in Chinese."""
ONLY_ENGLISH = {"mistake-source-page"}
"""Source code is no source of images."""
FORBIDDEN = {
    Language.EN: (
        r"\bmov(e|es|ed|ing)\b",
        r"\bupkeep\b",
        r"\btemporar",
        r"\bour own\b",
        r"\b(the|our|your) target\b",
        r"\bis not what it is\b",
        r"\badmin can change\b",
        r"\bquiet\b|\bhush\b",
        r"\bblanks?\b",
        r";",
    ),
    Language.ZH_CN: (
        r"您|源仓库|源站|源镜像|目标仓库|安静|清单|仓库列表|按规则办",
        r"(?<!镜像)(?<!同步)仓库(?!名)",
        r"\uff1b",
    ),
}


def said(texts: list[str]) -> str:
    """The words of a message, without markup, values and what is typed."""
    found = (re.sub(r"<code>.*?</code>|<[^<>]*>|\{\w+\}|/[a-z]+", " ", text) for text in texts)
    return "\n".join(found)


@pytest.mark.parametrize("term", TERMS)
def test_a_term_has_its_counterpart_in_the_other_language(term: str) -> None:
    english = re.compile(rf"\b(?:{term})\b", re.IGNORECASE)
    having = {key for key in EN.keys() - ONLY_ENGLISH if english.search(said(EN[key]))}
    assert having
    assert {key for key in having if not re.search(TERMS[term], said(ZH[key]))} == set()


@pytest.mark.parametrize("language", Language)
def test_nothing_is_called_by_a_word_that_is_not_in_the_glossary(language: Language) -> None:
    for key, texts in READINGS[language].items():
        for word in FORBIDDEN[language]:
            assert not re.search(word, said(texts), re.IGNORECASE), key


def test_the_registry_and_the_mirror_repository_are_told_apart() -> None:
    workflow = {key for key, texts in ZH.items() if re.search(r"工作流|Actions", said(texts))}
    assert f"failure-{FailureKind.WORKFLOW_OFF}" in workflow
    assert {key for key in workflow if "镜像仓库" in said(ZH[key])} == set()


def test_copying_to_our_registry_is_called_the_same_everywhere() -> None:
    copied = {key for key, texts in ZH.items() if "复制" in said(texts)}
    assert all(key.startswith("button-copy") for key in copied)
