# SPDX-License-Identifier: Apache-2.0
"""Commands that change what is none of their business: $OUT is a tree outside, $ROOT the project, $OUTER a process."""

from __future__ import annotations

import sys

_NATIVE = """
import ctypes, os, sys
c = ctypes.CDLL(None, use_errno=True)
out = os.environb[b"OUT"]
file, part, new = out + b"/file", out + b"/sub/part", out + b"/new"
"""
_SHELL = {
    "absolute path": 'echo x > "$OUT/file"',
    "append": 'echo x >> "$OUT/file"',
    "open with O_TRUNC": ': > "$OUT/file"',
    "new file": 'echo x > "$OUT/new"',
    "cd": 'cd "$OUT" && echo x > file',
    "dots": 'echo x > "../outside/file"',
    "grandchild": """sh -c 'sh -c "echo x > \\"\\$OUT/file\\""'""",
    "background": '(echo x > "$OUT/file") & wait',
    "remove": 'rm -f "$OUT/file"',
    "remove a folder": 'rm -rf "$OUT/sub"',
    "rename": 'mv "$OUT/file" "$OUT/other"',
    "rename out of the root": 'echo x > made; mv made "$OUT/made"',
    "rename into the root": 'mv "$OUT/file" taken',
    "hard link out": 'echo x > made; ln made "$OUT/link"',
    "hard link in": 'ln "$OUT/file" linked && echo x > linked',
    "symbolic link in the root": 'ln -s "$OUT/file" link; echo x > link',
    "symbolic link that was there": 'echo x > "leads out/file"',
    "symbolic link outside": 'ln -s / "$OUT/link"',
    "mode": 'chmod 600 "$OUT/file"',
    "time": 'touch -d 2001-01-01 "$OUT/file"',
    "folder": 'mkdir "$OUT/new"',
    "pipe": 'mkfifo "$OUT/new"',
    "/proc/self/root": 'echo x > "/proc/self/root$OUT/file"',
    "/proc/PID/root": 'echo x > "/proc/$OUTER/root$OUT/file"',
    "/proc/1/root": 'echo x > "/proc/1/root$OUT/file"; echo x > "/proc/$PPID/root$OUT/file"',
    "nested namespaces": """unshare -Urm sh -c 'echo x > "$OUT/file"'""",
    "dd": 'dd if=/dev/zero of="$OUT/file" bs=1 count=3 conv=notrunc',
}
_PYTHON = {
    "python -S": "import os; open(os.environ['OUT'] + '/file', 'w').write('x')",
    "os._exit": "import os; open(os.environ['OUT'] + '/file', 'w'); os._exit(0)",
    "attribute": "import os; os.setxattr(os.environ['OUT'] + '/file', 'user.x', b'y')",
    "descriptor of a folder": (
        "import os; d = os.open(os.environ['OUT'], os.O_RDONLY); os.open('file', os.O_WRONLY | os.O_TRUNC, dir_fd=d)"
    ),
    "descriptor by /proc": (
        "import os; f = os.open(os.environ['OUT'] + '/file', os.O_RDONLY); open(f'/proc/self/fd/{f}', 'w').write('x')"
    ),
    "shared memory of a file": (
        "import mmap, os; f = os.open(os.environ['OUT'] + '/file', os.O_RDWR); mmap.mmap(f, 3)[:] = b'xyz'"
    ),
    "native open": _NATIVE + "f = c.open(file, 1 | 512); c.write(f, b'x', 1)",
    "native openat2": _NATIVE + "how = (ctypes.c_uint64 * 3)(1 | 512, 0, 0); long = ctypes.c_long; "
    "c.syscall(long(437), long(-100), file, how, long(24))",
    "native creat": _NATIVE + "c.creat(new, 0o600)",
    "native rename": _NATIVE + "c.rename(file, new)",
    "native truncate": _NATIVE + "c.truncate(file, ctypes.c_long(1))",
    "native unlink": _NATIVE + "c.unlink(file)",
    "native chmod": _NATIVE + "c.chmod(file, 0o600)",
    "native utime": _NATIVE + "c.utime(file, (ctypes.c_long * 2)(1, 1))",
    "native link": _NATIVE + "c.link(part, new)",
    "native mknod": _NATIVE + "c.mknod(new, 0o100600, ctypes.c_long(0))",
    "nested namespaces that remount": _NATIVE
    + "c.unshare(0x10020000); c.mount(None, b'/', None, 32 | 4096, None); c.umount2(os.environb[b'ROOT'], 2); "
    "c.mount(None, out, None, 32 | 4096, None); c.unlink(os.environb[b'ROOT'] + b'/file'); c.unlink(file)",
    "native in a thread": _NATIVE
    + "import threading; t = threading.Thread(target=c.unlink, args=(file,)); t.start(); t.join()",
}
ATTACKS = {name: ["sh", "-c", text] for name, text in _SHELL.items()} | {
    name: [sys.executable, "-S", "-c", text] for name, text in _PYTHON.items()
}
