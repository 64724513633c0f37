"""What comments and issues say to the bot: the author's own words here, and nothing quoted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.github.issues.reading import Fence, Said, said_in

ME = "mirror-bot"
FORM = {"Images": False, "镜像": False, "File": True, "文件": True}
APPROVE = "/approve 41 aB3_-x9Q"
FENCE = "```"


def said(body: str) -> Said | None:
    return said_in(body, me=ME, form=FORM)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("/mirror nginx:1.27", "/mirror nginx:1.27"),
        ("\r\n\r\n  /mirror nginx\r\nredis:7\r\n", "/mirror nginx\nredis:7"),
        (f"{APPROVE}\n\nthanks!", APPROVE),
        (f"@mirror-bot {APPROVE}", APPROVE),
        (f"@Mirror-Bot, {APPROVE}", APPROVE),
        (f"<!-- note -->\n{APPROVE}", APPROVE),
        (f"> what do you think?\n\n{APPROVE}", APPROVE),
        (f"On Tue, 1 Dec 2026 Wei <wei@example.com> wrote:\n\n> hello\n\n{APPROVE}", APPROVE),
        ("/mirror nginx\n-- \nWei, platform team\nredis", "/mirror nginx"),
        ("/mirror nginx\n\nOn Tue, Dec 1, 2026 at 10:00 Ana <\na@b.c> wrote:\nredis", None),
        ("/mirror nginx\n\n在 2026年12月1日，Ana 写道：\nredis:7", "/mirror nginx"),
        ("/mirror nginx\n\nAna 于2026年12月1日周二写道：\n> redis:7", "/mirror nginx"),
        ("/mirror nginx\n\n---原始邮件---\n发件人：Ana", "/mirror nginx"),
        ("/mirror nginx\n发件人: Ana <a@b.c>\n发送时间: 12月1日\nredis", "/mirror nginx"),
        ("/mirror nginx\n-----Original Message-----\nFrom: Ana\nredis", "/mirror nginx"),
        ("/mirror nginx\n—\nReply to this email directly or view it", "/mirror nginx\n—"),
        ("/mirror nginx\n发自我的iPhone", "/mirror nginx"),
        ("/mirror nginx\nSent from my iPhone", "/mirror nginx"),
        ("/mirror\n```\nnginx\nredis:7\n```\n", "/mirror\nnginx\nredis:7"),
        ("/mirror\n~~~ text\nnginx\n```\n~~~", "/mirror\nnginx\n```"),
        ("/mirror <!-- the web --> nginx", "/mirror  nginx"),
        ("/mirror\n<details><summary>all</summary>\n\nnginx\n</details>", "/mirror nginx"),
        (f"{APPROVE}\n/approve 42 bbbbbbbb", f"{APPROVE}\n/approve 42 bbbbbbbb"),
        ("### Images\n\nnginx\nredis:7\n\n### File\n\n_No response_", "/mirror\n\nnginx\nredis:7"),
        ("### 镜像\r\n\r\nnginx\r\n\r\n### 备注\r\n\r\nhttpd", "/mirror\n\nnginx"),
    ],
)
def test_what_the_author_says_is_read(body: str, text: str | None) -> None:
    found = said(body)
    assert found is not None
    assert found.text.split() == (text or "/mirror nginx").split()


@pytest.mark.parametrize(
    "body",
    [
        "",
        "hello",
        f"hello\n{APPROVE}",
        f"> {APPROVE}",
        f"> hello\n{APPROVE}",
        f">\n{APPROVE}",
        f"> a\u2028\u2028{APPROVE}",
        f"`{APPROVE}`",
        f"```\n{APPROVE}\n```",
        f"~~~\n{APPROVE}",
        f"````\n```\n{APPROVE}",
        f"    {APPROVE}",
        f"\t{APPROVE}",
        f"<!--\n{APPROVE}\n-->",
        f"<!-- {APPROVE} -->",
        f"<!--\n\n{APPROVE}",
        f"<!-- a --><!--\n{APPROVE}\n-->",
        f"<details>\n\n{APPROVE}\n\n</details>",
        f"<details><summary>more</summary>\n\n{APPROVE}",
        f"- {APPROVE}",
        f"### Other\n\n{APPROVE}",
        f"On Tue, 1 Dec 2026, Wei wrote:\n{APPROVE}",
        f"Am 1.12.2026 um 10:00 schrieb Wei:\n{APPROVE}",
        f"Wei 于 2026年12月1日 写道：\n\n{APPROVE}",
        f"-----Original Message-----\n{APPROVE}",
        f"--\n{APPROVE}",
        f"Reply to this email directly, view it on GitHub\n{APPROVE}",
        f"@somebody {APPROVE}",
        "/usr/bin/env",
        "//mirror nginx",
    ],
)
def test_what_is_quoted_hidden_or_below_says_nothing(body: str) -> None:
    assert said(body) is None


def test_a_fence_after_mirror_is_a_file_and_keeps_every_byte() -> None:
    compose = "services:\n  web:\n    image: nginx:1.27\n<!-- no comment -->\n> no quote\n--"
    found = said(f"/mirror\n```yaml docker-compose.yml\n{compose}\n```\nthanks")
    assert found == Said("/mirror\nthanks", (Fence("yaml docker-compose.yml", compose),))
    assert found.files[0].name == "docker-compose.yml"


def test_the_file_of_the_form_is_a_file_whatever_its_fence_says() -> None:
    body = f"### Images\n\n_No response_\n\n### File\n\n{FENCE}text\nFROM nginx\n{FENCE}"
    assert said(body) == Said("/mirror", (Fence("file.txt", "FROM nginx"),))
    assert said(f"### File\n\n{FENCE}text\n\n{FENCE}") == Said("/mirror")


@pytest.mark.parametrize(
    ("info", "name"),
    [
        ("yaml", "file.yaml"),
        ("dockerfile", "Dockerfile"),
        ("yml", "file.yml"),
        ("yaml ../../etc/x.yaml", "x.yaml"),
        ("text values.yaml", "values.yaml"),
    ],
)
def test_a_fence_names_its_file(info: str, name: str) -> None:
    assert Fence(info, "").name == name
    assert Fence(info, "").is_file


def test_a_comment_has_no_form() -> None:
    assert said_in("### Images\n\nnginx", me=ME) is None


@given(st.text(alphabet="<!->`~/> \t\n#mirorapve41detils-_", max_size=200))
def test_no_text_makes_it_raise_and_a_command_begins_with_a_slash(body: str) -> None:
    found = said(body)
    assert found is None or found.text.startswith("/")
