"""Which tests need a program that the product itself does not: they are left out, by name, where it is missing.

In CI nothing is left out: there a missing program fails the run (see conftest.py).
"""

import shutil

PACKAGES = {"nft": "nftables", "ip": "iproute2", "curl": "curl", "dig": "dnsutils", "nc": "netcat-openbsd"}

NEEDS = {
    "nft": (
        "tests/netlink/test_conntrack.py",
        "tests/netlink/test_nflog.py",
        "tests/netlink/test_notifications.py",
        "tests/netlink/test_sockets.py",
        "tests/netlink/test_routes.py::test_a_settled_",
        "tests/kernel/test_nft_text.py",
        "tests/kernel/test_nft_kernel.py::test_tables_of_others_stay_as_they_are",
        "tests/kernel/test_nft_kernel.py::test_counters_tell_what_was_counted",
        "tests/kernel/test_node_faults.py",
        "tests/kernel/test_hazards.py::test_6_",
        "tests/kernel/test_enforcement.py::test_a_refused_change_is_read_and_made_anew",
        "tests/kernel/test_enforcement.py::test_a_half_made_chain_is_finished",
        "tests/lab/test_measuring.py",
    ),
    "ip": (
        "tests/netlink/test_routes.py",
        "tests/netlink/test_sandbox.py",
        "tests/netlink/test_conntrack.py",
        "tests/netlink/test_nflog.py",
    ),
    "curl": (
        "tests/lab/test_lab.py::test_denial_is_silence",
        "tests/lab/test_lab_page.py",
        "tests/lab/test_lab_services.py",
        "tests/lab/test_measuring.py",
        "tests/lab/test_workshop.py",
    ),
    "dig": ("tests/lab/test_lab_services.py",),
    "nc": ("tests/lab/test_workshop.py",),
}
"""Program to the beginnings of test names."""


def missing_for(name: str) -> list[str]:
    """The programs that a test needs and this machine lacks."""
    return [p for p, tests in NEEDS.items() if name.startswith(tests) and shutil.which(p) is None]
