"""Who the embedded server runs as. PostgreSQL refuses to run as root."""

import os
import pwd
import shutil
import stat
import struct
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from soullink.kernel.errors import UnavailableError

ACCOUNT: Final = "soullink-postgres"

# <linux/posix_acl_xattr.h>: version, then (tag, permissions, id) in the order of the tags.
_ACL: Final = "system.posix_acl_access"
_ACL_VERSION: Final = 2
_OWNER, _USER, _GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x10, 0x20
_NOBODY_IN_PARTICULAR: Final = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class ServerAccount:
    """The ids that the server's processes take; None for both: those that we have."""

    uid: int | None = None
    gid: int | None = None

    def process_arguments(self) -> dict[str, Any]:
        """Return what subprocess needs to become this account."""
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Give `path`, which we have just made, to the account."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def let_reach(self, path: Path) -> None:
        """Let the account pass through the folders above `path`, and no more than pass.

        Root's own folders are closed to others. Each closed one gets an access list entry
        for this account alone; where the file system has none, search permission for all.
        """
        if self.uid is None:
            return
        for folder in path.parents:
            state = folder.stat()
            if state.st_uid != self.uid and not state.st_mode & stat.S_IXOTH:
                _let_pass(folder, self.uid, stat.S_IMODE(state.st_mode))

    def let_run(self, programs: Path) -> None:
        """Let the account read and run what is installed under `programs`."""
        if self.uid is None:
            return
        self.let_reach(programs)
        if (programs / "bin" / "postgres").stat().st_mode & 0o005 == 0o005:
            return
        # Installed under a strict umask.
        for path in (programs, *programs.rglob("*")):
            if not path.is_symlink():
                mode = path.stat().st_mode
                path.chmod(stat.S_IMODE(mode) | (mode & 0o500) >> 6)


def choose_account(cluster: Path) -> ServerAccount:
    """Return the account for `cluster`, a folder that may not exist yet.

    An ordinary user's server is that user's. For root it belongs to whoever owns the
    files, or else to an account that exists for this only. Raises UnavailableError.
    """
    exists = cluster.exists()
    owner = (cluster if exists else cluster.parent).stat()
    if os.geteuid() != 0:
        if exists and owner.st_uid != os.geteuid():
            raise UnavailableError(
                f"The database in {cluster} belongs to another user; choose another folder with"
                " --data-dir or SOULLINK_DATA_DIR."
            )
        return ServerAccount()
    if owner.st_uid != 0:
        return ServerAccount(owner.st_uid, owner.st_gid)
    account = _dedicated_account()
    if exists:
        for path in (cluster, *cluster.rglob("*")):  # root's: restored from a copy, say
            account.own(path)
    return account


def _dedicated_account() -> ServerAccount:
    entry = _find_account() or _add_account()
    return ServerAccount(entry.pw_uid, entry.pw_gid)


def _find_account() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(ACCOUNT)
    except KeyError:
        return None


def _add_account() -> pwd.struct_passwd:
    # useradd is everywhere but in Alpine, whose adduser is busybox's.
    if useradd := shutil.which("useradd"):
        command = [useradd, "--system", "--no-create-home", "--shell", "/bin/false", ACCOUNT]
    else:
        command = [shutil.which("adduser") or "adduser", "-S", "-D", "-H", ACCOUNT]
    # The result is what counts: another process may have added it just before.
    with suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(command, capture_output=True, check=False, timeout=30)  # noqa: S603
    entry = _find_account()
    if entry is None:
        raise UnavailableError(
            f"PostgreSQL does not run as root, and the account {ACCOUNT} could not be added:"
            " run as an ordinary user, or set SOULLINK_DATABASE_URL to a database of yours."
        )
    return entry


def _let_pass(folder: Path, uid: int, mode: int) -> None:
    try:
        entries = _access_list(folder, mode)
        own = entries.get((_USER, uid), 0)
        mask = (_MASK, _NOBODY_IN_PARTICULAR)
        # A chmod after the entry was made empties the mask, and with it the entry.
        if own & entries.get(mask, 0) & 1:
            return
        entries[_USER, uid] = own | 1
        entries[mask] = entries.get(mask, entries[_GROUP, _NOBODY_IN_PARTICULAR]) | 1
        packed = b"".join(
            struct.pack("<HHI", tag, allowed, who)
            for (tag, who), allowed in sorted(entries.items())
        )
        os.setxattr(folder, _ACL, struct.pack("<I", _ACL_VERSION) + packed)
    except (OSError, AttributeError):  # no access lists here, or not Linux
        folder.chmod(mode | stat.S_IXOTH)


def _access_list(folder: Path, mode: int) -> dict[tuple[int, int], int]:
    """Return {(tag, id): permissions}; a folder without a list has the three of its mode."""
    if _ACL not in os.listxattr(folder):
        return {
            (_OWNER, _NOBODY_IN_PARTICULAR): mode >> 6 & 7,
            (_GROUP, _NOBODY_IN_PARTICULAR): mode >> 3 & 7,
            (_OTHER, _NOBODY_IN_PARTICULAR): mode & 7,
        }
    packed = os.getxattr(folder, _ACL)
    return {(tag, who): allowed for tag, allowed, who in struct.iter_unpack("<HHI", packed[4:])}
