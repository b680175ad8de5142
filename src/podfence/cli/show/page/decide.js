// ---- Deciding: the walk through tiers and rules, as podfence's `decide` does it. Tests hold the two equal.

/** @typedef {{from: number, to: number, family: string, protocol: string, port: number|null}} Flow */
/** @typedef {{policy: number, direction: string, rule: number, peer: number}} Match  `peer` -1: of the rule itself. */
/** @typedef {{direction: string, verdict: string, because: string, tier: string, isolating: number[], match: Match|null}} Walk */

const TIERS = ['Admin', 'NetworkPolicy', 'Baseline'];
const REQUIREMENTS = (WHY?.requirements ?? []).map((each) => ({
  ...each,
  pods: bits(each.pods),
  namespaces: new Set(each.namespaces),
}));
const PEERS = (WHY?.peers ?? []).map((peer) =>
  peer.block === undefined
    ? { ...peer, namespaces: peer.namespaces.map((n) => REQUIREMENTS[n]), pods: peer.pods.map((n) => REQUIREMENTS[n]) }
    : { ...peer, in: bits(peer.in), holes: peer.holes.map(([text, mask]) => ({ text, in: bits(mask) })) },
);
const isIPv6 = (text) => text.includes(':');

/** @param {Flow} flow @returns {Walk[]} Both directions, also when the first denies. */
const decide = (flow) => [walk(flow, 'egress'), walk(flow, 'ingress')];

/** @param {Flow} flow @param {string} direction @returns {number[]} subject and peer */
const endsOf = (flow, direction) => (direction === 'egress' ? [flow.from, flow.to] : [flow.to, flow.from]);

/** @param {Flow} flow @param {string} direction @returns {Walk} */
function walk(flow, direction) {
  const subject = WHY.ends[endsOf(flow, direction)[0]];
  const passes = (because) => ({ direction, verdict: 'allowed', because, tier: '', isolating: [], match: null });
  if (!subject.pod) return passes('NOT_A_POD');
  if (direction === 'ingress' && subject.own[flow.family]?.includes(flow.from)) return passes('OWN_NODE');
  for (const tier of TIERS) {
    const found = walkTier(flow, direction, tier, subject[direction].filter((n) => WHY.policies[n].tier === tier));
    if (found) return found;
  }
  return passes('NOT_ISOLATED');
}

/** @param {Flow} flow @param {string} direction @param {string} tier @param {number[]} policies @returns {Walk|null} */
function walkTier(flow, direction, tier, policies) {
  const isolating = tier === 'NetworkPolicy' ? policies : [];
  const match = firstMatch(flow, direction, policies);
  if (!match) return isolating.length ? { direction, verdict: 'denied', because: 'NO_RULE', tier, isolating, match } : null;
  const { action } = ruleOf(match);
  if (action === 'Pass') return null;
  return { direction, verdict: action === 'Accept' ? 'allowed' : 'denied', because: 'RULE', tier, isolating, match };
}

/** @param {Flow} flow @param {string} direction @param {number[]} policies @returns {Match|null} */
function firstMatch(flow, direction, policies) {
  const end = endsOf(flow, direction)[1];
  for (const policy of policies) {
    for (const [rule, { peers, ports }] of WHY.policies[policy][direction].entries()) {
      if (!matchesPorts(ports, flow)) continue;
      const peer = peers ? peers.findIndex(([number]) => matchesPeer(PEERS[number], end, flow.family)) : -1;
      if (!peers || peer >= 0) return { policy, direction, rule, peer };
    }
  }
  return null;
}

const ruleOf = (match) => WHY.policies[match.policy][match.direction][match.rule];

/** An address is in blocks of its own family only. */
function matchesPeer(peer, end, family) {
  const { pod, namespace } = WHY.ends[end];
  if (peer.block !== undefined) {
    const same = isIPv6(peer.block) === (family === '6');
    return same && peer.in(end) && !peer.holes.some((hole) => hole.in(end));
  }
  return Boolean(pod) && lacksOf(peer, end, namespace).length === 0;
}

/** The requirements that a pod does not meet; a namespace not seen meets none. */
function lacksOf(peer, end, namespace) {
  const lacks = [];
  if (peer.namespace !== null) {
    if (peer.namespace !== namespace) lacks.push({ of: 'name' });
  } else if (!Object.hasOwn(WHY.namespaces, namespace)) {
    lacks.push({ of: 'unseen' });
  } else {
    for (const each of peer.namespaces) if (!each.namespaces.has(namespace)) lacks.push({ of: 'namespace', each });
  }
  for (const each of peer.pods) if (!each.pods(end)) lacks.push({ of: 'pod', each });
  return lacks;
}

const matchesPorts = (ports, flow) => ports === null || ports.some((entry) => matchesPort(entry, flow));

/** @param {(string|number)[]} entry protocol and range, or protocol and name */
function matchesPort([protocol, first, last], flow) {
  if (protocol !== flow.protocol || flow.port === null) return false;
  if (last !== undefined) return first <= flow.port && flow.port <= last;
  return resolved(flow.to, protocol, first).includes(flow.port);
}

/** @returns {number[]} the numbers of a named port on a destination */
function resolved(end, protocol, name) {
  const found = (WHY.ends[end].named ?? []).filter((port) => port[0] === protocol && port[2] === name);
  return [...new Set(found.map((port) => port[1]))].sort((a, b) => a - b);
}
