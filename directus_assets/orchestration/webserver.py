"""Client for Dagster's GraphQL API, for what Dagster's Python API lacks."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg
import httpx

from directus_assets.directus.client import certificates
from directus_assets.errors import Rejected, Unreachable, from_status
from directus_assets.orchestration.sensors.outages import TRIES_AGAIN

CODE_LOCATION = "directus_assets"
"""The name of our own code location; a component's location may have any name."""

_RUNS_PER_REQUEST = 10
"""Each run costs Dagster a record of everything it plans: some seconds for a full batch."""
_REMEDY = "Start it (`make dev`), or set DAGSTER_WEBSERVER_URL to the address of the Dagster UI."
_STRANGER_REMEDY = (
    "Another program seems to have that port: stop it, or choose another port with `make dev PORT=…` and, if "
    "DAGSTER_WEBSERVER_URL is set, change the port there as well."
)
_NOT_DAGSTERS = frozenset({404, 405, 501})
"""What servers answer to a POST at an address that they do not have."""
_REFUSED_REMEDY = "See the webserver's log for details. Its address comes from DAGSTER_WEBSERVER_URL."

_LOCATIONS = """
query Locations {
  workspaceOrError {
    __typename
    ... on Workspace {
      locationEntries {
        name
        locationOrLoadError {
          ... on RepositoryLocation { repositories { sensors { name tags { key value } } } }
          ... on PythonError { message }
        }
      }
    }
    ... on PythonError { message }
  }
}
"""

_SENSORS = """
query Sensors {
  workspaceOrError {
    ... on Workspace {
      locationEntries {
        locationOrLoadError {
          ... on RepositoryLocation {
            repositories {
              sensors {
                name
                sensorState { status ticks(limit: 1) { status skipReason error { message cause { message } } } }
              }
            }
          }
        }
      }
    }
  }
}
"""

_RELOAD = """
mutation Reload($name: String!) {
  reloadRepositoryLocation(repositoryLocationName: $name) {
    __typename
    ... on WorkspaceLocationEntry { locationOrLoadError { __typename ... on PythonError { message } } }
    ... on ReloadNotSupported { message }
    ... on RepositoryLocationNotFound { message }
    ... on PythonError { message }
  }
}
"""

_STATUSES = """
query Statuses {
  assetNodes {
    assetKey { path }
    partitionStats { numMaterialized numPartitions numFailed numMaterializing }
  }
}
"""

_DAEMONS = """
query Daemons {
  instance { daemonHealth { allDaemonStatuses { daemonType required healthy } } }
}
"""

_LAUNCH_BACKFILL = """
mutation Backfill($parameters: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $parameters) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PartitionKeysNotFoundError { message }
    ... on PythonError { message }
    ... on UnauthorizedError { message }
  }
}
"""

_LAUNCH_RUNS = """
mutation Launch($runs: [ExecutionParams!]!) {
  launchMultipleRuns(executionParamsList: $runs) {
    __typename
    ... on LaunchMultipleRunsResult {
      launchMultipleRunsResult {
        __typename
        ... on Error { message }
        ... on RunConfigValidationInvalid { errors { message } }
      }
    }
    ... on PythonError { message }
  }
}
"""

_BACKFILL = """
query Backfill($id: String!) {
  partitionBackfillOrError(backfillId: $id) {
    __typename
    ... on PartitionBackfill {
      status
      error { message }
      assetBackfillData {
        assetBackfillStatuses {
          ... on AssetPartitionsStatusCounts {
            assetKey { path }
            numPartitionsTargeted
            numPartitionsInProgress
            numPartitionsMaterialized
            numPartitionsFailed
          }
        }
      }
    }
    ... on BackfillNotFoundError { message }
    ... on PythonError { message }
  }
}
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class AssetProgress:
    """The progress of a backfill on one asset, in partitions."""

    targeted: int
    materialized: int
    failed: int


@dataclass(frozen=True, kw_only=True, slots=True)
class BackfillProgress:
    """The progress of a backfill."""

    is_over: bool
    error: str
    assets: Mapping[dg.AssetKey, AssetProgress]


@dataclass(frozen=True, kw_only=True, slots=True)
class AssetStatus:
    """The partitions of one asset: all, made, failed in the last attempt, in progress."""

    partitions: int
    materialized: int
    failed: int
    running: int


def execution_params(
    job_name: str,
    *,
    location: str,
    tags: Mapping[str, str],
    run_config: Mapping[str, Any] | None = None,
    assets: Iterable[dg.AssetKey] = (),
) -> dict[str, Any]:
    """One run of a job over all of its assets or only these, as GraphQL's `ExecutionParams`."""
    selected = [{"path": list(key.path)} for key in assets]
    return {
        "selector": {
            "repositoryLocationName": location,
            "repositoryName": "__repository__",
            "jobName": job_name,
            **({"assetSelection": selected} if selected else {}),
        },
        "runConfigData": dict(run_config or {}),
        "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in tags.items()]},
    }


