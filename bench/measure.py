"""What the kernel says about processes and the machine: CPU time, memory, stolen time."""

import os
import pathlib
import platform
import resource
import time

TICKS = os.sysconf("SC_CLK_TCK")
PROC = pathlib.Path("/proc")


def stat_fields(pid):
    """Fields of /proc/<pid>/stat from the state on: a name may hold spaces and parentheses."""
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()


def children_of():
    """Parent -> children, of every process there is now."""
    found = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            try:
                found.setdefault(int(stat_fields(entry.name)[1]), []).append(int(entry.name))
            except OSError:
                continue  # ended between the listing and the look
    return found


def tree(pid):
    """The process and all its descendants."""
    children, found, left = children_of(), [], [pid]
    while left:
        found.append(left.pop())
        left += children.get(found[-1], [])
    return found


def cpu_us(pids):
    """User and system time of processes in microseconds, with their ended children."""
    user = system = 0
    for each in pids:
        try:
            fields = stat_fields(each)
        except OSError:
            continue
        user += int(fields[11]) + int(fields[13])
        system += int(fields[12]) + int(fields[14])
    return user * 1e6 / TICKS, system * 1e6 / TICKS


def children_us():
    """User and system time of our own children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (used.ru_utime + used.ru_stime) * 1e6


def run_us(pids):
    """All CPU time of processes' present threads, to the nanosecond where stat counts in ticks of
    10 ms; None where the kernel keeps no such account."""
    total = 0
    for each in pids:
        try:
            for task in (PROC / str(each) / "task").iterdir():
                total += int((task / "schedstat").read_text().split()[0])
        except (OSError, IndexError):
            return None
    return total / 1000


def pss_bytes(pid):
    """Proportional set size of the whole process tree; None where the kernel does not tell."""
    total = 0
    for each in tree(pid):
        try:
            rollup = (PROC / str(each) / "smaps_rollup").read_text()
        except OSError:
            return None
        total += next((int(line.split()[1]) * 1024 for line in rollup.splitlines()
                       if line.startswith("Pss:")), 0)
    return total


def machine_ticks():
    """Ticks of all cores since boot: all, busy, stolen by the hypervisor."""
    line = (PROC / "stat").read_text().splitlines()[0]
    user, nice, system, idle, iowait, irq, softirq, steal = map(int, line.split()[1:9])
    busy = user + nice + system + irq + softirq
    return busy + idle + iowait + steal, busy, steal


class Snapshot:
    """One look at a process tree, at our own helpers and at the machine."""

    def __init__(self, pid, helpers):
        pids = tree(pid)
        self.user, self.system = cpu_us(pids)
        self.run = run_us(pids)
        self.time = time.monotonic()
        self.helpers = [sum(cpu_us([each])) for each in helpers]
        self.total, self.busy, self.steal = machine_ticks()

    def since(self, before):
        """What happened since `before`, as a dictionary for the report. `busy` is in cores: 1.0 is
        one core all the time; `helpers_busy` is that of the busier of our own programs."""
        total = max(1, self.total - before.total)
        user, system = self.user - before.user, self.system - before.system
        in_ticks = user + system
        exact = None if None in (self.run, before.run) else self.run - before.run
        helped = [now - then for now, then in zip(self.helpers, before.helpers)]
        ours = (in_ticks + sum(helped)) * TICKS / 1e6
        window_us = max(1e-6, self.time - before.time) * 1e6
        return {
            "cpu_us": in_ticks if exact is None else exact,
            "busy": (in_ticks if exact is None else exact) / window_us,
            "helpers_busy": max(helped, default=0) / window_us,
            "cpu_user_us": user,
            "cpu_system_us": system,
            "stolen": (self.steal - before.steal) / total,
            "others_busy": max(0.0, self.busy - before.busy - ours) / total,
        }


def cpu_model():
    for line in (PROC / "cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def machine():
    """The machine, for the head of a report."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        release = {}
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": cpu_model(),
        "cores": sorted(os.sched_getaffinity(0)),
        "memory_bytes": memory,
        "kernel": platform.release(),
        "system": release.get("PRETTY_NAME", platform.system()),
        "load_average": os.getloadavg(),
    }
