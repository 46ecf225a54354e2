#!/usr/bin/python3
"""call.py SOCKET: sends the standard input to a Unix socket as it is, and prints what comes back until it is closed
or nothing has come for two seconds; each NUL is printed as a new line."""

import socket
import sys

connection = socket.socket(socket.AF_UNIX)
connection.connect(sys.argv[1])
connection.settimeout(2)
try:
    connection.sendall(sys.stdin.buffer.read())
    while chunk := connection.recv(65536):
        sys.stdout.buffer.write(chunk.replace(b"\0", b"\n"))
    print("closed")
except (socket.timeout, ConnectionError, BrokenPipeError) as error:
    print(f"{type(error).__name__}")
