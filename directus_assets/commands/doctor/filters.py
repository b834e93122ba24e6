"""Whether the filters of the YAML file name fields, operators and values that there are."""

from collections.abc import Iterator

from directus_assets.commands.doctor.findings import Checkup, Finding, failed, ok
from directus_assets.orchestration.filters import filter_faults
from directus_assets.settings.filters import configured_filters


def check_filters(subject: Checkup) -> Iterator[Finding]:
    """Each mistake in a filter, with its place; Directus takes the others."""
    config = subject.project.settings.config
    wrong = set()
    for where, fault in filter_faults(subject.project.directus, config):
        wrong.add(where)
        yield failed("filter", fault.message, fault.remedy)
    right = [each.where for each in configured_filters(config) if each.where not in wrong]
    if right:
        yield ok("filters", f"Directus accepts {', '.join(right)}")
