"""A real SLURM cluster on this machine, of Debian's packages: for tests, and as root only.

Every daemon is a child of this process and keeps its files in one folder, so that nothing is left
but two links in /etc/slurm, which `Cluster.stop` takes away.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from string import Template

ETC = Path("/etc/slurm")
CONFIGURATION = Path(__file__).with_name("slurm.conf")
COMMANDS = (
    "sacct", "sacctmgr", "sbatch", "scancel", "scontrol", "sinfo", "squeue", "srun", "sshare",
)  # fmt: skip
DAEMONS = ("munged", "slurmctld", "slurmd", "mariadbd", "mariadb-install-db", "slurmdbd")
CPU, GPUS = "cpu1", ("gpu1", "gpu2")
NODE_TIMEOUT = 10  # seconds until a node that does not answer is given up


def why_not() -> str:
    """What a cluster cannot be started for, its programs being there; empty if it can."""
    if os.geteuid() != 0:
        return "starting a cluster needs root"
    taken = [path for path in ETC.glob("*.conf") if path.name in ("slurm.conf", "gres.conf")]
    if taken:
        return f"{taken[0]} is somebody else's, and no cluster answers"
    return ""


def answers() -> bool:
    """Whether some cluster is up here."""
    try:
        return subprocess.run(["sinfo"], capture_output=True, timeout=30).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def ask(*command: str) -> str:
    """The output of one of SLURM's commands."""
    return subprocess.run(
        command, check=True, text=True, stdout=subprocess.PIPE, timeout=60
    ).stdout.strip()


