"""Every key is found where it stands."""

import tomllib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailcounsel.config.locate import Place, locate, place_at


def test_a_file_of_every_shape():
    """Tables, arrays of tables, dotted and quoted keys, long texts and lists all have a place."""
    text = '''# a comment = "with [signs]"
name = "one"
  dotted.key . "with a space" = 1   # [not.a.table]

[centre]  # = 5
text = """
[not.a.table]
key = 1 \\""" still
"""
'literal key' = \'\'\'
[[nor.this]] ''\'\'\'

[[inbox]]
address = "a"
  [inbox.imap]
  host = "b]"
[[inbox]]
[inbox.imap]
port = 1
list = [
  1, # one ]
  { a = 1, b.c = [2, 3] },
  [ "x,]", 'y' ],
]
'''
    places = locate(text)
    expected = {
        ("name",): (2, 1),
        ("dotted",): (3, 3),
        ("dotted", "key"): (3, 3),
        ("dotted", "key", "with a space"): (3, 3),
        ("centre",): (5, 1),
        ("centre", "text"): (6, 1),
        ("centre", "literal key"): (10, 1),
        ("inbox",): (13, 1),
        ("inbox", 0): (13, 1),
        ("inbox", 0, "address"): (14, 1),
        ("inbox", 0, "imap"): (15, 3),
        ("inbox", 0, "imap", "host"): (16, 3),
        ("inbox", 1): (17, 1),
        ("inbox", 1, "imap"): (18, 1),
        ("inbox", 1, "imap", "port"): (19, 1),
        ("inbox", 1, "imap", "list"): (20, 1),
        ("inbox", 1, "imap", "list", 0): (21, 3),
        ("inbox", 1, "imap", "list", 1): (22, 3),
        ("inbox", 1, "imap", "list", 1, "a"): (22, 5),
        ("inbox", 1, "imap", "list", 1, "b"): (22, 12),
        ("inbox", 1, "imap", "list", 1, "b", "c"): (22, 12),
        ("inbox", 1, "imap", "list", 1, "b", "c", 0): (22, 19),
        ("inbox", 1, "imap", "list", 1, "b", "c", 1): (22, 22),
        ("inbox", 1, "imap", "list", 2): (23, 3),
        ("inbox", 1, "imap", "list", 2, 0): (23, 5),
        ("inbox", 1, "imap", "list", 2, 1): (23, 12),
    }
    assert places == expected
    assert set(places) == paths_of(tomllib.loads(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a = 1",
        'a = """"""',
        'a = """two "" quotes"""""',
        "a = '''''quoted'''''",
        'a = "\\\\"\nb = 1',
        'a = "\\""\nb = 1',
        "a = []\nb = {}\n",
        "a = [ # nothing\n]\n",
        "a = [[], [[]], {}]\n",
        "[a.b.c]\n[a]\nd = 1\n",
        "[[a]]\n[[a.b]]\n[[a.b]]\n[[a]]\n[[a.b]]\n[a.b.c]\n",
        '["a.b"."]"]\n\'"\' = 1\n"" = 2\n',
        "a = 1979-05-27 07:32:00 # moment\nb = 07:32:00",
        "a=1\r\nb=2\r\n",
        "\ta\t=\ttrue\t\n",
        '"\\u0061" = 1',
        "3.14 = 'a key'",
    ],
)
def test_it_names_the_paths_tomllib_reads(text):
    """No key is missed, and none is made up."""
    assert set(locate(text)) == paths_of(tomllib.loads(text))


def test_columns_count_characters():
    """A letter of two bytes is one column."""
    assert place_at("ä = 1\nöü = 2", 8) == Place(2, 3)


def paths_of(value, path=()):
    """List the path of every table, key and item."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    found = set()
    for key, inner in items:
        found.add((*path, key))
        if isinstance(inner, dict | list):
            found |= paths_of(inner, (*path, key))
    return found


class Writer:
    """Writes a TOML text piece by piece and notes what it put where."""

    def __init__(self, draw):
        self.draw = draw
        self.text = ""
        self.noted = {}
        self.keys = 0

    def put(self, piece):
        self.text += piece

    def note(self, path):
        self.noted.setdefault(path, len(self.text))

    def pick(self, *choices):
        return self.draw(st.sampled_from(choices))

    def key(self):
        """Return a key never used before, as written and as read."""
        self.keys += 1
        name = f"k{self.keys}"
        return self.pick(
            (name, name),
            (f'"{name} ]"', f"{name} ]"),
            (f"'{name}.#'", f"{name}.#"),
            (f'"{name}\\t\\""', f'{name}\t"'),
        )

    def statement(self, table):
        keys = [self.key() for _ in range(self.pick(1, 1, 2, 3))]
        path = table
        for _, name in keys:
            path = (*path, name)
            self.note(path)
        self.put(self.pick(".", " . ").join(written for written, _ in keys))
        self.put(self.pick("=", " = "))
        self.value(path, depth=2)

    def value(self, path, depth):
        kind = self.pick("scalar", "array", "inline") if depth else "scalar"
        if kind == "scalar":
            self.put(self.pick(*SCALARS))
        elif kind == "array":
            self.array(path, depth)
        else:
            self.inline(path, depth)

    def array(self, path, depth):
        self.put("[" + self.pick(*GAPS))
        for index in range(self.pick(0, 1, 2, 3)):
            self.note((*path, index))
            self.value((*path, index), depth - 1)
            self.put(self.pick(*GAPS) + "," + self.pick(*GAPS))
        self.put("]")

    def inline(self, path, depth):
        self.put("{ ")
        for index in range(self.pick(0, 1, 2)):
            self.put(", " if index else "")
            written, name = self.key()
            self.note((*path, name))
            self.put(f"{written} = ")
            self.value((*path, name), depth - 1)
        self.put(" }")

    def section(self, table=()):
        for _ in range(self.pick(0, 1, 3)):
            self.put(self.pick("", "\n", "# [x] = '\n", "  "))
            self.statement(table)
            self.put(self.pick("\n", ' # [[y]] "\n', "\n\n"))

    def table(self):
        written, name = self.key()
        self.note((name,))
        self.put(f"[{written}]\n")
        self.section((name,))

    def tables(self):
        (written, name), (child, child_name) = self.key(), self.key()
        for index in range(self.pick(1, 2, 3)):
            self.note((name,))
            self.note((name, index))
            self.put(f"[[ {written} ]] # item\n")
            self.section((name, index))
            self.note((name, index, child_name))
            self.put(f"[{written} . {child}]\n")
            self.section((name, index, child_name))


SCALARS = [
    *("1", "-0.5e3", "true", "1979-05-27 07:32:00", "0xff"),
    *('"]"', '"\\"}"', "'\\'", '"# no"', '"""\n[x]\n"" \\""" """', "'''\n'a' ]\n'''", '""', "''"),
]
GAPS = ["", " ", "\n", " # ] ,\n  "]


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_whatever_is_written_is_found(data):
    """In any text that tomllib reads, each path is found exactly where it was put."""
    writer = Writer(data.draw)
    writer.section()
    for _ in range(writer.pick(0, 1, 3)):
        writer.pick(writer.table, writer.tables)()
    places = locate(writer.text)
    assert set(places) == paths_of(tomllib.loads(writer.text))
    assert places == {path: place_at(writer.text, at) for path, at in writer.noted.items()}
