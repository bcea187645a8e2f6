"""API Gateway's request validation: required parameters and the model of a JSON body."""

import json
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft4Validator, ValidationError

from local.events import Call
from local.refusals import RefusedByGateway
from local.resources import Api, Operation

ERRORS_MAX = 5


class Validators:
    """The models of an API, compiled once."""

    def __init__(self, api: Api) -> None:
        self._validators: dict[tuple[str, str], Draft4Validator] = {}
        for operation in api.operations:
            if operation.validates_body and operation.body_schema is not None:
                schema: Mapping[str, Any] = {**operation.body_schema, **api.definitions}
                if "$ref" in schema:  # in draft 4, members beside a $ref are ignored
                    schema = {"allOf": [{"$ref": schema["$ref"]}], **api.definitions}
                self._validators[operation.method, operation.path] = Draft4Validator(schema)

    def check(self, call: Call, operation: Operation) -> None:
        """Check a request; raises RefusedByGateway if the template's validator refuses it."""
        if operation.validates_parameters:
            self._check_parameters(call, operation)
        if operation.validates_body:
            self._check_body(call, operation)

    def _check_parameters(self, call: Call, operation: Operation) -> None:
        queried = {name for name, _ in call.parameters}
        missing = [
            name
            for where, name in operation.required_parameters
            if (where == "header" and not call.header(name)) or (where == "query" and name not in queried)
        ]
        if missing:
            message = f"Missing required request parameters: [{', '.join(missing)}]"
            raise RefusedByGateway("BAD_REQUEST_PARAMETERS", message)

    def _check_body(self, call: Call, operation: Operation) -> None:
        validator = self._validators.get((operation.method, operation.path))
        media_type = (call.header("Content-Type") or "application/json").partition(";")[0].strip().lower()
        if validator is None or media_type != "application/json":
            return  # the model is for JSON; another type passes unchecked, as in AWS
        if not call.body.strip() and not operation.body_required:
            return
        try:
            document = json.loads(call.body or b"{}")
        except (ValueError, RecursionError) as error:
            raise RefusedByGateway("BAD_REQUEST_BODY", "Invalid request body", detail="[not JSON]") from error
        found = list(dict.fromkeys(map(_worded, validator.iter_errors(document))))
        if found:
            detail = "[" + ", ".join(found[:ERRORS_MAX]) + "]"
            raise RefusedByGateway("BAD_REQUEST_BODY", "Invalid request body", detail=detail)


def _worded(error: ValidationError) -> str:
    """Return the most frequent faults in API Gateway's words."""
    if error.validator == "required" and isinstance(error.instance, dict):
        wanted = error.validator_value if isinstance(error.validator_value, list) else []
        missing = sorted(name for name in wanted if name not in error.instance)
        return f"object has missing required properties ({json.dumps(missing, separators=(',', ':'))})"
    if error.validator == "type":
        kinds = [error.validator_value] if isinstance(error.validator_value, str) else error.validator_value
        found = _kind(error.instance)
        return f"instance type ({found}) does not match any allowed primitive type (allowed: {json.dumps(kinds)})"
    return error.message


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    return {dict: "object", list: "array", str: "string", int: "integer", float: "number"}[type(value)]
