"""The flows that Directus gets: buttons in the Studio, and the push. What they send, and when.

Bodies of requests are objects, not text: Directus fills its templates into single values of them and makes JSON of the
whole afterwards, so that no key, however it is spelt, can become anything but a value. The text of the GraphQL query
is always the same.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from directus_assets.commands.setup.flows import Flow, Operation, flow_id
from directus_assets.directus.models import TRANSFORMED_TYPES
from directus_assets.orchestration.buttons.clicks import Button
from directus_assets.orchestration.names import Names
from directus_assets.orchestration.runs.tags import (
    FRESH_PRIORITY,
    ITEM_TAG,
    PRIORITY_TAG,
    PUSH,
    PUSH_PRIORITY,
    TRIGGER_TAG,
    range_tags,
)
from directus_assets.orchestration.webserver import LAUNCH_RUN, LAUNCH_RUNS, PUSH_RUNS, execution_params, repository_of

PUSH_KEY = "push"
BUTTON_KEY = "derived"
BUTTON_NAME = "Derived content …"
PLAN_ALIAS = "plan_"
"""With a digest of what the flows are for: the name under which a check gets Dagster's version."""

_FILES = "directus_files"
# Directus keeps the type of a value that stands alone between the braces, and Dagster wants text: a space within the
# path makes it take the longer way, at whose end every value is text.
_NEW_KEY = "{{$trigger . key}}"
_FIRST_KEY = "{{$trigger . keys[0]}}"
_EARLIER_KEYS = ("render", "translate", "enrich")
"""Earlier versions had a flow for each."""
_REFUSED = "The pipeline did not take this. Whoever runs it finds the reason with `directus-assets doctor`."
_UNREACHABLE = "The pipeline cannot be reached at the moment. Try again later, or tell whoever runs it."


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """What is derived from one collection."""

    collection: str
    partitions_name: str
    jobs: tuple[str, ...]
    """The jobs that bring an item up to date."""
    takes_all: bool
    """Whether every item becomes a partition; otherwise a new one is left to the sensor, which knows which do."""


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """What all flows of a project have in common."""

    names: Names
    dagster_url: str
    location: str
    """The code location that has our jobs."""
    own_user: str
    """The pipeline's user, whose writes push nothing."""
    buttons: Mapping[Button, Sequence[str]]
    """The collections that each button is shown on."""
    outputs: Sequence[Outputs]
    languages: Mapping[str, str] = field(default_factory=dict)
    """The target languages: code to name."""
    fields: Sequence[str] = ()
    """All fields that are translated."""
    pictures: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Collections whose items name files, with those fields. Only an administrator sees them all."""
    header: str = field(default="", repr=False)
    """`Name: value`, sent along with each request."""

    @property
    def digest(self) -> str:
        """Changes with what the button is for, so that a check finds a flow that is not up to date."""
        shown = [[button.value, *sorted(collections)] for button, collections in self.buttons.items()]
        offered = [sorted(shown), sorted(self.languages), sorted(self.fields)]
        return hashlib.sha256(json.dumps(offered).encode()).hexdigest()[:8]

    @property
    def offered(self) -> list[Button]:
        """What an editor can ask for, as far as it works on any collection."""
        return [button for button in Button if self.buttons.get(button.made_by)]

    def request(self, key: str, query: str, variables: Mapping[str, Any], **after: Operation | None) -> Operation:
        """A request to Dagster's GraphQL API."""
        name, _, value = self.header.partition(": ")
        options = {
            "method": "POST",
            "url": f"{self.dagster_url}/graphql",
            "headers": [{"header": name, "value": value}] if name else [],
            "body": {"query": query, "variables": dict(variables)},
        }
        return Operation(key=key, type="request", options=options, **after)


def known_ids(project: str) -> list[str]:
    """The ids of all flows that a project may have installed."""
    return [flow_id(project, key) for key in (BUTTON_KEY, PUSH_KEY, *_EARLIER_KEYS)]


def button_flows(wiring: Wiring) -> list[Flow]:
    """The button with its form, where there is anything that it can do."""
    return [_button_flow(wiring)] if wiring.offered else []


