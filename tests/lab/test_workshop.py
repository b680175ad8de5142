"""The network policy workshop, step by step, with the shop of examples/ and the programs it names."""

import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.kernel

EXAMPLES = Path(__file__).parents[2] / "examples" / "retail-store"


@pytest.fixture(scope="module")
def shop(labs):
    labs.said("up", str(EXAMPLES / "shop"), "--host", "www.google.com=8.8.8.8")
    return labs


def apply(shop, number: int) -> str:
    (policy,) = (EXAMPLES / "policies").glob(f"{number}-*.yaml")
    return shop.said("apply", "-f", str(policy))


def curl(shop, end: str, url: str, status: int = 0, limit: int = 1) -> str:
    words = ("curl", "-sS", "--connect-timeout", str(limit), "-m", "5", url)
    ended = shop.run("exec", end, "--", *words, status=status)
    return ended.stdout + ended.stderr


def denied(shop, destination: str, port: int) -> str:
    """The newest record of the deny log, which the workshop looks for on the node."""
    found = [json.loads(line) for line in shop.podfence("flows", "-o", "json").stdout.splitlines()]
    record = next(each for each in reversed(found) if each["dst"].startswith(destination))
    assert (record["src"][:3], record["protocol"], record["port"]) == ("ui/", "TCP", port)
    assert record["direction"] == "ingress"
    return record["line"]


def test_the_workshop_can_be_followed(shop):
    assert '"status":"ok"' in curl(shop, "catalog/catalog", "http://checkout.checkout/health").replace(
        " ", ""
    )

    assert "names no longer resolve" in apply(shop, 1)
    assert "Resolving timed out" in curl(shop, "ui/ui", "http://catalog.catalog/health", status=28)

    apply(shop, 2)
    assert curl(shop, "ui/ui", "http://catalog.catalog/health") == "OK\n"
    assert "Resolving" not in curl(shop, "ui/ui", "telnet://catalog-mysql.catalog:3306", status=28)
    assert "Resolving" not in curl(shop, "ui/ui", "www.google.com", status=28)

    assert curl(shop, "orders/orders", "catalog.catalog/health") == "OK\n"
    apply(shop, 3)
    assert curl(shop, "ui/ui", "catalog.catalog/health") == "OK\n"
    curl(shop, "orders/orders", "catalog.catalog/health", status=28)

    apply(shop, 4)
    curl(shop, "orders/orders", "telnet://catalog-mysql.catalog:3306", status=28)
    restarted = shop.said("restart", "-n", "catalog", "deploy/catalog")
    assert "new:  catalog/catalog-" in restarted
    banner = shop.inside(
        "catalog/catalog", "timeout", "5", "sh", "-c", "exec 3<>/dev/null; nc -w1 catalog-mysql 3306"
    )
    assert banner.strip()

    apply(shop, 5)
    curl(shop, "ui/ui", "orders.orders/orders", status=28)
    assert "allow-orders-ingress" in denied(shop, "orders/orders", 8080)
    assert "configured" in apply(shop, 6)
    curl(shop, "ui/ui", "orders.orders/orders")
    assert {e["expected"] == e["measured"] for e in shop.probes("--services")} == {True}

    shop.said("delete", "networkpolicy", "-A", "--all")
    assert {e["measured"] for e in shop.probes()} == {"allowed"}
