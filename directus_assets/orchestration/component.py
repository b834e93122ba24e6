"""`DirectusComponent`: the entry point for Dagster projects, including our own `definitions.py`."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Self, TypeAlias

import dagster as dg
from pydantic import (
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from directus_assets.errors import ConfigurationError
from directus_assets.orchestration.build import build_defs
from directus_assets.orchestration.project import Project
from directus_assets.orchestration.rim import without_secrets
from directus_assets.orchestration.specs import AssetProps, default_spec
from directus_assets.settings import Config, Settings, project_settings
from directus_assets.settings.projects import check_project_name


def _resolve_secret(context: dg.ResolutionContext, value: Any) -> SecretStr | None:
    found = context.resolve_value(value)
    return SecretStr(str(found)) if found else None


Secret: TypeAlias = Annotated[SecretStr | None, dg.Resolver(_resolve_secret, model_field_type=Any)]
"""Accepts any type, so that no validation error repeats the secret."""


def _as_in_yaml(section: str) -> dg.Resolver:
    """Parse a section as in `directus_assets.yaml`; its texts may be templates.

    Dagster does not accept a pydantic model with bounded fields as a field type. So the field is declared as `Any` and
    parsed with that model.
    """
    annotation: Any = Config.model_fields[section].annotation
    adapter: TypeAdapter[Any] = TypeAdapter(annotation)

    def resolve(context: dg.ResolutionContext, value: Any) -> Any:
        return context.resolve_value(_revealed(adapter.dump_python(value, exclude_unset=True)))

    return dg.Resolver(resolve, model_field_type=annotation)


def _revealed(value: Any) -> Any:
    """The value with secrets as plain text, which may contain templates."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Mapping):
        return {key: _revealed(entry) for key, entry in value.items()}
    return [_revealed(entry) for entry in value] if isinstance(value, list | tuple) else value


class DirectusScaffolder(dg.Scaffolder[Any]):
    """Writes a `defs.yaml` that works as soon as the two variables are set."""

    def scaffold(self, request: dg.ScaffoldRequest[Any]) -> None:
        """Write the file."""
        dg.scaffold_component(request, {"url": "{{ env.DIRECTUS_URL }}", "token": "{{ env.DIRECTUS_TOKEN }}"})


@dg.scaffold_with(DirectusScaffolder)
class DirectusComponent(dg.Component, dg.Model, dg.Resolvable):
    """Keeps the derived content of a Directus project up to date: image presets, translations, enrichments.

    A sensor follows each collection, and a schedule compares everything. Each preset, language and enrichment is an
    asset with a partition for each picture or item.

    ```yaml
    type: directus_assets.DirectusComponent
    attributes:
      url: "{{ env.DIRECTUS_URL }}"
      token: "{{ env.DIRECTUS_TOKEN }}"
      images: {delivery: warm}
    ```
    """

    model_config = ConfigDict(hide_input_in_errors=True)

    name: str = Field(
        default="", description="Prefix for all names in Dagster; required if there are several instances."
    )
    url: str | None = Field(default=None, description="Directus' address; default: DIRECTUS_URL.")
    token: Secret = Field(default=None, description="A static token, as a template; default: DIRECTUS_TOKEN.")
    environment: str | None = Field(
        default=None,
        description="Prefix for environment variables, such as SHOP_STORAGE_…; default: the name.",
        pattern="^([A-Z][A-Z0-9_]*)?$",
    )
    folder: str | None = Field(
        default=None, description="The folder that relative paths start from; default: the project's root."
    )
    images: Annotated[Any, _as_in_yaml("images")] = Field(default_factory=dict, description="Image presets.")
    translations: Annotated[Any, _as_in_yaml("translations")] = Field(default_factory=dict, description="Languages.")
    engine: Annotated[Any, _as_in_yaml("engine")] = Field(
        default_factory=dict, description="Engines, prices and spending limit."
    )
    enrichments: Annotated[Any, _as_in_yaml("enrichments")] = Field(default_factory=dict, description="By collection.")
    reconcile: Annotated[Any, _as_in_yaml("reconcile")] = Field(default_factory=dict, description="The comparison.")
    notify: Annotated[Any, _as_in_yaml("notify")] = Field(
        default_factory=dict, description="Who is notified of failures."
    )
    purge: Annotated[Any, _as_in_yaml("purge")] = Field(default_factory=dict, description="The cache to purge.")

    _is_from_file: bool = PrivateAttr(default=False)

    @field_validator("name")
    @classmethod
    def _is_usable(cls, name: str) -> str:
        return check_project_name(name) if name else name

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        # The token of one Directus must not be sent to another one.
        if bool(self.url) != bool(self.token):
            raise ValueError("give both `url` and `token`, or neither to take both from the environment")
        return self

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The component for these settings, with the environment of this process."""
        sections = {name: getattr(settings.config, name) for name in Config.model_fields}
        prefix, folder = settings.environment.prefix, str(settings.config_folder)
        made = cls(name=settings.project, environment=prefix, folder=folder, **sections)
        made._is_from_file = settings.is_from_file
        return made

    def settings(self, root: Path) -> Settings:
        """The settings from the attributes and the environment.

        Args:
            root: the base of a relative `folder`.

        Raises:
            ConfigurationError: a template or a variable has an unusable value.
        """
        prefix = self.name.upper() if self.environment is None else self.environment
        own = {}
        if self.url and self.token:
            own = {"DIRECTUS_URL": self.url, "DIRECTUS_TOKEN": self.token.get_secret_value()}
        before = f"{prefix}_" if prefix else ""
        environ = {**os.environ, **{f"{before}{name}": value for name, value in own.items()}}
        try:
            config = Config.model_validate({name: getattr(self, name) for name in Config.model_fields})
        except ValidationError as error:
            faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
            raise ConfigurationError(f"DirectusComponent: {'; '.join(faults)}.") from None
        folder = root / (self.folder or "")
        found = project_settings(self.name, environ, prefix=prefix, config=config, folder=folder)
        return replace(found, is_from_file=self._is_from_file)

    def get_asset_spec(self, props: AssetProps) -> dg.AssetSpec:
        """The Dagster spec of an asset; a subclass may change its key, group, description, owners, tags and kinds.

        ```python
        class OurDirectus(DirectusComponent):
            def get_asset_spec(self, props: AssetProps) -> dg.AssetSpec:
                return super().get_asset_spec(props).replace_attributes(owners=["team:content"])
        ```

        Args:
            props: what the asset represents.

        Returns:
            Key, group, description, owners, tags, kinds and metadata; partitions, code version and dependencies stay
            ours. The key has to depend only on `props` and be unique to each asset.
        """
        return default_spec(props)

    @without_secrets
    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """All definitions of the project."""
        settings = self.settings(context.project_root)
        # Without an overridden hook, nothing is called for each key.
        is_own = type(self).get_asset_spec is not DirectusComponent.get_asset_spec
        return build_defs(settings, project=Project(settings, self.get_asset_spec if is_own else default_spec))