def _button_flow(wiring: Wiring) -> Flow:
    told = Operation(
        key="told",
        type="transform",
        # `data` as in every answer of Directus: what stands beside it is not read.
        options={"json": {"data": {"status": "{{$last.status}}", "message": "{{$last.message}}"}}},
    )
    check = wiring.request("ask", f"{{ {PLAN_ALIAS}{wiring.digest}: version }}", {}, reject=told)
    pictures = wiring.pictures if Button.RENDER in wiring.offered else {}
    launch = _launch(wiring)
    for name, fields in reversed(list(pictures.items())):
        launch = _pictures_of(wiring, name, fields, reject=launch)
    collections = [name for names in wiring.buttons.values() for name in names]
    return Flow(
        id=flow_id(wiring.names.project, BUTTON_KEY),
        name=BUTTON_NAME,
        icon="auto_awesome_motion",
        trigger="manual",
        accountability="activity",
        options={
            "collections": list(dict.fromkeys([*collections, *pictures])),
            "location": "both",
            "requireSelection": True,
            "requireConfirmation": True,
            "confirmationDescription": "You are told when it is done. What people wrote stays, unless you accept a "
            "proposal for it.",
            "fields": _form(wiring),
            "async": False,
            "error_on_reject": True,
        },
        first=_condition("is_check", {"$trigger": {"body": {"check": {"_eq": True}}}}, resolve=check, reject=launch),
    )


def _form(wiring: Wiring) -> list[dict[str, Any]]:
    """The dialog. Directus keeps no button for a required field that is empty, so that an editor has to choose."""
    form = [_choice("button", "What to do", {each.value: each.label for each in wiring.offered}, is_required=True)]
    of_texts = [each.value for each in Button if each.made_by is Button.TRANSLATE]
    hidden = [{"name": "pictures", "rule": {"button": {"_nin": of_texts}}, "hidden": True}]
    if wiring.languages:
        languages = {code: f"{name} ({code})" for code, name in wiring.languages.items()}
        fields = {name: name for name in sorted(wiring.fields)}
        form += [
            _choice("language", "Language", languages, empty="All languages", conditions=hidden),
            _choice("field", "Field", fields, empty="All fields", conditions=hidden),
        ]
    return form


def _choice(
    name: str, label: str, choices: Mapping[str, str], *, is_required: bool = False, empty: str = "", **meta: Any
) -> dict[str, Any]:
    options = {
        "choices": [{"text": text, "value": value} for value, text in choices.items()],
        "allowNone": not is_required,
        **({"placeholder": empty} if empty else {}),
    }
    width = "full" if is_required else "half"
    return {
        "field": name,
        "name": label,
        "type": "string",
        "meta": {"interface": "select-dropdown", "width": width, "required": is_required, "options": options, **meta},
    }


def _pictures_of(wiring: Wiring, collection: str, fields: Sequence[str], reject: Operation) -> Operation:
    """Of items of content, the files that they name are chosen, as far as whoever clicks may read them."""
    read = Operation(
        key=f"files_of_{collection}",
        type="item-read",
        options={
            "collection": collection,
            "key": "{{$trigger.body.keys}}",
            "query": {"fields": list(fields)},
            "permissions": "$trigger",
        },
        resolve=_launch(wiring, of=f"_of_{collection}", files="{{$last}}"),
    )
    is_this = {"$trigger": {"body": {"collection": {"_eq": collection}, "button": {"_eq": Button.RENDER.value}}}}
    return _condition(f"of_{collection}", is_this, resolve=read, reject=reject)


def _launch(wiring: Wiring, *, of: str = "", **more: str) -> Operation:
    """Starts the run that takes the click, and lets the editor know at once where it is not taken.

    Directus lets an operation follow one other only, so that each branch has operations of its own.
    """
    config = {
        "button": "{{$trigger.body.button}}",
        "language": "{{$trigger.body.language}}",
        "field": "{{$trigger.body.field}}",
        "collection": "{{$trigger.body.collection}}",
        "keys": "{{$trigger.body.keys}}",
        "user": "{{$accountability.user}}",
        **more,
    }
    run = execution_params(
        wiring.names.buttons_job,
        location=wiring.location,
        tags={PRIORITY_TAG: FRESH_PRIORITY, **wiring.names.tags},
        run_config={"ops": {wiring.names.buttons_op: {"config": config}}},
    )
    taken = _condition(
        f"is_taken{of}",
        {"$last": {"data": {"data": {"launchRun": {"kind": {"_eq": "LaunchRunSuccess"}}}}}},
        reject=_error(f"not_taken{of}", "NOT_TAKEN", 502, _REFUSED),
    )
    unreachable = _error(f"not_reached{of}", "NOT_REACHED", 503, _UNREACHABLE)
    return wiring.request(f"launch{of}", LAUNCH_RUN, {"run": run}, resolve=taken, reject=unreachable)


