#!/usr/bin/python3
"""paramiko_login.py PORT USER PASSWORD: logs in with paramiko by keyboard-interactive.

Shows each text and prompt as a line; the answer to a prompt for a code is read from standard input. Once inside it
prints what `id -un` answers, behind "inside as "."""

import sys

import paramiko


def answer(title, instructions, prompts):
    for text in (title, instructions):
        if text:
            print(text, flush=True)
    return [reply(prompt) for prompt, echo in prompts]


def reply(prompt):
    print(prompt, flush=True)
    return password if "assword" in prompt else sys.stdin.readline().strip()


port, user, password = int(sys.argv[1]), sys.argv[2], sys.argv[3]
transport = paramiko.Transport(("127.0.0.1", port))
transport.start_client(timeout=30)
transport.auth_timeout = 120
transport.auth_interactive(user, answer)
channel = transport.open_session()
channel.exec_command("echo inside as $(id -un)")
print(channel.makefile().read().decode(), end="", flush=True)
transport.close()
