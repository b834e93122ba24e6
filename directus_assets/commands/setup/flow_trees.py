"""The flows that we install in Directus: the Studio buttons and the push, with their calls to the door.

Request bodies are objects, not text: Directus fills its templates into single values and serialises the whole to JSON
afterwards, so that no key, however it is spelled, can become anything but a value.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from directus_assets.commands.setup.flows import Flow, Operation, flow_id
from directus_assets.directus.models import TRANSFORMED_TYPES
from directus_assets.door.requests import SECRET_HEADER, RequestKind
from directus_assets.orchestration.buttons.clicks import Button
from directus_assets.orchestration.names import Names

PUSH_KEY = "push"
BUTTON_KEY = "derived"
BUTTON_NAME = "Derived content …"
EARLIER_KEYS = ("render", "translate", "enrich")
"""Earlier versions had a flow for each of these, which called Dagster directly."""

_FILES = "directus_files"
# Directus keeps the type of a value that stands alone between the braces.
_NEW = ["{{$trigger.key}}"]
_CHANGED = "{{$trigger.keys}}"
_REFUSED = "The pipeline rejected this request. Its operator can find the reason with `directus-assets doctor`."
_BUSY = "You have made too many requests. Try again in a minute."
_UNREACHABLE = "The pipeline is not reachable at the moment. Try again later, or tell its operator."


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """The settings shared by all flows of a project."""

    names: Names
    door_url: str
    own_user: str
    """The pipeline's user, whose writes are not pushed."""
    buttons: Mapping[Button, Sequence[str]]
    """The collections that show each button."""
    collections: Sequence[str]
    """The collections whose changes are pushed."""
    languages: Mapping[str, str] = field(default_factory=dict)
    """The target languages: code to name."""
    fields: Sequence[str] = ()
    """All fields that are translated."""
    pictures: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Collections whose items reference files, with those fields. Only an administrator sees them all."""
    can_refuse: bool = True
    """Whether a flow can answer with an error in this Directus."""
    secret: str = field(default="", repr=False)
    """The secret for the door."""

    @property
    def digest(self) -> str:
        """A digest of the button's configuration, by which a check recognises an outdated flow."""
        shown = [[button.value, *sorted(collections)] for button, collections in self.buttons.items()]
        offered = [sorted(shown), sorted(self.languages), sorted(self.fields)]
        return hashlib.sha256(json.dumps(offered).encode()).hexdigest()[:8]

    @property
    def offered(self) -> list[Button]:
        """The actions offered to an editor, as far as they apply to any collection."""
        return [button for button in Button if self.buttons.get(button.made_by)]

    def request(self, key: str, kind: RequestKind, body: Mapping[str, Any], **after: Operation | None) -> Operation:
        """Build a request to the door."""
        project = f"{self.names.project}/" if self.names.project else ""
        options = {
            "method": "POST",
            "url": f"{self.door_url}/{project}{kind.value}",
            "headers": [{"header": SECRET_HEADER, "value": self.secret}],
            "body": dict(body),
        }
        return Operation(key=key, type="request", options=options, **after)


def secrets_in(rows: Iterable[Mapping[str, Any]]) -> set[str]:
    """The door secrets that Directus' flows hold."""
    return {
        str(header.get("value"))
        for row in rows
        for operation in row["operations"]
        for header in (operation.get("options") or {}).get("headers") or ()
        if header.get("header") == SECRET_HEADER
    }


def known_ids(project: str) -> list[str]:
    """The ids of all flows that a project may have installed."""
    return [flow_id(project, key) for key in (BUTTON_KEY, PUSH_KEY, *EARLIER_KEYS)]


def button_flows(wiring: Wiring) -> list[Flow]:
    """The button with its form, if it can do anything."""
    return [_button_flow(wiring)] if wiring.offered else []


def _button_flow(wiring: Wiring) -> Flow:
    told = Operation(
        key="told",
        type="transform",
        # `data`, as in every response of Directus: anything beside it is not read.
        options={"json": {"data": {"status": "{{$last.status}}", "message": "{{$last.message}}"}}},
    )
    check = wiring.request("ask", RequestKind.CHECK, {"plan": wiring.digest}, reject=told)
    pictures = wiring.pictures if Button.RENDER in wiring.offered else {}
    click = _click(wiring)
    for name, fields in reversed(list(pictures.items())):
        click = _pictures_of(wiring, name, fields, reject=click)
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
            "confirmationDescription": (
                "You will be notified when it is done. Text written by people is kept unless you accept a proposal."
            ),
            "fields": _form(wiring),
            "async": False,
            "error_on_reject": True,
        },
        first=_condition("is_check", {"$trigger": {"body": {"check": {"_eq": True}}}}, resolve=check, reject=click),
    )


