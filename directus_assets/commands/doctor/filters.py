"""Checks that the filters in the YAML file use existing fields, operators and values."""

from collections.abc import Iterator

from directus_assets.commands.doctor.findings import Checkup, Finding, failed, ok
from directus_assets.orchestration.filters import filter_faults
from directus_assets.settings.filters import configured_filters


def check_filters(subject: Checkup) -> Iterator[Finding]:
    """Report each mistake in a filter with its location; Directus accepts the filters without a finding."""
    config = subject.project.settings.config
    wrong = set()
    for where, fault in filter_faults(subject.project.directus, config):
        wrong.add(where)
        yield failed("filter", fault.message, fault.remedy)
    right = [each.where for each in configured_filters(config) if each.where not in wrong]
    if right:
        yield ok("filters", f"Directus accepts {', '.join(right)}")
