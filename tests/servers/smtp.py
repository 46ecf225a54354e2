#!/usr/bin/python3
"""A real SMTP server (aiosmtpd) for tests.

It binds a free port, prints that port as its first line, then one JSON object a line for each mail it took:

  {"from": "mfad@host", "to": ["ada@example.org"], "encrypted": true, "login": "relay-user", "data": "Subject: ..."}

It ends when its standard input is closed, so a test that dies takes the server with it.
Debian: apt-get install python3-aiosmtpd
"""

import argparse
import asyncio
import json
import os
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


def main():
    options = read_options()
    try:
        asyncio.run(serve(options))
    except KeyboardInterrupt:
        pass


def read_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1", help="address to bind (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to bind; 0, the default, takes a free one")
    parser.add_argument("--tls", choices=["none", "starttls", "implicit"], default="none",
                        help="none: clear text. starttls: offered, and required before MAIL. implicit: from the first byte")
    parser.add_argument("--cert", help="PEM file with the certificate chain; needed for --tls starttls and implicit")
    parser.add_argument("--key", help="PEM file with the private key; needed for --tls starttls and implicit")
    parser.add_argument("--auth", metavar="USER:PASSWORD", help="require this login before MAIL")
    parser.add_argument("--mechanism", choices=["PLAIN", "LOGIN"], action="append",
                        help="offer only this mechanism (may be repeated; default: both)")
    parser.add_argument("--reject", metavar="ADDRESS=ANSWER", action="append", default=[],
                        help='answer RCPT TO:<ADDRESS> with this line, e.g. "eve@example.org=550 5.1.1 no such user"')
    parser.add_argument("--after-data", metavar="ANSWER", help='answer each mail with this line instead of taking it, e.g. "451 4.3.0 later"')
    parser.add_argument("--no-smtputf8", action="store_true", help="do not offer SMTPUTF8")
    parser.add_argument("--delay", type=float, default=0.0, metavar="SECONDS", help="wait this long before a mail is answered")
    parser.add_argument("--die-at", choices=["RCPT", "."], help="end at once, without an answer, at RCPT TO or at the end of a mail")
    parser.add_argument("--idle", type=float, default=300.0, metavar="SECONDS", help="close a connection that is silent for so long")
    options = parser.parse_args()
    if options.tls != "none" and not (options.cert and options.key):
        parser.error("--tls needs --cert and --key")
    return options


async def serve(options):
    loop = asyncio.get_running_loop()
    context = None
    if options.tls != "none":
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(options.cert, options.key)
    implicit = context if options.tls == "implicit" else None
    server = await loop.create_server(lambda: session(options, context), options.host, options.port, ssl=implicit)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.buffer.read)
    os._exit(0)  # open connections must not hold it


def session(options, context):
    settings = {"enable_SMTPUTF8": not options.no_smtputf8, "timeout": options.idle, "hostname": "relay.test", "ident": "test"}
    if options.tls == "starttls":
        settings.update(tls_context=context, require_starttls=True)
    if options.auth:
        offered = options.mechanism or ["PLAIN", "LOGIN"]
        settings.update(
            authenticator=lambda server, session, envelope, mechanism, data: check(options, session, data),
            auth_required=True,
            auth_require_tls=options.tls == "starttls",
            auth_exclude_mechanism=[name for name in ("PLAIN", "LOGIN") if name not in offered],
        )
    return SMTP(Handler(options), **settings)


def check(options, session, data):
    user, password = options.auth.split(":", 1)
    given = (data.login.decode(), data.password.decode())
    session.login_name = given[0]
    return AuthResult(success=given == (user, password), handled=False)


class Handler:
    def __init__(self, options):
        self.options = options
        self.rejected = dict(rule.split("=", 1) for rule in options.reject)

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if self.options.die_at == "RCPT":
            os._exit(1)
        if address in self.rejected:
            return self.rejected[address]
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.options.die_at == ".":
            os._exit(1)
        await asyncio.sleep(self.options.delay)
        if self.options.after_data:
            return self.options.after_data
        mail = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "encrypted": self.options.tls != "none",
            "login": getattr(session, "login_name", None),
            "data": envelope.content.decode("utf-8", "replace"),
        }
        print(json.dumps(mail), flush=True)
        return "250 2.0.0 taken by the test server"


if __name__ == "__main__":
    main()
