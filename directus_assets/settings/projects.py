"""Several projects in one YAML file, and what each inherits from the file and from the environment."""

import re
from collections.abc import Iterator
from itertools import combinations
from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import AfterValidator, BaseModel, Field

from directus_assets.settings.sections import Config, TranslationOptions

DEFAULT = "default"
"""The project with unprefixed names and variables."""

_RESERVED = {"directus", "directus_assets", "images", "image_presets", "translations", "translate", "enrichments"}
_RESERVED |= {"enrich", "storage", "openai", "deepl", "translation", "dagster"}
"""Names of our own in Dagster, and beginnings of variables."""

_Model = TypeVar("_Model", bound=BaseModel)


def check_project_name(name: str) -> str:
    """Return the name if it is valid.

    Raises:
        ValueError: it cannot be a prefix of names in Dagster, or of variables.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name):
        raise ValueError(
            "project names consist of lower-case letters, digits and single underscores, such as `web_shop`"
        )
    if name in _RESERVED:
        raise ValueError(f"`{name}` is a reserved name; choose another name for the project")
    return name


ProjectName: TypeAlias = Annotated[str, AfterValidator(check_project_name)]


class ProjectOptions(Config):
    """One of `projects`: inherits the file's settings outside of `projects` unless it overrides them."""

    environment: str | None = Field(default=None, pattern=r"^([A-Z][A-Z0-9_]*)?$")
    """The prefix of its variables: `SHOP` for `SHOP_DIRECTUS_URL`. Unset: the project's name.

    Two projects with the same prefix are shards of one Directus.
    """


class ConfigFile(Config):
    """The whole YAML file: one project, or several by name."""

    projects: dict[ProjectName, ProjectOptions] = Field(default_factory=dict)
    """If there are any, only these are served; `default` has unprefixed names and variables."""


def prefix_of(name: str, options: ProjectOptions) -> str:
    """The prefix of a project's variables."""
    if options.environment is not None:
        return options.environment
    return "" if name == DEFAULT else name.upper()


def inherit(file: Config, own: ProjectOptions) -> Config:
    """The sections of a project: its own settings, with the file's as defaults."""
    base = Config.model_construct(**{name: getattr(file, name) for name in Config.model_fields})
    return _over(base, own)


def twins(file: ConfigFile) -> Iterator[tuple[str, str]]:
    """Projects that would do the same work twice: the name, and the error."""
    found = {name: (prefix_of(name, own), inherit(file, own)) for name, own in file.projects.items()}
    for (name, (prefix, config)), (other, (other_prefix, other_config)) in combinations(found.items(), 2):
        if prefix != other_prefix:
            continue
        told = f"`{name}` and `{other}` share one Directus, and both would"
        if config.images.filter == other_config.images.filter:
            yield other, f"{told} render the same pictures; give each its own `images.filter`"
        texts, other_texts = config.translations, other_config.translations
        if texts.enabled and other_texts.enabled and _share(texts) == _share(other_texts):
            yield other, f"{told} translate the same items; give collections filters, or set `translations.enabled`"
        declared = _declared(config)
        if any(_declared(other_config).get(place) == condition for place, condition in declared.items()):
            yield other, f"{told} enrich the same items; give enrichments filters, or set `enabled`"


def _declared(config: Config) -> dict[tuple[str, str], object]:
    return {
        (collection, name): own.filter
        for collection, by_name in config.enrichments.items()
        for name, own in by_name.items()
        if own.enabled
    }


def _share(options: TranslationOptions) -> object:
    return {name: (own.enabled, own.filter) for name, own in options.collections.items()}, options.languages


def _over(base: _Model, own: BaseModel) -> _Model:
    """`base` overridden by everything that is set in `own`."""
    names = own.model_fields_set & set(type(base).model_fields)
    return base.model_copy(update={name: _combined(getattr(base, name), getattr(own, name)) for name in names})


def _combined(old: Any, new: Any) -> Any:
    """Sections and named entries are merged setting by setting; lists and filters are replaced as a whole."""
    if isinstance(old, BaseModel) and isinstance(new, BaseModel):
        return _over(old, new)
    if isinstance(old, dict) and _is_named(new):
        return {**old, **{key: _combined(old.get(key), value) for key, value in new.items()}}
    return new


def _is_named(value: Any) -> bool:
    """Whether these are sections by name."""
    if not isinstance(value, dict) or not value:
        return False
    return all(isinstance(entry, BaseModel) or _is_named(entry) for entry in value.values())
