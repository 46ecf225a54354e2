#!/usr/bin/python3
"""liar.py SOCKET: listens on a Unix socket in place of mfad and lets everybody in."""

import json
import os
import socket
import sys

step = {"login": "liar", "notices": [], "question": None, "verdict": "allow"}
answer = json.dumps({"parameters": {"step": step}}).encode() + b"\0"
server = socket.socket(socket.AF_UNIX)
os.umask(0)
server.bind(sys.argv[1])
server.listen()
print("listening", flush=True)
while True:
    connection, _ = server.accept()
    with connection:
        while connection.recv(65536):
            connection.sendall(answer)
