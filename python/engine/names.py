"""``names=``: values for the names of a text from a mapping that may have others, such as ``locals()``.

It is a look-up of the text's own names and nothing else. It means what the same values by keyword would mean, so names
of options cannot be given in this way; :func:`arrayops.evaluate`, which takes nothing by position, can.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Keywords of the functions that take names.
OPTIONS = frozenset(
    {"compile", "executor", "ieee", "initial", "merge", "names", "nulls", "out", "progress", "threads", "typecode"}
)

#: What makes a mapping of other libraries' tables, by an attribute that their types have.
_TABLES = {
    "to_dict": ": .to_dict() makes one of its columns",
    "column_names": ": dict(zip(table.column_names, table.columns)) makes one",
    "dtype": ": {name: array[name] for name in array.dtype.names} makes one",
}


def check_mapping(names: Any) -> None:
    """TypeError unless names can be looked up in this."""
    if not (hasattr(type(names), "__getitem__") and hasattr(type(names), "keys")):
        remedy = next((text for attribute, text in _TABLES.items() if hasattr(type(names), attribute)), "")
        raise TypeError(f"names must be a mapping, not {type(names).__name__}{remedy}")


def looked_up(params: tuple[str, ...], names: Any, named: dict[str, Any]) -> dict[str, Any]:
    """``named``, and what the mapping has for those of the parameters that are not in it."""
    check_mapping(names)
    found = [name for name in params if name not in named and name in names]
    for name in found:
        if name in OPTIONS:
            raise TypeError(f"the name {name!r} is that of an option: give it another one, or use evaluate()")
    return {**{name: names[name] for name in found}, **named}
