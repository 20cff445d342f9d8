"""Mappings with known keys. Voluptuous validates; what a person reads is worded here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from voluptuous import Invalid, Marker, MultipleInvalid, RequiredFieldInvalid, Schema

from iop.config.scalars import got

__all__ = ["Entries", "Section", "Validator", "list_of"]

Validator = Callable[[Any], Any]


class Section:
    """A mapping whose keys are all known. Nothing under its key (``proxy:``) counts as an empty one."""

    def __init__(self, keys: Mapping[str | Marker, Validator]) -> None:
        self.keys: dict[str, Validator] = {str(key): value for key, value in keys.items()}
        self._schema = Schema(dict(keys))

    def __call__(self, value: object) -> dict[str, Any]:
        """Return the checked values by key. Raises MultipleInvalid with every problem in it."""
        if value is not None and not isinstance(value, dict):
            # Not what stood there: under `environment` it may be a secret.
            raise Invalid("must be a mapping of keys")
        try:
            checked: dict[str, Any] = self._schema(value or {})
        except MultipleInvalid as errors:
            raise MultipleInvalid([self._reworded(error) for error in errors.errors]) from None
        return checked

    def paths(self) -> Iterator[tuple[str, ...]]:
        """Yield every key below this one; a key with keys of its own is yielded too."""
        for key, validator in self.keys.items():
            yield (key,)
            if isinstance(validator, Section | Entries):
                yield from ((key, *path) for path in validator.paths())

    def _reworded(self, error: Invalid) -> Invalid:
        if isinstance(error, RequiredFieldInvalid):
            return Invalid(error.msg, [str(step) for step in error.path])
        if error.msg == "extra keys not allowed":
            key = str(error.path[-1])
            return Invalid(f"unknown key; {self._nearest(key)}", [key])
        return error

    def _nearest(self, key: str) -> str:
        for name, validator in self.keys.items():
            if isinstance(validator, Section) and key in validator.keys:
                return f"did you mean {name}.{key}?"
        close = get_close_matches(key.lower().replace("-", "_"), self.keys, n=1)
        return f"did you mean {close[0]}?" if close else f"known here: {', '.join(self.keys)}"


class Entries:
    """A mapping of name → section, such as ``apps``."""

    def __init__(self, name: Validator, section: Section) -> None:
        self._name = name
        self._section = section

    def __call__(self, value: object) -> dict[str, dict[str, Any]]:
        """Return the checked entries by name. Raises MultipleInvalid with every problem in it."""
        if value is not None and not isinstance(value, dict):
            raise Invalid(
                f"must be a mapping of name to entry, or a list of entries with `name`, {got(value)}"
            )
        checked: dict[str, dict[str, Any]] = {}
        errors: list[Invalid] = []
        for name, entry in (value or {}).items():
            for validator, part in ((self._name, name), (self._section, entry)):
                try:
                    checked[name] = validator(part)
                except MultipleInvalid as several:
                    several.prepend([name])
                    errors += several.errors
                except Invalid as error:
                    error.prepend([name])
                    errors.append(error)
        if errors:
            raise MultipleInvalid(errors)
        return checked

    def paths(self) -> Iterator[tuple[str, ...]]:
        """Yield the keys of an entry, without the entry's name."""
        return self._section.paths()


def list_of(item: Validator, what: str) -> Validator:
    """Make a validator of lists of ``item`` that returns a tuple; ``what`` says what the list holds."""
    schema = Schema([item])

    def validate(value: object) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise Invalid(f"must be a list of {what}")
        return tuple(schema(value))

    return validate
