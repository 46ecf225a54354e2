#!/usr/bin/python3
"""call.py SOCKET: sends the standard input to a Unix socket as it is, and prints what comes back, up to the end of the
first frame or of the connection. Input that is no whole frame is followed by the end of the connection's other half."""

import socket
import sys

connection = socket.socket(socket.AF_UNIX)
connection.connect(sys.argv[1])
connection.settimeout(20)
sent = sys.stdin.buffer.read()
try:
    connection.sendall(sent)
    if not sent.endswith(b"\0"):
        connection.shutdown(socket.SHUT_WR)
    answer = b""
    while b"\0" not in answer and (chunk := connection.recv(65536)):
        answer += chunk
    print(answer.rstrip(b"\0").decode())
except ConnectionError as error:
    print(type(error).__name__)