def _form(wiring: Wiring) -> list[dict[str, Any]]:
    """The dialog. Directus does not disable the button while a required field is empty, so an editor has to choose."""
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
    """For content items, select the files that they reference, as far as the clicking user can read them."""
    read = Operation(
        key=f"files_of_{collection}",
        type="item-read",
        options={
            "collection": collection,
            "key": "{{$trigger.body.keys}}",
            "query": {"fields": list(fields)},
            "permissions": "$trigger",
        },
        resolve=_click(wiring, of=f"_of_{collection}", files="{{$last}}"),
    )
    # Directus 10 evaluates only the first of several sibling fields.
    wanted = {"collection": collection, "button": Button.RENDER.value}
    is_this = {"_and": [{"$trigger": {"body": {name: {"_eq": value}}}} for name, value in wanted.items()]}
    return _condition(f"of_{collection}", is_this, resolve=read, reject=reject)


def _click(wiring: Wiring, *, of: str = "", **more: str) -> Operation:
    """Report the click to the door, and tell the editor at once if it was refused.

    An operation can have only one successor in Directus, so each branch has its own operations.
    """
    body = {
        "button": "{{$trigger.body.button}}",
        "language": "{{$trigger.body.language}}",
        "field": "{{$trigger.body.field}}",
        "collection": "{{$trigger.body.collection}}",
        "keys": "{{$trigger.body.keys}}",
        "user": "{{$accountability.user}}",
        **more,
    }
    asked = f"click{of}"
    refuse = _error if wiring.can_refuse else _notification
    not_taken = refuse(f"not_taken{of}", "NOT_TAKEN", 502, _REFUSED)
    is_busy = _condition(
        f"is_busy{of}",
        {asked: {"status": {"_eq": 429}}},
        resolve=refuse(f"busy{of}", "BUSY", 429, _BUSY),
        reject=_condition(
            f"is_refused{of}",
            {asked: {"status": {"_in": [400, 403, 404, 502]}}},
            resolve=not_taken,
            reject=refuse(f"not_reached{of}", "NOT_REACHED", 503, _UNREACHABLE),
        ),
    )
    return wiring.request(asked, RequestKind.CLICKS, body, reject=is_busy)


def _error(key: str, code: str, status: int, message: str) -> Operation:
    return Operation(key=key, type="throw-error", options={"code": code, "status": str(status), "message": message})


def _notification(key: str, _code: str, _status: int, message: str) -> Operation:
    """What an older Directus shows instead of an error: its Studio reports every click as successful."""
    # Not the operation `notification`, which deadlocks in Directus 10 on SQLite.
    told = {"recipient": "{{$accountability.user}}", "subject": BUTTON_NAME, "message": message}
    options = {"collection": "directus_notifications", "permissions": "$full", "emitEvents": False, "payload": told}
    return Operation(key=key, type="item-create", options=options)


def push_flow(wiring: Wiring) -> Flow:
    """The flow that reports a change at once.

    It leaves out deletions and changes by the pipeline itself, which the sensors find some seconds later.
    """
    # Of an edited file, only the focal point matters to pictures; both of its values are always set together.
    edited = _condition(
        "is_focal_point",
        {"$trigger": {"payload": {"focal_point_x": {"_nnull": True}}}},
        resolve=_push(wiring, "push_focal_point", _CHANGED),
    )
    items = _condition(
        "is_new",
        {"$trigger": {"event": {"_ends_with": ".items.create"}}},
        resolve=_push(wiring, "push_new", _NEW),
        reject=_push(wiring, "push_changed", _CHANGED),
    )
    changed = _condition("is_file", {"$trigger": {"collection": {"_eq": _FILES}}}, resolve=edited, reject=items)
    uploaded = _condition(
        "is_picture",
        {"$trigger": {"payload": {"type": {"_in": sorted(TRANSFORMED_TYPES)}}}},
        resolve=_push(wiring, "push_upload", _NEW, collection=_FILES),
    )
    is_upload = {"$trigger": {"event": {"_eq": "files.upload"}}}
    first = _condition("is_upload", is_upload, resolve=uploaded, reject=changed)
    return Flow(
        id=flow_id(wiring.names.project, PUSH_KEY),
        name="Tell the pipeline of changes",
        icon="bolt",
        trigger="event",
        options={
            "type": "action",
            "scope": ["files.upload", "items.create", "items.update"],
            "collections": list(wiring.collections),
        },
        first=_condition("is_not_ours", {"$accountability": {"user": {"_neq": wiring.own_user}}}, resolve=first),
    )


def _push(wiring: Wiring, key: str, keys: Any, *, collection: str = "{{$trigger.collection}}") -> Operation:
    body = {"collection": collection, "keys": keys, "user": "{{$accountability.user}}"}
    return wiring.request(key, RequestKind.CHANGES, body)


def _condition(key: str, condition: Mapping[str, Any], **after: Operation | None) -> Operation:
    return Operation(key=key, type="condition", options={"filter": condition}, **after)