def until(what: str, seconds: float, condition: Callable[[], object]) -> None:
    """Wait for a condition; AssertionError with `what` was waited for after `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"after {seconds:g} s still not: {what}"
        time.sleep(0.2)


class Cluster:
    """One node of cores and two of pretend GPUs, with or without accounting."""

    def __init__(self, folder: Path, accounting: bool):
        self.folder = folder
        self.accounting = accounting
        self.host = socket.gethostname().split(".")[0]
        self.ports = dict(
            zip(("controller", "database", "sql", CPU, *GPUS), _ports(6), strict=True)
        )
        self.daemons: dict[str, subprocess.Popen] = {}

    def start(self) -> Cluster:
        """Start every daemon; returns when all nodes are idle."""
        (self.folder / "state").mkdir(parents=True)
        self.folder.chmod(0o755)
        self._configure()
        (self.folder / "munge.key").write_bytes(os.urandom(128))
        (self.folder / "munge.key").chmod(0o400)
        self._daemon(
            "munged", "--foreground", "--force", f"--socket={self.folder}/munge.socket",
            f"--key-file={self.folder}/munge.key", f"--pid-file={self.folder}/munge.pid",
            f"--log-file={self.folder}/munge.log", f"--seed-file={self.folder}/munge.seed",
        )  # fmt: skip
        until("munged answers", 10, (self.folder / "munge.socket").exists)
        if self.accounting:
            self._keep_accounts()
        self._daemon("slurmctld", "-D", "-i")
        for node in (CPU, *GPUS):
            self.start_node(node)
        until("all nodes are idle", 60, lambda: set(self.nodes().values()) == {"idle"})
        return self

    def stop(self) -> None:
        """End all jobs, then every daemon."""
        if answers():
            ask("scancel", "--user=root")
            until("no job is left", 30, lambda: not ask("squeue", "-h"))
        for daemon in reversed(self.daemons.values()):
            daemon.terminate()
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        for link in ETC.iterdir():
            if link.is_symlink() and link.readlink().parent == self.folder:
                link.unlink()

    def nodes(self) -> dict[str, str]:
        """The state of every node."""
        try:
            lines = ask("sinfo", "-h", "-N", "-o", "%N %T").splitlines()
        except subprocess.CalledProcessError:
            return {}
        return dict(line.split() for line in lines)

    def start_node(self, name: str) -> None:
        (self.folder / f"spool-{name}").mkdir(exist_ok=True)
        self._daemon("slurmd", "-D", "-N", name, key=name)

    def kill_node(self, name: str) -> None:
        """As if its power were cut: its daemon and all of its jobs' processes are killed."""
        for pid in [self.daemons[name].pid, *_steps_of(name)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.daemons.pop(name).wait()

    def devices(self, job: str) -> set[tuple[str, str]]:
        """The node and CUDA_VISIBLE_DEVICES (empty: none) of every step of a job."""
        log = self.folder / "devices.txt"
        rows = [line.rstrip("\n").split(" ") for line in log.open()] if log.exists() else []
        return {(node, devices) for number, node, devices in rows if number == job}

    def _daemon(self, program: str, *options: str, key: str = "") -> None:
        key = key or program
        with (self.folder / f"{key}.out").open("ab") as log:
            self.daemons[key] = subprocess.Popen(
                [program, *options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,  # not reached by the terminal's Ctrl-C
            )  # fmt: skip

    def _configure(self) -> None:
        accounting = (
            f"AccountingStorageHost=127.0.0.1\nAccountingStoragePort={self.ports['database']}\n"
            f"AccountingStoragePass={self.folder}/munge.socket\n"
            "AccountingStorageTRES=gres/gpu\nAccountingStoreFlags=job_comment\n"
        )
        gpu_nodes = [
            f"NodeName={node} NodeHostname={self.host} NodeAddr=127.0.0.1"
            f" Port={self.ports[node]} CPUs=16 RealMemory=64000 Gres=gpu:toy:2"
            for node in GPUS
        ]
        text = Template(CONFIGURATION.read_text()).substitute(
            host=self.host,
            folder=self.folder,
            cpu=CPU,
            gpus=",".join(GPUS),
            controller_port=self.ports["controller"],
            cpu_port=self.ports[CPU],
            node_timeout=NODE_TIMEOUT,
            storage="slurmdbd" if self.accounting else "none",
            accounting=accounting if self.accounting else "",
            gpu_nodes="\n".join(gpu_nodes),
        )
        (self.folder / "slurm.conf").write_text(text)
        # A GPU is known by a character device; these behave like /dev/null.
        for name in ("device0", "device1"):
            os.mknod(self.folder / name, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        (self.folder / "gres.conf").write_text(
            f"NodeName={','.join(GPUS)} Name=gpu Type=toy File={self.folder}/device[0-1]\n"
        )
        prolog = self.folder / "prolog.sh"
        prolog.write_text(
            "#!/bin/sh\n"
            'echo "$SLURM_JOB_ID $SLURMD_NODENAME ${CUDA_VISIBLE_DEVICES:-}"'
            f" >>{self.folder}/devices.txt\n"
        )
        prolog.chmod(0o755)
        # An srun within a job looks nowhere else.
        ETC.mkdir(exist_ok=True)
        for name in ("slurm.conf", "gres.conf"):
            (ETC / name).symlink_to(self.folder / name)

    def _keep_accounts(self) -> None:
        data, grant = self.folder / "sql", self.folder / "grant.sql"
        subprocess.run(
            ["mariadb-install-db", "--user=root", f"--datadir={data}", "--skip-test-db"],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120,
        )  # fmt: skip
        grant.write_text(
            "CREATE USER IF NOT EXISTS 'slurm'@'127.0.0.1' IDENTIFIED BY 'slurm';\n"
            "GRANT ALL ON slurm_acct_db.* TO 'slurm'@'127.0.0.1';\n"
        )
        self._daemon(
            "mariadbd", "--no-defaults", "--user=root", f"--datadir={data}",
            f"--socket={self.folder}/sql.socket", f"--pid-file={self.folder}/sql.pid",
            "--bind-address=127.0.0.1", f"--port={self.ports['sql']}", "--skip-name-resolve",
            f"--init-file={grant}", "--innodb-buffer-pool-size=64M",
            "--innodb-lock-wait-timeout=900",
        )  # fmt: skip
        until("MariaDB answers", 60, lambda: _listens(self.ports["sql"]))
        keeper = self.folder / "slurmdbd.conf"
        keeper.write_text(
            "AuthType=auth/munge\n"
            f"AuthInfo=socket={self.folder}/munge.socket\n"
            f"DbdHost=localhost\nDbdAddr=127.0.0.1\nDbdPort={self.ports['database']}\n"
            f"SlurmUser=root\nPidFile={self.folder}/slurmdbd.pid\n"
            f"StorageType=accounting_storage/mysql\nStorageHost=127.0.0.1\n"
            f"StoragePort={self.ports['sql']}\nStorageUser=slurm\nStoragePass=slurm\n"
            "StorageLoc=slurm_acct_db\n"
        )
        keeper.chmod(0o600)
        (ETC / "slurmdbd.conf").symlink_to(keeper)
        self._daemon("slurmdbd", "-D")
        until("slurmdbd answers", 60, lambda: _listens(self.ports["database"]))
        for what in (
            ("cluster", "plumbline"),
            ("account", "lab", "cluster=plumbline"),
            ("user", "root", "account=lab", "cluster=plumbline"),
        ):
            ask("sacctmgr", "-i", "-Q", "add", *what)


def _ports(n: int) -> list[int]:
    """Free ports of this machine."""
    sockets = [socket.socket() for _ in range(n)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    found = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return found


def _listens(port: int) -> bool:
    with socket.socket() as one:
        one.settimeout(1)
        return one.connect_ex(("127.0.0.1", port)) == 0


def _processes() -> dict[int, tuple[int, str]]:
    """Parent and command line of every process."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (FileNotFoundError, ProcessLookupError):
            continue
        found[int(folder.name)] = parent, command
    return found


def _descendants(*roots: int) -> set[int]:
    """The processes below some, at any depth."""
    processes, found = _processes(), set()
    below = set(roots)
    while below:
        below = {pid for pid, (parent, _) in processes.items() if parent in below} - found
        found |= below
    return found


def _steps_of(node: str) -> set[int]:
    """The processes of a node's jobs. Their parents, slurmstepd, are nobody's children."""
    jobs = tuple(
        f"slurmstepd: [{job}." for job in ask("squeue", "-h", "-w", node, "-o", "%A").split()
    )
    steps = {pid for pid, (_, command) in _processes().items() if command.startswith(jobs)}
    return steps | _descendants(*steps)
