"""Checks the connection to Directus: address, clock, token, version, limits."""

import datetime as dt
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

import httpx

from directus_assets.commands.doctor.findings import Checkup, Finding, failed, ok, warning
from directus_assets.commands.setup.account import EMAIL
from directus_assets.directus.answers import unreachable_remedy
from directus_assets.directus.client import LONGEST_ADDRESS, ROWS_PER_REQUEST, USER_AGENT
from directus_assets.directus.held import read_access, read_user
from directus_assets.directus.version import NEWEST, SUPPORTED, TESTED, Version
from directus_assets.errors import Forbidden, Rejected

_CLOCK_TOLERANCE_SECONDS = 60

USE_OWN_USER = (
    "Set it to the token of the pipeline's own least-privilege user: `directus-assets setup --new-token "
    "--write-env` makes both."
)
"""The remedy for a token that belongs to someone else."""


def check_address(subject: Checkup) -> Iterator[Finding]:
    """Check that Directus itself answers at `DIRECTUS_URL` and that its clock agrees with ours.

    The request carries no token, since any server might be listening there.
    """
    url = subject.project.settings.environment.directus_url
    try:
        answer = subject.http.get(f"{url}/server/ping", headers={"User-Agent": USER_AGENT})
    except httpx.HTTPError as error:
        yield failed(
            "address",
            f"No response from {url}: {str(error) or type(error).__name__}.",
            unreachable_remedy(error),
        )
        return
    if answer.is_redirect:
        target = answer.headers.get("location", "").removesuffix("/server/ping")
        yield failed(
            "address",
            f"{url} redirects to {target}. We do not follow redirects, because that would send the token to another "
            "address.",
            "Set DIRECTUS_URL to the final address.",
        )
        return
    if answer.is_server_error:
        yield failed(
            "address",
            f"{url} returned HTTP {answer.status_code}.",
            "Directus, or the proxy in front of it, is starting up or failing. Check its log.",
        )
        return
    if not answer.is_success or answer.text.strip() != "pong":
        yield failed(
            "address",
            f"{url} is not a Directus server: /server/ping returned {answer.status_code} instead of `pong`.",
            "Set DIRECTUS_URL to the API address, including its path if it has one.",
        )
        return
    yield ok("address", url)
    yield from _check_clock(answer)


def check_token(subject: Checkup) -> Iterator[Finding]:
    """Check that the token belongs to the pipeline's user, who is neither an administrator nor a Studio user."""
    directus = subject.project.directus
    user = read_user(directus)
    access = read_access(directus)
    if access.is_admin:
        yield warning("token", f"{user} is an administrator, so the token has unrestricted access.", USE_OWN_USER)
    elif access.has_app and user.email not in ("", EMAIL):
        yield warning(
            "token",
            f"DIRECTUS_TOKEN belongs to {user}, a person with Studio access, not to the pipeline's own user.",
            USE_OWN_USER,
        )
    elif access.has_app:
        yield warning(
            "token",
            f"{user} can log in to the Studio, which grants permissions that the pipeline does not need.",
            "Turn off App Access in its policy (Directus 10: its role), or run `directus-assets setup`.",
        )
    else:
        yield ok("token", f"{user}, not an administrator")


def check_version(subject: Checkup) -> Iterator[Finding]:
    """Report the version of Directus, on which all other checks depend."""
    told = str(subject.project.directus.get("/server/info").get("version") or "")
    version = Version.parse(told)
    tested = f"tested with {', '.join(TESTED[:-1])} and {NEWEST}"
    if version.fault:
        yield failed("version", f"{version.fault} T{tested[1:]}.", f"Upgrade Directus to {SUPPORTED}.")
    elif not told or version.is_untested:
        name = f"Directus {version} is untested" if told else "Directus does not report its version"
        yield warning("version", f"{name}; {tested}.", f"Use {SUPPORTED} if you can.")
    else:
        yield ok("version", f"Directus {version}; {tested}")


def check_limits(subject: Checkup) -> Iterator[Finding]:
    """Check that no limit in Directus gets in the way."""
    server = subject.project.directus.get("/server/info")
    yield from _check_query_limit(subject.project.directus.query_limit())
    for name, variable in (("rateLimit", "RATE_LIMITER"), ("rateLimitGlobal", "RATE_LIMITER_GLOBAL")):
        if limit := server.get(name):
            yield warning(
                "limits",
                f"Directus accepts {limit['points']} requests per {limit['duration']} s ({variable}_POINTS).",
                "Work pauses whenever the limit is reached. Raise it, or lower `images.warm_concurrency`.",
            )


def check_long_queries(subject: Checkup) -> Iterator[Finding]:
    """Check that queries too long for a URL arrive: keys of 255 characters, and long filters in the YAML file."""
    directus = subject.project.directus
    # Without the right to read the log, a refusal would say nothing about the method.
    directus.get("/activity", fields=["id"], limit=1)
    try:
        directus.get("/activity", fields=["id"], filter={"item": {"_neq": "-" * LONGEST_ADDRESS}}, limit=1)
    except (Forbidden, Rejected) as error:
        yield warning("long queries", error.message, error.remedy)
    else:
        yield ok("long queries", "Directus accepts the SEARCH method")


def _check_query_limit(most: int | None) -> Iterator[Finding]:
    if most == 0:
        yield failed("limits", "Directus returns no rows at all.", "Remove QUERY_LIMIT_MAX from its environment.")
    elif most is not None and most < ROWS_PER_REQUEST:
        yield warning(
            "limits",
            f"Directus returns at most {most} rows per request, so reading {ROWS_PER_REQUEST} rows takes "
            f"{-(-ROWS_PER_REQUEST // most)} requests instead of one.",
            f"Set QUERY_LIMIT_MAX in Directus to at least {ROWS_PER_REQUEST}, or remove it.",
        )


def _check_clock(answer: httpx.Response) -> Iterator[Finding]:
    try:
        there = parsedate_to_datetime(answer.headers["date"])
    except (KeyError, ValueError):
        return
    behind = (dt.datetime.now(dt.UTC) - there).total_seconds()
    if abs(behind) > _CLOCK_TOLERANCE_SECONDS:
        yield warning(
            "clock",
            f"Directus' clock is {abs(behind):.0f} s {'behind' if behind > 0 else 'ahead of'} ours.",
            "Synchronize both machines with a time server (NTP).",
        )
    else:
        yield ok("clock", f"Directus' clock is within {_CLOCK_TOLERANCE_SECONDS} s of ours")
