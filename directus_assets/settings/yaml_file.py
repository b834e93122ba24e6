"""Parses the YAML file into typed sections; each error names the file, the line and the fix."""

import difflib
from collections.abc import Iterable
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from yaml.reader import ReaderError

from directus_assets.errors import ConfigurationError
from directus_assets.settings.projects import ConfigFile, twins

CONFIG_FILE = "directus_assets.yaml"
OWN_CONFIG_FILE = "directus_assets.local.yaml"
"""Read instead of the other file, if it exists: that one changes with the releases of this project."""


def parse_config(text: str, *, name: str = CONFIG_FILE) -> ConfigFile:
    """Parse the YAML text as `ConfigFile`.

    Raises:
        ConfigurationError: one line per mistake: file, line, what is wrong, what is meant instead.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigurationError(f"{name}, line {line}: {error.problem}.", remedy="Correct the YAML there.") from None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigurationError(
            f"{name}, line {line}: a character that is not allowed in YAML (code {error.character}).",
            remedy="Remove it.",
        ) from None
    try:
        file = ConfigFile.model_validate(values)
    except ValidationError as error:
        faults = [f"{name}, line {_line_of(root, fault['loc'])}: {_explain(fault)}" for fault in error.errors()]
        raise ConfigurationError("\n".join(faults)) from None
    faults = [f"{name}, line {_line_of(root, ('projects', project))}: {fault}." for project, fault in twins(file)]
    if faults:
        raise ConfigurationError("\n".join(faults))
    return file


def _explain(fault: Any) -> str:
    where = ".".join(str(part) for part in fault["loc"] if part != "[key]") or "the whole file"
    if fault["type"] == "extra_forbidden":
        known = _known_names(ConfigFile, fault["loc"][:-1])
        near = difflib.get_close_matches(str(fault["loc"][-1]), known, n=1)
        meant = f"did you mean `{near[0]}`?" if near else f"known here: {', '.join(sorted(known))}."
        return f"`{where}` is not a setting; {meant}"
    if fault["type"] in ("model_type", "dict_type"):
        return f"`{where}` takes `name: value` lines, indented below it (found {fault['input']!r})."
    return f"`{where}`: {fault['msg'].removeprefix('Value error, ')} (found {fault['input']!r})."


def _known_names(model: type[BaseModel], path: Iterable[Any]) -> list[str]:
    current: Any = model
    for part in path:
        if isinstance(current, type) and issubclass(current, BaseModel) and part in current.model_fields:
            current = _where_given(current.model_fields[part].annotation)
        else:
            current = _where_given(getattr(current, "__args__", (None, None))[-1])
    is_model = isinstance(current, type) and issubclass(current, BaseModel)
    return list(current.model_fields) if is_model else []


def _where_given(annotation: Any) -> Any:
    """The type of an optional value when it is given."""
    kinds: tuple[Any, ...] = getattr(annotation, "__args__", ())
    return kinds[0] if len(kinds) == 2 and kinds[1] is type(None) else annotation


def _line_of(node: yaml.Node | None, path: Iterable[Any]) -> int:
    """The line, from 1, of the deepest node on `path`."""
    line = 1
    for part in path:
        if isinstance(node, yaml.MappingNode):
            pair = next(((key, value) for key, value in node.value if key.value == str(part)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line
