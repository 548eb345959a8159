"""A private Dovecot, serving Maildirs over IMAP to any user with one password."""

from __future__ import annotations

import grp
import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import imapclient
import trustme

from servers import tools

PASSWORD = "loopback-only"
HOST = "127.0.0.1"

CONFIG = """\
base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{dir}/chain.pem
ssl_key = <{dir}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
default_login_user = {user}
default_internal_user = {user}
default_internal_group = {group}
first_valid_uid = 1
mail_location = maildir:{dir}/mail/%u/Maildir
mail_max_userip_connections = 100
maildir_very_dirty_syncs = no
mailbox_idle_check_interval = 1s
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={dir}/mail/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Junk {{
    auto = create
    special_use = \\Junk
  }}
  mailbox Archive {{
    auto = create
    special_use = \\Archive
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
# An ordinary user cannot change root.
service anvil {{
  chroot =
  # Else each wrong password from this machine is answered later than the last, whoever's it is.
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""


@dataclass(frozen=True)
class Dovecot:
    """A running server: `port` speaks plainly and STARTTLS, `tls_port` TLS from the start."""

    directory: Path
    process: subprocess.Popen[bytes]
    port: int
    tls_port: int
    ca: trustme.CA

    host = HOST
    password = PASSWORD

    @property
    def ca_file(self) -> Path:
        """Return the certificate a client has to trust."""
        return self.directory / "ca.pem"

    def context(self) -> ssl.SSLContext:
        """Return a TLS context that trusts this server and no other."""
        return ssl.create_default_context(cafile=str(self.ca_file))

    @contextmanager
    def session(self, user: str) -> Iterator[imapclient.IMAPClient]:
        """Log a user in; their mailbox is made on the way."""
        with imapclient.IMAPClient(HOST, self.port, ssl=False, timeout=tools.PATIENCE) as client:
            client.login(user, PASSWORD)
            yield client

    def append(
        self, user: str, raw: bytes, folder: str = "INBOX", flags: Sequence[bytes] = ()
    ) -> int:
        """Put a letter into a folder and return its UID."""
        with self.session(user) as client:
            answer: bytes = client.append(folder, raw, flags)
        return int(answer.split(b"APPENDUID ", 1)[1].split()[1].rstrip(b"]"))

    def list_uids(self, user: str, folder: str = "INBOX") -> list[int]:
        """Return the UIDs of a folder, in order."""
        with self.session(user) as client:
            client.select_folder(folder, readonly=True)
            return sorted(client.search("ALL"))

    def fetch(self, user: str, uid: int, folder: str = "INBOX") -> bytes:
        """Return one letter as it is kept, without marking it read."""
        with self.session(user) as client:
            client.select_folder(folder, readonly=True)
            return bytes(client.fetch([uid], ["BODY.PEEK[]"])[uid][b"BODY[]"])

    def flags(self, user: str, uid: int, folder: str = "INBOX") -> set[bytes]:
        """Return the flags of one letter."""
        with self.session(user) as client:
            client.select_folder(folder, readonly=True)
            return set(client.get_flags([uid])[uid])

    def stop(self) -> None:
        """End the server and remove its files."""
        tools.stop(self.process)
        shutil.rmtree(self.directory)


def start(port: int = 0) -> Dovecot:
    """Start a server, on the plain port given or on any."""
    program = tools.need("dovecot")
    user = tools.unprivileged()
    directory = tools.private_dir("dc", user.pw_name)
    ca = trustme.CA()
    _write_certificates(directory, ca, user.pw_uid)
    port, tls_port = port or tools.free_port(), tools.free_port()
    config = directory / "dovecot.conf"
    config.write_text(
        CONFIG.format(
            dir=directory,
            user=user.pw_name,
            group=_group_name(user.pw_gid),
            uid=user.pw_uid,
            gid=user.pw_gid,
            password=PASSWORD,
            port=port,
            tls_port=tls_port,
        )
    )
    log = directory / "dovecot.log"
    process = tools.start([program, "-F", "-c", str(config)], directory / "output", user.pw_name)
    tools.wait_for_port(process, port, log)
    return Dovecot(directory, process, port, tls_port, ca)


def _write_certificates(directory: Path, ca: trustme.CA, owner: int) -> None:
    issued = ca.issue_cert("localhost", HOST)
    ca.cert_pem.write_to_path(str(directory / "ca.pem"))
    key = directory / "key.pem"
    issued.private_key_pem.write_to_path(str(key))
    key.chmod(0o600)
    for pem in issued.cert_chain_pems:
        pem.write_to_path(str(directory / "chain.pem"), append=True)
    if os.geteuid() == 0:
        os.chown(key, owner, -1)


def _group_name(gid: int) -> str:
    return grp.getgrgid(gid).gr_name
