#!/usr/bin/python3
"""paramiko_password.py PORT USER PASSWORD: logs in as scripts do, with `password=` and nobody to ask, and opens sftp.

Prints what `id -un` answers, behind "inside as "; or the name of what went wrong."""

import sys

import paramiko

port, user, password = int(sys.argv[1]), sys.argv[2], sys.argv[3]
client = paramiko.SSHClient()
client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
try:
    client.connect("127.0.0.1", port, user, password=password, allow_agent=False, look_for_keys=False, timeout=30)
except paramiko.SSHException as error:
    print(type(error).__name__)
    sys.exit(1)
_, out, _ = client.exec_command("echo inside as $(id -un)")
print(out.read().decode(), end="", flush=True)
client.close()
