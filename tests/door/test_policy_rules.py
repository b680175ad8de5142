"""Every row of the API server's validation of NetworkPolicy, with the line it prints."""

import pytest

from door.reading import lines, noted, read, spec

PORT = "spec.ingress[0].ports[0]"
PEER = "spec.ingress[0].from[0]"
SUPPORTED = 'supported values: "TCP", "UDP", "SCTP"'
RANGE = "must be between 1 and 65535, inclusive"
LETTERS = "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
ONE_LETTER = "must contain at least one letter (a-z)"
ENDS = "and must start and end with an alphanumeric character"
NAME = (
    f"must consist of alphanumeric characters, '-', '_' or '.', {ENDS} "
    "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
VALUE = (
    f"a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', {ENDS} "
    "(e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
SUBDOMAIN = (
    f"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', {ENDS} "
    "(e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
CIDR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
NOT_SPECIFIED = "may not be specified when `port` is not specified"
NON_NUMERIC = "may not be specified when `port` is non-numeric"


@pytest.mark.parametrize(
    ("port", "expected"),
    [
        ("{protocol: http}", [f'{PORT}.protocol: Unsupported value: "http": {SUPPORTED}']),
        ("{protocol: tcp}", [f'{PORT}.protocol: Unsupported value: "tcp": {SUPPORTED}']),
        ('{protocol: ""}', [f'{PORT}.protocol: Unsupported value: "": {SUPPORTED}']),
        ("{port: 0}", [f"{PORT}.port: Invalid value: 0: {RANGE}"]),
        ("{port: 65536}", [f"{PORT}.port: Invalid value: 65536: {RANGE}"]),
        ("{port: -1}", [f"{PORT}.port: Invalid value: -1: {RANGE}"]),
        (
            "{port: 80, endPort: 79}",
            [f"{PORT}.endPort: Invalid value: 79: must be greater than or equal to `port`"],
        ),
        ("{port: 80, endPort: 65536}", [f"{PORT}.endPort: Invalid value: 65536: {RANGE}"]),
        (
            "{port: 80, endPort: 0}",
            [
                f"{PORT}.endPort: Invalid value: 0: must be greater than or equal to `port`",
                f"{PORT}.endPort: Invalid value: 0: {RANGE}",
            ],
        ),
        ("{port: http, endPort: 0}", [f"{PORT}.endPort: Invalid value: 0: {NON_NUMERIC}"]),
        ("{endPort: 99999}", [f"{PORT}.endPort: Invalid value: 99999: {NOT_SPECIFIED}"]),
        ('{port: "80"}', [f'{PORT}.port: Invalid value: "80": {ONE_LETTER}']),
        (
            "{port: HTTP}",
            [f'{PORT}.port: Invalid value: "HTTP": {message}' for message in (LETTERS, ONE_LETTER)],
        ),
        (
            '{port: ""}',
            [f'{PORT}.port: Invalid value: "": {message}' for message in (LETTERS, ONE_LETTER)],
        ),
        (
            "{port: abcdefghijklmnop}",
            [f'{PORT}.port: Invalid value: "abcdefghijklmnop": must be no more than 15 characters'],
        ),
        ("{port: a--b}", [f'{PORT}.port: Invalid value: "a--b": must not contain consecutive hyphens']),
        ("{port: -b}", [f'{PORT}.port: Invalid value: "-b": must not begin or end with a hyphen']),
        ("{port: 80a}", []),
        ('{port: "8e1"}', []),
        ("{port: 80, endPort: 80}", []),
        ("{protocol: SCTP, port: 1}", []),
    ],
)
def test_ports(port, expected):
    assert lines(spec(f"ingress: [{{ports: [{port}]}}]")) == expected


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("{}", [f"{PEER}: Required value: must specify a peer"]),
        ("null", [f"{PEER}: Required value: must specify a peer"]),
        ("{namespaceSelector: }", [f"{PEER}: Required value: must specify a peer"]),
        (
            "{podSelector: {}, ipBlock: {cidr: 1.2.3.4/32}}",
            [f"{PEER}: Forbidden: may not specify both ipBlock and another peer"],
        ),
        (
            "{namespaceSelector: {}, ipBlock: {cidr: x}}",
            [
                f'{PEER}.ipBlock.cidr: Invalid value: "x": {CIDR}',
                f"{PEER}: Forbidden: may not specify both ipBlock and another peer",
            ],
        ),
        ("{podSelector: {}, namespaceSelector: {}}", []),
    ],
)
def test_peers(peer, expected):
    assert lines(spec(f"ingress: [{{from: [{peer}]}}]")) == expected


BLOCK = f"{PEER}.ipBlock"


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ("{}", [f"{BLOCK}.cidr: Required value"]),
        ('{cidr: "", except: [x]}', [f"{BLOCK}.cidr: Required value"]),
        ("{cidr: 10.0.0.1, except: [x]}", [f'{BLOCK}.cidr: Invalid value: "10.0.0.1": {CIDR}']),
        ("{cidr: 10.0.0.0/33}", [f'{BLOCK}.cidr: Invalid value: "10.0.0.0/33": {CIDR}']),
        ("{cidr: 10.0.0.0/255.0.0.0}", [f'{BLOCK}.cidr: Invalid value: "10.0.0.0/255.0.0.0": {CIDR}']),
        ("{cidr: 'fe80::%eth0/64'}", [f'{BLOCK}.cidr: Invalid value: "fe80::%eth0/64": {CIDR}']),
        (
            "{cidr: 010.0.0.0/8}",
            [f'{BLOCK}.cidr: Invalid value: "010.0.0.0/8": must not have leading 0s in IP or prefix length'],
        ),
        (
            "{cidr: 10.0.0.0/08}",
            [f'{BLOCK}.cidr: Invalid value: "10.0.0.0/08": must not have leading 0s in IP or prefix length'],
        ),
        (
            "{cidr: '::ffff:10.0.0.0/104'}",
            [
                (
                    f'{BLOCK}.cidr: Invalid value: "::ffff:10.0.0.0/104": '
                    "must not have an IPv4-mapped IPv6 address"
                )
            ],
        ),
        (
            "{cidr: 10.0.0.1/8}",
            [f'{BLOCK}.cidr: Invalid value: "10.0.0.1/8": must not have bits set beyond the prefix length'],
        ),
        (
            "{cidr: 010.0.0.1/8}",
            [f'{BLOCK}.cidr: Invalid value: "010.0.0.1/8": must not have leading 0s in IP or prefix length'],
        ),
        (
            "{cidr: 10.0.0.0/8, except: [11.0.0.0/16, 10.0.0.0/8, '2001:db8::/64', x, 10.1.0.1/16]}",
            [
                f'{BLOCK}.except[0]: Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`',
                f'{BLOCK}.except[1]: Invalid value: "10.0.0.0/8": must be a strict subset of `cidr`',
                f'{BLOCK}.except[2]: Invalid value: "2001:db8::/64": must be a strict subset of `cidr`',
                f'{BLOCK}.except[3]: Invalid value: "x": {CIDR}',
                (
                    f'{BLOCK}.except[4]: Invalid value: "10.1.0.1/16": '
                    "must not have bits set beyond the prefix length"
                ),
            ],
        ),
        (
            "{cidr: 10.0.0.0/8, except: [011.0.0.0/16]}",
            [
                (
                    f'{BLOCK}.except[0]: Invalid value: "011.0.0.0/16": '
                    "must not have leading 0s in IP or prefix length"
                ),
                f'{BLOCK}.except[0]: Invalid value: "011.0.0.0/16": must be a strict subset of `cidr`',
            ],
        ),
        ("{cidr: 10.0.0.0/8, except: [null]}", [f'{BLOCK}.except[0]: Invalid value: "": {CIDR}']),
        ("{cidr: 10.0.0.0/8, except: [10.0.0.0/9, 10.128.0.0/9]}", []),
        ("{cidr: 127.0.0.0/8}", []),
    ],
)
def test_blocks(block, expected):
    assert lines(spec(f"ingress: [{{from: [{{ipBlock: {block}}}]}}]")) == expected


