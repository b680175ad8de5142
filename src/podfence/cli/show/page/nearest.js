// ---- Why not: the rule that came nearest, what it missed, and the edit. As podfence's `nearest`; tests hold the two equal.

/** @typedef {{policy: number, path: string, line: number, condition: string, sentence: string, edit: string}} Miss */
/** @typedef {{condition: string, words: string, weight: number}} Shortfall */

const PEERS_FIELD = { egress: 'to', ingress: 'from' };
const whoIs = (end, family) => WHY.ends[end].pod ?? WHY.ends[end].addresses[family];
const withAddress = (end, family) =>
  WHY.ends[end].pod ? `${WHY.ends[end].pod} (${WHY.ends[end].addresses[family]})` : whoIs(end, family);

/** @param {Flow} flow @param {Walk} walked a denied one @returns {Miss} */
function nearest(flow, walked) {
  const { direction, match } = walked;
  if (match) return overridden(match, walked.tier);
  const near = candidates(flow, walked).reduce((best, each) => (!best || each.weight < best.weight ? each : best), null);
  if (!near) return withoutRules(flow, walked);
  const policy = WHY.policies[near.policy];
  return {
    policy: near.policy,
    path: `spec.${direction}[${near.index}]`,
    line: near.rule.line,
    condition: (near.peer ?? near.port).condition,
    sentence: sentence(flow, direction, near),
    edit: `add ${editOf(flow, direction, near, policy)} of ${policy.title}`,
  };
}

function overridden(match, tier) {
  const line = ruleOf(match).line;
  const path = `spec.${match.direction}[${match.rule}]`;
  return { policy: match.policy, path, line, condition: 'denied by a rule', sentence: WHY.overridden[tier], edit: '' };
}

function withoutRules(flow, { direction, isolating }) {
  const policy = WHY.policies[isolating[0]];
  return {
    policy: isolating[0],
    path: `spec.${direction}`,
    line: policy.lines[direction],
    condition: 'no rule',
    sentence: `${policy.title} has no ${direction} rules, so nothing is allowed`,
    edit: `add ${wholeRule(flow, direction, policy)} to spec.${direction} of ${policy.title}`,
  };
}

function candidates(flow, { direction, isolating }) {
  const end = endsOf(flow, direction)[1];
  return isolating.flatMap((policy) =>
    WHY.policies[policy][direction].map((rule, index) => {
      const port = portShortfall(rule, flow);
      const peer = peerShortfall(rule, direction, end, flow.family);
      return { policy, index, rule, port, peer, weight: (port?.weight ?? 0) + (peer?.weight ?? 0) };
    }),
  );
}

const entryText = ([protocol, first, last]) => {
  if (last === undefined) return `${protocol} ${first}`;
  if (first === 0 && last === LAST_PORT) return protocol;
  return first === last ? `${protocol} ${first}` : `${protocol} ${first}-${last}`;
};

/** @returns {Shortfall|null} */
function portShortfall(rule, flow) {
  if (matchesPorts(rule.ports, flow)) return null;
  const words = `only ${rule.ports.map(entryText).join(' or ') || 'nothing'} is allowed`;
  if (flow.port === null) {
    return { condition: 'protocol', words: `${words}, and ${flow.protocol} has no ports`, weight: 1 };
  }
  const same = rule.ports.filter(([protocol]) => protocol === flow.protocol);
  if (!same.length) {
    const holds = ([, first, last]) => last !== undefined && first <= flow.port && flow.port <= last;
    return { condition: 'protocol', words, weight: rule.ports.some(holds) ? 1 : 2 };
  }
  const named = same.find((entry) => entry.length === 2);
  if (!named) return { condition: 'port', words, weight: 1 };
  const numbers = resolved(flow.to, named[0], named[1]);
  const who = whoIs(flow.to, flow.family);
  const said = numbers.length
    ? `${named[1]} is ${numbers.join(', ')} on ${who}`
    : `${who} declares no ${named[0]} port named ${named[1]}`;
  return { condition: 'named port', words: `${words}, and ${said}`, weight: 1 };
}

