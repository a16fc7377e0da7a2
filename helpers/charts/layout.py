"""Places the nodes of a graph in layers from left to right, with few crossings; pure arithmetic."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Slot = tuple[str, ...]  # (node,), or (from, layer) where the long edges from a node pass a layer

_SWEEPS = 6


@dataclass(frozen=True)
class Layout:
    """`at` gives each node its layer and row (0 is the top); `edges` lists the points of each edge, with its ends."""

    at: dict[str, tuple[int, float]]
    edges: dict[tuple[str, str], tuple[tuple[int, float], ...]]
    layers: int
    rows: float


def layered(inputs: Mapping[str, Sequence[str]], *, groups: Mapping[str, str]) -> Layout:
    """Lay out a graph given as node → the nodes it reads; the same graph always gives the same layout.

    A node that nothing reads stands in the last layer of its group. A cycle is drawn rather than refused.
    """
    level = _level_with_group(_levels(inputs), inputs, groups)
    pairs = [
        (source, node) for node, sources in inputs.items() for source in dict.fromkeys(sources) if source in inputs
    ]
    paths = {pair: _path(pair, level) for pair in pairs}
    columns: list[list[Slot]] = [[] for _ in range(max(level.values(), default=-1) + 1)]
    for node in inputs:
        columns[level[node]].append((node,))
    for slot in dict.fromkeys(slot for path in paths.values() for slot in path[1:-1]):
        columns[int(slot[1])].append(slot)
    _untangle(columns, paths.values())
    place, rows = _rows(columns)
    at = {node: place[(node,)] for node in inputs}
    return Layout(at, {pair: tuple(place[slot] for slot in path) for pair, path in paths.items()}, len(columns), rows)


def _levels(inputs: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Return the longest way from a source to each node; where a cycle blocks the way, its first node goes ahead."""
    level: dict[str, int] = {}
    left = list(inputs)
    while left:
        ready = [node for node in left if all(source in level or source not in inputs for source in inputs[node])]
        for node in ready or left[:1]:
            level[node] = 1 + max((level[source] for source in inputs[node] if source in level), default=-1)
        left = [node for node in left if node not in level]
    return level


def _level_with_group(
    level: Mapping[str, int], inputs: Mapping[str, Sequence[str]], groups: Mapping[str, str]
) -> dict[str, int]:
    read = {source for sources in inputs.values() for source in sources}
    last = {group: max(level[node] for node in inputs if groups[node] == group) for group in set(groups.values())}
    return {node: level[node] if node in read or not inputs[node] else last[groups[node]] for node in inputs}


def _path(pair: tuple[str, str], level: Mapping[str, int]) -> list[Slot]:
    source, node = pair
    between = range(level[source] + 1, level[node])
    return [(source,), *((source, str(layer)) for layer in between), (node,)]


def _untangle(columns: list[list[Slot]], paths: Sequence[list[Slot]]) -> None:
    """Order each column by the mean place of its neighbours, to the right and then to the left, a few times."""
    before: dict[Slot, list[Slot]] = {slot: [] for column in columns for slot in column}
    after: dict[Slot, list[Slot]] = {slot: [] for slot in before}
    for path in paths:
        for left, right in itertools.pairwise(path):
            before[right].append(left)
            after[left].append(right)
    for sweep in range(_SWEEPS):
        order = columns if sweep % 2 == 0 else columns[::-1]
        near = before if sweep % 2 == 0 else after
        for column in order:
            place = {slot: (index + 0.5) / len(other) for other in columns for index, slot in enumerate(other)}
            column.sort(
                key=lambda slot: sum(place[n] for n in near[slot]) / len(near[slot]) if near[slot] else place[slot]
            )


def _rows(columns: Sequence[Sequence[Slot]]) -> tuple[dict[Slot, tuple[int, float]], float]:
    """Centre the columns; a passing edge takes half the room of a node."""
    sizes = [[1.0 if len(slot) == 1 else 0.5 for slot in column] for column in columns]
    rows = max((sum(column) for column in sizes), default=0.0)
    place: dict[Slot, tuple[int, float]] = {}
    for layer, (column, heights) in enumerate(zip(columns, sizes, strict=True)):
        top = (rows - sum(heights)) / 2
        for slot, height in zip(column, heights, strict=True):
            place[slot] = (layer, top + height / 2 - 0.5)
            top += height
    return place, rows
