"""OpenAPI documents as JSON Schema validators: the checks of encoded upstream requests.

`Spec(path).errors("CreateMessageParams", body)` lists what is wrong with a body, one line each,
naming the place. OpenAPI 3.0 and 3.1 documents are rewritten to JSON Schema 2020-12: `nullable`
becomes a null branch, a discriminated union is judged by the branch that its tag names (so the
message is about that branch), and with `closed=True` an object may hold only the members that its
schema names: a field that the provider does not know is then an error too.
"""

import functools
import json
import pathlib

import jsonschema
import referencing
import referencing.jsonschema

# Where a schema's members are themselves schemas.
SCHEMA_MAPS = ("properties", "patternProperties", "$defs")
SCHEMA_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
SCHEMA_ONE = ("items", "additionalProperties", "not", "if", "then", "else", "contains")
# OpenAPI's own keywords, which JSON Schema would take for annotations at best.
IGNORED = ("nullable", "discriminator", "example", "examples", "xml", "externalDocs", "deprecated")
COMBINERS = ("allOf", "anyOf", "oneOf", "$ref")


def _tag_switch(schema, branches):
    """A discriminated union as: the tag is known, and the branch it names holds."""
    tag = schema["discriminator"]["propertyName"]
    mapping = schema["discriminator"]["mapping"]
    rules = [{
        "if": {"properties": {tag: {"const": value}}, "required": [tag]},
        "then": {"$ref": target},
    } for value, target in mapping.items()]
    # A union in a body may also hold an untagged or null branch beside the tagged ones.
    untagged = [b for b in branches if b.get("$ref") not in mapping.values()]
    tagged = {"required": [tag], "properties": {tag: {"enum": list(mapping)}}, "allOf": rules}
    return {"anyOf": [tagged, *untagged]} if untagged else tagged


def rewrite(schema, closed=False, inside_all_of=False):
    """The JSON Schema 2020-12 form of one OpenAPI schema object."""
    if not isinstance(schema, dict):
        return schema
    out = {}
    for key, value in schema.items():
        if key in IGNORED:
            continue
        if key in SCHEMA_MAPS:
            out[key] = {name: rewrite(s, closed) for name, s in value.items()}
        elif key in SCHEMA_LISTS:
            out[key] = [rewrite(s, closed, key == "allOf" and len(value) > 1) for s in value]
        elif key in SCHEMA_ONE:
            out[key] = rewrite(value, closed)
        else:
            out[key] = value
    # OpenAPI 3.0 spells exclusive bounds as a boolean beside the bound.
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        flag = out.get(exclusive)
        if isinstance(flag, bool):
            del out[exclusive]
            if flag:
                out[exclusive] = out.pop(bound)
    mapping = schema.get("discriminator", {}).get("mapping")
    for union in ("oneOf", "anyOf"):
        if mapping and union in out:
            out.setdefault("allOf", []).append(_tag_switch(schema, out.pop(union)))
            break
    if (closed and not inside_all_of and "properties" in out
            and "additionalProperties" not in out and not any(c in out for c in COMBINERS)):
        out["additionalProperties"] = False
    if schema.get("nullable"):
        out = {"anyOf": [{"type": "null"}, out]}
    return out


class Spec:
    """One OpenAPI document whose component schemas can judge bodies."""

    def __init__(self, path, closed=False):
        document = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
        schemas = document["components"]["schemas"]
        self.schemas = {name: rewrite(s, closed) for name, s in schemas.items()}
        resource = referencing.Resource(
            contents={"components": {"schemas": self.schemas}},
            specification=referencing.jsonschema.DRAFT202012)
        self._registry = referencing.Registry().with_resource("urn:spec", resource)

    @functools.lru_cache(maxsize=None)
    def validator(self, name):
        """The validator of the component schema `name`."""
        # References inside are relative to the document, so the root schema carries its id.
        root = {"$id": "urn:spec", "components": {"schemas": self.schemas},
                "$ref": f"#/components/schemas/{name}"}
        return jsonschema.Draft202012Validator(root, registry=self._registry)

    def errors(self, name, body):
        """What is wrong with `body` as a `name`: readable lines; empty when it is valid."""
        found = sorted(self.validator(name).iter_errors(body), key=lambda e: list(map(str, e.path)))
        return [line for error in found for line in _lines(error)]


def _lines(error):
    """The deepest reasons of one error, since a union's own message names no cause."""
    if error.context:
        best = min(error.context, key=lambda e: (-len(e.absolute_path), len(str(e.message))))
        return _lines(best)
    place = "/".join(map(str, error.absolute_path)) or "(top)"
    return [f"{place}: {error.message[:300]}"]