def test_ipv6_that_is_not_canonical_is_only_noted():
    found = spec("egress: [{to: [{ipBlock: {cidr: '2001:DB8::/64'}}]}]")
    (note,) = found.warnings
    assert found.problems == ()
    assert (note.field, note.message) == (
        "spec.egress[0].to[0].ipBlock.cidr",
        'IPv6 CIDR value "2001:DB8::/64" should be in RFC 5952 canonical format ("2001:db8::/64")',
    )


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        (
            "[Ingress, Egress, Ingress]",
            [
                (
                    'spec.policyTypes: Invalid value: ["Ingress","Egress","Ingress"]: '
                    "may not specify more than two policyTypes"
                )
            ],
        ),
        (
            "[ingress, Egress]",
            ['spec.policyTypes[0]: Unsupported value: "ingress": supported values: "Ingress", "Egress"'],
        ),
        ("[null]", ['spec.policyTypes[0]: Unsupported value: "": supported values: "Ingress", "Egress"']),
        ("[Ingress, Ingress]", []),
        ("[Egress, Ingress]", []),
    ],
)
def test_policy_types(types, expected):
    assert lines(spec(f"policyTypes: {types}")) == expected


SEL = "spec.podSelector"
LONG = "a" * 64
IN = "must be specified when `operator` is 'In' or 'NotIn'"
EXISTS = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
NOT_AN_OPERATOR = "not a valid selector operator"


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("{matchLabels: {'a b': c}}", [f'{SEL}.matchLabels: Invalid value: "a b": name part {NAME}']),
        ("{matchLabels: {a: 'b c'}}", [f'{SEL}.matchLabels: Invalid value: "b c": {VALUE}']),
        (
            f"{{matchLabels: {{a: {LONG}}}}}",
            [f'{SEL}.matchLabels: Invalid value: "{LONG}": must be no more than 63 bytes'],
        ),
        (
            "{matchLabels: {A_b.c/d: ''}}",
            [f'{SEL}.matchLabels: Invalid value: "A_b.c/d": prefix part {SUBDOMAIN}'],
        ),
        (
            "{matchLabels: {/d: x}}",
            [f'{SEL}.matchLabels: Invalid value: "/d": prefix part must be non-empty'],
        ),
        (
            "{matchLabels: {a/b/c: x}}",
            [
                (
                    f'{SEL}.matchLabels: Invalid value: "a/b/c": a valid label key {NAME} with an optional DNS '
                    "subdomain prefix and '/' (e.g. 'example.com/MyName')"
                )
            ],
        ),
        (
            "{matchExpressions: [{key: a}]}",
            [f'{SEL}.matchExpressions[0].operator: Invalid value: "": {NOT_AN_OPERATOR}'],
        ),
        (
            "{matchExpressions: [{key: a, operator: in, values: [b]}]}",
            [f'{SEL}.matchExpressions[0].operator: Invalid value: "in": {NOT_AN_OPERATOR}'],
        ),
        (
            "{matchExpressions: [{key: a, operator: Gt, values: ['1']}]}",
            [f'{SEL}.matchExpressions[0].operator: Invalid value: "Gt": {NOT_AN_OPERATOR}'],
        ),
        (
            "{matchExpressions: [{key: a, operator: In}]}",
            [f"{SEL}.matchExpressions[0].values: Required value: {IN}"],
        ),
        (
            "{matchExpressions: [{key: a, operator: NotIn, values: []}]}",
            [f"{SEL}.matchExpressions[0].values: Required value: {IN}"],
        ),
        (
            "{matchExpressions: [{key: a, operator: Exists, values: [b]}]}",
            [f"{SEL}.matchExpressions[0].values: Forbidden: {EXISTS}"],
        ),
        (
            "{matchExpressions: [{key: '', operator: DoesNotExist}]}",
            [
                f'{SEL}.matchExpressions[0].key: Invalid value: "": name part must be non-empty',
                f'{SEL}.matchExpressions[0].key: Invalid value: "": name part {NAME}',
            ],
        ),
        (
            '{matchExpressions: [{key: a, operator: In, values: [b, "c\\n"]}]}',
            [f'{SEL}.matchExpressions[0].values[1]: Invalid value: "c\\n": {VALUE}'],
        ),
        ("{matchLabels: {a.b/C_d: ''}}", []),
    ],
)
def test_selectors(selector, expected):
    assert lines(spec(f"podSelector: {selector}")) == expected