/** Of the peer that asks least, and rather of the pod than of its namespace. @returns {Shortfall|null} */
function peerShortfall(rule, direction, end, family) {
  if (!rule.peers || rule.peers.some(([number]) => matchesPeer(PEERS[number], end, family))) return null;
  if (!rule.peers.length) {
    return { condition: 'no rule', words: `its list of ${PEERS_FIELD[direction]} is empty`, weight: 1 };
  }
  const order = (each) => each.weight * 2 + (each.condition === 'namespace' ? 1 : 0);
  const found = rule.peers.map(([number]) => ofPeer(PEERS[number], end, family));
  return found.reduce((best, each) => (order(each) < order(best) ? each : best));
}

/** @returns {Shortfall} */
function ofPeer(peer, end, family) {
  const { pod, namespace } = WHY.ends[end];
  if (peer.block !== undefined) return ofBlock(peer, end, family);
  if (!pod) {
    const words = `${whoIs(end, family)} is no pod of the pod network, and ${peer.text} are asked for`;
    return { condition: 'pod labels', words, weight: 2 };
  }
  const lacks = lacksOf(peer, end, namespace);
  const condition = lacks[0].of === 'pod' ? 'pod labels' : 'namespace';
  return { condition, words: lacks.map((lack) => lackText(lack, peer, end)).join(' and '), weight: lacks.length };
}

function ofBlock(peer, end, family) {
  const same = isIPv6(peer.block) === (family === '6');
  const hole = same && peer.in(end) ? peer.holes.find((each) => each.in(end)) : undefined;
  const name = withAddress(end, family);
  if (hole) return { condition: 'except', words: `${name} is in ${peer.block}, but excepted by ${hole.text}`, weight: 1 };
  return { condition: 'block', words: `${name} is not in ${peer.text}`, weight: WHY.ends[end].pod ? 2 : 1 };
}

function lackText({ of, each }, peer, end) {
  const { pod, namespace, labels } = WHY.ends[end];
  if (of === 'name') return `${pod} is not in namespace ${peer.namespace}`;
  if (of === 'unseen') return `namespace ${namespace} has not been seen`;
  const [who, has] = of === 'pod' ? [pod, labels] : [`namespace ${namespace}`, WHY.namespaces[namespace]];
  const label = Object.hasOwn(has, each.key) ? `${each.key}=${has[each.key]}` : `no label ${each.key}`;
  return `${who} has ${label}, but ${each.text} is asked for`;
}

function sentence(flow, direction, near) {
  if (near.peer && near.port) return `${near.peer.words}; and ${near.port.words}`;
  if (near.peer) return near.peer.words;
  const end = endsOf(flow, direction)[1];
  const taking = (near.rule.peers ?? []).map(([number]) => PEERS[number]).find((peer) => matchesPeer(peer, end, flow.family));
  const verb = taking?.block === undefined ? 'is one of' : 'is in';
  const admitted = taking ? `${whoIs(end, flow.family)} ${verb} ${taking.text}` : 'the rule takes in everyone';
  return `${admitted}, but ${near.port?.words ?? 'nothing is missed'}`;
}

/** The smallest edit: a port, a peer, or where neither does a rule. */
function editOf(flow, direction, near, policy) {
  const path = `spec.${direction}[${near.index}]`;
  const readable = near.rule.peers?.length !== 0 && near.rule.ports?.length !== 0;
  if (!near.port && readable) return `${peerText(flow, direction, policy)} to ${path}.${PEERS_FIELD[direction]}`;
  if (!near.peer && flow.port !== null && readable) return `${portText(flow)} to ${path}.ports`;
  return `${wholeRule(flow, direction, policy)} to spec.${direction}`;
}

const portText = (flow) => `{protocol: ${flow.protocol}, port: ${flow.port}}`;

function peerText(flow, direction, policy) {
  const { add, namespace } = WHY.ends[endsOf(flow, direction)[1]];
  const ways = add[flow.family];
  return namespace === policy.namespace ? ways[0] : ways.at(-1);
}

function wholeRule(flow, direction, policy) {
  const ports = flow.port === null ? '' : `, ports: [${portText(flow)}]`;
  return `{${PEERS_FIELD[direction]}: [${peerText(flow, direction, policy)}]${ports}}`;
}
