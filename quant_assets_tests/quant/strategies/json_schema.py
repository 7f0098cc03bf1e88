"""As much of JSON Schema (2020-12) as the schema of strategy files uses, for its test."""

from typing import Any

TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}
PROSE = {"title", "description", "default", "$schema", "$defs", "format"}
KNOWN = {
    "$ref", "type", "anyOf", "enum", "const", "properties", "required", "additionalProperties",
    "items", "minItems", "minLength", "pattern", "minimum", "maximum", "exclusiveMinimum",
    "exclusiveMaximum",
}  # fmt: skip


def is_valid(value: Any, schema: Any, root: dict[str, Any]) -> bool:
    """Whether `value` satisfies `schema`; a keyword that is not known here is a `KeyError`."""
    if isinstance(schema, bool):
        return schema
    unknown = set(schema) - KNOWN - PROSE
    if unknown:
        raise KeyError(f"keywords {sorted(unknown)}")
    if "$ref" in schema:
        target = root
        for key in schema["$ref"].removeprefix("#/").split("/"):
            target = target[key]
        if not is_valid(value, target, root):
            return False
    return _typed(value, schema) and _bounded(value, schema) and _inside(value, schema, root)


def _typed(value: Any, schema: dict[str, Any]) -> bool:
    wanted = schema.get("type")
    if wanted is None:
        return True
    is_number = wanted in {"integer", "number"}
    return isinstance(value, TYPES[wanted]) and not (is_number and isinstance(value, bool))


def _bounded(value: Any, schema: dict[str, Any]) -> bool:
    if "enum" in schema and value not in schema["enum"]:
        return False
    if "const" in schema and value != schema["const"]:
        return False
    if isinstance(value, int | float) and not isinstance(value, bool):
        return (
            schema.get("minimum", value) <= value <= schema.get("maximum", value)
            and not value <= schema.get("exclusiveMinimum", float("-inf"))
            and not value >= schema.get("exclusiveMaximum", float("inf"))
        )
    return True


def _inside(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> bool:
    if "anyOf" in schema and not any(is_valid(value, one, root) for one in schema["anyOf"]):
        return False
    if isinstance(value, list):
        enough = len(value) >= schema.get("minItems", 0)
        return enough and all(is_valid(one, schema.get("items", True), root) for one in value)
    if isinstance(value, dict):
        known = schema.get("properties", {})
        rest = schema.get("additionalProperties", True)
        return set(schema.get("required", ())) <= set(value) and all(
            is_valid(one, known.get(key, rest), root) for key, one in value.items()
        )
    return True
