"""Checks that the token has the rights it needs, and no others."""

from collections.abc import Iterator

from directus_assets.commands.doctor.connection import USE_OWN_USER
from directus_assets.commands.doctor.findings import Checkup, Finding, failed, ok, warning
from directus_assets.commands.doctor.hidden import Hidden, find_hidden
from directus_assets.commands.setup.rights import (
    Right,
    bound_reads,
    comment_rights,
    missing_rights,
    surplus_rights,
    wished_rights,
)
from directus_assets.directus.held import read_access, read_user
from directus_assets.directus.schema import read_unlinked
from directus_assets.errors import ConfigurationError, Forbidden

_REMEDY = (
    "Run `directus-assets setup`, or add it to the policy (Directus 10: the role) of the token's user in Directus."
)
_OF_OTHERS = "Change the token, as said above, rather than the rights of its user."


def check_rights(subject: Checkup) -> Iterator[Finding]:
    """Report each missing right and each unnecessary one."""
    needed = subject.needed([])
    hidden = Hidden()
    try:
        hidden = _hidden(subject)
        needed = subject.needed(subject.scopes, subject.declarations, subject.recommendations)
    except Forbidden:
        # Without the schema, Directus does not reveal which other rights are missing.
        if not missing_rights(needed, subject.held):
            raise
    except ConfigurationError:
        # The YAML file may refer to hidden collections; only then is that not a mistake.
        if not hidden.rights:
            raise
    missing = [*missing_rights(needed, subject.held), *hidden.rights]
    others = list(_somebody_else(subject, needed, missing))
    yield from others
    for right in missing:
        yield failed("right", f"Missing: {right}.", _OF_OTHERS if others else _REMEDY)
    yield from _wished(subject, needed, missing)
    if bound := bound_reads(needed, subject.permissions):
        yield warning(
            "right",
            f"The token can read only some rows of {', '.join(bound)}. Content for the other rows is neither created "
            "nor removed.",
            "Remove the conditions from these permissions, unless they are intended.",
        )
    yield from _unexplained(subject, hidden)
    if not missing:
        yield ok("rights", f"all {len(needed)} required permissions are there")
        yield from _surplus(subject, needed)
        if subject.project.translates and not subject.collections and not hidden.unexplained:
            yield warning(
                "collections",
                "The token cannot see any collection with translations.",
                "Add a field of the type Translations to a collection in Directus, then run `directus-assets setup`.",
            )


def _somebody_else(subject: Checkup, needed: tuple[Right, ...], missing: list[Right]) -> Iterator[Finding]:
    """A token that lacks most of the rights probably does not belong to the pipeline's user."""
    if len(missing) > len(needed) / 2:
        user = read_user(subject.project.directus)
        yield failed(
            "token",
            f"DIRECTUS_TOKEN seems to belong to another user: {user} lacks {len(missing)} of {len(needed)} "
            "permissions.",
            USE_OWN_USER,
        )


def _wished(subject: Checkup, needed: tuple[Right, ...], missing: list[Right]) -> Iterator[Finding]:
    """Rights that are optional but make writing safer."""
    named = {right.name for right in missing}
    for right in missing_rights(wished_rights(needed), subject.held):
        if right.name not in named:
            yield warning(
                "right",
                f"Missing: {right}. An edit that somebody saves at the same moment as our write may be lost.",
                _REMEDY,
            )
            named.add(right.name)
    for right in missing_rights(_for_comments(subject, needed), subject.held):
        if right.name not in named:
            text = (
                f"Missing: {right}. Editors cannot see in the Studio which items need their review (`notify.comments`)."
            )
            yield warning("right", text, _REMEDY)


def _for_comments(subject: Checkup, needed: tuple[Right, ...]) -> tuple[Right, ...]:
    config, version = subject.project.settings.config, subject.project.directus.version
    return comment_rights(needed, config, directus=version)


def _surplus(subject: Checkup, needed: tuple[Right, ...]) -> Iterator[Finding]:
    access = read_access(subject.project.directus)
    if access.is_admin or access.has_app:
        return  # These bring their own rights, which are checked with the token.
    if surplus := surplus_rights([*needed, *_for_comments(subject, needed)], subject.held):
        yield warning(
            "rights",
            f"Unneeded permissions: {', '.join(sorted(right.name for right in surplus))}.",
            "Run `directus-assets setup --prune-rights`, or remove them from the user's policies in Directus.",
        )


def _unexplained(subject: Checkup, hidden: Hidden) -> Iterator[Finding]:
    if not hidden.unexplained:
        return
    unlinked = {name.partition(".")[0]: name for name in read_unlinked(subject.project.directus)}
    for collection in hidden.unexplained:
        if collection in unlinked:
            yield warning(
                f"collection {unlinked[collection]}",
                "It is not translated: its rows point to no collection of languages.",
                "In Directus, make the language field there a many-to-one relation to the collection of languages.",
            )
        else:
            yield warning(
                "right",
                f"'{collection}' has a translations field, but the token cannot see the collection behind it.",
                f"Run `directus-assets setup`, or switch '{collection}' off under `translations.collections`.",
            )


def _hidden(subject: Checkup) -> Hidden:
    if not subject.project.translates:
        return Hidden()
    hidden = find_hidden(subject.collections, fields=subject.project.directus.get("/fields"), held=subject.held)
    options = subject.project.settings.config.translations.collections
    switched_off = [name for name, own in options.items() if not own.enabled]
    return Hidden(
        rights=hidden.rights, unexplained=tuple(name for name in hidden.unexplained if name not in switched_off)
    )
