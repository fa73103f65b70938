#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The JSON of vhu's commands and its schemas.

    schemas.py check FOLDER... < LINES    each line is valid by the schema that it names
    schemas.py keys FOLDER...             a key has one type in all schemas

FOLDER holds schemas, NAME.json. A line names its schema in its key "schema", as "NAME/VERSION".
Ends with 1 and one line for each thing that is wrong. Needs Debian's python3-jsonschema.
"""
import json
import pathlib
import sys

import jsonschema

# As many lines are shown of what is wrong.
SHOWN = 20

# Keys below these are the kernel's names of virtio's structures, and apart from all others.
FOREIGN = {"fields", "header_fields"}

# A key that repeats what a client sent, of whatever type.
ECHOED = {("control.json", "id")}


def load(folders):
    """Return the schemas in the folders by their files' names."""
    found = {}
    for folder in folders:
        for path in sorted(pathlib.Path(folder).glob("*.json")):
            found[path.name] = json.loads(path.read_text(encoding="utf-8"))
            jsonschema.Draft202012Validator.check_schema(found[path.name])
    if not found:
        sys.exit(f"no schemas in {' '.join(folders)}")
    return found


def inlined(part, name, schemas):
    """Return a part of a schema with what its references lead to in their place."""
    if isinstance(part, list):
        return [inlined(item, name, schemas) for item in part]
    if not isinstance(part, dict):
        return part
    result = {key: inlined(value, name, schemas) for key, value in part.items() if key not in ("$ref", "$defs")}
    if isinstance(part.get("$ref"), str):
        target, home = follow(part["$ref"], name, schemas)
        result = {**inlined(target, home, schemas), **result}
    return result


def follow(reference, name, schemas):
    """Return what a reference in a schema leads to, and the schema that it is in."""
    file, _, path = reference.partition("#")
    target = schemas[file or name]
    for part in filter(None, path.split("/")):
        target = target[part]
    return target, file or name


def types_named(schema):
    """Return the values that the key "type" of a line can have; None: it has no such key."""
    kind = schema.get("properties", {}).get("type")
    if kind is None:
        return (None,)
    return tuple(kind.get("enum", [kind.get("const")]))


def validators(schemas):
    """Return for each schema by its name a validator for each type of line; None: of no type."""
    known = {}
    for name, schema in schemas.items():
        whole = inlined(schema, name, schemas)
        known[name.removesuffix(".json")] = {
            kind: jsonschema.Draft202012Validator(part)
            for part in whole.get("oneOf", [whole]) for kind in types_named(part)
        }
    return known


def what_is_wrong(line, known):
    """Return what is wrong with a line of JSON, as one text; "" nothing."""
    try:
        value = json.loads(line)
    except ValueError as error:
        return f"not JSON: {error}"
    named = value.get("schema") if isinstance(value, dict) else None
    if not isinstance(named, str) or named.partition("/")[0] not in known:
        return f'names no schema: "schema" is {named!r}'
    kinds = known[named.partition("/")[0]]
    if value.get("type") not in kinds:
        return f'"type" is {value.get("type")!r}'
    errors = list(kinds[value.get("type")].iter_errors(value))
    return "; ".join(describe(error) for error in errors[:3])


def describe(error):
    """Return an error of validation as a text."""
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
    return f"{where or '.'}: {error.message[:300]}"


def check(schemas):
    """Hold each line of standard input against its schema. Returns the exit status."""
    known = validators(schemas)
    lines = wrong = 0
    for line in sys.stdin:
        lines += 1
        text = what_is_wrong(line, known)
        if text:
            wrong += 1
            if wrong <= SHOWN:
                print(f"line {lines}: {text}: {line[:300].rstrip()}")
    if lines == 0:
        print("no line of JSON")
    return 1 if wrong or lines == 0 else 0


def types_of(schema, name, schemas):
    """Return the types that a schema allows, following references."""
    if "$ref" in schema:
        return types_of(*follow(schema["$ref"], name, schemas), schemas)
    for word in ("oneOf", "anyOf"):
        if word in schema:
            return set().union(*(types_of(part, name, schemas) for part in schema[word]))
    if "const" in schema or "enum" in schema:
        values = schema.get("enum", [schema.get("const")])
        return {{str: "string", bool: "boolean", int: "integer"}[type(value)] for value in values}
    if schema.get("type") == "array":
        items = types_of(schema["items"], name, schemas)
        return {f"array of {' or '.join(sorted(items))}"}
    return {schema.get("type", "anything")}


def walk(schema, name, schemas, found, path=()):
    """Note the types of each key that a schema's properties name, with where."""
    if isinstance(schema, list):
        for part in schema:
            walk(part, name, schemas, found, path)
    if not isinstance(schema, dict):
        return
    if schema.get("type") == "object" and schema.get("additionalProperties") is not False and \
            not (path and path[-1] in FOREIGN):
        found.setdefault("", {}).setdefault("open", set()).add(f"{name}:{'/'.join(path)}")
    for key, value in schema.items():
        if key != "properties":
            walk(value, name, schemas, found, path + (key,))
            continue
        for word, part in value.items():
            walk(part, name, schemas, found, path + (word,))
            if FOREIGN & set(path) or (name, word) in ECHOED:
                continue
            for kind in types_of(part, name, schemas):
                found.setdefault(word, {}).setdefault(kind, set()).add(f"{name}:{'/'.join(path)}")


def keys(schemas):
    """Look for keys of two types, and objects that take any key. Returns the exit status."""
    found = {}
    for name, schema in schemas.items():
        walk(schema, name, schemas, found)
    wrong = 0
    for place in sorted(found.pop("", {}).get("open", ())):
        wrong += 1
        print(f"{place}: an object that takes any key: additionalProperties must be false")
    for key, kinds in sorted(found.items()):
        if len(kinds) > 1:
            wrong += 1
            print(f"{key}: " + "; ".join(f"{kind} in {', '.join(sorted(places))}"
                                         for kind, places in sorted(kinds.items())))
    return 1 if wrong else 0


def main():
    if len(sys.argv) < 3 or sys.argv[1] not in ("check", "keys"):
        sys.exit(__doc__)
    schemas = load(sys.argv[2:])
    sys.exit(check(schemas) if sys.argv[1] == "check" else keys(schemas))


if __name__ == "__main__":
    main()