@pytest.mark.parametrize("member", ["podSelector", "namespaceSelector"])
def test_selectors_of_peers_follow_the_same_rules(member):
    found = spec(f"egress: [{{to: [{{{member}: {{matchLabels: {{a: 'b c'}}}}}}]}}]")
    assert lines(found) == [f'spec.egress[0].to[0].{member}.matchLabels: Invalid value: "b c": {VALUE}']


META = "metadata"


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ("{}", [f"{META}.name: Required value: name or generateName is required"]),
        ("{generateName: p-}", []),
        ("{generateName: P-}", [f'{META}.name: Invalid value: "P-1": {SUBDOMAIN}']),
        (
            "{generateName: P}",
            [
                f'{META}.generateName: Invalid value: "P": {SUBDOMAIN}',
                f'{META}.name: Invalid value: "P1": {SUBDOMAIN}',
            ],
        ),
        ("{name: a, generateName: P-}", []),
        (f"{{generateName: {'a' * 250}-}}", []),
        ("{name: a.b.1}", []),
        ("{name: A}", [f'{META}.name: Invalid value: "A": {SUBDOMAIN}']),
        (
            f"{{name: {'a' * 254}}}",
            [f'{META}.name: Invalid value: "{"a" * 254}": must be no more than 253 characters'],
        ),
        ("{name: p, namespace: a.b}", [f'{META}.namespace: Invalid value: "a.b": must not contain dots']),
        ("{name: p, generation: -1}", []),
        ("{name: p, creationTimestamp: null, deletionTimestamp: '2026-01-31T00:00:00.5+01:00'}", []),
        (
            "{name: p, creationTimestamp: '2026-02-31T00:00:00Z'}",
            [f'{META}.creationTimestamp: parsing time "2026-02-31T00:00:00Z": day out of range'],
        ),
        (
            "{name: p, deletionTimestamp: never}",
            [f'{META}.deletionTimestamp: parsing time "never" as "2006-01-02T15:04:05Z07:00"'],
        ),
        ("{name: p, labels: {a: 'b c'}}", [f'{META}.labels: Invalid value: "b c": {VALUE}']),
        (
            "{name: p, annotations: {'a b': c}}",
            [f'{META}.annotations: Invalid value: "a b": name part {NAME}'],
        ),
        ("{name: p, annotations: {Example.COM/A: any thing}}", []),
        (
            f"{{name: p, annotations: {{a: {'x' * 262144}}}}}",
            [f"{META}.annotations: Too long: may not be more than 262144 bytes"],
        ),
        (
            "{name: p, finalizers: ['a b', kubernetes, a.b/c]}",
            [
                f'{META}.finalizers: Invalid value: "a b": name part {NAME}',
                (
                    f'{META}.finalizers[0]: Invalid value: "a b": '
                    "name is neither a standard finalizer name nor is it fully qualified"
                ),
            ],
        ),
        (
            "{name: p, ownerReferences: [{}]}",
            [
                f"{META}.ownerReferences[0].{part}: Required value: must not be empty"
                for part in ("apiVersion", "kind", "name", "uid")
            ],
        ),
    ],
)
def test_metadata(metadata, expected):
    text = f"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {metadata}\n"
    assert lines(read(text)) == expected


