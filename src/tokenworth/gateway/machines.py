"""Requests of the operator's own machines: a key with a scope, which is no customer's."""

from tokenworth.flows.ports import OperatorKey, Operators
from tokenworth.flows.serve.refusal import Refusal
from tokenworth.gateway.asgi import Message, bearer


def need_scope(operators: Operators, scope: Message, wanted: str) -> OperatorKey:
    """Return the operator's key of a request; Refusal 401 where it is none, 403 where it is for something else."""
    given = bearer(scope)
    key = operators.find_operator(given) if given else None
    if key is None:
        why = (
            f"Send a key of your own machines: `Authorization: Bearer <key>`, made by `tokenworth keys add-own {wanted}`. Customers' keys do not fit."
        )
        raise Refusal(401, "invalid_api_key", why, headers={"www-authenticate": "Bearer"})
    if key.scope != wanted:
        raise Refusal(403, "wrong_scope", f"This key is for {key.scope}, not for {wanted}.")
    return key
