"""A private Postfix that hands every letter on, as a smarthost does, rewriting it if told to."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from servers import tools

HOST = "127.0.0.1"

MAIN = """\
compatibility_level = 3.6
config_directory = {dir}/etc
queue_directory = {dir}/queue
data_directory = {dir}/data
maillog_file = {dir}/postfix.log
maillog_file_prefixes = {dir}
mail_owner = postfix
setgid_group = postdrop
myhostname = smarthost.test
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions = permit_mynetworks, reject
smtp_host_lookup = native
disable_dns_lookups = yes
relayhost = [127.0.0.1]:{relay_port}
smtp_tls_security_level = none
smtpd_tls_security_level = none
message_size_limit = 52428800
"""

# smtp to the relay, the queue, and what these two need (pickup: a flush asks there too);
# nothing in a chroot.
MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n - 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True)
class Postfix:
    """A running server on `port`."""

    directory: Path
    process: subprocess.Popen[bytes]
    port: int

    host = HOST

    @property
    def log(self) -> str:
        """Return what Postfix wrote about its work."""
        path = self.directory / "postfix.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def try_again(self) -> None:
        """Have every letter in the queue tried now; without this Postfix waits for minutes.

        Short waits of its own would race: a letter due again while the program that gave it up
        still holds its file is laid aside until new mail comes, and `flush` alone looks there.
        """
        etc = str(self.directory / "etc")
        subprocess.run([tools.need("postqueue"), "-c", etc, "-f"], check=True)

    def stop(self) -> None:
        """End the server and remove its files, queue and all.

        What was started is Postfix's own script; the server is its child, in a group of its own.
        """
        master = int((self.directory / "queue/pid/master.pid").read_text())
        os.kill(master, signal.SIGTERM)
        tools.until(lambda: not Path(f"/proc/{master}").exists(), "the end of Postfix")
        tools.stop(self.process)
        shutil.rmtree(self.directory)


def start(
    relay_port: int, *, rewrite_from: str | None = None, rewrite_message_id: bool = False
) -> Postfix:
    """Start a server that relays everything to a loopback port.

    With `rewrite_from` the envelope sender and the address in From become this one; with
    `rewrite_message_id` each letter loses its Message-ID and is given one of Postfix's own.
    """
    program = tools.need("postfix")
    if os.geteuid() != 0:
        tools.absent("Postfix can only be started by root")
    directory, port = tools.private_dir("px"), tools.free_port()
    settings = MAIN.format(dir=directory, relay_port=relay_port)
    if rewrite_from:
        settings += f"sender_canonical_maps = static:{rewrite_from}\n"
    if rewrite_message_id:
        settings += f"header_checks = regexp:{directory}/etc/header_checks\n"
        settings += "always_add_missing_headers = yes\n"
    _write_files(directory, settings, MASTER.format(port=port))
    log = directory / "output"
    process = tools.start([program, "-c", str(directory / "etc"), "start-fg"], log)
    server = Postfix(directory, process, port)
    tools.wait_for_port(process, port, directory / "postfix.log")
    return server


def _write_files(directory: Path, settings: str, services: str) -> None:
    etc = directory / "etc"
    for name in ("etc", "queue", "data"):
        (directory / name).mkdir(mode=0o755)
    (etc / "main.cf").write_text(settings)
    (etc / "master.cf").write_text(services)
    (etc / "header_checks").write_text("/^Message-ID:/ IGNORE\n")
    os.chown(directory / "data", pwd.getpwnam("postfix").pw_uid, -1)