def _error(key: str, code: str, status: int, message: str) -> Operation:
    return Operation(key=key, type="throw-error", options={"code": code, "status": str(status), "message": message})


def push_flow(wiring: Wiring) -> Flow:
    """The flow that starts the work on a change at once. What it leaves out, the sensors find some seconds later:
    deletions, all but the first of many items that are changed in one go, and changes by the pipeline itself."""
    rest: Operation | None = None
    for outputs in reversed(wiring.outputs):
        if outputs.collection != _FILES:
            rest = _item_steps(wiring, outputs, reject=rest)
    files = next((outputs for outputs in wiring.outputs if outputs.collection == _FILES), None)
    if files:
        rest = _file_steps(wiring, files, reject=rest)
    return Flow(
        id=flow_id(wiring.names.project, PUSH_KEY),
        name="Tell the pipeline of changes",
        icon="bolt",
        trigger="event",
        options={
            "type": "action",
            "scope": ["files.upload", "items.create", "items.update"],
            "collections": [outputs.collection for outputs in wiring.outputs],
        },
        first=_condition("is_not_ours", {"$accountability": {"user": {"_neq": wiring.own_user}}}, resolve=rest),
    )


def _file_steps(wiring: Wiring, files: Outputs, reject: Operation | None) -> Operation:
    uploaded = _condition(
        "is_picture",
        {"$trigger": {"payload": {"type": {"_in": sorted(TRANSFORMED_TYPES)}}}},
        resolve=_push(wiring, "push_upload", files, _NEW_KEY, is_new=files.takes_all),
    )
    # Of an edited row, only the focal point matters to pictures; both of its values are always set together.
    edited = _condition(
        "is_focal_point",
        {"$trigger": {"payload": {"focal_point_x": {"_nnull": True}}}},
        resolve=_push(wiring, "push_focal_point", files, _FIRST_KEY),
    )
    is_file = _condition("is_file", {"$trigger": {"collection": {"_eq": _FILES}}}, resolve=edited, reject=reject)
    return _condition("is_upload", {"$trigger": {"event": {"_eq": "files.upload"}}}, resolve=uploaded, reject=is_file)


def _item_steps(wiring: Wiring, outputs: Outputs, reject: Operation | None) -> Operation:
    name = outputs.collection
    # With `of_`, no name of a collection makes the key of another operation, such as `is_upload`.
    created = _push(wiring, f"push_new_of_{name}", outputs, _NEW_KEY, is_new=True) if outputs.takes_all else None
    is_new = _condition(
        f"new_of_{name}",
        {"$trigger": {"event": {"_eq": f"{name}.items.create"}}},
        resolve=created,
        reject=_push(wiring, f"push_of_{name}", outputs, _FIRST_KEY),
    )
    return _condition(f"of_{name}", {"$trigger": {"collection": {"_eq": name}}}, resolve=is_new, reject=reject)


def _push(wiring: Wiring, key: str, outputs: Outputs, item: str, *, is_new: bool = False) -> Operation:
    """One run of each job over one item, which becomes a partition first where it is new."""
    tags = {
        **range_tags(item, item),
        **wiring.names.tags,
        TRIGGER_TAG: PUSH,
        ITEM_TAG: f"{outputs.collection}/{item}",
        PRIORITY_TAG: PUSH_PRIORITY,
    }
    runs = [execution_params(job, location=wiring.location, tags=tags) for job in outputs.jobs]
    if not is_new:
        return wiring.request(key, LAUNCH_RUNS, {"runs": runs})
    partition = {"repository": repository_of(wiring.location), "partitions": outputs.partitions_name, "key": item}
    return wiring.request(key, PUSH_RUNS, {**partition, "runs": runs})


def _condition(key: str, condition: Mapping[str, Any], **after: Operation | None) -> Operation:
    return Operation(key=key, type="condition", options={"filter": condition}, **after)
