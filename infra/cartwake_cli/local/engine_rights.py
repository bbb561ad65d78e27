"""What the engine's authorization does not know of AWS, taught to it before it serves.

Runs in the engine's interpreter. With AUTH=true MiniStack 1.5.33 compares a narrow statement with the resource "*"
where it does not know which resource a call names, asks for actions that AWS does not have, and takes every call for
unencrypted. Without these corrections the roles would need wider rights here than on AWS.
"""

import json
from email.utils import parseaddr
from ipaddress import ip_address
from typing import Any

# AWS allows a batch by the action on a single message.
SINGLE_ACTIONS = {
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:SendMessageBatch": "sqs:SendMessage",
}


def name_identity(body: bytes, identities: Any, prefix: str) -> str:
    """Name the identity that SES takes a mail to be sent from: the address where it is verified, else its domain."""
    address = parseaddr(json.loads(body).get("FromEmailAddress", ""))[1]
    return f"{prefix}:identity/{address if address in identities else address.rpartition('@')[2]}"


def name_schedule(path: str, body: bytes, query: dict[str, Any], prefix: str) -> str:
    """Name a schedule with its group, which the engine leaves out."""
    asked = query.get("groupName") or ["default"]
    group = json.loads(body or b"{}").get("GroupName") or (asked[0] if isinstance(asked, list) else asked)
    return f"{prefix}:schedule/{group}/{path.rstrip('/').rpartition('/')[2]}"


def teach() -> None:
    """Correct the engine; to be called before `ministack.app` is imported.

    Raises:
        AttributeError: this engine is another version; look at each correction anew.
    """
    from ministack.core import iam_actions, iam_evaluator  # type: ignore[import-not-found]  # noqa: PLC0415
    from ministack.services import ses_v2  # type: ignore[import-not-found]  # noqa: PLC0415

    extract_action = iam_actions.extract_iam_action
    extract_resource = iam_actions.extract_resource_arn
    pin_origin = iam_evaluator.pin_request_origin

    def name_action(*request: Any) -> str | None:
        action: str | None = extract_action(*request)
        return SINGLE_ACTIONS.get(action or "", action)

    def name_resource(service: str, method: str, path: str, *rest: Any) -> str:
        _, body, query, region, account = rest
        prefix = f"arn:aws:{service}:{region}:{account}"
        if service == "ses" and method == "POST" and path == "/v2/email/outbound-emails":
            return name_identity(body, ses_v2._identities, prefix)  # noqa: SLF001 - the engine has no other list
        if service == "scheduler" and path.startswith("/schedules/"):
            return name_schedule(path, body, query, prefix)
        resource: str = extract_resource(service, method, path, *rest)
        return resource

    def take_loopback_for_secure(source: str, secure: bool) -> None:
        pin_origin(source, secure or ip_address(source).is_loopback)

    iam_actions.extract_iam_action = name_action
    iam_actions.extract_resource_arn = name_resource
    iam_evaluator.pin_request_origin = take_loopback_for_secure
