"""Pastes made to take for ever: as large as is accepted, each against one way of reading."""

from bot.paste import PASTE_SIZE_LIMIT

DEEP = 20_000
BOMBS = {
    "aliases": "a0: &a0 x\n"
    + "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, DEEP // 2)),
    "merges": "a0: &a0 {image: a}\n"
    + "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}\n" for n in range(1, DEEP)),
    "itself": "a: &a [*a, {image: nginx}]\nservices: &s {b: *s}\n",
    "flow": "[" * DEEP,
    "braces": "{a: " * DEEP,
    "dashes": "- " * DEEP,
    "documents": "--- a\n" * DEEP,
    "scalars": "[" + "1," * (PASTE_SIZE_LIMIT // 2 - 1) + "]",
    "variables": "services: {a: {image: '" + "${a:-" * DEEP + "'}}",
    "arguments": "ARG A=aaaaaaaaa\n" + "ARG A=$A$A\n" * DEEP + "FROM $A\n",
    "one word": "a" * PASTE_SIZE_LIMIT,
    "blanks": " " * PASTE_SIZE_LIMIT,
    "an image of blanks": "image:" + " " * DEEP * 20,
    "times": "12:30 " * (PASTE_SIZE_LIMIT // 6),
    "fences": "```\na\n" * (PASTE_SIZE_LIMIT // 6),
    "open fences": "```a\n" * (2 * DEEP),
    "here-documents": "RUN " + "<<A " * (6 * DEEP) + "\n" + "A\n" * (PASTE_SIZE_LIMIT // 4),
    "aliases of a long spelling": 'a: &a {name: b, newName: "c\\\n'
    + " " * (PASTE_SIZE_LIMIT // 2)
    + 'd"}\nimages: ['
    + "*a," * (PASTE_SIZE_LIMIT // 8)
    + "]\n",
    "blanks in images": "".join(f"- image: a{n}{' ' * 1000}b\n" for n in range(1000)),
    "a sentence above what is no YAML": "for wei\n" + "a: b\n" * (PASTE_SIZE_LIMIT // 6) + "x: [}",
    "pulls": "docker pull a;" * (PASTE_SIZE_LIMIT // 14),
    "flags": "docker run " + "-a b " * (PASTE_SIZE_LIMIT // 5),
    "variables of a shell": "a=bbbbbbbb\n"
    'a="'
    + "$a" * 1000
    + '"\nb="'
    + "$a$a " * 800
    + '"\n'
    + "docker pull $a$b\n" * (PASTE_SIZE_LIMIT // 20),
    "texts in a text": "a: |\n"
    + "  b: |\n    image: {repository: a/b}\n" * (PASTE_SIZE_LIMIT // 40),
    "loops": "for a in b c d; do docker pull $a$a$a; done\n" * (PASTE_SIZE_LIMIT // 45),
    "arrays": "a=( b\n" * (PASTE_SIZE_LIMIT // 7),
    "escapes": "a \\\n" * (PASTE_SIZE_LIMIT // 4),
}
