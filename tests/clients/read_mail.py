#!/usr/bin/python3
"""Reads a mail from standard input and prints its decoded parts as one JSON object."""

import email
import email.policy
import json
import sys

message = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
bodies = {kind: message.get_body((kind,)) for kind in ("plain", "html")}
print(json.dumps({
    "subject": str(message["Subject"]),
    "from": str(message["From"]),
    "to": str(message["To"]),
    "plain": bodies["plain"].get_content() if bodies["plain"] else "",
    "html": bodies["html"].get_content() if bodies["html"] else "",
}))
