"""Asks every operation of the OpenAPI document what hypothesis makes of it, and holds every answer to the document."""

from collections.abc import Mapping, Sequence
from typing import Any

import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
)


def ask_everything(url: str, token: str, known: Mapping[str, Sequence[Any]], examples: int) -> dict[str, int]:
    """Ask every operation of the server at `url` so many questions, in half of which the names in the path are `known`
    ones (by the path's beginning). How often each was asked. Raises what schemathesis finds.
    """
    authorization = {"Authorization": f"Bearer {token}"}
    schema = schemathesis.openapi.from_url(f"{url}/api/v1/openapi.json", headers=authorization)
    asked: dict[str, int] = {}
    for found in schema.get_all_operations():
        operation = found.ok()
        asked[f"{operation.method.upper()} {operation.path}"] = _ask(operation, authorization, known, examples)
    return asked


def _ask(operation: Any, headers: Mapping[str, str], known: Mapping[str, Sequence[Any]], examples: int) -> int:
    count = 0
    names = next((values for start, values in known.items() if operation.path.startswith(start)), ("1",))

    @settings(
        max_examples=examples, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(case=operation.as_strategy(), name=st.sampled_from(list(names)), is_known=st.booleans())
    def ask(case: Any, name: Any, is_known: bool) -> None:
        nonlocal count
        count += 1
        if is_known and case.path_parameters:
            for key in case.path_parameters:
                case.path_parameters[key] = name if key != "number" else "1"
        case.call_and_validate(headers=dict(headers), checks=list(CHECKS))

    ask()
    return count
