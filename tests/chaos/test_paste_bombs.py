"""No paste takes long to read, whatever it contains."""

from collections import Counter

import pytest
from bombs import BOMBS
from pasted import HOST

from bot.core.image import Target
from bot.paste import PASTE_SIZE_LIMIT, extract, rewrite


@pytest.mark.sweep(kept=4)
@pytest.mark.parametrize(
    ("name", "size"),
    [
        pytest.param("", PASTE_SIZE_LIMIT // 4, marks=pytest.mark.sample),
        pytest.param("", PASTE_SIZE_LIMIT, marks=pytest.mark.chaos),
        pytest.param("a.yaml", PASTE_SIZE_LIMIT, marks=pytest.mark.chaos),
    ],
    ids=["a short paste", "a paste", "a file"],
)
@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.usefixtures("ends")
def test_a_bomb_gets_an_answer(bomb: str, name: str, size: int, tally: Counter[str]) -> None:
    tally["inputs"] += 1
    content = BOMBS[bomb].encode()[:size]
    if name:
        rewrite(content, name=name, target=Target(HOST), images=())
    else:
        extract(content.decode(), target_host=HOST)
