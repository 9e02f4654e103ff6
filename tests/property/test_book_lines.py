"""The line map agrees with the text, whatever the layout: values that are unique in the text stand on the line of their key."""

import tomllib

import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenworth.book.lines import Path, line_map
from tokenworth.book.source import Source, parse

KEYS = st.sampled_from(["a", "b", "c-1", "d_2", '"e f"', "'g.h'", '"i#[j]"', '"\\u00e9"'])
STYLES = st.sampled_from(
    [
        '"v{}"',
        "'v{}'",
        '"""\nv{}"""',
        "'''v{}\n[x]\nk = 1'''",
        '"""\\"#]{{v{}\\\n  """"',
        '["v{}"]',
        "{{ s = 'v{}' }}",
        "'''v{} '''''",
        '"""v{} """""',
    ]
)
GAPS = st.sampled_from(["", "\n", "# a comment = [1\n", "\n\n  # [x]\n", "\r\n"])


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Draw valid TOML of headers, arrays of tables, dotted keys and many kinds of value, in any order; every value is `v` and a number."""
    text = ""
    for number in range(draw(st.integers(1, 12))):
        kind = draw(st.sampled_from(["pair", "pair", "[{}]", "[[{}]]"]))
        keys = ".".join(draw(st.lists(KEYS, min_size=1, max_size=3)))
        value = draw(STYLES).format(number)
        several = f'[\n  # one\n  "v{number}x", {{ m = "v{number}y" }},\n\n  ["v{number}z"]]'
        line = f"{keys} = {draw(st.sampled_from([value, several]))}" if kind == "pair" else kind.format(keys)
        candidate = text + draw(GAPS) + line + draw(st.sampled_from(["", " # end"])) + "\n"
        if isinstance(parse("f", candidate), Source) and _is_toml(candidate):
            text = candidate
    return text


def _is_toml(text: str) -> bool:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


def leaves(data: object, path: Path = ()) -> list[tuple[Path, str]]:
    if isinstance(data, dict):
        return [leaf for key, value in data.items() for leaf in leaves(value, (*path, key))]
    if isinstance(data, list):
        return [leaf for at, value in enumerate(data) for leaf in leaves(value, (*path, at))]
    return [(path, str(data))]


@settings(deadline=None)
@given(documents())
def test_every_leaf_stands_where_its_value_begins(text: str) -> None:
    lines = line_map(text)
    found = leaves(tomllib.loads(text))
    for path, value in found:
        name = value[value.index("v") :].split()[0].split("\n")[0].rstrip('"')
        at = text[: text.index(name)].count("\n") + 1
        opening = text.split("\n")[lines[path] - 1]
        assert lines[path] == at or (lines[path] == at - 1 and opening.rstrip().endswith('"""'))


@settings(deadline=None)
@given(documents())
def test_every_table_and_key_has_a_line_and_nothing_else(text: str) -> None:
    data = tomllib.loads(text)
    assert tomlkit.parse(text).unwrap() == data
    known: set[Path] = set()
    for path, _ in leaves(data):
        known.update(path[:size] for size in range(1, len(path) + 1))
    assert known <= set(line_map(text))
    assert {path for path in line_map(text) if _lacks(data, path)} == set()


def _lacks(data: object, path: Path) -> bool:
    for part in path:
        if isinstance(part, int):
            if not isinstance(data, list) or part >= len(data):
                return True
            data = data[part]
        else:
            if not isinstance(data, dict) or part not in data:
                return True
            data = data[part]
    return False
