"""A service manager in miniature, for tests: what systemd does around one unit, by the same protocol.

It opens the listening socket and keeps it, passes it as descriptor 3 with LISTEN_FDS and LISTEN_PID, receives what
comes to NOTIFY_SOCKET, and starts the command again when it has failed. What happens is printed, one JSON line each.

    service-manager.py NOTIFY_SOCKET WATCHDOG_SECONDS COMMAND...
"""

import json
import os
import select
import signal
import socket
import sys

STARTS_MAX = 5


def tell(**fields):
    print(json.dumps(fields), flush=True)


def start(listener, notify_path, watchdog_s, command):
    pid = os.fork()
    if pid > 0:
        tell(event="started", pid=pid)
        return pid
    if listener.fileno() == 3:
        os.set_inheritable(3, True)
    else:
        os.dup2(listener.fileno(), 3)
    os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()), NOTIFY_SOCKET=notify_path)
    if watchdog_s > 0:
        os.environ.update(WATCHDOG_USEC=str(int(watchdog_s * 1e6)), WATCHDOG_PID=str(os.getpid()))
    os.execvp(command[0], command)


def main():
    notify_path, watchdog_s, command = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
    listener = socket.create_server(("127.0.0.1", int(os.environ.get("LISTEN_PORT", "0"))), backlog=128)
    tell(event="listening", port=listener.getsockname()[1])
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(notify_path)
    stopping = []

    pid = start(listener, notify_path, watchdog_s, command)

    def stop(number, _frame):
        stopping.append(number)
        os.kill(pid, number)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    # Its end is heard of as a datagram would be: by a readable descriptor.
    ended_r, ended_w = os.pipe()
    os.set_blocking(ended_w, False)
    signal.set_wakeup_fd(ended_w)
    signal.signal(signal.SIGCHLD, lambda *_: None)

    starts = 1
    while True:
        readable, _, _ = select.select([notify, ended_r], [], [])
        if notify in readable:
            # A descriptor that comes along (a barrier) is not received, and so closed: the sender goes on.
            tell(event="notified", lines=notify.recv(65536).decode().split("\n"))
        if ended_r in readable:
            os.read(ended_r, 64)
            done, status = os.waitpid(pid, os.WNOHANG)
            if done == 0:
                continue
            code = os.waitstatus_to_exitcode(status)
            tell(event="ended", pid=pid, code=code)
            if code == 0 or stopping or starts >= STARTS_MAX:
                sys.exit(0)
            starts += 1
            pid = start(listener, notify_path, watchdog_s, command)


main()