class Webserver:
    """The GraphQL API of a running Dagster webserver.

    Args:
        url: its address; credentials in it are sent, but never shown.
        transport: for tests; the network by default.
    """

    def __init__(self, url: str, *, transport: httpx.BaseTransport | None = None) -> None:
        self.url = re.sub(r"^(https?://)[^/]*@", r"\1", url)
        self._address = url
        self._transport = transport

    def reload_definitions(self, sensor: str) -> None:
        """Reload the code location of a sensor; webserver and daemon follow within seconds.

        Args:
            sensor: identifies the code location, which may have any name.

        Raises:
            Unreachable: no webserver answers there.
            Rejected: the webserver answers, but cannot load the definitions.
        """
        locations = self.sensor_tags(sensor)
        if not locations:
            raise Rejected(f"Dagster could not reload the definitions: no code location currently has '{sensor}'.")
        for location in locations:
            self.reload(location)

    def sensor_tags(self, sensor: str) -> dict[str, dict[str, str]]:
        """The tags of the sensors with this name, by code location.

        Raises:
            Unreachable: no webserver answers there.
        """
        return {
            str(entry["name"]): {tag["key"]: tag["value"] for tag in row.get("tags", [])}
            for entry in self._entries()
            for repository in (entry["locationOrLoadError"] or {}).get("repositories", [])
            for row in repository["sensors"]
            if row["name"] == sensor
        }

    def reload(self, location: str) -> None:
        """Reload a code location in a new process.

        Raises:
            Unreachable: no webserver answers there.
            Rejected: the webserver answers, but cannot load the definitions.
        """
        answer = self._ask(_RELOAD, name=location)["reloadRepositoryLocation"]
        error = answer if "message" in answer else answer.get("locationOrLoadError") or {}
        if "message" in error:
            raise Rejected(f"Dagster could not reload the definitions: {error['message']}")

    def load_errors(self) -> dict[str, str]:
        """All code locations, each with its load error; empty for one that is loaded or being loaded.

        Raises:
            Unreachable: no webserver answers there.
        """
        return {
            entry["name"]: str((entry["locationOrLoadError"] or {}).get("message", "")) for entry in self._entries()
        }

    def location_of(self, sensor: str) -> str:
        """The code location of a sensor; our own if none that is loaded has it.

        Raises:
            Unreachable: no webserver answers there.
        """
        return next(iter(self.sensor_tags(sensor)), CODE_LOCATION)

    def _entries(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self._ask(_LOCATIONS)["workspaceOrError"].get("locationEntries", [])
        return entries

    def version(self) -> str:
        """Dagster's version.

        Raises:
            Unreachable: no webserver answers there.
        """
        return str(self._ask("query Version { version }")["version"])

    def sick_daemons(self) -> list[str]:
        """The required daemons that do not run, such as `SENSOR`.

        Raises:
            Unreachable: no webserver answers there.
        """
        rows = self._ask(_DAEMONS)["instance"]["daemonHealth"]["allDaemonStatuses"]
        return [row["daemonType"] for row in rows if row["required"] and not row["healthy"]]

    def sensor_troubles(self) -> dict[str, str]:
        """The sensors that do not work, with the reason: they are stopped, wait for an answer, or failed in their last
        tick.

        Raises:
            Unreachable: no webserver answers there.
        """
        found: dict[str, str] = {}
        for entry in self._ask(_SENSORS)["workspaceOrError"].get("locationEntries", []):
            for repository in (entry["locationOrLoadError"] or {}).get("repositories", []):
                for sensor in repository["sensors"]:
                    if trouble := _trouble(sensor["sensorState"]):
                        found[sensor["name"]] = trouble
        return found

    def launch_runs(self, runs: Sequence[Mapping[str, Any]]) -> None:
        """Launch these runs (see `execution_params`), in this order.

        Raises:
            Unreachable: no webserver answers there.
            Rejected: it refuses some, with the reasons; all others are started.
        """
        faults: list[str] = []
        for start in range(0, len(runs), _RUNS_PER_REQUEST):
            try:
                answer = self._ask(_LAUNCH_RUNS, runs=list(runs[start : start + _RUNS_PER_REQUEST]))
            except Rejected as error:
                faults.append(error.message)
                continue
            answer = answer["launchMultipleRuns"]
            for result in answer.get("launchMultipleRunsResult", [answer]):
                if result["__typename"] != "LaunchRunSuccess":
                    found = [fault["message"] for fault in result.get("errors", [result]) if fault.get("message")]
                    faults += found or [result["__typename"]]
        if faults:
            raise Rejected(f"Dagster did not start the run: {'; '.join(dict.fromkeys(faults))}")

    def launch_backfill(
        self, assets: Iterable[dg.AssetKey], partitions: Sequence[str], *, title: str, tags: Mapping[str, str]
    ) -> str:
        """Start a backfill of these partitions for all these assets; return its id.

        Raises:
            Unreachable: no webserver answers there.
            Rejected: it refuses, with the reason.
        """
        parameters = {
            "assetSelection": [{"path": list(key.path)} for key in assets],
            "partitionNames": list(partitions),
            "title": title,
            "tags": [{"key": key, "value": value} for key, value in tags.items()],
        }
        answer = self._ask(_LAUNCH_BACKFILL, parameters=parameters)["launchPartitionBackfill"]
        if "backfillId" not in answer:
            raise Rejected(f"Dagster did not start the backfill: {answer.get('message') or answer['__typename']}")
        return str(answer["backfillId"])

    def backfill(self, backfill_id: str) -> BackfillProgress:
        """The progress of a backfill."""
        answer = self._ask(_BACKFILL, id=backfill_id)["partitionBackfillOrError"]
        if "status" not in answer:
            raise Rejected(f"Dagster does not know the backfill {backfill_id}: {answer.get('message')}")
        rows = (answer["assetBackfillData"] or {}).get("assetBackfillStatuses", [])
        return BackfillProgress(
            is_over=answer["status"] not in ("REQUESTED", "CANCELING", "FAILING"),
            error=(answer["error"] or {}).get("message", ""),
            assets={
                dg.AssetKey(row["assetKey"]["path"]): AssetProgress(
                    targeted=row["numPartitionsTargeted"],
                    materialized=row["numPartitionsMaterialized"],
                    failed=row["numPartitionsFailed"],
                )
                for row in rows
                if row
            },
        )

    def asset_statuses(self) -> dict[str, AssetStatus]:
        """All partitioned assets by key, such as `image_presets/card`."""
        return {
            "/".join(node["assetKey"]["path"]): AssetStatus(
                partitions=stats["numPartitions"],
                materialized=stats["numMaterialized"],
                failed=stats["numFailed"],
                running=stats["numMaterializing"],
            )
            for node in self._ask(_STATUSES)["assetNodes"]
            if (stats := node["partitionStats"])
        }

    def _ask(self, query: str, **variables: Any) -> dict[str, Any]:
        try:
            with httpx.Client(
                base_url=self._address, timeout=60, transport=self._transport, verify=certificates()
            ) as http:
                answer = http.post("/graphql", json={"query": query, "variables": variables})
        except httpx.RequestError as error:
            raise Unreachable(
                f"Dagster's webserver at {self.url} does not respond: {str(error) or type(error).__name__}.",
                remedy=_REMEDY,
            ) from None
        body = _body(answer)
        # Dagster sends its own message with any status: 500 if execution failed, 400 if the query is invalid.
        if reasons := _reasons(body):
            raise Rejected(f"Dagster's webserver at {self.url} refused: {reasons}", remedy=_REFUSED_REMEDY)
        stranger = Rejected(f"The server at {self.url} is not Dagster's webserver.", remedy=_STRANGER_REMEDY)
        if answer.status_code in _NOT_DAGSTERS:
            raise stranger
        if answer.is_error:
            # A proxy that has no Dagster behind it answers with 502 to 504.
            remedy = _REMEDY if answer.status_code >= 500 else _REFUSED_REMEDY
            raise from_status(answer.status_code, f"Dagster's webserver at {self.url} refused", remedy=remedy)
        data = body.get("data")
        if not isinstance(data, dict):
            raise stranger
        return data


def _trouble(state: Mapping[str, Any]) -> str:
    if state["status"] != "RUNNING":
        return "it is turned off."
    for tick in state["ticks"]:
        if tick["status"] == "FAILURE":
            error = tick["error"] or {}
            # Dagster's message precedes ours, which is the cause.
            message = (error.get("cause") or error).get("message") or "for an unknown reason"
            return f"its last tick failed: {message.strip().splitlines()[0]}"
        if (reason := tick.get("skipReason") or "").endswith(TRIES_AGAIN):
            return f"it is waiting: {reason}"
    return ""


def _body(answer: httpx.Response) -> dict[str, Any]:
    """The parsed response; empty if it is not from a GraphQL API."""
    try:
        body = answer.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _reasons(body: Mapping[str, Any]) -> str:
    errors = body.get("errors")
    rows = errors if isinstance(errors, list) else []
    return "; ".join(str(row["message"]) for row in rows if isinstance(row, dict) and row.get("message"))
