"""The refusals of OpenAI's own API, according to the types of its library and the rules in its documentation.

https://platform.openai.com/docs/api-reference/chat/create, https://platform.openai.com/docs/guides/structured-outputs
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from openai.types.embedding_create_params import EmbeddingCreateParams
from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

_OF_SCHEMAS = {"type", "properties", "required", "additionalProperties", "items", "enum", "description", "minimum",
               "maximum", "minItems", "maxItems", "anyOf", "pattern", "format"}  # fmt: skip
"""What strict mode takes of JSON Schema."""


def refusal_of(path: str, body: Mapping[str, Any]) -> str | None:
    """Why OpenAI would answer this request with 400; None if it would not."""
    chat = path.endswith("/chat/completions")
    try:
        _read((_chat() if chat else _embeddings()).validate_python(dict(body)))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        return (
            f"Unrecognized request argument supplied: {where}"
            if first["type"] == "extra_forbidden"
            else (f"Invalid value for '{where}': {first['msg']}")
        )
    return _refused_chat(body) if chat else None


def _refused_chat(body: Mapping[str, Any]) -> str | None:
    answer_format = body.get("response_format", {})
    names_json = "json" in str(body["messages"]).lower()
    wrong_schema = (
        _wrong_schema(answer_format["json_schema"]["schema"], ())
        if answer_format.get("type") == "json_schema"
        else None
    )
    caps = [body[name] for name in ("max_tokens", "max_completion_tokens") if name in body]
    rules = {
        "Invalid 'messages': empty array. Expected an array with minimum length 1.": not body["messages"],
        "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.": len(caps) > 1,
        "Invalid 'max_tokens': integer below minimum value. Expected a value >= 1.": any(cap < 1 for cap in caps),
        "Invalid 'temperature': decimal above maximum value. Expected a value <= 2.": body.get("temperature", 1) > 2,
        "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.": (
            answer_format.get("type") == "json_object" and not names_json
        ),
        f"Invalid schema for response_format: {wrong_schema}": wrong_schema is not None,
    }
    return next((refusal for refusal, is_broken in rules.items() if is_broken), None)


def _read(value: Any) -> None:
    """Read a whole value, because lists in these types are only validated while they are iterated."""
    if isinstance(value, Mapping):
        for own in value.values():
            _read(own)
    elif isinstance(value, Iterable) and not isinstance(value, str):
        for own in value:
            _read(own)


def _wrong_schema(schema: Mapping[str, Any], where: tuple[str, ...]) -> str | None:
    if unknown := schema.keys() - _OF_SCHEMAS:
        return f"In context={where}, {sorted(unknown)} is not permitted."
    own = schema.get("properties", {})
    if schema.get("type") == "object":
        if schema.get("additionalProperties") is not False:
            return f"In context={where}, 'additionalProperties' is required to be supplied and to be false."
        if set(schema.get("required", ())) != set(own):
            return f"In context={where}, 'required' is required to be an array including every key in properties."
    children = [*own.items(), *([("items", schema["items"])] if "items" in schema else [])]
    return next((wrong for name, child in children if (wrong := _wrong_schema(child, (*where, name)))), None)


@cache
def _chat() -> TypeAdapter[Any]:
    return TypeAdapter(with_config(ConfigDict(extra="forbid"))(CompletionCreateParamsNonStreaming))


@cache
def _embeddings() -> TypeAdapter[Any]:
    return TypeAdapter(with_config(ConfigDict(extra="forbid"))(EmbeddingCreateParams))
