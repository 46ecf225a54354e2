"""The machine under measurement: one run of the driver, what else was running, flushes, memory, start-up time."""
import json
import os
import re
import resource
import signal
import socket
import subprocess
import tempfile
import time

BIN = "/mnt/bin"
CONFDIR = "/mnt/pam.d"
PRIORITY = ["nice", "-n", "-15"]  # the driver and every server alike
TICKS = os.sysconf("SC_CLK_TCK")


def busy_and_total():
    """CPU ticks of the whole machine since boot: spent, and passed."""
    with open("/proc/stat") as f:
        ticks = [int(word) for word in f.readline().split()[1:9]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


def wait_until_quiet(limit, idle):
    """Waits up to `limit` seconds for a second in which the machine is idle by the share `idle`."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        busy, total = busy_and_total()
        time.sleep(0.7)
        busy_then, total_then = busy_and_total()
        if 1 - (busy_then - busy) / max(1, total_then - total) >= idle:
            return


def process_cpu(pid):
    """CPU seconds that a process has used."""
    with open(f"/proc/{pid}/stat") as f:
        after_name = f.read().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / TICKS


def resident_mib(pid):
    """Resident memory of a process, in MiB."""
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1)) / 1024


def drive(service, options, server=None):
    """One run of pamdrive. Answers what it printed, and the CPUs that unconcerned processes kept busy."""
    command = [*PRIORITY, f"{BIN}/pamdrive", "--confdir", CONFDIR, "--service", service, *map(str, options)]
    before, started = busy_and_total()[0], time.monotonic()
    own = -children_cpu() - (process_cpu(server) if server else 0)
    done = subprocess.run(command, capture_output=True, text=True)
    own += children_cpu() + (process_cpu(server) if server else 0)
    busy, wall = (busy_and_total()[0] - before) / TICKS, time.monotonic() - started
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()[-500:]}")
    figures = {key: number(value) for key, value in re.findall(r"(\w+)=(\S+)", done.stdout)}
    figures["others_cpu"] = round(max(0.0, busy - own) / max(wall, 0.01), 2)
    return figures


def children_cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def number(text):
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text


class Server:
    """A daemon that is measured. It is stopped by signal while another one's turn is."""

    def __init__(self, command, ready, log):
        self.command, self.ready, self.log = command, ready, log
        self.process = None

    def start(self):
        """Starts it and waits until it serves. Answers the milliseconds from exec until then."""
        with open(self.log, "ab") as log:
            begun = time.monotonic()
            self.process = subprocess.Popen([*PRIORITY, *self.command], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > begun + 30:
                with open(self.log) as said:
                    raise RuntimeError(f"{self.command[0]} does not serve: {said.read()[-1000:].strip()}")
            time.sleep(0.0005)
        return (time.monotonic() - begun) * 1000

    @property
    def pid(self):
        return self.process.pid

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        self.resume()
        self.process.terminate()
        self.process.wait(30)
        self.process = None


def accepts(path):
    """True if a connection to the socket at `path` is taken."""
    with socket.socket(socket.AF_UNIX) as s:
        try:
            s.connect(path)
        except OSError:
            return False
    return True


def answers_hello(path):
    """True if mfad answers a Hello on its management socket."""
    hello = {"method": "io.mfad.Manage.Hello", "parameters": {"protocol": 1}}
    with socket.socket(socket.AF_UNIX) as s:
        try:
            s.connect(path)
            s.settimeout(5)
            s.sendall(json.dumps(hello).encode() + b"\0")
            return b'"release"' in s.recv(4096)
        except OSError:
            return False


class Caller:
    """Calls methods of io.mfad.Manage while the block runs."""

    def __init__(self, path):
        self.path = path

    def __enter__(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(self.path)
        self.replies = self.socket.makefile("rb")
        return self

    def __exit__(self, *_):
        self.replies.close()
        self.socket.close()

    def call(self, method, **parameters):
        call = {"method": f"io.mfad.Manage.{method}", "parameters": parameters}
        self.socket.sendall(json.dumps(call).encode() + b"\0")
        reply = b""
        while not reply.endswith(b"\0"):
            reply += self.replies.read(1)
        if b'"error"' in reply:
            raise RuntimeError(f"{method}: {reply.decode()}")


class Flushes:
    """Counts the fsync and fdatasync calls of a process while the block runs. strace slows it: never time this."""

    FLUSH = re.compile(r"^(\d+) +f(?:data)?sync\(\d+<(.*?)>")

    def __init__(self, pid):
        self.pid = pid

    def __enter__(self):
        self.trace = tempfile.NamedTemporaryFile(mode="r", suffix=".strace")
        self.strace = subprocess.Popen(
            ["strace", "-f", "-y", "-qq", "-e", "trace=fsync,fdatasync", "-o", self.trace.name, "-p", str(self.pid)]
        )
        while not all(traced(self.pid, task) for task in os.listdir(f"/proc/{self.pid}/task")):
            time.sleep(0.02)
        return self

    def __exit__(self, *_):
        self.strace.send_signal(signal.SIGINT)
        self.strace.wait(10)
        found = [match.groups() for match in map(self.FLUSH.match, self.trace) if match]
        self.trace.close()
        self.total = len(found)
        threads = [thread for thread, file in found if file.endswith("-wal")]
        committer = max(set(threads), key=threads.count, default=None)
        self.by_committer = sum(thread == committer for thread, _ in found)
        self.checkpoints = sum(not file.endswith("-wal") for _, file in found)
        self.checkpoints_by_committer = sum(
            thread == committer and not file.endswith("-wal") for thread, file in found
        )


def traced(pid, task):
    with open(f"/proc/{pid}/task/{task}/status") as f:
        return "TracerPid:\t0\n" not in f.read()
