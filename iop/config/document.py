"""A YAML text as plain values that still know their lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml
from attrs import frozen

from iop.config.problems import KeyPath

__all__ = ["Document", "SyntaxProblem", "parse"]


class SyntaxProblem(Exception):
    """The text isn't YAML that we read. ``line`` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


class _Loader(yaml.SafeLoader):
    """YAML 1.2's plain scalars: ``22:22`` is a port pair and ``yes`` a word, not a number and a boolean."""


_Loader.yaml_implicit_resolvers = {}
# No !!binary, !!set, !!timestamp …: nothing in iop.yml is of such a kind. None is "any other tag": refused.
_Loader.yaml_constructors = {
    tag: constructor
    for tag, constructor in yaml.SafeLoader.yaml_constructors.items()
    if tag is None or tag.rpartition(":")[2] in {"null", "bool", "int", "float", "str", "seq", "map"}
}
for _tag, _pattern, _first in (
    ("merge", r"<<", "<"),
    ("null", r"~|null|Null|NULL|", "~nN"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?[0-9]+\.[0-9]+", "-+0123456789"),
):
    _first_characters = ["", *_first] if _tag == "null" else list(_first)
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), _first_characters
    )


@frozen
class Document:
    """``data`` is made of dict, list, str, int, float, bool and None."""

    data: object
    _root: yaml.Node | None

    def line(self, path: KeyPath) -> int:
        """Return the line (from 1) of the deepest part of ``path`` that is in the text.

        In a list of entries a name finds the entry whose ``name`` it is.
        """
        node, line = self._root, 1
        for step in path:
            found = _child(node, step) if node is not None else None
            if found is None:
                break
            line, node = found
        return line


def parse(text: str) -> tuple[Document, list[tuple[int, KeyPath, str]]]:
    """Read one YAML document; the second value lists keys given twice as (line, path, message).

    Raises SyntaxProblem.
    """
    loader = None
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        twice = list(_given_twice(root, (), set()))
        data = None if root is None else loader.construct_document(root)
    except yaml.MarkedYAMLError as error:
        raise _syntax_problem(error) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise SyntaxProblem(line, f"holds the control character U+{error.character:04X}; remove it") from None
    except (ValueError, KeyError):
        raise SyntaxProblem(1, "isn't valid YAML (a value doesn't fit its !! tag); remove the tags") from None
    except RecursionError:
        raise SyntaxProblem(1, "is nested too deeply; remove brackets") from None
    finally:
        if loader is not None:
            loader.dispose()
    return Document(data, root), twice


def _child(node: yaml.Node, step: object) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        # The last one wins, as in the values: merged keys (<<) stand before a mapping's own.
        for key, value in reversed(node.value):
            if key.value == str(step):
                return key.start_mark.line + 1, value
    elif isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            named = _child(item, "name") if isinstance(item, yaml.MappingNode) else None
            if step == position or (named is not None and isinstance(step, str) and named[1].value == step):
                return item.start_mark.line + 1, item
    return None


def _given_twice(node: yaml.Node | None, path: KeyPath, seen: set[int]) -> Iterator[tuple[int, KeyPath, str]]:
    if node is None or id(node) in seen:  # an alias: its anchor was looked at
        return
    seen.add(id(node))
    if isinstance(node, yaml.ScalarNode) and "\0" in node.value:  # no path, name or variable can hold it
        raise SyntaxProblem(node.start_mark.line + 1, "holds a NUL character; remove it")
    if isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            yield from _given_twice(item, (*path, position), seen)
    elif isinstance(node, yaml.MappingNode):
        lines: dict[str, int] = {}
        for key, value in node.value:
            here, line = (*path, key.value), key.start_mark.line + 1
            if isinstance(key, yaml.ScalarNode) and key.value in lines:
                yield line, here, f"is given twice, first in line {lines[key.value]}; keep one"
            elif isinstance(key, yaml.ScalarNode):
                lines[key.value] = line
            yield from _given_twice(value, here, seen)


#: What PyYAML says -> what to do about it; the first that matches is used.
_REMEDIES = (
    ("'\\t'", "indent with spaces, not tabs"),
    (
        "mapping values are not allowed",
        "check the indentation here and in the line above, or quote the value",
    ),
    ("expected <block end>", "check that this line is indented like its neighbours"),
    ("could not find expected ':'", "write `key: value`, with a space after the colon"),
    ("found unexpected end of stream", "close the quote that is still open"),
    ("undefined alias", "quote a value that begins with *"),
    ("cannot start any token", "quote a value that begins with @, ` or %"),
    ("found another document", "keep one document: remove the line ---"),
    ("constructor for the tag", "quote a value that begins with !"),
    ("unhashable key", "a key must be plain text"),
    ("'<stream end>'", "close the bracket that is still open"),
    ("expected ',' or", "close the bracket that is still open"),
)


def _syntax_problem(error: yaml.MarkedYAMLError) -> SyntaxProblem:
    mark = error.problem_mark or error.context_mark
    problem = error.problem or "it can't be read"
    remedy = next((do for said, do in _REMEDIES if said in problem), "check the indentation and the quotes")
    return SyntaxProblem(mark.line + 1 if mark else 1, f"isn't valid YAML ({problem}); {remedy}")
