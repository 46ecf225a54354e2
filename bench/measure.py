"""The benchmark itself: alternating rounds, correctness, flushes, memory and start-up; then the report.

bench/inside starts it as the first process of a private namespace: when it ends, everything it started ends.
"""
import argparse
import json
import os
import signal
import statistics
import subprocess
import sys

import contenders
import machine
import report

# Processes: logins of each. Enough for a p99, short enough for a machine that does other things too.
FULL = {1: 1000, 8: 300, 32: 100}
QUICK = {1: 60, 8: 10, 32: 5}
WRONG = {"full": {1: 1000}, "quick": {1: 60}}
MANY_ACCOUNTS = {"full": (1_000_000, 100_000), "quick": (10_000, 10_000)}
IDLE = 0.45  # of the machine, before a run may begin
QUIET_LIMIT = 20  # seconds to wait for that


def main():
    options = parse()
    for stop in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(stop, lambda *_: sys.exit(1))
    subprocess.Popen([f"{machine.BIN}/logsink", "/dev/log"])
    everybody = assemble(options)
    wrong = prepared(contenders.wrong_codes(options.peers_only))
    by_name = {one.name: one for one in everybody}
    present = lambda *names: [by_name[name] for name in names if name in by_name]
    result = {
        "quick": options.quick,
        "titles": {one.name: one.title for one in everybody},
        "wrong_titles": {one.name: one.title for one in wrong},
        "rounds": timed_rounds(everybody, QUICK if options.quick else FULL, options),
        "wrong_rounds": timed_rounds(wrong, WRONG["quick" if options.quick else "full"], options),
        "flushes": {one.name: flushes(one, options) for one in present("floor", "mfad")},
        "footprint": {one.name: footprint(one) for one in present("mfad-many", "mfad-rules")},
        "loading": loading(options),
        # Last: an account that met wrong codes is not like others for a while.
        "verdicts": {one.name: verdicts(one, options) for one in present("ga", "oath", "mfad", "mfad-hotp")},
    }
    with open(options.result, "w") as f:
        json.dump(result, f, indent=1)
    wrong = report.show(result)
    sys.exit(1 if wrong else 0)


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("result")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers-only", action="store_true")
    options = parser.parse_args()
    if options.quick:
        options.rounds = 1
    return options


def assemble(options):
    with open(f"{machine.CONFDIR}/other", "w") as f:
        f.write("auth required pam_deny.so\n")
    everybody = contenders.peers()
    if not options.peers_only:
        everybody += contenders.ours(*MANY_ACCOUNTS["quick" if options.quick else "full"])
    return prepared(everybody)


def prepared(everybody):
    for one in everybody:
        print(f"preparing {one.title}", file=sys.stderr, flush=True)
        one.prepare()
    return everybody


def timed_rounds(everybody, logins, options):
    """A B C … C B A … until each contender has `rounds` runs that nothing else disturbed, or thrice that many runs."""
    runs = []
    for turn in range(options.rounds if options.quick else 3 * options.rounds):
        for processes in logins:
            for one in everybody if turn % 2 == 0 else reversed(everybody):
                if one.alone and processes > 1:
                    continue
                if enough(runs, one.name, processes, options.rounds):
                    continue
                if not options.quick:
                    machine.wait_until_quiet(QUIET_LIMIT, IDLE)
                print(f"round {turn + 1}: {one.title}, {processes} processes", file=sys.stderr, flush=True)
                count = min(logins[processes], one.most // processes)
                figures = one.run(*one.users(), "--procs", processes, "--n", count)
                clean = figures["others_cpu"] <= os.cpu_count() * (1 - IDLE) / 2
                runs.append({"round": turn, "name": one.name, "processes": processes, "clean": clean, **figures})
    return runs


def enough(runs, name, processes, wanted):
    return sum(r["clean"] for r in runs if r["name"] == name and r["processes"] == processes) >= wanted


def verdicts(one, options):
    """Logins that start together, codes tried twice, codes raced for, wrong codes. Each part has users of its own, and
    the parts with a right code come before any wrong one of the same user."""
    print(f"verdicts: {one.title}", file=sys.stderr, flush=True)
    share = 10 if options.quick else 1
    together = one.run(*one.users(0, 320), "--procs", 32, "--n", 30 // share, "--warmup", 0, "--lockstep", "--recheck")
    replay = one.run(*one.users(320, 200), "--n", 200 // share, "--warmup", 0, "--replay")
    race = one.run(*one.users(520, 300), "--procs", 8, "--n", 300 // share, "--warmup", 0, "--race")
    wrong = one.run(*one.users(820, 100), "--n", 100 // share, "--warmup", 0, "--wrong")
    return {"together": together, "replay": replay, "race": race, "wrong": wrong}


def flushes(one, options):
    """Flushes per login, alone and by 32 processes."""
    counted = {}
    for processes, logins in ((1, 300), (32, 30)):
        logins = logins // 10 if options.quick else logins
        one.run(*one.users(), "--n", 50)
        one.server.resume()
        with machine.Flushes(one.server.pid) as seen:
            figures = one.run(*one.users(), "--procs", processes, "--n", logins, "--warmup", 0)
        counted[processes] = {
            "per_login": seen.total / figures["n"],
            "waited_for": seen.by_committer / figures["n"],
            "checkpoints": seen.checkpoints,
            "checkpoints_on_commit_path": seen.checkpoints_by_committer,
        }
    return counted


def footprint(one):
    """Memory after a thousand logins among many accounts; then ten cold starts on that store."""
    one.run(*one.users(), "--n", 1000)
    found = {"accounts": len(one.accounts), "resident_mib": machine.resident_mib(one.server.pid)}
    starts = []
    for _ in range(10):
        one.server.stop()
        starts.append(one.server.start())
    return {**found, "start_ms": statistics.median(starts), "slowest_start_ms": max(starts)}


def loading(options):
    """What dlopen of each module costs a login program, and the size of ours."""
    modules = {"ga": "pam_google_authenticator.so", "oath": "pam_oath.so"}
    found = {}
    for name, file in modules.items():
        listed = subprocess.run(["find", "/usr/lib", "/usr/lib64", "-name", file], capture_output=True, text=True)
        found[name] = probe(listed.stdout.splitlines()[0])
    if not options.peers_only:
        found["mfad"] = probe(f"{machine.BIN}/libpam_mfad.so")
    return found


def probe(path):
    samples = []
    for _ in range(21):
        said = subprocess.run([f"{machine.BIN}/dlprobe", "now", path], capture_output=True, text=True, check=True)
        samples.append(dict(pair.split("=") for pair in said.stdout.split()))
    medians = {key: statistics.median(float(s[key]) for s in samples) for key in samples[0]}
    return {**medians, "size_kib": os.path.getsize(path) / 1024}


main()
