"""Let the C allocator keep the memory of a training step for the next one."""

from __future__ import annotations

import ctypes
import platform

# <malloc.h> of the GNU C library
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3


def keep_freed_memory() -> bool:
    """Stop glibc from giving large blocks back to the system after every use; True where it worked.

    A training step allocates and frees matrices of batch × items several times. By default glibc maps
    each of them anew, and the kernel then clears every page again: on a CPU that was 43 % of a step of
    GRU4Rec on Foursquare. The process keeps its peak memory for longer, and needs no more of it than
    fragmentation takes. Does nothing on other systems.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    settings = ((_M_MMAP_THRESHOLD, 2**30), (_M_TRIM_THRESHOLD, 2**31 - 1), (_M_TOP_PAD, 2**28))
    return all([mallopt(name, value) == 1 for name, value in settings])
