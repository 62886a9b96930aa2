"""Reusable attacks on an artifact: single-bit flips, and random changes to its bytes, lines and structure.

    for what, data in mutations(original, seed=1, count=1000): ...

Every mutation differs from the original in its bytes. Structural ones parse the file, change the tree, and lay it out
again properly, so that they reach the checks behind the rendering.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

from bizra_gate.attest.canonical import render
from bizra_gate.errors import UntrustedError


def bit_flips(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Every file that differs from `data` in one bit."""
    for index, byte in enumerate(data):
        for bit in range(8):
            yield f"bit {bit} of byte {index}", data[:index] + bytes([byte ^ 1 << bit]) + data[index + 1 :]


def mutations(original: bytes, *, seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """`count` (description, bytes) pairs, the same for the same seed; never the original itself."""
    dice = random.Random(seed)
    made = 0
    while made < count:
        if dice.random() < 0.5:
            change = dice.choice(_ON_BYTES)
            data = change(original, dice)
        else:
            change = dice.choice(_ON_TREE)
            data = _rendered(change, json.loads(original), dice)
        if data != original:
            made += 1
            yield change.__name__.strip("_"), data


def byte_mutations(original: bytes, *, seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """As `mutations`, for text that is no artifact: its bytes and lines only."""
    dice = random.Random(seed)
    changes = [change for change in _ON_BYTES if change is not _other_layout]
    made = 0
    while made < count:
        change = dice.choice(changes)
        data = change(original, dice)
        if data != original:
            made += 1
            yield change.__name__.strip("_"), data


def structural_mutations(original: bytes, *, seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """As `mutations`, but only changes to the tree, laid out again properly."""
    dice = random.Random(seed)
    made = 0
    while made < count:
        change = dice.choice(_ON_TREE)
        data = _rendered(change, json.loads(original), dice)
        if data != original:
            made += 1
            yield change.__name__.strip("_"), data


def tree_mutations(document: Any, *, seed: int, count: int) -> Iterator[tuple[str, Any]]:
    """`count` (description, changed copy) pairs of any JSON document; the copy may hold what JSON cannot."""
    dice = random.Random(seed)
    for _ in range(count):
        change = dice.choice([change for change in _ON_TREE if change is not _resign_with_another_key])
        tree = copy.deepcopy(document)
        change(tree, dice)
        yield change.__name__.strip("_"), tree


def _rendered(change: Callable[[Any, random.Random], None], tree: Any, dice: random.Random) -> bytes:
    change(tree, dice)
    try:
        return render(tree)
    except UntrustedError:
        return json.dumps(tree, indent=2, sort_keys=True).encode("utf-8", "surrogatepass") + b"\n"


def _flip_a_bit(data: bytes, dice: random.Random) -> bytes:
    index = dice.randrange(len(data))
    return data[:index] + bytes([data[index] ^ 1 << dice.randrange(8)]) + data[index + 1 :]


def _replace_a_byte(data: bytes, dice: random.Random) -> bytes:
    index = dice.randrange(len(data))
    return (
        data[:index]
        + dice.choice([b"0", b"9", b"-", b'"', b"\\", b"{", b"}", b"[", b"]", b",", b" ", b"\0", b"\xff"])
        + data[index + 1 :]
    )


def _delete_a_stretch(data: bytes, dice: random.Random) -> bytes:
    start = dice.randrange(len(data))
    return data[:start] + data[start + dice.randint(1, 60) :]


def _repeat_a_stretch(data: bytes, dice: random.Random) -> bytes:
    start = dice.randrange(len(data))
    end = start + dice.randint(1, 60)
    return data[:end] + data[start:end] + data[end:]


def _truncate(data: bytes, dice: random.Random) -> bytes:
    return data[: dice.randrange(len(data))]


def _append(data: bytes, dice: random.Random) -> bytes:
    return data + dice.choice([b"\n", b" ", b"\0", b"{}", b"#", data])


def _swap_two_lines(data: bytes, dice: random.Random) -> bytes:
    lines = data.split(b"\n")
    one, other = dice.randrange(len(lines)), dice.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines)


def _drop_a_line(data: bytes, dice: random.Random) -> bytes:
    lines = data.split(b"\n")
    del lines[dice.randrange(len(lines))]
    return b"\n".join(lines)


def _repeat_a_line(data: bytes, dice: random.Random) -> bytes:
    lines = data.split(b"\n")
    lines.insert(dice.randrange(len(lines)), dice.choice(lines))
    return b"\n".join(lines)


def _other_layout(data: bytes, dice: random.Random) -> bytes:
    document = json.loads(data)
    options: list[dict[str, Any]] = [
        {},
        {"indent": 1},
        {"indent": 4},
        {"separators": (",", ":")},
        {"indent": 2, "ensure_ascii": True},
    ]
    return json.dumps(document, **dice.choice(options)).encode()


def _carriage_returns(data: bytes, dice: random.Random) -> bytes:
    return data.replace(b"\n", b"\r\n")


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) of a tree."""
    found: list[tuple[Any, Any]] = []
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        items = node.items() if isinstance(node, dict) else enumerate(node)
        for key, value in list(items):
            found.append((node, key))
            if isinstance(value, dict | list):
                waiting.append(value)
    return found


def _change_a_value(tree: Any, dice: random.Random) -> None:
    node, key = dice.choice(_places(tree))
    value = node[key]
    if isinstance(value, bool) or value is None:
        node[key] = dice.choice([1, "true", not value])
    elif isinstance(value, int | float):
        node[key] = dice.choice([value + 1, -value - 1, value * 0.5 + 0.1, 0.125, str(value), None, 2**53, 1e16])
    elif isinstance(value, str):
        node[key] = dice.choice(
            [value + "x", value[:-1] + "é", value[::-1] + "r", "", [value], None, "\ud800", "\x1b[2J"]
        )
    else:
        node[key] = dice.choice([None, [value], {"x": value}, "", 0])


def _remove_a_place(tree: Any, dice: random.Random) -> None:
    node, key = dice.choice(_places(tree))
    del node[key]


def _add_a_member(tree: Any, dice: random.Random) -> None:
    objects = [tree, *(node[key] for node, key in _places(tree) if isinstance(node[key], dict))]
    dice.choice(objects)[dice.choice(["x", "", "sig", "__proto__", "verdict", "\U0001f600"])] = dice.choice(
        [1, "x", None, {}]
    )


def _rename_a_member(tree: Any, dice: random.Random) -> None:
    node, key = dice.choice([place for place in _places(tree) if isinstance(place[0], dict)])
    node[key + dice.choice(["x", " ", "\u200b", "s"])] = node.pop(key)


def _swap_two_values(tree: Any, dice: random.Random) -> None:
    places = [place for place in _places(tree) if not isinstance(place[0][place[1]], dict | list)]
    (one, k), (other, m) = dice.choice(places), dice.choice(places)
    one[k], other[m] = other[m], one[k]


def _repeat_an_element(tree: Any, dice: random.Random) -> None:
    node, key = dice.choice(_places(tree))
    if isinstance(node, list):
        node.insert(key, copy.deepcopy(node[key]))
    else:
        node[key] = [node[key]] * 2


def _nest_deeply(tree: Any, dice: random.Random) -> None:
    node, key = dice.choice(_places(tree))
    for _ in range(dice.randint(20, 60)):
        node[key] = [node[key]]


def _resign_with_another_key(tree: Any, dice: random.Random) -> None:
    for entry in tree["signatures"]:
        entry["sig"] = "A" * 86 + "=="


_ON_BYTES = (
    _flip_a_bit, _replace_a_byte, _delete_a_stretch, _repeat_a_stretch, _truncate, _append, _swap_two_lines,
    _drop_a_line, _repeat_a_line, _other_layout, _carriage_returns,
)  # fmt: skip
_ON_TREE = (
    _change_a_value, _remove_a_place, _add_a_member, _rename_a_member, _swap_two_values, _repeat_an_element,
    _nest_deeply, _resign_with_another_key,
)  # fmt: skip
