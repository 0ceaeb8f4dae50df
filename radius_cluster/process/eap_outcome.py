"""What a finished EAP conversation adds to the Accept or the Reject of its last request (see ``Request.eap``)."""

import os

from radius_cluster.listen.receive import Request
from radius_cluster.process.eap.message import encode_failure
from radius_cluster.process.eap.steps import Accept, Reject
from radius_cluster.wire import attributes as encode


def proof_of(request: Request) -> bytes | None:
    """EAP-Success, keys, inner name; None when the password was wrong."""
    step = request.eap
    return step.attributes(request.packet, request.nas.secret, os.urandom(4)) if isinstance(step, Accept) else None


def refusal_of(request: Request) -> bytes:
    """EAP-Failure: without it the supplicant would wait for its time-out."""
    step = request.eap
    if isinstance(step, Reject):
        return step.attributes()
    if isinstance(step, Accept):
        return step.refusal
    return encode.eap_messages(encode_failure(step.identifier))
