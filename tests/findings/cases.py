"""For every code inputs that trigger it, and beside each the nearest input that does not."""

from findings.inputs import (
    DNS,
    block,
    egress,
    ingress,
    item,
    labels,
    pod,
    policy,
    service,
    space,
)

WEB = pod("web", {"app": "web"}, "http=8080")
DB = pod("db", {"app": "database"}, "sql=5432")
FROM_WEB = {"from": [{"podSelector": labels(app="web")}]}
FROM_ALL = {"from": [{"podSelector": {}}]}
FROM_TEN = {"from": [block("10.0.0.0/8")]}
FROM_LOWER = {"from": [block("10.0.0.0/9")]}
FROM_UPPER = {"from": [block("10.128.0.0/9")]}
CART = pod("cart", {"app": "cart"})
FROM_DATABASE = {"from": [{"podSelector": labels(app="database")}]}
NODE_AGENT = pod("agent", {"app": "agent"}, host=True)
COREDNS = pod("coredns", {"k8s-app": "kube-dns"}, "53/UDP", namespace="kube-system")
PROBED = pod("probe", {"app": "probe"}, namespace="monitoring")
PROBES = {"podSelector": labels(app="probe")}
MONITORING = {"namespaceSelector": labels(**{"kubernetes.io/metadata.name": "monitoring"})}

BEHIND = {"service": {"name": "web", "port": {"number": 80}}}
ROUTED = (
    WEB,
    service("web", {"app": "web"}, 80, "http"),
    item("Ingress", "way", "default", spec={"defaultBackend": BEHIND}),
)
HTTP_ROUTE = item(
    "HTTPRoute", "way", "default", spec={"rules": [{"backendRefs": [{"name": "web", "port": 80}]}]}
)


def on(port, *rest):
    """A rule for one entry of `ports`, of a policy for the pod web."""
    return (ingress({"ports": [port]}, podSelector=labels(app="web")), *rest)


