#!/usr/bin/python3
"""An SMS gateway for tests: takes a POST, prints it as one JSON object a line, and answers with one status.

  gateway.py PORT STATUS SECONDS-BEFORE-THE-ANSWER

It prints its port as the first line, and ends when its standard input is closed.
"""

import http.server
import json
import os
import sys
import threading
import time


class Gateway(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        request = {
            "path": self.path,
            "authorization": self.headers["Authorization"],
            "type": self.headers["Content-Type"],
            "body": body,
        }
        print(json.dumps(request), flush=True)
        time.sleep(float(sys.argv[3]))
        self.send_response(int(sys.argv[2]))
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


def end_with_the_test():
    sys.stdin.read()
    os._exit(0)


threading.Thread(target=end_with_the_test, daemon=True).start()
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Gateway)
print(sys.argv[1], flush=True)
server.serve_forever()