def test_an_event_owns_nothing():
    owner = "{apiVersion: v1, kind: Event, name: o, uid: u}"
    found = read(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
        f"metadata: {{name: p, ownerReferences: [{owner}]}}\n"
    )
    (line,) = lines(found)
    assert line.endswith("/v1, Kind=Event is disallowed from being an owner")


def test_finalizers_that_contradict_each_other():
    found = read(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
        "metadata: {name: p, finalizers: [orphan, foregroundDeletion]}\n"
    )
    assert lines(found) == [
        (
            'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: '
            "finalizer orphan and foregroundDeletion cannot be both set"
        )
    ]


def test_only_one_owner_is_the_controller():
    owner = "{apiVersion: v1, kind: K, name: o, uid: u, controller: true}"
    other = owner.replace("name: o", "name: q")
    found = read(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
        f"metadata: {{name: p, ownerReferences: [{owner}, {other}, {owner}]}}\n"
    )
    (line,) = lines(found)
    assert line.startswith('metadata.ownerReferences: Invalid value: [{"apiVersion":"v1","kind":"K"')
    assert line.endswith(
        'Only one reference can have Controller set to true. Found "true" in references for K/o and K/q'
    )


def test_all_problems_come_at_once_and_in_the_order_of_the_server():
    found = spec(
        """
        podSelector: {matchLabels: {a: 'b c'}}
        policyTypes: [x]
        egress: [{to: [{}], ports: [{port: 0}]}]
        ingress: [{from: [{}], ports: [{port: 0}]}, {ports: [{port: -1}]}]
        """
    )
    assert [each.field for each in found.problems] == [
        "spec.podSelector.matchLabels",
        "spec.ingress[0].ports[0].port",
        "spec.ingress[0].from[0]",
        "spec.ingress[1].ports[0].port",
        "spec.egress[0].ports[0].port",
        "spec.egress[0].to[0]",
        "spec.policyTypes[0]",
    ]


def test_a_null_rule_is_accepted_and_noted_as_an_error():
    assert noted(spec("ingress:\n-\n")) == [("null-item", "error", "spec.ingress[0]")]


def test_a_null_port_is_accepted_and_noted_as_an_error():
    assert noted(spec("ingress: [{ports: [null]}]")) == [("null-item", "error", "spec.ingress[0].ports[0]")]


def test_a_null_label_value_in_a_list_is_noted():
    found = spec("podSelector: {matchExpressions: [{key: a, operator: In, values: [null]}]}")
    assert noted(found) == [("null-item", "warning", "spec.podSelector.matchExpressions[0].values[0]")]
    assert found.objects[0].subject.pods.requirements[0].values == ("",)
