"""image.list: what is listed, what is missing, and that adding a line changes no other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.image import ImageRef
from bot.core.image_list import listed_images, unlisted, with_images, without

NGINX = ImageRef.parse("nginx:1.26")
REDIS = ImageRef.parse("redis:7")
LATEST = ImageRef.parse("nginx")
QUAY = ImageRef.parse("quay.io/prometheus/node-exporter:v1.8.2")
LISTED = b"docker.io/library/nginx:1.26\n"


def names(images: tuple[ImageRef, ...]) -> list[str]:
    return [str(image) for image in images]


def test_the_lines_that_name_an_image_are_its_entries_in_order() -> None:
    content = b"redis:7\ndocker.io/library/nginx:1.26\n"
    assert listed_images(content) == (REDIS, NGINX)


def test_comments_and_blank_lines_are_no_entries() -> None:
    content = b"# for wei\n\n   \n\t# indented\nnginx:1.26  # web\nredis:7\t#cache\n#nginx\n"
    assert listed_images(content) == (NGINX, REDIS)


def test_a_hash_within_a_word_begins_no_comment() -> None:
    assert listed_images(b"nginx:1.26#web\n") == ()


def test_foreign_lines_are_passed_over() -> None:
    content = b"\xff\xfe\nnginx redis\nNGINX\n\xe9\x95\x9c\xe5\x83\x8f\nredis:7\n"
    assert listed_images(content) == (REDIS,)


def test_a_byte_order_mark_hides_nothing() -> None:
    assert listed_images(b"\xef\xbb\xbfnginx:1.26\n") == (NGINX,)
    assert unlisted(b"\xef\xbb\xbfnginx:1.26\n", [NGINX]) == ()


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b""])
def test_lines_may_end_in_any_way(ending: bytes) -> None:
    assert listed_images(b"nginx:1.26" + ending) == (NGINX,)


@pytest.mark.parametrize(
    "line",
    [
        "nginx",
        "nginx:latest",
        "library/nginx",
        "docker.io/nginx",
        "docker.io/library/nginx",
        "index.docker.io/library/nginx:latest",
        "registry-1.docker.io/nginx",
        "  nginx  ",
        "nginx # the web server",
    ],
)
def test_an_image_in_another_spelling_counts_as_listed(line: str) -> None:
    assert unlisted(f"a:1\n{line}\nb:1\n".encode(), [LATEST]) == ()


@pytest.mark.parametrize(
    "line",
    ["nginx:1.26", "bitnami/nginx", "# nginx", "nginx redis", "ghcr.io/library/nginx", "Nginx"],
)
def test_another_image_does_not_count_as_listed(line: str) -> None:
    assert unlisted(f"{line}\n".encode(), [LATEST]) == (LATEST,)


def test_missing_images_keep_their_order_and_come_once() -> None:
    assert unlisted(LISTED, [REDIS, NGINX, QUAY, REDIS]) == (REDIS, QUAY)


def test_an_image_is_added_at_the_end_fully_qualified() -> None:
    assert with_images(LISTED, [REDIS]) == LISTED + b"docker.io/library/redis:7\n"


def test_a_listed_image_is_not_added_again() -> None:
    assert with_images(b"nginx:1.26", [NGINX]) == b"nginx:1.26"


def test_an_empty_list_gets_its_first_line() -> None:
    assert with_images(b"", [NGINX, QUAY]) == LISTED + str(QUAY).encode() + b"\n"


def test_a_list_of_a_byte_order_mark_alone_gets_its_first_line() -> None:
    assert with_images(b"\xef\xbb\xbf", [NGINX]) == b"\xef\xbb\xbf" + LISTED


def test_a_missing_final_newline_is_added_first() -> None:
    assert with_images(b"redis:7", [NGINX]) == b"redis:7\n" + LISTED


def test_a_file_with_crlf_gets_crlf() -> None:
    assert (
        with_images(b"a\r\nredis:7", [NGINX]) == b"a\r\nredis:7\r\ndocker.io/library/nginx:1.26\r\n"
    )


def test_the_last_whole_line_decides_how_lines_end() -> None:
    assert with_images(b"a\r\nb\n", [NGINX]) == b"a\r\nb\n" + LISTED


IMAGES = st.lists(st.sampled_from([NGINX, REDIS, LATEST, QUAY]), max_size=5)
LINES = st.sampled_from(
    [b"nginx", b"nginx:1.26", b"# x", b"", b" redis:7 # y", b"\xff\x00", b"redis", b"a\rb"]
)
CONTENTS = st.one_of(
    st.binary(max_size=60),
    st.builds(
        lambda lines, joint, end: joint.join(lines) + end,
        st.lists(LINES, max_size=6),
        st.sampled_from([b"\n", b"\r\n"]),
        st.sampled_from([b"", b"\n", b"\r\n", b"\r"]),
    ),
)


@given(CONTENTS, IMAGES)
def test_the_old_bytes_stay_in_front_and_only_lines_are_added(
    content: bytes, images: list[ImageRef]
) -> None:
    new = with_images(content, images)
    assert new.startswith(content)
    rest = new[len(content) :].split()
    assert rest == [str(image).encode() for image in unlisted(content, images)]


@given(CONTENTS, IMAGES)
def test_adding_twice_equals_adding_once(content: bytes, images: list[ImageRef]) -> None:
    once = with_images(content, images)
    assert with_images(once, images) == once


@given(CONTENTS, IMAGES)
def test_afterwards_all_images_are_listed_beside_the_old_ones(
    content: bytes, images: list[ImageRef]
) -> None:
    before, after = listed_images(content), listed_images(with_images(content, images))
    assert after[: len(before)] == before
    assert set(images) <= set(after)


@given(CONTENTS, IMAGES)
def test_what_is_missing_is_what_no_entry_names(content: bytes, images: list[ImageRef]) -> None:
    expected = [image for image in dict.fromkeys(images) if image not in listed_images(content)]
    assert names(unlisted(content, images)) == names(tuple(expected))


@pytest.mark.parametrize(
    ("content", "left"),
    [
        (b"nginx:1.26\nredis:7\n", b"redis:7\n"),
        (b"redis:7\r\nnginx:1.26 # web\r\n#end", b"redis:7\r\n#end"),
        (b"redis:7\n\n  library/nginx:1.26\t#x", b"redis:7\n\n"),
        (b"nginx:1.26\nredis:7\ndocker.io/nginx:1.26\n", b"redis:7\n"),
        (b"\xef\xbb\xbfnginx:1.26\n\xff\n", b"\xef\xbb\xbf\xff\n"),
        (b"#nginx:1.26\nnginx:1.26.1\nnginx:1.26#web\nnginx\n", None),
        (b"nginx:1.26\rredis:7\r", b"redis:7\r"),
        (b"", None),
    ],
)
def test_a_line_goes_as_a_whole_and_every_other_byte_stays(
    content: bytes, left: bytes | None
) -> None:
    assert without(content, [NGINX]) == (content if left is None else left)


@given(CONTENTS, IMAGES)
def test_what_was_taken_out_is_listed_no_more_and_all_else_is(
    content: bytes, images: list[ImageRef]
) -> None:
    after = without(content, images)
    kept = [image for image in listed_images(content) if image not in images]
    assert list(listed_images(after)) == kept
    assert without(after, images) == after
