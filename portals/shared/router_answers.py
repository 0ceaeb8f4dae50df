"""What a router said to a Disconnect or a change of speed, in the reader's language (RAD-5)."""

from typing import Any, Final

from portals.shared.i18n import _, lazy
from tenants.subscribers.queries_commands import UNASKED

# Error-Cause (RFC 5176, 3.5) by the packet path's codes, and why nothing was sent at all
_REFUSALS: Final[dict[str, Any]] = {
    "residual_context_removed": lazy("The session was already gone; what was left of it was removed."),
    "invalid_eap_packet": lazy("The router met an invalid EAP packet."),
    "unsupported_attribute": lazy("The router does not support an attribute that was sent."),
    "missing_attribute": lazy("The router needs an attribute that was not sent."),
    "nas_identification_mismatch": lazy("The request names another router."),
    "invalid_request": lazy("The router found the request invalid."),
    "unsupported_service": lazy("The router does not support this service."),
    "unsupported_extension": lazy("The router does not support disconnects and changes from outside."),
    "invalid_attribute_value": lazy("An attribute has a value that the router does not accept."),
    "administratively_prohibited": lazy("The router is configured to refuse this."),
    "request_not_routable": lazy("The request could not be routed to the router."),
    "session_context_not_found": lazy("The router knows no such session; it was closed here."),
    "session_context_not_removable": lazy("The router cannot end this session."),
    "other_proxy_error": lazy("A proxy on the way failed."),
    "resources_unavailable": lazy("The router is short of resources."),
    "request_initiated": lazy("The router wants to ask for the login again first."),
    "multiple_session_selection": lazy("Several sessions match, and the router changes only one."),
    "location_info_required": lazy("The router wants to know the place of the subscriber."),
    "error_0": lazy("The router gave no reason."),
    "no_address": lazy("Not sent: the router has no fixed address and has not been heard of yet."),
    "no_live_change": lazy("Not sent: this make cannot change a running session; the next login has the new speed."),
    "no_live_end": lazy("Not sent: this make cannot be told another end; at the old one the device dials again."),
    "place_without_speed": lazy("The account is over, and its place names no speed: the session keeps the one it has."),
    "account_over": lazy("The account is over, and there is no place for it: its end disconnects the session."),
    "unknown_nas": lazy("Not sent: the router was removed."),
    "unusable_settings": lazy("Not sent: something in the settings of the router or of the plan cannot be used."),
    "session_not_nameable": lazy("Not sent: too little is known of the session to name it to the router."),
}


def router_answer(state: str, result: str) -> str:
    """One sentence, "" when there is nothing to say yet."""
    if state == "unanswered":
        return _("Asked three times at %(address)s.", address=result) if result else ""
    if state != "refused":
        return str(_REFUSALS[result]) if result in UNASKED else result
    if result in _REFUSALS:
        return str(_REFUSALS[result])
    number = result.removeprefix("error_")
    return _("The router answered with error %(number)s.", number=number) if number.isdecimal() else result
