"""What is made of things that never change, made once: courses of the same people share it."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

Made = TypeVar("Made")


class Kept(Generic[Made]):
    """Remembers what `make` returned for the same objects: the same ones, not equal ones.

    Comparing whole profiles or scenarios would cost what making does. What it was made of is
    kept too, so that no identity is used again. most: entries; with one more it starts anew.
    """

    def __init__(self, make: Callable[..., Made], most: int = 64) -> None:
        self._make = make
        self._most = most
        self._made: dict[tuple[int, ...], tuple[tuple[Any, ...], Made]] = {}

    def __call__(self, *of: Any) -> Made:
        key = tuple(map(id, of))
        found = self._made.get(key)
        if found is None:
            made = self._make(*of)
            if len(self._made) >= self._most:
                self._made.clear()
            self._made[key] = (of, made)
            return made
        return found[1]