CASES = {
    "selects-nothing": [
        ((ingress(podSelector=labels(app="cart")), WEB), (ingress(podSelector=labels(app="web")), WEB)),
        ((ingress({"from": [{"podSelector": labels(app="cart")}]}), WEB), (ingress(FROM_WEB), WEB)),
        # for all pods of a namespace a policy may come before them
        ((ingress(podSelector=labels(app="x")), PROBED), (ingress(podSelector={}), PROBED)),
        # a podSelector alone stays at home
        (
            (ingress({"from": [PROBES]}), WEB, PROBED),
            (ingress({"from": [{**MONITORING, **PROBES}]}), WEB, PROBED),
        ),
    ],
    "unknown-namespace": [
        (
            (ingress({"from": [{"namespaceSelector": labels(team="a")}]}), space("x", team="b")),
            (ingress({"from": [{"namespaceSelector": labels(team="b")}]}), space("x", team="b")),
        ),
        # every cluster has kube-system, and hardly any repository
        (
            (ingress({"from": [MONITORING]}), space("x")),
            (
                ingress(
                    {
                        "from": [
                            {"namespaceSelector": labels(**{"kubernetes.io/metadata.name": "kube-system"})}
                        ]
                    }
                ),
                space("x"),
            ),
        ),
        # the labels of namespaces that are not given are not known
        (
            (ingress({"from": [{"namespaceSelector": labels(team="a")}]}), space("x"), WEB),
            (ingress({"from": [{"namespaceSelector": labels(team="a")}]}), WEB),
        ),
    ],
    "label-typo": [
        ((ingress(podSelector=labels(app="databse")), DB), (ingress(podSelector=labels(app="storage")), DB)),
        (
            (ingress(podSelector=labels(app="Database")), DB),
            (ingress(podSelector=labels(app="database")), DB),
        ),
        (
            (ingress(podSelector=labels(nmae="web")), pod("w", {"name": "web"})),
            (ingress(podSelector=labels(nmae="db")), pod("w", {"name": "web"})),
        ),
        # numbers tell names apart
        (
            (ingress(podSelector=labels(app="fronted")), pod("f", {"app": "frontend"})),
            (ingress(podSelector=labels(app="frontend2")), pod("f", {"app": "frontend1"})),
        ),
        (
            (ingress({"from": [{"namespaceSelector": labels(team="blue-1x")}]}), space("x", team="blue_1x")),
            (ingress({"from": [{"namespaceSelector": labels(team="blue")}]}), space("x", team="red")),
        ),
    ],
    "no-such-port-name": [
        (on({"port": "metrics"}, WEB), on({"port": "http"}, WEB)),
        (on({"port": "http", "protocol": "UDP"}, WEB), on({"port": "http", "protocol": "TCP"}, WEB)),
        (
            (egress({"to": [{"podSelector": labels(app="web")}], "ports": [{"port": "sql"}]}), WEB, DB),
            (egress({"to": [{"podSelector": labels(app="database")}], "ports": [{"port": "sql"}]}), WEB, DB),
        ),
        # some destinations are not known: they may well have it
        (
            (egress({"to": [{"podSelector": labels(app="web")}], "ports": [{"port": "sql"}]}), WEB),
            (egress({"ports": [{"port": "sql"}]}), WEB),
        ),
    ],
    "port-not-exposed": [
        (on({"port": 9090}, WEB), on({"port": 8080}, WEB)),
        (on({"port": 8000, "endPort": 8079}, WEB), on({"port": 8000, "endPort": 8080}, WEB)),
        (on({"port": 8080, "protocol": "UDP"}, WEB), on({"protocol": "UDP"}, WEB)),
        # a container need not declare its ports
        (on({"port": 9090}, WEB), on({"port": 9090}, pod("web", {"app": "web"}))),
    ],
    "service-port": [
        (
            on({"port": 80}, WEB, service("web", {"app": "web"}, 80, "http")),
            on({"port": 8080}, WEB, service("web", {"app": "web"}, 80, "http")),
        ),
        # what a Service leads to is a port of the pod, declared or not
        (
            on({"port": 80}, WEB, service("web", {"app": "web"}, 80, 8080)),
            on({"port": 80}, WEB, service("web", {"app": "web"}, 80, 80)),
        ),
        # a Service in front of other pods
        (
            on({"port": 80}, WEB, service("web", {"app": "web"}, 80, 8080)),
            on({"port": 80}, WEB, DB, service("db", {"app": "database"}, 80, 8080)),
        ),
    ],
    "redundant-policy": [
        (
            (ingress(FROM_WEB, name="a"), ingress({}, name="b")),
            (ingress(FROM_WEB, name="a"), ingress({}, name="b", podSelector=labels(app="web"))),
        ),
        # of two that are equal one is needed
        ((ingress(name="a"), ingress(name="b")), (ingress(name="a"), ingress(name="a"))),
        # it isolates in a direction of its own
        (
            (ingress(name="a"), policy("b", policyTypes=["Ingress", "Egress"])),
            (egress(name="a"), ingress(name="b")),
        ),
        ((ingress(name="a"), ingress(name="b")), (ingress(name="a"), ingress(name="b", namespace="other"))),
    ],
    "redundant-rule": [
        (
            (ingress(FROM_WEB, {"from": [{"podSelector": {}}]}),),
            (ingress(FROM_WEB, {"from": [{"podSelector": labels(app="database")}]}),),
        ),
        (
            (ingress({**FROM_WEB, "ports": [{"port": 80}]}, {"ports": [{"port": 1, "endPort": 90}]}),),
            (ingress({**FROM_WEB, "ports": [{"port": 80}]}, {"ports": [{"port": 81, "endPort": 90}]}),),
        ),
        (
            (
                ingress(
                    {"from": [block("10.0.0.0/9"), block("10.128.0.0/9")]}, {"from": [block("10.0.0.0/8")]}
                ),
            ),
            (
                ingress(
                    {"from": [block("10.0.0.0/9"), block("10.128.0.0/9", "10.129.0.0/16")]},
                    {"from": [block("10.0.0.0/8", "10.1.0.0/16")]},
                ),
            ),
        ),
        # a number is no name, whatever the name stands for today
        (
            (ingress({"ports": [{"port": "http"}]}, {"ports": [{"protocol": "TCP"}]}),),
            (ingress({"ports": [{"port": "http"}]}, {"ports": [{"port": 8080}]}), WEB),
        ),
    ],
    "redundant-here": [
        # both pods there are may come in anyway, so nobody needs the rule for all
        (
            (ingress({**FROM_ALL, "ports": [{"port": 80}]}, FROM_WEB, FROM_DATABASE), WEB, DB),
            (ingress({**FROM_ALL, "ports": [{"port": 80}]}, FROM_WEB, FROM_DATABASE), WEB, DB, CART),
        ),
        # two blocks together hold the third, on all of its ports
        (
            (ingress({**FROM_TEN, "ports": [{"port": 80}]}, FROM_LOWER, FROM_UPPER), WEB),
            (
                ingress(
                    {**FROM_TEN, "ports": [{"port": 80}]},
                    FROM_LOWER,
                    {**FROM_UPPER, "ports": [{"port": 81}]},
                ),
                WEB,
            ),
        ),
        # a name is the number that the pods give it
        (
            (
                ingress(
                    {"ports": [{"port": "http"}]}, {"ports": [{"port": 8080}]}, podSelector=labels(app="web")
                ),
                WEB,
            ),
            (
                ingress(
                    {"ports": [{"port": "http"}]}, {"ports": [{"port": 8081}]}, podSelector=labels(app="web")
                ),
                WEB,
            ),
        ),
    ],
    "allows-everything": [
        ((ingress({}),), (ingress({"ports": [{"protocol": "TCP"}]}),)),
        ((egress({}),), (egress({"to": [{"namespaceSelector": {}}]}),)),
    ],
    "ignored-rules": [
        (
            (policy(ingress=[FROM_WEB], policyTypes=["Egress"]),),
            (policy(ingress=[FROM_WEB], policyTypes=["Ingress"]),),
        ),
        ((policy(egress=[DNS], policyTypes=["Ingress"]),), (policy(egress=[], policyTypes=["Ingress"]),)),
    ],
    "egress-without-dns": [
        ((egress({"to": FROM_WEB["from"]}), WEB), (egress({"to": FROM_WEB["from"]}, DNS), WEB)),
        # another policy of the same pods may allow it
        (
            (egress({"to": FROM_WEB["from"]}, name="a"), WEB),
            (egress({"to": FROM_WEB["from"]}, name="a"), egress(DNS, name="b"), WEB),
        ),
        ((egress({"ports": [{"port": 53, "protocol": "UDP"}]}), WEB), (egress({}), WEB)),
        # by label, where the pods of DNS are not given
        (
            (egress({"to": [{"namespaceSelector": {}, "podSelector": labels(app="web")}]}), WEB),
            (
                egress({"to": [{"namespaceSelector": {}, "podSelector": labels(**{"k8s-app": "kube-dns"})}]}),
                WEB,
            ),
        ),
        # where they are, a rule must lead to them
        (
            (egress({**DNS, "to": FROM_WEB["from"]}), WEB, COREDNS),
            (egress({**DNS, "to": [{"namespaceSelector": {}}]}), WEB, COREDNS),
        ),
        # whoever shuts everything means it
        ((egress({"to": [block("10.0.0.0/8")], "ports": [{"port": 443}]}), WEB), (egress(), WEB)),
    ],
    "separate-peers": [
        (
            (ingress({"from": [MONITORING, PROBES]}), WEB, PROBED),
            (ingress({"from": [{**MONITORING, **PROBES}]}), WEB, PROBED),
        ),
        # both items select somebody: they are alternatives
        (
            (ingress({"from": [MONITORING, PROBES]}), WEB, PROBED),
            (ingress({"from": [MONITORING, PROBES]}), WEB, PROBED, pod("p", {"app": "probe"})),
        ),
        (
            (ingress({"from": [MONITORING, PROBES]}),),
            (ingress({"from": [PROBES, MONITORING]}),),
        ),
    ],
    "empty-list": [
        ((ingress({"from": []}),), (ingress({"from": [PROBES]}),)),
        ((ingress({"ports": []}),), (ingress({"ports": [{"port": 80}]}),)),
        ((ingress({"ports": [{}]}),), (ingress({"ports": [{"protocol": "TCP"}]}),)),
        ((policy(egress=[]),), (policy(egress=[], policyTypes=["Egress"]),)),
    ],
    "implied-ingress": [
        ((policy(egress=[DNS]),), (policy(egress=[DNS], policyTypes=["Egress"]),)),
        ((policy(egress=[DNS]),), (policy(egress=[DNS], ingress=[]),)),
        ((policy(egress=[DNS]),), (policy(egress=[DNS]), ingress(name="q"))),
        (
            (policy(egress=[DNS]), ingress(name="q", podSelector=labels(app="web")), WEB, DB),
            (policy(egress=[DNS]), ingress(name="q", podSelector=labels(app="web")), WEB),
        ),
    ],
    "host-network-pods": [
        (
            (ingress(podSelector=labels(app="agent")), NODE_AGENT),
            (ingress(podSelector=labels(app="agent")), pod("agent", {"app": "agent"})),
        ),
        # a policy for everybody means those whom it can have
        (
            (ingress({"from": [{"podSelector": labels(app="agent")}]}), NODE_AGENT),
            (ingress(podSelector={}), NODE_AGENT, WEB),
        ),
    ],
    "empty-block": [
        (
            (ingress({"from": [block("10.0.0.0/31", "10.0.0.0/32", "10.0.0.1/32")]}),),
            (ingress({"from": [block("10.0.0.0/31", "10.0.0.0/32")]}),),
        ),
    ],
    "exception-undone": [
        (
            (ingress({"from": [block("10.0.0.0/8", "10.1.0.0/16"), block("10.1.0.0/16")]}),),
            (ingress({"from": [block("10.0.0.0/8", "10.1.0.0/16"), block("10.1.2.0/24")]}),),
        ),
        # on another port nothing is undone
        (
            (ingress({"from": [block("10.0.0.0/8", "10.1.0.0/16")]}, {"from": [block("10.1.0.0/16")]}),),
            (
                ingress(
                    {"from": [block("10.0.0.0/8", "10.1.0.0/16")]},
                    {"from": [block("10.1.0.0/16")], "ports": [{"port": 80}]},
                ),
            ),
        ),
    ],
    "metadata-address": [
        (
            (egress({"to": [block("0.0.0.0/0")]}),),
            (egress({"to": [block("0.0.0.0/0", "169.254.169.254/32")]}),),
        ),
        ((egress({"to": [block("::/0")]}),), (egress({"to": [block("::/0", "fd00:ec2::/32")]}),)),
        # it answers on port 80
        (
            (egress({"to": [block("0.0.0.0/0")], "ports": [{"port": 80}]}),),
            (egress({"to": [block("0.0.0.0/0")], "ports": [{"port": 443}]}),),
        ),
        # whoever names it means it
        ((egress({"to": [block("128.0.0.0/1")]}),), (egress({"to": [block("169.254.169.254/32")]}),)),
    ],
    "service-address": [
        (
            (
                egress({"to": [block("10.96.0.9/32")]}),
                service("web", {"app": "web"}, 80, 80, address="10.96.0.9"),
            ),
            (
                egress({"to": [block("10.96.0.8/32")]}),
                service("web", {"app": "web"}, 80, 80, address="10.96.0.9"),
            ),
        ),
        # a source is never a Service
        (
            (
                egress({"to": [block("10.96.0.0/16")]}),
                service("web", {"app": "web"}, 80, 80, address="10.96.0.9"),
            ),
            (
                ingress({"from": [block("10.96.0.0/16")]}),
                service("web", {"app": "web"}, 80, 80, address="10.96.0.9"),
            ),
        ),
    ],
    "block-holds-pods": [
        (
            (ingress({"from": [block("10.0.0.0/8")]}), pod("a", {}, address="10.0.0.7")),
            (ingress({"from": [block("10.0.0.0/8", "10.0.0.0/24")]}), pod("a", {}, address="10.0.0.7")),
        ),
        # an address that nobody gave is not held against a policy
        (
            (ingress({"from": [block("10.0.0.0/8")]}), pod("a", {}, address="10.0.0.7")),
            (ingress({"from": [block("10.0.0.0/8")]}), pod("a", {})),
        ),
    ],
    "overlapping-blocks": [
        (
            (ingress({"from": [block("10.0.0.0/8"), block("10.1.0.0/16")]}),),
            (ingress({"from": [block("10.0.0.0/8", "10.1.0.0/16"), block("11.1.0.0/16")]}),),
        ),
        (
            (ingress({"from": [block("10.0.0.0/9"), block("10.128.0.0/9")]}),),
            (ingress({"from": [block("10.128.0.0/9"), block("11.0.0.0/9")]}),),
        ),
        ((ingress({"from": [block("10.0.0.0/9")] * 2}),), (ingress({"from": [block("10.0.0.0/9")]}),)),
    ],
    "open-to-world": [
        (
            (ingress({"from": [block("0.0.0.0/0")]}),),
            (ingress({"from": [block("0.0.0.0/0", "10.0.0.0/8")]}),),
        ),
        ((ingress({"from": [block("::/0")]}),), (ingress({"from": [block("::/1")]}),)),
    ],
    "missing-namespace": [
        ((ingress(namespace="shpo"), space("shop")), (ingress(namespace="shop"), space("shop"))),
        (
            (ingress(namespace="x"), space("shop")),
            (ingress(namespace="x"), space("shop"), pod("p", {}, namespace="x")),
        ),
        # every cluster has one called default
        ((ingress(namespace="x"), space("shop")), (ingress(namespace="default"), space("shop"))),
        ((ingress(namespace="x"), space("shop")), (ingress(namespace="x"), WEB)),
    ],
    "default-namespace": [
        ((ingress(namespace=None), PROBED), (ingress(namespace="default"), PROBED)),
        ((ingress(namespace=None), PROBED), (ingress(namespace=None), PROBED, WEB)),
    ],
    "boolean-label": [
        ((ingress(podSelector=labels(true="x")),), (ingress(podSelector=labels(on="x")),)),
        (
            (ingress(podSelector=labels(public="yes")), pod("a", {"public": "true"})),
            (ingress(podSelector=labels(public="true")), pod("a", {"public": "true"})),
        ),
        ((ingress(podSelector=labels(public="on")),), (ingress(podSelector=labels(public="true")),)),
    ],
    "no-default-deny": [
        (
            (ingress(podSelector=labels(app="web")), WEB),
            (ingress(podSelector=labels(app="web"), name="a"), ingress(name="b"), WEB),
        ),
        # one that lets everybody in shuts nobody out
        ((ingress({}), WEB), (ingress({"ports": [{"port": 8080}]}), WEB)),
        ((egress(), WEB), (ingress(namespace="other"), WEB)),
    ],
    "unprotected-pods": [
        ((ingress(podSelector=labels(app="web")), WEB, DB), (ingress(), WEB, DB)),
        ((ingress(namespace="other"), WEB), (egress(), WEB)),
        # no policy could
        ((ingress(namespace="other"), WEB), (ingress(namespace="other"), NODE_AGENT)),
    ],
    "route-blocked": [
        ((ingress(), *ROUTED), (ingress({"from": [MONITORING], "ports": [{"port": 8080}]}), *ROUTED)),
        # the pod's port is the one to open
        ((ingress({"ports": [{"port": 80}]}), *ROUTED), (ingress({"ports": [{"port": 8080}]}), *ROUTED)),
        # a load balancer has an address, and pods of the same namespace are no controller
        ((ingress(FROM_ALL), *ROUTED), (ingress(FROM_TEN), *ROUTED)),
        ((ingress(FROM_WEB), *ROUTED), (egress(), *ROUTED)),
        ((ingress(), *ROUTED), (ingress(), *ROUTED[1:])),
        # which of that namespace's pods it is, nobody here knows
        ((ingress(), *ROUTED), (ingress({"from": [{**MONITORING, **PROBES}]}), *ROUTED)),
        ((ingress(), WEB, ROUTED[1], HTTP_ROUTE), (ingress({}), WEB, ROUTED[1], HTTP_ROUTE)),
    ],
    "unknown-code": [
        (
            (ingress(metadata={"annotations": {"podfence.dev/ignore": "selects-noting"}}),),
            (ingress(metadata={"annotations": {"podfence.dev/ignore": "selects-nothing"}}),),
        ),
    ],
}
