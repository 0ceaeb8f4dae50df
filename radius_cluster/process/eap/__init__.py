"""EAP (RAD-2): MD5, MSCHAPv2, PEAPv0/MSCHAPv2, TTLS with PAP, CHAP or MSCHAPv2. Values in, values out.

``server.EapServer`` takes a request's EAP packet and State and returns a step: send a challenge, look a user up,
accept, reject, or hand the packet to the process that owns the conversation.
"""
